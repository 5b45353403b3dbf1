"""Finalists: the mixes of the search that are trained again on fresh seeds.

They are chosen by shrunken scores, and for single languages as well as for the mean. The first finalist is the best for all
languages together; each further one is the mix that adds most when every language takes its best of the finalists so far
(greedy maximisation of a submodular gain; Nemhauser, Wolsey, Fisher 1978). Of several finalists one is the best of the
*designed* trials: the baseline comparison needs a free baseline on fresh seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import TasksearchError
from tasksearch.core.study import SEARCHED, StudyConfig, TrialRecord
from tasksearch.search.collapse import without_guessing
from tasksearch.search.fidelity import baseline_of_search
from tasksearch.search.gain_table import MIN_MIXES, GainTable, language_columns
from tasksearch.search.objective import Baseline, counted_targets, objective_weights

Array = NDArray[np.float64]
_Weights = Mapping[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True)
class Finalist:
    """A trial of the search that is trained again.

    Attributes:
        record: of the search's trial.
        rows: rows of the verdict that it may decide, each as weights of cells: the languages in which it is the best finalist,
            together (for the first finalist, and a designed one: all languages), then each of them alone, where they are
            several; empty where it is best in none. None: there were too few mixes for a surrogate.
    """

    record: TrialRecord
    rows: tuple[Mapping[tuple[str, str], float], ...] | None = None


def choose_finalists(
    config: StudyConfig, records: Sequence[TrialRecord], groups: Mapping[str, str] | None = None
) -> list[Finalist]:
    """Choose at most `config.leaders` trials of the search, the best for all languages first.

    Only designed and sampled trials are candidates, and of these none that ended at a guess (`search.collapse`). With too few
    mixes or scores for a surrogate, all of them are, and those with the best objectives are taken, ties to the lower number.

    Args:
        config: the number of finalists, the targets and languages that the objective counts, and the scores of a guess.
        records: of the search; the result is a pure function of them.
        groups: target → kind; None: all targets are of one kind.
    """
    done = [r for r in records if r.role in SEARCHED and r.status == "done" and r.objective is not None]
    ranked = sorted(done, key=lambda r: (-(r.objective or 0.0), r.number))[: config.leaders]
    by_objective = [Finalist(record=record) for record in ranked]
    if len(done) < MIN_MIXES or config.leaders < 1:
        return by_objective
    try:
        bare = baseline_of_search(records)
        baseline = Baseline.of(bare)
        table = GainTable.of(without_guessing([*done, *bare], baseline, config.guesses), baseline)
        counted = counted_targets(baseline, config.objective)
    except TasksearchError:
        return by_objective
    if table is None or len(table.firsts) < MIN_MIXES:
        return by_objective
    weights = objective_weights(config.objective, table.cells, baseline, counted, groups or {})
    columns = language_columns(table.cells, weights)
    if not columns:
        return by_objective
    designed = tuple(first.role == "design" for first in table.firsts)
    key = _Key(table, weights, columns)
    chosen = _chosen(key, config.leaders, designed)
    return [Finalist(record=table.firsts[i], rows=rows) for i, rows in chosen]


class _Key:
    """A table with its weights, hashed by content, as the key of a cache."""

    def __init__(
        self, table: GainTable, weights: Mapping[tuple[str, str], float], columns: Mapping[str, Mapping[tuple[str, str], float]]
    ) -> None:
        self.table, self.weights, self.columns = table, weights, columns
        schedules = tuple(first.plan.schedule for first in table.firsts)
        self._content = (schedules, table.cells, table.gains.tobytes(), table.seeds.tobytes(), tuple(sorted(weights.items())))
        self._hash = hash(self._content)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._content == other._content


@lru_cache(maxsize=4)
def _chosen(key: _Key, most: int, designed: tuple[bool, ...]) -> tuple[tuple[int, tuple[_Weights, ...]], ...]:
    overall = key.table.shrunken([key.weights]).mean[:, 0]
    worth = key.table.by_language(list(key.columns.values()), key.weights).mean
    found = [int(np.argmax(overall))]
    champion = _first_best(overall, [i for i, is_design in enumerate(designed) if is_design])
    room = most if champion is None or champion == found[0] or most < 2 else most - 1
    while len(found) < min(room, len(worth)):
        best = worth[found].max(axis=0)
        added = np.maximum(worth, best).mean(axis=1) - best.mean()
        added[found] = -np.inf
        if added.max() <= 1e-9:
            added = overall.copy()
            added[found] = -np.inf
        found.append(int(np.argmax(added)))
    if champion is not None and champion not in found and len(found) < most:
        found.append(champion)
    while len(found) < min(most, len(worth)):  # the champion was among them already
        rest = overall.copy()
        rest[found] = -np.inf
        found.append(int(np.argmax(rest)))
    return tuple((i, _rows(key, worth, found, i, everywhere=i in (found[0], champion))) for i in found)


def _rows(key: _Key, worth: Array, found: Sequence[int], row: int, *, everywhere: bool) -> tuple[_Weights, ...]:
    """Return the weights of the languages in which it is the best finalist, together, then each alone.

    With `everywhere` the first are the weights of all languages. Empty where it is best in no language.
    """
    first = worth[list(found)].argmax(axis=0)
    names = [name for column, name in enumerate(key.columns) if found[int(first[column])] == row]
    if not names and not everywhere:
        return ()
    chosen = key.weights if everywhere else {cell: key.weights[cell] for name in names for cell in key.columns[name]}
    total = sum(chosen.values())
    alone = [key.columns[name] for name in names if set(key.columns[name]) != set(chosen)]
    return ({cell: weight / total for cell, weight in chosen.items()}, *alone)


def _first_best(values: Array, among: Sequence[int]) -> int | None:
    return max(among, key=lambda i: (values[i], -i)) if among else None
