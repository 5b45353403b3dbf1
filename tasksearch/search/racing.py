"""Racing: leaders get further fresh seeds only while a further seed is likely to settle what is said of them.

Each leader starts with `leader_seeds` fresh seeds. What is said of it is one row for the languages that it leads for
together, and one for each of them. After every round a row is *decided* where its gain over the baseline passes a group-
sequential boundary (Pocock 1977: one constant for all looks, so that over all looks together a gain that is not there is
taken for one in at most 5 %). Of every other row it is asked how likely the next seed decides it: the predictive power of the
next look (Spiegelhalter, Freedman, Blackburn 1986), what was seen so far standing for the truth with its error. A leader goes
on, up to `most_seeds`, while the sum over its rows, the number of statements that its next seed is expected to settle, is at
least `SETTLED`. So a seed goes where much may still be said, not where a single one of many rows is a little uncertain; to stop
early where nothing will be said can only lower the error.

Rounds read selection examples alone: the reporting examples stays unread while the study runs. Decisions of a round rest on all
results of the rounds before it and on no others, so that they are the same at any concurrency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.core.score import Cell
from tasksearch.core.study import TrialRecord
from tasksearch.search.objective import Baseline, BaselineCell

POCOCK = {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 6: 2.453, 7: 2.485, 8: 2.512}
"""Looks → two-sided normal boundary at 5 % (Jennison and Turnbull 1999, table 2.1)."""
SETTLED = 1 / 3
"""Statements that a seed has to be expected to settle. Chosen on tuning worlds: see docs/decisions.md."""
_MIN_SEEDS = 2


@dataclass(frozen=True, kw_only=True)
class RaceState:
    """One row of one leader after some rounds.

    Attributes:
        ratio: gain over its standard error over seeds, in the selection examples's standardised units.
        chance: that the next seed decides it; 0 where it is decided, or no seed is left.
    """

    ratio: float
    chance: float


def goes_on(rows: Sequence[RaceState]) -> bool:
    """Whether the rows of a leader are worth its next seed."""
    return sum(row.chance for row in rows) >= SETTLED


def race_state(
    runs: Mapping[int, Sequence[TrialRecord]],
    leader: int,
    baseline: Sequence[TrialRecord],
    weights: Mapping[Cell, float],
    *,
    looks: int,
    most: int,
) -> RaceState:
    """Where a leader stands.

    Args:
        runs: leader → its finished fresh trainings, all leaders' (they share one seed variance).
        leader: the one in question.
        baseline: its finished trainings.
        weights: cells that it is judged on.
        looks: how many looks the whole race may have.
        most: seeds after which the race ends.
    """
    told = Baseline.of(baseline).cells
    sides = {key: [_worth(r, told, weights) for r in records] for key, records in runs.items() if records}
    bare = [_worth(r, told, weights) for r in baseline]
    own = sides.get(leader, [])
    if len(own) < _MIN_SEEDS:
        return RaceState(ratio=0.0, chance=0.0)
    pooled = [np.asarray(values) for values in (*sides.values(), bare) if len(values) > 1]
    df = sum(len(values) - 1 for values in pooled)
    variance = sum(float(((values - values.mean()) ** 2).sum()) for values in pooled) / df
    if variance <= 0:
        return RaceState(ratio=math.inf, chance=0.0)
    n = len(own)
    now, then = 1 / n + 1 / len(bare), 1 / (n + 1) + 1 / len(bare)
    ratio = (float(np.mean(own)) - float(np.mean(bare))) / math.sqrt(variance * now)
    boundary = POCOCK[min(looks, max(POCOCK))]
    if abs(ratio) >= _student_of(boundary, df) or n >= most:
        return RaceState(ratio=ratio, chance=0.0)
    # The next seed is what was seen, its error and the seed's own noise: its variance is 1 + 1/n of one seed's, and the mean
    # moves by an (n + 1)th of it. The rest in units of one seed's deviation too.
    moves = math.sqrt(1 + 1 / n) / (n + 1)
    short = _student_of(boundary, df + 1) * math.sqrt(then) - abs(ratio) * math.sqrt(now)
    return RaceState(ratio=ratio, chance=_phi(-short / moves))


def _worth(record: TrialRecord, told: Mapping[Cell, BaselineCell], weights: Mapping[Cell, float]) -> float:
    values = record.scores.values("select")
    return sum(weight * values[cell] / told[cell].deviation for cell, weight in weights.items())


def _student_of(z: float, df: int) -> float:
    """The point of Student's t that is as rare as this point of the normal."""
    from scipy import special

    return float(special.stdtrit(df, special.ndtr(z)))


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
