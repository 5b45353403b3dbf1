"""Racing: finalists get further fresh seeds only while a further seed is likely to decide their rows of the verdict.

Each finalist starts with `leader_seeds` fresh seeds. Its rows are one for the languages in which it is the best finalist,
together, and one for each of them. After every round a row is *decided* where its gain over the baseline passes a group-
sequential boundary (Pocock 1977: one constant for all looks, so that the probability of a false finding over all looks
together is at most 5 %). For every other row the probability that the next seed decides it is the predictive power of the next
look (Spiegelhalter, Freedman, Blackburn 1986), given the current estimate and its error. A finalist continues, up to
`most_seeds`, while the sum over its rows, the expected number of rows that its next seed decides, is at least `SETTLED`. So a
seed goes where several rows may still be decided, not where one of many is slightly uncertain; stopping early for futility can
only lower the error.

Rounds read selection examples alone: reporting examples stay unread while the study runs. Decisions of a round depend on all
results of the rounds before it and on no others, so that they are the same at any concurrency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.core.score import Cell
from tasksearch.core.study import TrialRecord
from tasksearch.search.objective import BaselineCell, kept_baseline

POCOCK = {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 6: 2.453, 7: 2.485, 8: 2.512}
"""Looks → two-sided normal boundary at 5 % (Jennison and Turnbull 1999, table 2.1)."""
SETTLED = 1 / 3
"""Least expected number of rows that the next seed decides. Chosen on tuning worlds: see docs/decisions.md."""
_MIN_SEEDS = 2


@dataclass(frozen=True, kw_only=True)
class RaceState:
    """One row of one finalist after some rounds.

    Attributes:
        ratio: gain divided by its standard error over seeds, on selection examples.
        chance: probability that the next seed decides it; 0 where it is decided, or no seed is left.
    """

    ratio: float
    chance: float


def goes_on(rows: Sequence[RaceState]) -> bool:
    """Return whether the next seed is expected to decide enough of a finalist's rows."""
    return sum(row.chance for row in rows) >= SETTLED


def race_state(
    runs: Mapping[int, Sequence[TrialRecord]],
    finalist: int,
    baseline: Sequence[TrialRecord],
    weights: Mapping[Cell, float],
    *,
    looks: int,
    most: int,
) -> RaceState:
    """Compute the state of one row of a finalist.

    Args:
        runs: finalist → its finished trainings on fresh seeds, of all finalists: they share one seed variance.
        finalist: key of the finalist in question.
        baseline: finished trainings of the baseline.
        weights: cell → weight in the row.
        looks: largest number of looks in the race.
        most: number of seeds at which the race ends.
    """
    told = kept_baseline(baseline).cells
    sides = {key: [_worth(r, told, weights) for r in records] for key, records in runs.items() if records}
    bare = [_worth(r, told, weights) for r in baseline]
    own = sides.get(finalist, [])
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
    # The next seed is predicted by the mean so far: its variance is 1 + 1/n of one seed's, and the new mean moves by an
    # (n + 1)th of it. `short` is in units of one seed's deviation too.
    moves = math.sqrt(1 + 1 / n) / (n + 1)
    short = _student_of(boundary, df + 1) * math.sqrt(then) - abs(ratio) * math.sqrt(now)
    return RaceState(ratio=ratio, chance=_phi(-short / moves))


def _worth(record: TrialRecord, told: Mapping[Cell, BaselineCell], weights: Mapping[Cell, float]) -> float:
    values = record.scores.values("select")
    return sum(weight * values[cell] / told[cell].deviation for cell, weight in weights.items())


def _student_of(z: float, df: int) -> float:
    """Return the quantile of Student's t with the same tail probability as this normal quantile."""
    from scipy import special

    return float(special.stdtrit(df, special.ndtr(z)))


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
