"""Do merged single-task encoders foretell joint mixes? Tried on the recorded lab grid, beside cheaper predictors.

    nice -n 19 python benchmarks/merging.py score     # a few CPU minutes; goes on where it stopped
    python benchmarks/merging.py report               # rank correlations and the replay, from what is there

*Generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages.*

Every intermediate task is trained alone once, for the grid's 128 steps. A joint mix is stood for by the weighted average of
their changes, θ₀ + Σ wᵢ (θᵢ - θ₀) (task arithmetic; Ilharco et al. 2023; MergeMix, arXiv 2601.17858). It is scored on selection
examples: retrieval as it is, the other targets after a quarter of their steps. From the same encoders come LogME of the
targets' English training examples (You et al. 2021) and the cosines of the tasks' gradients with the targets' (as in Grad-TAG,
arXiv 2409.06091).

Truth is the recorded grid: reporting examples of two seeds of a mix, while what a predictor may read of the grid is selection
examples of the third, in three turns. The grid's pretrained model is not on every machine: the lab
pretrains its twin, of the same recipe. What the trained singles of the one say about the other is printed first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import nn

from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import Grid, read_grid
from tasksearch.bench.grid_replay import BASELINE_SEEDS, SEEDS, complete_mixes
from tasksearch.core.folders import cache_folder
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.evaluation.retrieval import score_retrieved
from tasksearch.forward.batches import collate
from tasksearch.forward.passes import encode_batch, label_logits, loss_sum
from tasksearch.lab.recipe import LabRecipe
from tasksearch.metrics.outcomes import value_of
from tasksearch.phases import RunContext, ensure_lab, open_context
from tasksearch.phases.heads import module_name
from tasksearch.phases.intermediate import Intermediate
from tasksearch.phases.resumable import weights
from tasksearch.phases.segments import root_signature, segments_of
from tasksearch.phases.target import FineTuned, fine_tune
from tasksearch.search.gain_table import language_columns
from tasksearch.search.surrogate.features import tasks_of
from tasksearch.search.surrogate.multitask_gp import surrogate_over
from tasksearch.search.surrogate.prediction import FittedSurrogate
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays
from tasksearch.search.surrogate_search import improvement
from tasksearch.tasks.lab_suite import LAB_WARNING, lab_suite
from tasksearch.training.order import stage_counts

Array = NDArray[np.float64]
Weights = dict[str, torch.Tensor]
GRID = Path(__file__).parent / "data" / "lab_grid.npz"
KEPT = Path(__file__).parent / "logs" / "merging.jsonl"
SEED = 11
"""Of everything trained here; the grid's are 0, 1 and 2."""
TARGET_SHARE = 0.25
GRADIENT_EXAMPLES, LOGME_EXAMPLES = 256, 300


def joint_mixes(grid: Grid) -> list[Schedule]:
    """Return the grid's joint mixes, single tasks first, in the order they were trained."""
    found = [mix for mix in complete_mixes(grid) if mix.kind == "joint"]
    return sorted(found, key=lambda mix: len(mix.tasks) > 1)


def plan_of(schedule: Schedule) -> Plan:
    """Return the lab's plan of a schedule, with short target phases."""
    suite = lab_suite()
    return Plan(
        suite="lab", schedule=schedule, targets=tuple(card.name for card in suite.targets), languages=suite.languages,
        settings=suite.settings, seed=SEED, target_share=TARGET_SHARE,
    )  # fmt: skip


class Encoders:
    """The pretrained weights, and those after every task alone, with the task's head."""

    def __init__(self, context: RunContext, tasks: Sequence[str], steps: int) -> None:
        self.context = context
        self.first = weights(context.pretrained.model)
        self.alone: dict[str, Weights] = {}
        self.heads: dict[str, nn.Module] = {}
        for task in tasks:
            plan = dataclasses.replace(plan_of(Schedule.joint(Mixture.uniform(task), steps)), targets=())
            around = context.surroundings(plan)
            chain, _ = segments_of(plan, around, languages_of={}, trained={}, shown_by=stage_counts)
            state = Intermediate(plan, context, root_signature(around), chain).last()
            self.alone[task] = weights(state.model)
            self.heads[task] = state.heads[module_name(context.suite.card(task).head)]
            print(f"{task} trained, {time.process_time():.0f} CPU seconds", file=sys.stderr, flush=True)

    def merged(self, shares: Mapping[str, float]) -> Any:
        """Return a model whose weights are the pretrained ones plus the weighted changes."""
        model = self.context.first_model(plan_of(Schedule.none()))
        table = {
            name: first + sum((share * (self.alone[task][name] - first) for task, share in shares.items()), first * 0)
            if first.is_floating_point()
            else first
            for name, first in self.first.items()
        }
        model.load_state_dict(table, strict=False)
        return model.eval()


class Scorer:
    """Scores of a model on selection examples: retrieval as it is, the other targets after short phases."""

    def __init__(self, context: RunContext) -> None:
        self.context = dataclasses.replace(context, store=None)
        self.plan = plan_of(Schedule.none())
        self.around = context.surroundings(self.plan)
        cards = {target: context.suite.card(target) for target in self.plan.targets}
        _, self.segments = segments_of(
            self.plan, self.around, languages_of=context.languages_of(self.plan), shown_by=stage_counts,
            trained={target: card.trained for target, card in cards.items()},
        )  # fmt: skip

    def scores(self, model: Any) -> tuple[dict[str, float], dict[str, float]]:
        """Return `target/language` → score in percent, and target → CPU seconds."""
        found, spent = dict[str, float](), dict[str, float]()
        for segment in self.segments:
            began = time.process_time()
            done = self.trained(model, segment)
            for language in segment.languages:
                if language != ENGLISH:
                    found[f"{segment.target}/{language}"] = self._score(done, segment.target, language)
            spent[segment.target] = time.process_time() - began
        return found, spent

    def trained(self, model: Any, segment: Any) -> FineTuned:
        """Return the model after the target's short phase."""
        root = root_signature(self.around)
        phase2 = Intermediate(self.plan, self.context, root, (), first_model=lambda: model)
        return fine_tune(phase2, segment, self.plan, self.context, None)

    def _score(self, done: FineTuned, target: str, language: str) -> float:
        card, source, settings = self.context.suite.card(target), self.context.source, self.plan.settings
        length = settings.for_target(target).max_length if card.trained else settings.untrained.max_length
        both = zip(source.portions(card, language), source.evaluation(card, language, length), strict=True)
        scored = [(portion, items) for portion, items in both if "select" in portion.rows]
        if done.head is None:
            told = score_retrieved(done.model, scored, self.context.specials, settings.retrieval.of(language), "fp32")
        else:
            told = score_labelled(done.model, done.head, card, language, scored, self.context.specials, "fp32")
        return value_of(told["select"])


def logme(features: Array, labels: NDArray[np.int64]) -> float:
    """Return the mean log evidence per example of a linear model on fixed features (You et al., ICML 2021)."""
    count, width = features.shape
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    squares = np.square(values)
    told = []
    for label in np.unique(labels):
        y = (labels == label).astype(np.float64)
        z = np.square(left.T @ y)
        rest, alpha, beta = max(float(y @ y - z.sum()), 0.0), 1.0, 1.0
        for _ in range(20):
            gamma = float((beta * squares / (alpha + beta * squares)).sum())
            length = float((np.square(beta) * squares * z / np.square(alpha + beta * squares)).sum())
            miss = rest + float((np.square(alpha) * z / np.square(alpha + beta * squares)).sum())
            alpha, beta = gamma / max(length, 1e-12), max(count - gamma, 1e-9) / max(miss, 1e-12)
        evidence = width * np.log(alpha) + count * np.log(beta) - count * np.log(2 * np.pi)
        evidence -= beta * miss + alpha * length + np.log(alpha + beta * squares).sum() + (width - len(squares)) * np.log(alpha)
        told.append(evidence / 2 / count)
    return float(np.mean(told))


@torch.inference_mode()
def logme_of(model: Any, head: nn.Module, target: str, context: RunContext) -> float:
    """Return LogME of what the target's head would see, over English training examples."""
    card = context.suite.card(target)
    items = context.source.training(card, 128)
    batch = collate(items, np.arange(min(LOGME_EXAMPLES, len(items)), dtype=np.int64), context.specials)
    seen: list[torch.Tensor] = []
    first = getattr(head, "dense", None) or head.out_proj
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    head.eval()
    label_logits(head, encode_batch(model, batch.ids, context.specials).last_hidden_state, batch, context.specials)
    hook.remove()
    return logme(seen[0].double().numpy(), batch.labels.numpy())


def gradient(model: Any, head: nn.Module, card_name: str, context: RunContext) -> torch.Tensor:
    """Return the gradient of the mean loss of the first training examples with respect to the encoder, as one vector."""
    model.eval()
    head.eval()
    items = context.source.training(context.suite.card(card_name), 128)
    batch = collate(items, np.arange(min(GRADIENT_EXAMPLES, len(items)), dtype=np.int64), context.specials)
    inside = [parameter for _, parameter in model.base_model.named_parameters()]
    loss = loss_sum(model, head, batch, context.specials) / max(1, batch.units)
    parts = torch.autograd.grad(loss, inside, allow_unused=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for p, g in zip(inside, parts, strict=True)])


def affinities(encoders: Encoders, scorer: Scorer, model: Any) -> dict[str, float]:
    """Return `task/target` → cosine of their gradients at a model's weights, through heads trained beforehand."""
    context, found = encoders.context, dict[str, float]()
    own = {task: gradient(model, head, task, context) for task, head in encoders.heads.items()}
    for segment in scorer.segments:
        head = scorer.trained(model, segment).head
        if head is not None:
            wanted = gradient(model, head, segment.target, context)
            for task, each in own.items():
                found[f"{task}/{segment.target}"] = float(torch.cosine_similarity(each, wanted, dim=0))
    return found


def score(options: argparse.Namespace) -> None:
    """Score merged encoders of the baseline and of every joint mix; one line of JSON each."""
    lab, grid = ensure_lab(LabRecipe()), read_grid(GRID)
    store = cache_folder() / "merging"
    context = open_context(lab_suite(), str(lab.data), str(lab.model), str(store), "cpu")
    mixes = [Schedule.none(), *joint_mixes(grid)]
    encoders, scorer = Encoders(context, tasks_of(mixes), 128), Scorer(context)
    there = read_lines(options.keep)
    with options.keep.open("a") as sink:

        def keep(name: str, **fields: Any) -> None:
            sink.write(json.dumps({"mix": name, **fields}) + "\n")
            sink.flush()

        heads = {
            t: scorer.trained(encoders.merged({}), s).head
            for t in ("nli", "topic", "tag")
            for s in scorer.segments
            if s.target == t
        }
        if "gradients" not in there:
            began = time.process_time()
            shares = {task: 1 / len(encoders.alone) for task in encoders.alone}
            cosines = {
                name: affinities(encoders, scorer, encoders.merged(own)) for name, own in (("start", {}), ("merged", shares))
            }
            keep("gradients", cosines=cosines, cpu=time.process_time() - began)
        for mix in mixes:
            if str(mix) not in there:
                began = time.process_time()
                model = encoders.merged({task: float(mix.share(task)) for task in mix.tasks})
                made = time.process_time() - began
                evidence = {t: logme_of(model, head, t, context) for t, head in heads.items()}
                scores, spent = scorer.scores(model)
                keep(str(mix), scores=scores, logme=evidence, cpu={"merge": made, **spent})


def read_lines(path: Path) -> dict[str, Any]:
    """Return mix, in words → its line."""
    return {(line := json.loads(text))["mix"]: line for text in path.read_text().splitlines()} if path.is_file() else {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Recorded:
    """The grid's scores of some mixes in percent, shape (mixes, 3 seeds, cells), and the baseline's, (seeds, cells).

    Attributes:
        cells: (target, language) without English.
        weights: column → weights of the cells: the kinds of targets and `all`, then one column per language.
    """

    mixes: list[Schedule]
    cells: list[tuple[str, str]]
    select: Array
    report: Array
    bare: Array
    bare_report: Array
    weights: dict[str, Array]

    @classmethod
    def of(cls, grid: Grid, mixes: list[Schedule]) -> Recorded:
        groups = dict(grid.note["groups"])
        cells = sorted({(target, language) for target, language, _ in grid.codes if language != ENGLISH})
        tables = {half: np.stack([_percent(grid, cell, half) for cell in cells], axis=1) for half in ("select", "report")}
        rows = np.array([[grid.places[mix, seed] for seed in range(SEEDS)] for mix in mixes])
        bare = [grid.places[Schedule.none(), seed] for seed in grid.seeds(Schedule.none())]
        weights = {
            kind: cell_weights([c for c in cells if groups[c[0]] == kind], groups) for kind in sorted(set(groups.values()))
        }
        weights["all"] = cell_weights(cells, groups)
        weights |= {lang: cell_weights(own, groups) for lang, own in language_columns(cells, weights["all"]).items()}
        return cls(
            mixes=mixes, cells=cells, select=tables["select"][rows], report=tables["report"][rows],
            bare=tables["select"][bare], bare_report=tables["report"][bare],
            weights={name: np.array([own.get(cell, 0.0) for cell in cells]) for name, own in weights.items()},
        )  # fmt: skip

    @property
    def kinds(self) -> list[str]:
        """Kinds of targets, then `all`."""
        return list(self.weights)[: list(self.weights).index("all") + 1]

    @property
    def languages(self) -> Array:
        """Weights of the columns of languages, shape (cells, languages)."""
        return np.stack([own for name, own in self.weights.items() if name not in self.kinds], axis=1)


def _percent(grid: Grid, cell: tuple[str, str], half: Any) -> Array:
    """Return the score of every training in one cell, in percent."""
    key = (*cell, half)
    return 100 * grid.values[key][grid.codes[key]].sum(axis=1) / grid.totals[key].sum()


def report(options: argparse.Namespace) -> None:
    """Print what is there: agreement of the two models, rank correlations, cost, the replay."""
    grid, lines = read_grid(GRID), read_lines(options.keep)
    mixes = [mix for mix in joint_mixes(grid) if str(mix) in lines]
    data = Recorded.of(grid, mixes)
    merged = np.array([[lines[str(mix)]["scores"]["/".join(cell)] for cell in data.cells] for mix in mixes])
    bare = np.array([lines[str(Schedule.none())]["scores"]["/".join(cell)] for cell in data.cells])
    shares = shares_of(mixes)
    alone = [i for i, mix in enumerate(mixes) if len(mix.tasks) == 1]
    joint = np.array([i for i in range(len(mixes)) if i not in alone])
    print(f"{len(alone)} single tasks, {len(joint)} joint mixes of two or more\n")
    cost(lines, mixes, grid)
    print("\nGains of the eight single tasks, truly trained: correlation of the twin's (short phases) with the recorded ones")
    for kind in data.kinds:
        own = (merged[alone] - bare) @ data.weights[kind]
        theirs = (data.report[alone].mean(axis=1) - data.bare_report.mean(axis=0)) @ data.weights[kind]
        print(f"{kind:16s}{np.corrcoef(own, theirs)[0, 1]:6.2f}")
    predictors = predictions(data, lines, merged, shares, alone)
    correlations(data, predictors, joint, options.draws)
    replay(data, merged, shares, joint, alone, options.orders)


def shares_of(mixes: Sequence[Schedule]) -> Array:
    """Return shares of the tasks, sorted by name, shape (mixes, tasks)."""
    tasks = tasks_of(mixes)
    return np.array([[float(mix.share(task)) for task in tasks] for mix in mixes])


def cost(lines: Mapping[str, Any], mixes: Sequence[Schedule], grid: Grid) -> None:
    """Print CPU seconds per merged encoder."""
    spent = [lines[str(mix)]["cpu"] for mix in mixes]
    whole = float(np.mean([sum(each.values()) for each in spent]))
    alone = float(np.mean([each["merge"] + each["retrieval"] for each in spent]))
    print(f"CPU seconds per merged encoder: {whole:.2f}; merged and scored on retrieval alone {alone:.2f}; loaded machine")
    print(f"recorded: {grid.note['cpu_seconds'] / len(grid.trainings):.2f} per training, on another machine")


def predictions(
    data: Recorded, lines: Mapping[str, Any], merged: Array, shares: Array, alone: Sequence[int]
) -> dict[str, Callable[[str, int], Array]]:
    """Return predictor → (kind of target, seed that it may read) → one number per mix."""
    tasks, groups = tasks_of(data.mixes), {cell[0]: None for cell in data.cells}
    place = {task: next(i for i in alone if data.mixes[i].tasks == (task,)) for task in tasks}
    rows = [place[task] for task in tasks]
    designed = [*alone, *[i for i, mix in enumerate(data.mixes) if len(mix.tasks) == len(tasks)]]
    surrogate = surrogate_over([data.mixes[i] for i in designed])
    retrieval = np.array([cell[0] == "retrieval" for cell in data.cells])

    def by_target(kind: str, table: Mapping[str, Array]) -> Array:
        """Mean over the targets of a kind that the table has, each on its own scale."""
        own = [
            np.asarray(table[t])
            for t in groups
            if t in table and any(w and c[0] == t for w, c in zip(data.weights[kind], data.cells, strict=True))
        ]
        return (
            np.mean([(each - each.mean()) / max(each.std(), 1e-12) for each in own], axis=0) if own else np.zeros(len(shares))
        )

    def foretold(kind: str, seed: int) -> Array:
        gains = (data.select[designed, seed] - data.bare.mean(axis=0)) @ np.stack([data.weights[k] for k in data.kinds], axis=1)
        return surrogate.elsewhere(data.mixes, gains / gains.std(axis=0))[:, data.kinds.index(kind)]

    cosines = {
        at: {t: shares @ [own[f"{task}/{t}"] for task in tasks] for t in groups if f"{tasks[0]}/{t}" in own}
        for at, own in lines["gradients"]["cosines"].items()
    }
    evidence = {t: np.array([lines[str(mix)]["logme"][t] for mix in data.mixes]) for t in lines[str(data.mixes[0])]["logme"]}
    found: dict[str, Callable[[str, int], Array]] = {
        "merged": lambda kind, seed: merged @ data.weights[kind],
        "merged, retrieval alone": lambda kind, seed: merged[:, retrieval].mean(axis=1),
        "number of tasks": lambda kind, seed: (shares > 0).sum(axis=1).astype(float),
        "singles' scores, weighted by shares": lambda kind, seed: shares @ (data.select[rows, seed] @ data.weights[kind]),
        "merged singles, weighted by shares": lambda kind, seed: shares @ (merged[rows] @ data.weights[kind]),
        "surrogate, told the 9 designed mixes": foretold,
        "LogME of the merged encoder": lambda kind, seed: by_target(kind, evidence),
        "LogME of singles, weighted by shares": lambda kind, seed: by_target(
            kind, {t: shares @ v[rows] for t, v in evidence.items()}
        ),
        "gradient cosines at the start": lambda kind, seed: by_target(kind, cosines["start"]),
        "gradient cosines at the merged mean": lambda kind, seed: by_target(kind, cosines["merged"]),
        "one training of the mix itself": lambda kind, seed: data.select[:, seed] @ data.weights[kind],
    }
    return found


def correlations(
    data: Recorded, predictors: Mapping[str, Callable[[str, int], Array]], joint: NDArray[np.int64], draws: int
) -> None:
    """Print Spearman's correlation with the other two seeds' reporting scores, and 95 % intervals over mixes drawn again."""
    rng = np.random.default_rng(0)
    drawn = [joint, *(rng.choice(joint, len(joint)) for _ in range(draws))]
    print(f"\nRank correlation over {len(joint)} joint mixes with the other two seeds' reporting scores, mean of three turns")
    print(f"{'':42s}" + "".join(f"{kind:>24s}" for kind in data.kinds))
    known: dict[tuple[str, str], Array] = {}
    for name, predictor in predictors.items():
        for kind in data.kinds:
            pairs = [
                (predictor(kind, seed), np.delete(data.report, seed, axis=1).mean(axis=1) @ data.weights[kind])
                for seed in range(SEEDS)
            ]
            known[name, kind] = np.array([np.mean([spearman(a[rows], b[rows]) for a, b in pairs]) for rows in drawn])
        print(f"{name:42s}" + "".join(_told(known[name, kind]) for kind in data.kinds), flush=True)
    for name in ("singles' scores, weighted by shares", "surrogate, told the 9 designed mixes"):
        apart = [_told(known["merged", kind] - known[name, kind]) for kind in data.kinds]
        print(f"{'merged less ' + name:54s}" + "".join(apart)[12:])


def _told(values: Array) -> str:
    """Return the first value and the 95 % interval of the others, 24 characters wide."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return f"{f'{values[0]:.2f} [{low:.2f}, {high:.2f}]':>24s}"


def spearman(one: Array, other: Array) -> float:
    """Return the rank correlation; 0 where one side is constant."""
    a, b = (rankdata(side) - (len(side) + 1) / 2 for side in (one, other))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0


def replay(data: Recorded, merged: Array, shares: Array, joint: NDArray[np.int64], alone: Sequence[int], orders: int) -> None:
    """Search the joint mixes by expected improvement, with and without a prior mean from merged scores; print regret."""
    across = data.languages
    retrieval = np.array([cell[0] == "retrieval" for cell in data.cells])
    tasks = tasks_of(data.mixes)
    singles = [next(i for i in alone if data.mixes[i].tasks == (task,)) for task in tasks]
    priors: dict[str, Callable[[int], Array | None]] = {
        "no prior": lambda seed: None,
        "merged": lambda seed: merged @ across,
        "merged, retrieval alone": lambda seed: merged[:, retrieval].mean(axis=1, keepdims=True) * np.ones(across.shape[1]),
        "singles, weighted by shares": lambda seed: shares @ (data.select[singles, seed] @ across),
    }
    rows: dict[tuple[str, str, int], list[float]] = {}
    for order in range(orders):
        for name, prior in priors.items():
            for count, (regret, one, held) in searched(data, prior(order % SEEDS), alone, order).items():
                for what, value in (
                    ("per language", regret),
                    ("one mix for all", one),
                    ("rank correlation, mixes not told", held),
                ):
                    rows.setdefault((what, name, count), []).append(value)
        print(f"order {order}, {time.process_time():.0f} CPU seconds", file=sys.stderr, flush=True)
    rng = np.random.default_rng(0)
    drawn = rng.integers(orders, size=(2000, orders))
    print(f"\nReplay, {orders} orders: points lost to the best mix by the two other seeds' reporting scores; less `no prior`")
    for what in ("per language", "one mix for all", "rank correlation, mixes not told"):
        for name in priors:
            text = ""
            for count in counts_of(data):
                values = np.array(rows[what, name, count])
                apart = values - np.array(rows[what, "no prior", count])
                low, high = np.quantile(apart[drawn].mean(axis=1), (0.025, 0.975))
                text += f"   {count}: {values.mean():6.2f}, {apart.mean():+.2f} [{low:+.2f}, {high:+.2f}]"
            print(f"{what:34s}{name:30s}{text}")


COUNTS = (15, 24, 36, 48)
_RANDOM = 6


def counts_of(data: Recorded) -> list[int]:
    """Return the numbers of told mixes that leave some to be foretold."""
    return [count for count in COUNTS if count < len(data.mixes)]


def searched(data: Recorded, prior: Array | None, alone: Sequence[int], order: int) -> dict[int, tuple[float, float, float]]:
    """Search on one seed: designed mixes, six random ones, then batches by expected improvement.

    Returns:
        Number of mixes → regret in points per language, regret of one mix for all, and the rank correlation of what is
        predicted of the mixes that were not told, mean over languages.
    """
    seed, across = order % SEEDS, data.languages
    truth = np.delete(data.report, seed, axis=1).mean(axis=1) @ across
    bare = data.bare[:BASELINE_SEEDS] @ across
    unit = bare.std(axis=0, ddof=1)
    gains, seeds = (data.select[:, seed] @ across - bare.mean(axis=0)) / unit, (bare - bare.mean(axis=0)) / unit
    uniform = max(range(len(data.mixes)), key=lambda i: len(data.mixes[i].tasks))
    designed = [*alone, uniform]
    left = np.setdiff1d(np.arange(len(data.mixes)), designed)
    told = [*designed, *np.random.default_rng(order).choice(left, _RANDOM, replace=False).tolist()]
    tasks, found = tasks_of(data.mixes), dict[int, tuple[float, float, float]]()
    counts = counts_of(data)
    for count, until in zip(counts, (*counts[1:], None), strict=True):
        mean = prior_mean(gains, prior, told)
        fitted = FittedSurrogate.of(surrogate_over([data.mixes[i] for i in told], tasks), (gains - mean)[told], seeds)
        held = fitted.trained_mean() + mean[told]
        rest = np.setdiff1d(np.arange(len(data.mixes)), told)
        seen = fitted.predict(ScheduleArrays.of([data.mixes[i] for i in rest], tasks))
        believed = seen.mean + mean[rest]
        best, every = np.array(told)[held.argmax(axis=0)], np.array(told)[(held * unit).mean(axis=1).argmax()]
        found[count] = (
            float((truth.max(axis=0) - truth[best, np.arange(len(unit))]).mean()),
            float(truth.mean(axis=1).max() - truth[every].mean()),
            float(np.mean([spearman(believed[:, j], truth[rest, j]) for j in range(len(unit))])),
        )
        if until is not None:
            worth = (improvement(believed - held.max(axis=0), seen.step) * unit).mean(axis=1)
            told += rest[np.argsort(-worth, kind="stable")[: until - count]].tolist()
    return found


def prior_mean(gains: Array, prior: Array | None, told: Sequence[int]) -> Array:
    """Return what the prior says of every mix: a slope common to all languages, shrunken by its own error."""
    if prior is None:
        return np.zeros_like(gains)
    x = (prior - prior[told].mean(axis=0)) / np.maximum(prior.std(axis=0), 1e-9)
    y = gains[told] - gains[told].mean(axis=0)
    size = float(np.square(x[told]).sum())
    slope = float((x[told] * y).sum()) / size
    per_mix = (x[told] * (y - slope * x[told])).sum(axis=1)  # languages of a mix are no independent witnesses
    error = float(np.square(per_mix).sum()) / size**2
    return max(0.0, 1 - error / max(slope**2, 1e-12)) * slope * x


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=("score", "report"))
    parser.add_argument("--draws", type=int, default=300, help="of mixes, for the intervals of correlations")
    parser.add_argument("--orders", type=int, default=12, help="of the replay")
    parser.add_argument("--keep", type=Path, default=KEPT, help="file of what was scored, one line of JSON each")
    options = parser.parse_args()
    print(LAB_WARNING, file=sys.stderr)
    score(options) if options.action == "score" else report(options)


if __name__ == "__main__":
    main()
