"""From one encoder to another: which mixes of a study to train again, and how far two encoders rank mixes alike.

Only scores on selection examples of trials of the search are read. A learning rate belongs to the encoder: mixes that differ in
it alone are one mix, with the gains at the rate that ranks first.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from tasksearch.core.errors import BadInput, TasksearchError
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Cell
from tasksearch.core.study import SEARCHED, Guesses, Objective, TrialRecord
from tasksearch.core.transfer import SharedTarget
from tasksearch.results.transfer import RankCorrelation
from tasksearch.search.collapse import without_guessing
from tasksearch.search.fidelity import baseline_of_search
from tasksearch.search.gain_table import Array, GainTable
from tasksearch.search.objective import Baseline, counted_targets, objective_weights

LEAST_FOR_INTERVAL = 5
_NORMAL = 1.959964
"""97.5 % point of the standard normal distribution."""


@dataclass(frozen=True, kw_only=True)
class RankedMix:
    """A mix in a study's ranking.

    Attributes:
        first: its first trial, at the learning rate that ranks first.
        gains: per shared target, standardised, on selection examples.
    """

    first: TrialRecord
    gains: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """A study's scored mixes, with what is needed to rank them by the targets that it shares with another study."""

    table: GainTable
    baseline: Baseline

    @classmethod
    def of(cls, records: Sequence[TrialRecord], guesses: Guesses = ()) -> Self | None:
        """Read the records of a study, trials of its search alone; None where no mix was scored.

        Trials that ended at a guess (`StudyConfig.guesses`) are left out.

        Raises:
            StudyNotReady: there is no baseline.
        """
        bare = baseline_of_search(records)
        baseline = Baseline.of(bare)
        searched = [*bare, *(record for record in records if record.role in SEARCHED)]
        table = GainTable.of(without_guessing(searched, baseline, guesses), baseline)
        return None if table is None else cls(table=table, baseline=baseline)

    def shared(self, cells: Collection[Cell], objective: Objective, groups: Mapping[str, str]) -> tuple[SharedTarget, ...]:
        """Return what this study shares with another one; empty where that is nothing.

        Args:
            cells: (target, language) that the other study scores.
            objective: of the other study: its weights of targets, and the languages that count.
            groups: target → kind, of the other study's suite.
        """
        common = [cell for cell in self.table.cells if cell in cells]
        targets, languages = {target for target, _ in common}, {language for _, language in common}
        wanted = Objective(
            targets=tuple((target, weight) for target, weight in objective.targets if target in targets),
            languages=tuple(language for language in objective.languages if language in languages),
        )
        if (objective.targets and not wanted.targets) or (objective.languages and not wanted.languages):
            return ()
        baseline = Baseline(cells={cell: self.baseline.cells[cell] for cell in common})
        try:
            counted = counted_targets(baseline, wanted)
        except BadInput:  # English alone, which counts only where it is asked for
            return ()
        weights = objective_weights(wanted, common, baseline, counted, groups)
        spoken = {target: tuple(sorted(cell[1] for cell in weights if cell[0] == target)) for target in counted}
        return tuple(
            SharedTarget(name=name, weight=weights[name, own[0]] * len(own), languages=own) for name, own in spoken.items()
        )

    def ranking(self, shared: Sequence[SharedTarget]) -> dict[Schedule, RankedMix]:
        """Return mix → its gains, the best first, by the shrunken gain over the shared targets and languages."""
        columns = [{(one.name, language): 1 / len(one.languages) for language in one.languages} for one in shared]
        together = {
            cell: one.weight * share for one, column in zip(shared, columns, strict=True) for cell, share in column.items()
        }
        worth, (gains, _) = self.table.shrunken([together]).mean[:, 0], self.table.weighted(columns)
        found: dict[Schedule, RankedMix] = {}
        for row in np.argsort(-worth, kind="stable"):
            first = self.table.firsts[int(row)]
            mix = RankedMix(first=first, gains=tuple(map(float, gains[int(row)])))
            found.setdefault(first.plan.schedule.at_rate(None), mix)
        return found


def chosen_places(designed: Sequence[bool], confirm: int) -> tuple[int, ...]:
    """Return places in a ranking of the mixes to train again: the `confirm` best, and as many at most of the rest.

    Of the rest: the best designed mix where none is among the best, since the search has to beat a free baseline, then the
    middles of equal parts of what is left of the ranking, so that its whole length is compared.

    Args:
        designed: whether the mix is a designed one, the best mix first.
    """
    top, rest = list(range(min(confirm, len(designed)))), list(range(confirm, len(designed)))
    free = [] if any(designed[place] for place in top) else [place for place in rest if designed[place]][:1]
    left = [place for place in rest if place not in free]
    count = min(confirm - len(free), len(left))
    spread = [left[(2 * part + 1) * len(left) // (2 * count)] for part in range(count)]
    return tuple(sorted((*top, *free, *spread)))


def rank_correlations(
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    shared: Sequence[SharedTarget],
    groups: Mapping[str, str],
) -> tuple[RankCorrelation, ...]:
    """Return the correlation over all shared targets, then of each kind of target where there are several.

    Args:
        first, second: gains of the same mixes in two studies, shape (mixes, shared targets).
        groups: target → kind.
    """
    kinds = sorted({groups.get(one.name, one.name) for one in shared})
    rows = [("all", shared)]
    rows += [(kind, [one for one in shared if groups.get(one.name, one.name) == kind]) for kind in kinds if len(kinds) > 1]
    tables = [np.array(gains, dtype=np.float64).reshape(len(gains), len(shared)) for gains in (first, second)]
    found = []
    for name, own in rows:
        weights = np.array([one.weight if one in own else 0.0 for one in shared])
        found.append(rank_correlation(name, *(table @ weights for table in tables)))
    return tuple(found)


def rank_correlation(name: str, first: Array, second: Array) -> RankCorrelation:
    """Return Spearman's correlation with its 95 % interval.

    The interval is Fisher's z with the variance (1 + ρ² / 2) / (n - 3) of Bonett and Wright (2000), ρ kept half a step away
    from ±1.
    """
    from scipy.stats import spearmanr

    count = len(first)
    if count < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return RankCorrelation(name=name, value=None)
    value = round(float(spearmanr(first, second).statistic), 12)  # exactly ±1 where the orders are equal or opposite
    if count < LEAST_FOR_INTERVAL:
        return RankCorrelation(name=name, value=value)
    most = 1 - 3 / (count * (count * count - 1))
    centre = math.atanh(max(-most, min(most, value)))
    reach = _NORMAL * math.sqrt((1 + value * value / 2) / (count - 3))
    low = -1.0 if value == -1 else math.tanh(centre - reach)
    return RankCorrelation(name=name, value=value, low=low, high=1.0 if value == 1 else math.tanh(centre + reach))


def ranked_or_none(records: Sequence[TrialRecord], guesses: Guesses) -> Ranked | None:
    """Return `Ranked.of`; None also where there is no baseline yet."""
    try:
        return Ranked.of(records, guesses)
    except TasksearchError:
        return None
