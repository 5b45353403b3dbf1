"""Our scores against those of the reference scripts, case by random case.

    python benchmarks/metric_parity.py --xtreme DIR --jiant DIR --seqeval DIR --cases 1000
    python benchmarks/metric_parity.py … --record tests/metrics/reference_scores.jsonl.gz --cases 40

DIR are checkouts of google-research/xtreme and nyu-mll/jiant, and a folder that holds the package seqeval 0.0.12 (`pip
install --target DIR --no-deps seqeval==0.0.12`). The references are imported from there and stay there; none of their code is
here. Files are written as a user would write them, scored by the reference and by ours, and all numbers compared. Prints one
JSON line per metric: cases, numbers compared, largest difference in points, and cases set apart because the reference is known
to be wrong there (with the reason). `--record` writes the cases with the references' numbers: the sample that the tests score.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import random
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")

import metric_cases as cases
from metric_cases import Case, Draw

Numbers = dict[str, float]


class SetApart(Exception):
    """The reference is known to be wrong on this case, or on a part of its numbers."""

    def __init__(self, reason: str, numbers: Numbers | None = None) -> None:
        super().__init__(reason)
        self.numbers = numbers


@dataclass(frozen=True, kw_only=True)
class Group:
    """One metric: cases, the reference, the share of the cases asked for that it takes, and whether the tests score it."""

    draw: Callable[[Draw], Any]
    reference: Callable[[Any, Path], Numbers]
    ours: Callable[[Any, Path], Mapping[str, float | None]] = cases.our_scores
    share: float = 1
    recorded: bool = True


@dataclass
class Tally:
    """What was compared of one metric."""

    cases: int = 0
    numbers: int = 0
    largest: float = 0.0
    set_apart: dict[str, int] = field(default_factory=dict)

    def compare(self, ours: Mapping[str, float | None], theirs: Mapping[str, float]) -> None:
        self.cases += 1
        for key, value in theirs.items():
            mine = ours[key]
            assert mine is not None, key
            self.numbers += 1
            self.largest = max(self.largest, abs(mine - value))

    def skip(self, reason: str) -> None:
        self.set_apart[reason] = self.set_apart.get(reason, 0) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("xtreme", "jiant", "seqeval"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=None)
    parser.add_argument("--record", type=Path, default=None)
    args = parser.parse_args()
    rows = []
    for name, group in reference_groups(args.xtreme, args.jiant, args.seqeval).items():
        if (args.only and name not in args.only) or (args.record and not group.recorded):
            continue
        tally, began = Tally(), time.perf_counter()
        for case, theirs in scored(name, group, max(1, int(args.cases * group.share)), tally):
            rows.append((name, case, theirs))
        print(json.dumps({"metric": name, **vars(tally), "seconds": round(time.perf_counter() - began, 1)}), flush=True)
    if args.record:
        cases.write_record(args.record, rows)


def scored(name: str, group: Group, count: int, tally: Tally) -> Iterator[tuple[Any, Numbers]]:
    draw = random.Random(f"{name} 0")
    with tempfile.TemporaryDirectory() as folder:
        while tally.cases < count:
            case, at = group.draw(draw), Path(folder)
            if isinstance(case, Case):
                case.write(at)
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                try:
                    theirs = group.reference(case, at)
                except SetApart as known:
                    tally.skip(str(known))
                    if known.numbers is None:
                        continue
                    theirs = known.numbers
            tally.compare(group.ours(case, at), theirs)
            yield case, theirs


# ---- the references


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def stand_ins(*names: str):  # type: ignore[no-untyped-def]
    """Imports of a reference file that its scoring functions never call (models, progress bars)."""
    made = {name: types.ModuleType(name) for name in names}
    for module in made.values():
        module.__getattr__ = lambda attribute: mock.MagicMock(name=attribute)  # type: ignore[method-assign]
    with mock.patch.dict(sys.modules, made):
        yield


def reference_groups(xtreme: Path, jiant: Path, seqeval: Path) -> dict[str, Group]:
    sys.path[:0] = [str(seqeval), str(xtreme)]
    evaluate = load("xtreme_evaluate", xtreme / "evaluate.py")
    import seqeval as used

    assert str(used.__file__).startswith(str(seqeval)), "seqeval 0.0.12 must come first"
    with stand_ins("transformers", "transformers.models.bert.tokenization_bert", "jiant", "jiant.utils", "jiant.utils.display"):
        squad2 = load("jiant_squad_utils", jiant / "jiant/tasks/lib/templates/squad_style/utils.py")
    retrieve = load("xtreme_retrieve", xtreme / "third_party/utils_retrieve.py")
    one = one_task(evaluate)
    return {
        "accuracy (xnli, pawsx)": Group(draw=cases.accuracy, reference=one),
        "tatoeba": Group(draw=cases.tatoeba, reference=one),
        "qqp (scikit-learn, as jiant)": Group(draw=cases.qqp, reference=qqp),
        "seqeval panx": Group(draw=cases.tags("panx", cases.BIO), reference=one),
        "seqeval udpos": Group(draw=cases.tags("udpos", cases.UDPOS), reference=one),
        "seqeval odd tags": Group(draw=cases.tags("udpos", cases.ODD), reference=one),
        "bucc": Group(draw=cases.bucc, reference=one),
        "squad (xquad, tydiqa)": Group(draw=cases.answers("xquad", [None]), reference=one),
        "mlqa": Group(draw=cases.answers("mlqa", cases.MLQA), reference=one, share=3),
        "squad_v2 (jiant's evaluate)": Group(draw=cases.squad_v2, reference=squad_v2(squad2)),
        "mining (candidates, margins)": Group(draw=pools, reference=candidates(retrieve), ours=our_candidates, recorded=False),
        "mining (F1 at the best cut)": Group(draw=cases.mining_cut, reference=best_cut(retrieve)),
        "xtreme averages": Group(draw=cases.submission, reference=benchmark(evaluate), share=0.025),
    }


def one_task(evaluate: Any) -> Callable[[Case, Path], Numbers]:
    """XTREME's evaluate.py on one file; `card`: the score that the benchmark takes of it."""

    def reference(case: Case, at: Path) -> Numbers:
        language = case.language or ("de" if case.metric == "bucc" else None if case.metric == "squad" else "sw")
        theirs = evaluate.evaluate_one_task(str(at / "pred"), str(at / "gold"), case.task, language)
        return {key: float(value) for key, value in theirs.items()} | cases.card_of(case, theirs)

    return reference


def qqp(case: Case, at: Path) -> Numbers:
    from sklearn.metrics import accuracy_score, f1_score

    gold, predicted = ([int(line) for line in case.files[side].split()] for side in ("gold", "pred"))
    acc, f1 = accuracy_score(gold, predicted), f1_score(gold, predicted, zero_division=0)
    theirs = {"accuracy": 100 * acc, "f1": 100 * f1, "acc_and_f1": 100 * (acc + f1) / 2}
    return theirs | cases.card_of(case, theirs)


def squad_v2(reference: Any) -> Callable[[Case, Path], Numbers]:
    def scores(case: Case, at: Path) -> Numbers:
        said, null = json.loads(case.files["pred"]), json.loads(case.files["null"])
        articles = json.loads(case.files["gold"])["data"]
        asked = [qa for article in articles for paragraph in article["paragraphs"] for qa in paragraph["qas"]]
        examples = [types.SimpleNamespace(qas_id=qa["id"], answers=qa["answers"]) for qa in asked]
        threshold = case.numbers.get("threshold", 1.0)  # the script's default
        found = reference.squad_evaluate(examples, said, null, threshold)
        theirs = {key: float(value) for key, value in found.items() if not key.endswith("total")}
        theirs["exact_match"] = theirs.pop("exact")
        kept = {key: value for key, value in theirs.items() if not key.startswith("best_")}
        if len(set(null.values())) < len(null):
            raise SetApart("equal no-answer scores: the script cuts inside ties", kept)
        if any(not qa["answers"] and said[qa["id"]] and is_empty(said[qa["id"]]) for qa in asked):
            raise SetApart(
                "an answer of which normalising leaves nothing: the script counts it right, its search counts it wrong", kept
            )
        return theirs

    return scores


def is_empty(text: str) -> bool:
    from tasksearch.metrics.squad import normalise

    return not normalise(text)


def pools(draw: Draw) -> tuple[Any, Any]:
    """Two pools of vectors, half of the smaller one parallel; one sentence a side stands twice."""
    import numpy as np

    rng = np.random.default_rng(draw.randrange(2**32))
    n, m = draw.randint(4, 80), draw.randint(4, 80)
    x = rng.normal(size=(n, 16)).astype(np.float32) + np.float32(1)
    y = rng.normal(size=(m, 16)).astype(np.float32) + np.float32(1)
    same = min(n, m) // 2
    y[:same] = x[:same] + np.float32(0.3) * rng.normal(size=(same, 16)).astype(np.float32)
    x[-1], y[-1] = x[0], y[0]
    return x, y


def sentences(name: str, count: int) -> dict[str, str]:
    """Id → text; the last text is the first one's."""
    texts = [f"{name} sentence {i}" for i in range(count - 1)] + [f"{name} sentence 0"]
    return {f"{name}-{i:09d}": text for i, text in enumerate(texts)}


def candidates(reference: Any) -> Callable[[tuple[Any, Any], Path], Numbers]:
    def scores(drawn: tuple[Any, Any], at: Path) -> Numbers:
        for name, side in zip("xy", drawn, strict=True):
            named = sentences(name, len(side))
            (at / f"{name}.txt").write_text("".join(f"{text}\n" for text in named.values()), encoding="utf-8")
            (at / f"{name}.id").write_text("".join(f"{identity}\n" for identity in named), encoding="utf-8")
        x, y = drawn
        reference.mine_bitext(x.copy(), y.copy(), str(at / "x.txt"), str(at / "y.txt"), str(at / "out"))
        return dict(reference.read_candidate2score(*(str(at / f) for f in ("out", "x.txt", "y.txt", "x.id", "y.id"))))

    return scores


def our_candidates(drawn: tuple[Any, Any], at: Path) -> Mapping[str, float | None]:
    from tasksearch.evaluation.mining import mine

    mined = mine(*(sentences(name, len(side)) for name, side in zip("xy", drawn, strict=True)), *drawn)
    return dict(zip(mined.ids, mined.scores.tolist(), strict=True))


def best_cut(reference: Any) -> Callable[[Case, Path], Numbers]:
    def scores(case: Case, at: Path) -> Numbers:
        values, right, gold = (case.numbers[name] for name in ("scores", "right", "gold"))
        pairs = {(f"x{i}", f"y{i}"): score for i, score in enumerate(values)}
        found = {f"x{i}\ty{i}" for i, hit in enumerate(right) if hit}
        found |= {f"x{i}\tz{i}" for i in range(gold - len(found))}
        if len(set(values)) < len(values):
            raise SetApart("equal margins: the script cuts inside ties")
        try:
            threshold = reference.bucc_optimize(pairs, found)
        except IndexError:
            raise SetApart("the best cut is after the last candidate: the script fails") from None
        extracted = set(reference.bucc_extract(pairs, threshold, None))
        correct = len(extracted & found)
        theirs = {"f1": 200 * correct / (len(extracted) + len(found))}
        theirs |= {"precision": 100 * correct / len(extracted) if extracted else 0.0, "recall": 100 * correct / len(found)}
        ranked = sorted(zip(values, right, strict=True), reverse=True)
        at_each = [2 * sum(hit for _, hit in ranked[: n + 1]) / (n + 1 + gold) for n in range(len(ranked))]
        if not any(right):
            return theirs
        if sum(f1 > max(at_each) - 1e-9 for f1 in at_each) > 1:
            raise SetApart("threshold alone: two cuts of equal F1, parted by rounding in the script", {"f1": theirs["f1"]})
        return theirs | {"cut": threshold}

    return scores


def benchmark(evaluate: Any) -> Callable[[Case, Path], Numbers]:
    def scores(case: Case, at: Path) -> Numbers:
        overall, detailed = evaluate.evaluate(str(at / "pred"), str(at / "gold"), "xtreme")
        theirs = {key: float(value) for key, value in overall.items()}
        for task, table in detailed.items():
            for key, value in table.items():
                if key.startswith("avg_"):
                    theirs[f"{task}/{key}"] = float(value)
                else:
                    theirs |= {f"{task}/{key}/{language}": float(score) for language, score in value.items()}
        return theirs

    return scores


if __name__ == "__main__":
    main()
