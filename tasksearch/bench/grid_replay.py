"""Searches replayed on a recorded grid, where the truth is unknown: a seed that no choice used stands for it.

In each order one seed is the search's, a second one re-runs what was picked, a third judges: gains on its reporting examples
are free of what made a mix look good on the first. Two seeds of one mix differ by luck alone, so the interval of their
difference, as the tool makes it, has to hold zero in 95 % of the cases: coverage with nothing planted.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate, score_of
from tasksearch.analysis.picker import Picker, Shown, worth_of
from tasksearch.analysis.study_analysis import cell_weights
from tasksearch.bench.grid import Grid, Outcomes
from tasksearch.bench.pickers import PICKERS
from tasksearch.bench.results import BenchRows
from tasksearch.bench.samplers import Sample
from tasksearch.core.errors import BadInput
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH, Half, Score, ScoreTable
from tasksearch.core.space import SearchSpace, encode
from tasksearch.core.study import Objective, Role, StudyConfig, TrialRecord
from tasksearch.search.auto import auto_choice
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline, objective
from tasksearch.search.proposals import Proposal, propose
from tasksearch.search.surrogate.features import features, tasks_of

Array = NDArray[np.float64]
SEEDS = 3
BASELINE_SEEDS = 5
_WITNESSES = 6


@dataclass(kw_only=True)
class Replay:
    """One search on the grid: the search's trainings so far, all on one seed."""

    grid: Grid
    seed: int
    records: list[TrialRecord] = field(default_factory=list)

    @property
    def groups(self) -> dict[str, str]:
        """Target → kind of target."""
        return dict(self.grid.note["groups"])

    def train(self, schedule: Schedule, seed: int, role: Role, **fields: object) -> TrialRecord:
        """Take one training from the grid."""
        rows = [
            Score(
                target=target,
                language=language,
                half=half,
                metric=str(self.grid.note["metrics"][target]),
                value=100 * float(data[:, 0].sum()) / float(data[:, 1].sum()),
                examples=len(data),
                seed=seed,
            )
            for (target, language, half), data in self.grid.outcomes(schedule, self.grid_seed(seed)).items()
            if half in self.halves(role)
        ]
        record = TrialRecord(
            number=len(self.records),
            role=role,
            status="done",
            plan=self.plan_of(schedule, seed),
            scores=ScoreTable.of(rows),
            **fields,  # type: ignore[arg-type]
        )
        self.records.append(record)
        return record

    def grid_seed(self, seed: int) -> int:
        """Return the grid's number of a seed of the study."""
        return seed

    def halves(self, role: Role) -> tuple[Half, ...]:
        """Return the halves that a training of the role is scored on."""
        return ("select",)

    def plan_of(self, schedule: Schedule, seed: int) -> Plan:
        """Return the plan of a schedule on a seed."""
        cells = self.grid.codes
        return Plan(
            suite=str(self.grid.note["about"]),
            schedule=schedule,
            targets=tuple(sorted({cell[0] for cell in cells})),
            languages=tuple(sorted({cell[1] for cell in cells})),
            settings=PhaseSettings(),
            seed=seed,
        )


def complete_mixes(grid: Grid) -> list[Schedule]:
    """Return the mixes that were trained on every seed, without the baseline, in the order they were trained."""
    seeds = {mix: grid.seeds(mix) for mix in grid.mixes if mix.stages}
    return [mix for mix, found in seeds.items() if found[:SEEDS] == tuple(range(SEEDS))]


def replay_grid(
    grid: Grid, order: int, trials: Sequence[int], *, sampler: str | Sample = "random", picker: Picker | None = None
) -> BenchRows:
    """Replay one search: row → number of trials → value.

    Args:
        grid: with at least three seeds of every mix, and more of the baseline.
        order: draws the search; its remainder by three says which seed is the search's.
        trials: numbers of mixes.
        sampler: as a study takes it, or a user's function; what it proposes is answered by the nearest recorded mix.
        picker: one more picker to measure.
    """
    mixes = complete_mixes(grid)
    if max(trials) > len(mixes):
        raise BadInput(f"{max(trials)} trials; expected at most {len(mixes)}, the mixes that were recorded on {SEEDS} seeds")
    search, again, judge = (int((order + k) % SEEDS) for k in range(SEEDS))
    study = Replay(grid=grid, seed=search)
    for seed in grid.seeds(Schedule.none())[:BASELINE_SEEDS]:
        study.train(Schedule.none(), seed, "baseline")
    baseline, groups = Baseline.of(study.records), dict(grid.note["groups"])
    study.records[:] = [judged_record(record, baseline, groups) for record in study.records]
    search_recorded(study, mixes, _space(mixes), max(trials), order, sampler, baseline)
    truth = _Truth.of(grid, groups, again, judge)
    rows, pickers = BenchRows(), PICKERS | ({"asked": picker} if picker else {})
    for count in trials:
        _measure(study.records[: BASELINE_SEEDS + count], baseline, truth, pickers, count, rows)
    return rows


class Recorded(Protocol):
    """Recorded trainings that a search is answered from: the lab grid's, or a study's."""

    seed: int
    records: list[TrialRecord]

    @property
    def groups(self) -> dict[str, str]:
        """Target → kind of target."""

    def plan_of(self, schedule: Schedule, seed: int) -> Plan:
        """Return the plan of a schedule on a seed."""

    def train(self, schedule: Schedule, seed: int, role: Role, **fields: object) -> TrialRecord:
        """Take one recorded training and add its record."""


def search_recorded(
    study: Recorded,
    mixes: Sequence[Schedule],
    space: SearchSpace,
    count: int,
    order: int,
    sampler: str | Sample,
    baseline: Baseline,
) -> None:
    """Add `count` trainings: designed mixes first, then what the sampler proposes, answered by the nearest mix that is left.

    `auto` ranks a random half of the mixes that are left, as it ranks its own candidates, which are random in part: it is asked
    for no other mix, and its path differs from order to order.
    """
    designed = designed_of(mixes)
    left = [mix for mix in mixes if mix not in designed]
    rng = random.Random(order)
    rng.shuffle(left)
    near, bare = _Near(mixes), len(study.records)
    while len(study.records) < bare + count:
        place = len(study.records) - bare
        if place < len(designed):
            mix = designed[place]
        elif sampler == "random":
            mix = left.pop()
        else:
            wished = _wish(study, space, sampler, order, rng, bare, left)
            mix = near.of(wished, left) if wished is not None else left[-1]
            left.remove(mix)
        params = _params(mix, space)
        record = study.train(mix, study.seed, "design" if place < len(designed) else "search", params=params)
        study.records[-1] = judged_record(record, baseline, study.groups)


def _params(mix: Schedule, space: SearchSpace) -> tuple[tuple[str, object], ...]:
    """Return the mix as parameters; none where the space cannot express it."""
    try:
        return tuple(encode(mix, space).items())
    except BadInput:
        return ()


def designed_of(mixes: Sequence[Schedule]) -> list[Schedule]:
    """Return the mixes that come first in every replayed search: single tasks, and the first joint one of all tasks."""
    return [mix for mix in mixes if mix.kind == "joint" and (len(mix.tasks) == 1 or mix == _uniform(mixes))]


def _wish(
    study: Recorded,
    space: SearchSpace,
    sampler: str | Sample,
    order: int,
    rng: random.Random,
    baseline_seeds: int,
    left: Sequence[Schedule],
) -> Schedule | None:
    if callable(sampler):
        told = [(r.plan.schedule, _gains(study, r)) for r in study.records if r.role != "baseline"]
        return sampler(space, told, rng)
    n = len(study.records)
    plan = study.plan_of(Schedule.none(), 0)
    config = StudyConfig(
        name="replay", space=space, suite="replay", model="replay", targets=plan.targets, languages=plan.languages,
        trials=n + 1, baseline_seeds=baseline_seeds, lag=1, seed=order, sampler=sampler,
    )  # fmt: skip
    if sampler == "auto":
        return auto_choice(config, study.records, study.groups, rng.sample(left, (len(left) + 1) // 2))
    found = propose(config, {}, study.plan_of, n, study.records, study.groups)
    return found.plan.schedule if isinstance(found, Proposal) else None


def _gains(study: Recorded, record: TrialRecord) -> Array:
    """Return the mean gain in points per language but English, sorted."""
    bare = [r.scores.values("select") for r in study.records if r.role == "baseline"]
    found: dict[str, list[float]] = {}
    for cell, value in record.scores.values("select").items():
        if cell[1] != ENGLISH:
            found.setdefault(cell[1], []).append(value - float(np.mean([column[cell] for column in bare])))
    return np.array([np.mean(found[language]) for language in sorted(found)])


def judged_record(record: TrialRecord, baseline: Baseline, groups: Mapping[str, str]) -> TrialRecord:
    """Return the record with its objective."""
    return dataclasses.replace(record, objective=objective(record.scores, baseline, groups, Objective()))


def _uniform(mixes: Sequence[Schedule]) -> Schedule | None:
    most = max(len(mix.tasks) for mix in mixes)
    return next((mix for mix in mixes if mix.kind == "joint" and len(mix.tasks) == most), None)


def _space(mixes: Sequence[Schedule]) -> SearchSpace:
    return SearchSpace(name="recorded", summary="", tasks=tasks_of(mixes), steps=tuple(sorted({mix.steps for mix in mixes})))


class _Near:
    """Distance between mixes: square roots of shares, places in the order, kind, learning rate."""

    def __init__(self, mixes: Sequence[Schedule]) -> None:
        self._tasks, self._known = tasks_of(mixes), {}  # type: ignore[var-annotated]

    def _place(self, mix: Schedule) -> Array:
        if mix not in self._known:
            blocks = features([mix], self._tasks)
            self._known[mix] = np.hstack(
                [blocks["share"], 0.5 * blocks["order"], blocks["kind"][:, :2], blocks["rate"][:, :1]]
            )[0]
        found: Array = self._known[mix]
        return found

    def of(self, wished: Schedule, among: Sequence[Schedule]) -> Schedule:
        """Return the nearest mix of the grid."""
        here = self._place(wished)
        return min(among, key=lambda mix: float(np.square(self._place(mix) - here).sum()))


@dataclass(kw_only=True)
class _Truth:
    """Reporting outcomes of the seeds that no choice used."""

    grid: Grid
    groups: Mapping[str, str]
    again: int
    judge: int
    weights: dict[str, dict[Cell, float]]
    bare: dict[Cell, float]
    known: dict[tuple[Schedule, int], dict[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, grid: Grid, groups: Mapping[str, str], again: int, judge: int) -> _Truth:
        cells = [(t, language) for t, language, half in grid.codes if half == "report" and language != ENGLISH]
        columns = language_columns(cells, cell_weights(cells, groups))
        weights = {language: cell_weights(members, groups) for language, members in columns.items()}
        none = Schedule.none()
        scores = [_scores(grid.outcomes(none, seed)) for seed in grid.seeds(none)]
        bare = {cell: float(np.mean([score[cell] for score in scores])) for cell in cells}
        return cls(grid=grid, groups=groups, again=again, judge=judge, weights=weights, bare=bare)

    def gain(self, mix: Schedule, seed: int) -> dict[str, float]:
        """Return language → gain in points on that seed's reporting examples over the mean of the baseline's seeds."""
        if (mix, seed) not in self.known:
            scores = _scores(self.grid.outcomes(mix, seed))
            self.known[mix, seed] = {
                language: sum(weight * (scores[cell] - self.bare[cell]) for cell, weight in cells.items())
                for language, cells in self.weights.items()
            }
        return self.known[mix, seed]

    def arm(self, mix: Schedule, *seeds: int) -> CandidateOutcomes:
        """Return the reporting outcomes of a mix on those seeds."""
        return CandidateOutcomes(seeds=tuple(_reported(self.grid.outcomes(mix, seed)) for seed in seeds))

    def luck_is_held(self, mix: Schedule, language: str, witnesses: Mapping[Schedule, CandidateOutcomes]) -> bool:
        """Return whether the interval of the difference of two seeds of one mix contains zero.

        The seed variance comes from other mixes.
        """
        one, other = (self.arm(mix, seed) for seed in (self.again, self.judge))
        pool = [arm for schedule, arm in witnesses.items() if schedule != mix]
        found = estimate(one, self.weights[language], minus=other, pool=pool)
        return found.low is not None and found.high is not None and found.low <= 0 <= found.high


def _reported(outcomes: Outcomes) -> dict[Cell, NDArray[np.floating]]:
    return {(target, language): data for (target, language, half), data in outcomes.items() if half == "report"}


def _scores(outcomes: Outcomes) -> dict[Cell, float]:
    return {cell: score_of(data) for cell, data in _reported(outcomes).items()}


def _measure(
    records: Sequence[TrialRecord],
    baseline: Baseline,
    truth: _Truth,
    pickers: Mapping[str, Picker],
    count: int,
    rows: BenchRows,
) -> None:
    table = GainTable.of(records, baseline)
    assert table is not None
    cells = [cell for cell in table.cells if cell[1] != ENGLISH]
    columns = language_columns(cells, cell_weights(cells, truth.groups))
    weights = [cell_weights(members, truth.groups) for members in columns.values()]
    matrix = np.array([[column.get(cell, 0.0) for cell in table.cells] for column in weights]).T
    mixes = tuple(first.plan.schedule for first in table.firsts)
    shown = Shown(schedules=mixes, gains=table.gains @ matrix, seeds=table.seeds @ matrix)
    points = np.array([table.points(column) for column in weights])
    judged = np.array([list(truth.gain(mix, truth.judge).values()) for mix in mixes])
    other = np.array([list(truth.gain(mix, truth.again).values()) for mix in mixes])
    across = np.arange(len(points))
    told = {name: worth_of(picker, shown) for name, picker in pickers.items()}
    for name, worth in (told | {"another seed's reporting examples": other}).items():
        rows.add(f"points gained by the pick: {name}", count, float(judged[worth.argmax(axis=0), across].mean()))
    designed = [i for i, first in enumerate(table.firsts) if first.role == "design"]
    best = designed[int(told["pooled"][designed].mean(axis=1).argmax())] if designed else 0
    rows.add("points gained by the best designed mix", count, float(judged[best].mean()))
    for name in ("bare", "pooled"):
        chosen = told[name].argmax(axis=0)
        optimism = told[name][chosen, across] * points - judged[chosen, across]
        rows.add(f"points foreseen - gained: {name}", count, float(optimism.mean()))
    chosen = told["pooled"].argmax(axis=0)
    witnesses = {mixes[i]: truth.arm(mixes[i], truth.again, truth.judge) for i in designed[:_WITNESSES]}
    held = [truth.luck_is_held(mixes[row], language, witnesses) for language, row in zip(columns, chosen, strict=True)]
    rows.add("share of 95 % intervals that hold zero between two seeds of the pick", count, float(np.mean(held)))
