"""`--sampler auto` inside a study: from trial records to what the surrogate is told, and to the parameters it proposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tasksearch.core.errors import TasksearchError
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import BASELINES, SEARCHED, StudyConfig, TrialRecord
from tasksearch.search.collapse import without_guessing
from tasksearch.search.fidelity import baseline_of_search
from tasksearch.search.gain_table import MIN_MIXES, GainTable, language_columns, usual_rate
from tasksearch.search.objective import counted_targets, kept_baseline, objective_weights
from tasksearch.search.surrogate.alike_columns import Distances, alike_columns
from tasksearch.search.surrogate_search import MOST_MIXES, Told, most_promising, ranked_mixes, telling_rows


def auto_suggestions(
    config: StudyConfig,
    told: Sequence[TrialRecord],
    pending: Sequence[TrialRecord],
    groups: Mapping[str, str],
    *,
    seed: int,
    distances: Distances | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield parameters of mixes, the most promising first; nothing while too few mixes are known. Pure.

    Args:
        config: the space, and the targets and languages that the objective counts.
        told: trials whose results may be used, in the order of their numbers.
        pending: trials of which only the parameters may be used.
        groups: target → kind, by which the objective weighs targets.
        seed: of the candidates.
        distances: between languages; they count as far as trials so far bear them out.
    """
    known = _told(config, _telling(told), groups, distances)
    if known is not None:
        schedules = [record.plan.schedule for record in pending if record.role not in BASELINES]
        yield from ranked_mixes(config.space, known, schedules, np.random.default_rng(seed))


def auto_choice(
    config: StudyConfig, told: Sequence[TrialRecord], groups: Mapping[str, str], among: Sequence[Schedule]
) -> Schedule | None:
    """Return which of these mixes `auto` would train next; None while too few are known. Arguments as `auto_suggestions`."""
    known = _told(config, _telling(told), groups, None)
    return most_promising(config.space, known, among) if known and len(known.schedules) >= MIN_MIXES else None


def _telling(told: Sequence[TrialRecord]) -> Sequence[TrialRecord]:
    """Return the baseline and, of many trials, those that the surrogate is fitted to: the scores of the others are not read."""
    done = [record for record in told if record.role in SEARCHED and record.status == "done" and record.objective is not None]
    if len(done) <= MOST_MIXES:
        return told
    rows = telling_rows(np.array([record.objective for record in done]))
    kept = {done[row].number for row in rows}
    return [record for record in told if record.role in BASELINES or record.number in kept]


def _told(
    config: StudyConfig, told: Sequence[TrialRecord], groups: Mapping[str, str], distances: Distances | None
) -> Told | None:
    """Return the gains per language that the objective counts, or the objectives alone where trials carry no scores."""
    try:
        baseline = kept_baseline(baseline_of_search(told))
        table = GainTable.of(without_guessing(told, baseline, config.guesses), baseline)
        counted = counted_targets(baseline, config.objective)
    except TasksearchError:
        return _objectives(told)
    if table is None:
        return None
    weights = objective_weights(config.objective, table.cells, baseline, counted, groups)
    columns = language_columns(table.cells, weights)
    if not columns:
        return _objectives(told)
    gains, seeds = table.weighted(list(columns.values()))
    return Told(
        schedules=tuple(first.plan.schedule for first in table.firsts),
        params=tuple(dict(first.params) for first in table.firsts),
        gains=gains,
        seeds=seeds,
        weights=np.array([sum(weights[cell] for cell in column) for column in columns.values()]),
        alike=alike_columns(list(columns), distances),
        usual=usual_rate(table.firsts),
    )


def _objectives(told: Sequence[TrialRecord]) -> Told | None:
    firsts = {
        record.plan.schedule: record
        for record in reversed(told)
        if record.role in SEARCHED and record.objective is not None and record.status == "done"
    }
    if not firsts:
        return None
    return Told(
        schedules=tuple(firsts),
        params=tuple(dict(record.params) for record in firsts.values()),
        gains=np.array([[record.objective] for record in firsts.values()], dtype=np.float64),
        seeds=None,
        weights=np.ones(1),
        usual=usual_rate(list(firsts.values())),
    )
