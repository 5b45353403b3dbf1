"""Our scores against those of the reference scripts, case by random case.

    python benchmarks/metric_parity.py --xtreme DIR --jiant DIR --seqeval DIR --cases 1000

DIR are checkouts of google-research/xtreme and nyu-mll/jiant, and a folder that holds the package seqeval 0.0.12 (`pip
install --target DIR --no-deps seqeval==0.0.12`). The references are imported from there and stay there; none of their code is
here. Files are written as a user would write them, scored by the reference and by ours, and all numbers compared. Prints one
JSON line per metric: cases, numbers compared, largest difference in points, and cases set apart because the reference is known
to be wrong there (with the reason).
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tasksearch.metrics.scoring import score_files
from tasksearch.metrics.xtreme import XTREME_TASKS, score_benchmark

BIO = ["O"] * 4 + [f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "ORG", "LOC")]
UDPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]
ODD = ["O", "B-X", "I-X", "E-X", "S-X", "I-Y", ".", "B", "I", "E", "S", "_", "B-X-Y", "IO"]
WORDS = [
    "the",
    "a",
    "an",
    "The",
    "cat",
    "cats",
    "Cat's",
    "cat.",
    "don't",
    "U.S.",
    "1,000",
    "2008年",
    "北京",
    "奥运会。",
    "der",
    "die",
    "das",
    "eine",
    "Hut,",
    "el",
    "los",
    "unas",
    "gato",
    "ال",
    "البيت",
    "بال",
    "كتاب",
    "là",
    "của",
    "những",
    "यह",
    "किताब।",
    "кот",
    "ไทย",
    "「語」",
    "…",
    "—",
    "«",
    "»",
    "é",
    "É",
    "İ",
    "ß",
    "²",
    "%",
    "$",
    "+",
    "=",
    "|",
    "~",
    "`",
    "^",
    "<",
    ">",
    "\xa0",
    "\u200b",
    "\u2028",
    "\u3000",
    "x-y",
    "😀",
]
MLQA = ["ar", "de", "en", "es", "hi", "vi", "zh"]


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


Draw = random.Random
Case = Callable[[Draw, Path, Tally], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("xtreme", "jiant", "seqeval"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--only", nargs="*", default=None)
    args = parser.parse_args()
    cases = reference_cases(args.xtreme, args.jiant, args.seqeval)
    for name, (case, share) in cases.items():
        if args.only and name not in args.only:
            continue
        tally, began = Tally(), time.perf_counter()
        draw = random.Random(f"{name} 0")
        with tempfile.TemporaryDirectory() as folder:
            while tally.cases < max(1, int(args.cases * share)):
                with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                    case(draw, Path(folder), tally)
        seconds = round(time.perf_counter() - began, 1)
        print(json.dumps({"metric": name, **vars(tally), "seconds": seconds}), flush=True)


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


def reference_cases(xtreme: Path, jiant: Path, seqeval: Path) -> dict[str, tuple[Case, float]]:
    sys.path[:0] = [str(seqeval), str(xtreme)]
    evaluate = load("xtreme_evaluate", xtreme / "evaluate.py")
    import seqeval as used

    assert str(used.__file__).startswith(str(seqeval)), "seqeval 0.0.12 must come first"
    with stand_ins("transformers", "transformers.models.bert.tokenization_bert", "jiant", "jiant.utils", "jiant.utils.display"):
        squad2 = load("jiant_squad_utils", jiant / "jiant/tasks/lib/templates/squad_style/utils.py")
    return {
        "accuracy (xnli, pawsx)": (accuracy(evaluate), 1),
        "tatoeba": (tatoeba(evaluate), 1),
        "qqp (scikit-learn, as jiant)": (qqp(), 1),
        "seqeval panx": (tags(evaluate, "panx", BIO), 1),
        "seqeval udpos": (tags(evaluate, "udpos", UDPOS), 1),
        "seqeval odd tags": (tags(evaluate, "udpos", ODD), 1),
        "bucc": (bucc(evaluate), 1),
        "squad (xquad, tydiqa)": (answers(evaluate, "xquad", [None]), 1),
        "mlqa": (answers(evaluate, "mlqa", MLQA), 1),
        "squad_v2 (jiant's evaluate)": (squad_v2(squad2), 1),
        "mining (candidates, margins)": (mining(load("xtreme_retrieve", xtreme / "third_party/utils_retrieve.py")), 1),
        "mining (F1 at the best cut)": (mining_cut(load("xtreme_retrieve", xtreme / "third_party/utils_retrieve.py")), 1),
        "xtreme averages": (benchmark(evaluate), 0.1),
    }


# ---- cases: files drawn at random, scored twice


def lines(path: Path, rows: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def changed(draw: Draw, gold: Sequence[Any], among: Sequence[Any]) -> list[Any]:
    share = draw.random()
    return [draw.choice(among) if draw.random() < share else item for item in gold]


def accuracy(evaluate: Any) -> Case:
    labels = ["entailment", "neutral", "contradiction", "0", "1", "0 ", " 1"]

    def case(draw: Draw, at: Path, tally: Tally) -> None:
        gold = draw.choices(labels, k=draw.randint(1, 60))
        g, p = lines(at / "g", gold), lines(at / "p", changed(draw, gold, labels))
        tally.compare(score_files("accuracy", g, p).values, evaluate.evaluate_one_task(str(p), str(g), "xnli", "sw"))

    return case


def tatoeba(evaluate: Any) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        pool = [str(i) for i in range(draw.randint(1, 100))]
        gold = draw.sample(pool, len(pool))
        g, p = lines(at / "g", gold), lines(at / "p", changed(draw, gold, [*pool, "[3]"]))
        tally.compare(score_files("tatoeba", g, p).values, evaluate.evaluate_one_task(str(p), str(g), "tatoeba", "sw"))

    return case


def qqp() -> Case:
    from sklearn.metrics import accuracy_score, f1_score

    def case(draw: Draw, at: Path, tally: Tally) -> None:
        gold = draw.choices("01", k=draw.randint(1, 60))
        predicted = changed(draw, gold, "01")
        g, p = lines(at / "g", gold), lines(at / "p", predicted)
        labels, ours = [int(x) for x in gold], [int(x) for x in predicted]
        acc, f1 = accuracy_score(labels, ours), f1_score(labels, ours, zero_division=0)
        theirs = {"accuracy": 100 * acc, "f1": 100 * f1, "acc_and_f1": 100 * (acc + f1) / 2}
        tally.compare(score_files("qqp", g, p).values, theirs)

    return case


def tags(evaluate: Any, task: str, alphabet: Sequence[str]) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        gold = [draw.choices(alphabet, k=draw.randint(1, 20)) for _ in range(draw.randint(1, 15))]
        predicted = [changed(draw, sentence, alphabet) for sentence in gold]
        g, p = (
            lines(at / name, [row for sentence in side for row in (*sentence, "")])
            for name, side in (("g", gold), ("p", predicted))
        )
        tally.compare(score_files("seqeval", g, p).values, evaluate.evaluate_one_task(str(p), str(g), task, "sw"))

    return case


def bucc(evaluate: Any) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        n = draw.randint(1, 60)
        pairs = [f"de-{i:09d}\ten-{j:09d}" for i, j in zip(draw.sample(range(99), n), draw.sample(range(99), n), strict=True)]
        mined = [f"de-{draw.randrange(99):09d}\ten-{draw.randrange(99):09d}" for _ in range(draw.randint(0, 40))]
        mined += draw.choices(pairs, k=draw.randint(0, n))
        g, p = lines(at / "g", pairs), lines(at / "p", mined)
        tally.compare(score_files("bucc", g, p).values, evaluate.evaluate_one_task(str(p), str(g), "bucc2018", "de"))

    return case


def phrase(draw: Draw, least: int = 0) -> str:
    return draw.choice([" ", " ", "", "  "]).join(draw.choices(WORDS, k=draw.randint(least, 6)))


def said_of(draw: Draw, golds: Sequence[str]) -> str:
    """A right answer, one with changed words, or any phrase."""
    if not golds or draw.random() < 0.3:
        return phrase(draw)
    words = draw.choice(list(golds)).split(" ")
    return " ".join(word if draw.random() < 0.7 else draw.choice(WORDS) for word in words)


def question_file(path: Path, questions: Mapping[str, Sequence[str]]) -> Path:
    qas = [
        {"id": name, "question": "?", "answers": [{"text": t, "answer_start": 0} for t in golds]}
        for name, golds in questions.items()
    ]
    data = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "c", "qas": qas[i::2]}]} for i in (0, 1)]}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def answers(evaluate: Any, task: str, languages: Sequence[str | None]) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        language = draw.choice(languages)
        questions = {f"q{i}": [phrase(draw) for _ in range(draw.randint(1, 3))] for i in range(draw.randint(2, 12))}
        said = {name: said_of(draw, golds) for name, golds in questions.items() if draw.random() < 0.95}
        if not said:
            return
        g, p = question_file(at / "g", questions), at / "p"
        p.write_text(json.dumps(said), encoding="utf-8")
        ours = score_files("mlqa" if language else "squad", g, p, language=language).values
        tally.compare(ours, evaluate.evaluate_one_task(str(p), str(g), task, language))

    return case


def squad_v2(reference: Any) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        questions = {f"q{i}": [phrase(draw) for _ in range(draw.choice([0, 1, 1, 3]))] for i in range(draw.randint(2, 12))}
        said = {name: said_of(draw, golds) if draw.random() < 0.8 else "" for name, golds in questions.items()}
        tied = draw.random() < 0.1
        null = {name: draw.choice([draw.random(), 0.5 if tied else draw.random()]) for name in said}
        g = question_file(at / "g", questions)
        (at / "p").write_text(json.dumps(said), encoding="utf-8")
        (at / "n").write_text(json.dumps(null), encoding="utf-8")
        ours = dict(score_files("squad_v2", g, at / "p", null_scores=at / "n").values)
        examples = [
            types.SimpleNamespace(qas_id=name, answers=[{"text": text} for text in golds]) for name, golds in questions.items()
        ]
        theirs = {k: float(v) for k, v in reference.squad_evaluate(examples, said, null).items() if not k.endswith("total")}
        theirs["exact_match"] = theirs.pop("exact")
        reasons = []
        if len(set(null.values())) < len(null):
            reasons.append("equal no-answer scores: the script cuts inside ties")
        if any(not questions[q] and said[q] and ours_is_empty(said[q]) for q in said):
            reasons.append(
                "an answer of which normalising leaves nothing: the script counts it right, its search counts it wrong"
            )
        for reason in reasons[:1]:
            tally.skip(reason)
            theirs = {key: value for key, value in theirs.items() if not key.startswith("best_")}
        tally.compare(ours, theirs)

    return case


def mining(reference: Any) -> Case:
    import numpy as np

    from tasksearch.evaluation.mining import mine

    def case(draw: Draw, at: Path, tally: Tally) -> None:
        rng = np.random.default_rng(draw.randrange(2**32))
        n, m = draw.randint(4, 80), draw.randint(4, 80)
        x = rng.normal(size=(n, 16)).astype(np.float32) + np.float32(1)
        y = rng.normal(size=(m, 16)).astype(np.float32) + np.float32(1)
        same = min(n, m) // 2
        y[:same] = x[:same] + np.float32(0.3) * rng.normal(size=(same, 16)).astype(np.float32)
        x[-1], y[-1] = x[0], y[0]  # one sentence a side stands twice
        sides = []
        for name, count in (("x", n), ("y", m)):
            texts = [f"{name} sentence {i}" for i in range(count - 1)] + [f"{name} sentence 0"]
            ids = [f"{name}-{i:09d}" for i in range(count)]
            lines(at / f"{name}.txt", texts)
            lines(at / f"{name}.id", ids)
            sides.append(dict(zip(ids, texts, strict=True)))
        reference.mine_bitext(x.copy(), y.copy(), str(at / "x.txt"), str(at / "y.txt"), str(at / "out"))
        theirs = reference.read_candidate2score(*(str(at / f) for f in ("out", "x.txt", "y.txt", "x.id", "y.id")))
        mined = mine(*sides, x, y)
        ours = dict(zip(mined.ids, mined.scores.tolist(), strict=True))
        assert set(ours) == set(theirs), "another set of candidates"
        tally.compare(ours, theirs)

    return case


def mining_cut(reference: Any) -> Case:
    import numpy as np

    from tasksearch.metrics.mining import best_cut, mining_scores

    def case(draw: Draw, at: Path, tally: Tally) -> None:
        n = draw.randint(1, 60)
        tied = draw.random() < 0.1
        scores = {(f"x{i}", f"y{i}"): draw.choice([draw.random(), 0.5 if tied else draw.random()]) for i in range(n)}
        right = {pair for pair in scores if draw.random() < scores[pair]}
        gold = right | {(f"x{i}", f"z{i}") for i in range(draw.randint(1, 9))}
        if len(set(scores.values())) < n:
            return tally.skip("equal margins: the script cuts inside ties")
        try:
            threshold = reference.bucc_optimize(scores, {"\t".join(pair) for pair in gold})
        except IndexError:
            return tally.skip("the best cut is after the last candidate: the script fails")
        found = set(reference.bucc_extract(scores, threshold, None))
        correct = len(found & {"\t".join(pair) for pair in gold})
        theirs = {"f1": 200 * correct / (len(found) + len(gold))}
        if right and threshold != best_cut_of(scores, gold):
            tally.skip("threshold alone: two cuts of equal F1, parted by rounding in the script")
        values, hits = np.array(list(scores.values())), np.array([pair in gold for pair in scores])
        return tally.compare(mining_scores(values, hits, len(gold), best_cut(values, hits, len(gold))), theirs)

    def best_cut_of(scores: Mapping[tuple[str, str], float], gold: set[tuple[str, str]]) -> float:
        hits = np.array([pair in gold for pair in scores])
        return best_cut(np.array(list(scores.values())), hits, len(gold))

    return case


def ours_is_empty(text: str) -> bool:
    from tasksearch.metrics.squad import normalise

    return not normalise(text)


def benchmark(evaluate: Any) -> Case:
    def case(draw: Draw, at: Path, tally: Tally) -> None:
        for task in XTREME_TASKS:
            for language in task.languages:
                write_task(draw, at, task.name, task.metric, f"test-{language}.{task.suffix}")
        overall, detailed = evaluate.evaluate(str(at / "pred"), str(at / "gold"), "xtreme")
        said = score_benchmark(at / "gold", at / "pred").to_json()
        theirs = dict(overall)
        for task_name, table in detailed.items():
            theirs |= {f"{task_name}/{key}": value for key, value in table.items() if key.startswith("avg_")}
            for key, scores in table.items():
                if not key.startswith("avg_"):
                    theirs |= {f"{task_name}/{key}/{language}": value for language, value in scores.items()}
        tally.compare({key: at_path(said, key) for key in theirs}, theirs)

    return case


def at_path(report: Any, key: str) -> float:
    for part in key.split("/"):
        report = report[part]
    return float(report)


def write_task(draw: Draw, at: Path, task: str, metric: str, file: str) -> None:
    gold_path, pred_path = at / "gold" / task / file, at / "pred" / task / file
    gold_path.parent.mkdir(parents=True, exist_ok=True)
    pred_path.parent.mkdir(parents=True, exist_ok=True)
    if metric in ("squad", "mlqa"):
        questions = {f"q{i}": [phrase(draw, 1)] for i in range(3)}
        question_file(gold_path, questions)
        pred_path.write_text(json.dumps({name: said_of(draw, golds) for name, golds in questions.items()}), encoding="utf-8")
        return
    among = {"seqeval": UDPOS if task == "udpos" else BIO, "bucc": [f"a-{i}\tb-{i}" for i in range(9)]}.get(
        metric, ["0", "1", "2"]
    )
    gold = draw.choices(among, k=6)
    lines(gold_path, gold)
    lines(pred_path, changed(draw, gold, among))


if __name__ == "__main__":
    main()
