"""Racing: leaders get further fresh seeds only while a further seed can still change what is said of them.

Each leader starts with `leader_seeds` fresh seeds. What is said of it is one row for the languages that it leads for
together, and one for each of them. After every round a row is *decided* where its gain over the baseline passes a group-
sequential boundary (Pocock 1977: one constant for all looks, so that over all looks together a gain that is not there is
taken for one in at most 5 %), *futile* where by the trend so far the boundary would hardly be reached with the last seed
(conditional power under 35 %; Lan, Simon, Halperin 1982; stopping for futility can only lower that error), and *open* else.
A leader with an open row goes on to the next round, up to `most_seeds`.

Rounds read selection halves alone: the reporting half stays unread while the study runs. Decisions of a round rest on all
results of the rounds before it and on no others, so that they are the same at any concurrency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.core.study import TrialRecord
from tasksearch.search.objective import Baseline, BaselineCell

Cell = tuple[str, str]

POCOCK = {1: 1.960, 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 6: 2.453, 7: 2.485, 8: 2.512}
"""Looks → two-sided normal boundary at 5 % (Jennison and Turnbull 1999, table 2.1)."""
_FUTILE = 0.35
_MIN_SEEDS = 2


@dataclass(frozen=True, kw_only=True)
class Look:
    """One row of one leader after some rounds.

    Attributes:
        ratio: gain over its standard error over seeds, in the selection half's standardised units.
        open: whether another seed can still change what is said of it.
    """

    ratio: float
    open: bool


def look(
    runs: Mapping[int, Sequence[TrialRecord]],
    leader: int,
    baseline: Sequence[TrialRecord],
    weights: Mapping[Cell, float],
    *,
    looks: int,
    most: int,
) -> Look:
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
        return Look(ratio=0.0, open=False)
    pooled = [np.asarray(values) for values in (*sides.values(), bare) if len(values) > 1]
    df = sum(len(values) - 1 for values in pooled)
    variance = sum(float(((values - values.mean()) ** 2).sum()) for values in pooled) / df
    if variance <= 0:
        return Look(ratio=math.inf, open=False)
    now, last = 1 / len(own) + 1 / len(bare), 1 / most + 1 / len(bare)
    ratio = (float(np.mean(own)) - float(np.mean(bare))) / math.sqrt(variance * now)
    boundary = POCOCK[min(looks, max(POCOCK))]
    if abs(ratio) >= _student_of(boundary, df) or len(own) >= most:
        return Look(ratio=ratio, open=False)
    # Brownian motion in information time: the drift seen so far goes on, the rest of the path is noise.
    time = last / now
    at_last = _student_of(boundary, df + most - len(own))
    reach = (abs(ratio) / math.sqrt(time) - at_last) / math.sqrt(1 - time)
    return Look(ratio=ratio, open=_phi(reach) >= _FUTILE)


def _worth(record: TrialRecord, told: Mapping[Cell, BaselineCell], weights: Mapping[Cell, float]) -> float:
    values = record.scores.values("select")
    return sum(weight * values[cell] / told[cell].deviation for cell, weight in weights.items())


def _student_of(z: float, df: int) -> float:
    """The point of Student's t that is as rare as this point of the normal."""
    from scipy import special

    return float(special.stdtrit(df, special.ndtr(z)))


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))
