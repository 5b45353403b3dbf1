"""The objective: one documented number per trial, the standardised gain over the baseline on the selection examples.

Per target and language the gain is (score - baseline mean) / baseline deviation, both in percent points. Gains are averaged
over the languages within a target, over the targets within a group (classification, tagging, QA, retrieval), and over the
groups, each mean with equal weight; or over targets with the study's weights. English counts only where it is asked for.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.score import ENGLISH, Cell, ScoreTable
from tasksearch.core.study import BASELINES, Objective, TrialRecord
from tasksearch.search.fidelity import share_of

MIN_BASELINE_SEEDS = 3
"""With fewer seeds the spread over seeds is not estimated."""


@dataclass(frozen=True, kw_only=True)
class BaselineCell:
    """The baseline in one target and language, on the selection examples.

    Attributes:
        mean: percent, over seeds.
        deviation: percent points, positive: the standard deviation over seeds (n - 1 in the denominator), at least the binomial
            standard error of one score.
    """

    mean: float
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What gains are measured against.

    Attributes:
        cells: (target, language) → cell, English among the languages where it was scored.
        share: share of the target steps that its trainings ran; only trainings of the same share are measured against it.
    """

    cells: Mapping[tuple[str, str], BaselineCell]
    share: float = 1.0

    @classmethod
    def of(cls, records: Iterable[TrialRecord]) -> Self:
        """Compute the baseline from the finished baseline trials among `records`.

        Raises:
            BadInput: they ran different shares of the target steps.
            StudyNotReady: fewer than three of them are done, or there is no cell that all of them were scored in. One that some
                seed lacks is no cell of the baseline.
        """
        bare = [record for record in records if record.role in BASELINES and record.status == "done"]
        tables = [record.scores for record in bare]
        if len(tables) < MIN_BASELINE_SEEDS:
            raise StudyNotReady(f"{len(tables)} baseline seeds are done; expected at least {MIN_BASELINE_SEEDS}")
        columns = [table.values("select") for table in tables]
        cells = [cell for cell in columns[0] if all(cell in column for column in columns)]
        if not cells:
            raise StudyNotReady("the baseline's seeds were scored in different targets or languages; no gain can be computed")
        examples = {(s.target, s.language): s.examples for s in tables[0] if s.half == "select"}
        found = {cell: _cell([column[cell] for column in columns], examples[cell]) for cell in cells}
        return cls(cells=found, share=share_of(bare))

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets that the baseline was scored on, sorted."""
        return tuple(sorted({target for target, _ in self.cells}))

    def languages(self, target: str, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the target's languages that count, sorted: those wanted, or all but English."""
        there = sorted(language for name, language in self.cells if name == target)
        return tuple(language for language in there if (language in wanted if wanted else language != ENGLISH))


_LAST: list[tuple[list[TrialRecord], Baseline]] = []
"""The baseline's trials that were looked at last, and what they come to."""


def kept_baseline(records: Iterable[TrialRecord]) -> Baseline:
    """Return `Baseline.of`, kept as long as its trials are the same objects: its exact sums take as long as the surrogate.

    Raises:
        StudyNotReady: as `Baseline.of`.
    """
    seeds = [record for record in records if record.role in BASELINES]
    if not _LAST or len(_LAST[0][0]) != len(seeds) or not all(map(operator.is_, _LAST[0][0], seeds)):
        _LAST[:] = [(seeds, Baseline.of(seeds))]
    return _LAST[0][1]


def binomial_error(percent: float, examples: int) -> float:
    """Return the binomial standard error of a score on n examples, in points: 100 √(p(1-p)/n).

    p is kept half an example away from 0 and 1, so that the error of a perfect score is not zero.
    """
    n = max(1, examples)
    edge = 1 / (2 * n)
    p = min(1 - edge, max(edge, percent / 100))
    return 100 * math.sqrt(p * (1 - p) / n)


def objective(table: ScoreTable, baseline: Baseline, groups: Mapping[str, str], wanted: Objective) -> float:
    """Return the standardised gain of a trial, in baseline deviations.

    Args:
        table: the trial's scores; only scores on selection examples are read.
        baseline: of the same study.
        groups: target → group name.
        wanted: targets and languages that count.

    Raises:
        StudyNotReady: a cell that the baseline has is absent from the table.
        BadInput: the wanted targets or languages leave nothing to average, or a target has no group.
    """
    values = table.values("select")
    gains = {target: _target_gain(target, values, baseline, wanted) for target in counted_targets(baseline, wanted)}
    if wanted.targets:
        weights = {target: weight for target, weight in wanted.targets if target in gains}
        return sum(weights[target] * gains[target] for target in weights) / sum(weights.values())
    by_group: dict[str, list[float]] = {}
    for target, gain in gains.items():
        by_group.setdefault(_group(target, groups), []).append(gain)
    return statistics.fmean(statistics.fmean(by_group[name]) for name in sorted(by_group))


def objective_so_far(table: ScoreTable, baseline: Baseline, groups: Mapping[str, str], wanted: Objective) -> float | None:
    """Return the objective over the targets scored so far, for schedulers; None while there are none."""
    scored = [target for target in counted_targets(baseline, wanted) if target in table.targets]
    if not scored:
        return None
    cells = {cell: value for cell, value in baseline.cells.items() if cell[0] in scored}
    weights = tuple((target, weight) for target, weight in wanted.targets if target in scored)
    return objective(table, Baseline(cells=cells), groups, Objective(targets=weights, languages=wanted.languages))


def counted_targets(baseline: Baseline, wanted: Objective) -> tuple[str, ...]:
    """Return the targets with at least one language that counts, sorted.

    Raises:
        BadInput: there is none, or a wanted target, its weight or a wanted language cannot be used.
    """
    asked = dict(wanted.targets) or dict.fromkeys(baseline.targets, 1.0)
    for target, weight in asked.items():
        if target not in baseline.targets:
            raise BadInput(f"objective: target {target!r} was not scored; expected some of {', '.join(baseline.targets)}")
        if not (math.isfinite(weight) and weight > 0):
            raise BadInput(f"objective: the weight of {target!r} is {weight}; expected a positive number")
    spoken = {language for _, language in baseline.cells}
    for language in wanted.languages:
        if language not in spoken:
            raise BadInput(f"objective: language {language!r} was not scored; expected some of {', '.join(sorted(spoken))}")
    counted = tuple(sorted(target for target in asked if baseline.languages(target, wanted.languages)))
    if not counted:
        raise BadInput(
            "objective: no target is scored in any language that counts; name languages, English among them if meant"
        )
    return counted


def objective_weights(
    wanted: Objective, cells: Sequence[Cell], baseline: Baseline, counted: Sequence[str], groups: Mapping[str, str]
) -> dict[Cell, float]:
    """Return cell → weight in the objective; `counted` are its targets."""
    asked = dict(wanted.targets)
    kinds: dict[str, list[str]] = {}
    for target in counted:
        kinds.setdefault(groups.get(target, ""), []).append(target)
    weights: dict[Cell, float] = {}
    for members in kinds.values():
        for target in members:
            counting = set(baseline.languages(target, wanted.languages))
            spoken = [cell for cell in cells if cell[0] == target and cell[1] in counting]
            share = asked.get(target, 0.0) if asked else 1 / (len(kinds) * len(members))
            weights |= {cell: share / len(spoken) for cell in spoken}
    return weights


def _target_gain(target: str, values: Mapping[tuple[str, str], float], baseline: Baseline, wanted: Objective) -> float:
    gains = []
    for language in baseline.languages(target, wanted.languages):
        if (target, language) not in values:
            raise StudyNotReady(f"no selection score for {target}/{language}; the baseline has one, so every trial needs one")
        cell = baseline.cells[target, language]
        gains.append((values[target, language] - cell.mean) / cell.deviation)
    return statistics.fmean(gains)


def _cell(values: Sequence[float], examples: int) -> BaselineCell:
    mean = statistics.fmean(values)
    return BaselineCell(mean=mean, deviation=max(statistics.stdev(values), binomial_error(mean, examples)))


def _group(target: str, groups: Mapping[str, str]) -> str:
    if target not in groups:
        raise BadInput(f"objective: target {target!r} has no group; known: {', '.join(sorted(groups)) or 'none'}")
    return groups[target]
