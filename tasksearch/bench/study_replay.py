"""Searches replayed on a recorded study: the sampler is answered by the mixes that the study trained.

Nothing but the study's own trainings is known, one seed of most mixes. A pick is made on selection examples, and judged by the
reporting examples of the same training: it is free of the luck of examples, not of that of the seed. What a record of that size
cannot tell is said beside every table (`RecordedStudy.limits`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasksearch.bench.grid_replay import designed_of, judged_record, search_recorded
from tasksearch.bench.results import BenchRows
from tasksearch.bench.samplers import Sample
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import SEARCHED, Role, StudyConfig, TrialRecord
from tasksearch.search.collapse import without_guessing
from tasksearch.search.fidelity import baseline_of_search
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.study.best import open_study


@dataclass(kw_only=True)
class RecordedStudy:
    """A study's trainings, each mix once, and the replayed search's records so far."""

    config: StudyConfig
    groups: dict[str, str]
    known: dict[Schedule, TrialRecord]
    bare: list[TrialRecord]
    seed: int = 0
    records: list[TrialRecord] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> RecordedStudy:
        """Read a study's folder.

        Raises:
            StudyNotReady: no study is there, or too little of one.
        """
        config, suite, records = open_study(folder)
        done = [record for record in records if record.status == "done" and len(record.scores)]
        known: dict[Schedule, TrialRecord] = {}
        for record in done:
            if record.role in SEARCHED:
                known.setdefault(record.plan.schedule, record)
        bare = [dataclasses.replace(record, role="baseline") for record in baseline_of_search(done)][: config.baseline_seeds]
        if len(bare) < 2 or len(known) < 3:
            raise StudyNotReady(
                f"{folder} has {len(bare)} finished trainings of the baseline and {len(known)} mixes; at least 2 and 3 "
                "are needed to replay a search"
            )
        return cls(config=config, groups=dict(suite.groups), known=known, bare=bare)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of trials where none are asked for: the designed mixes with half of the others, and all of them."""
        first, count = len(designed_of(list(self.known))), len(self.known)
        return tuple(sorted({(first + count) // 2, count}))

    def limits(self, trials: Sequence[int]) -> tuple[str, ...]:
        """Return what such a record cannot tell, a sentence each."""
        count, first = len(self.known), len(designed_of(list(self.known)))
        apart = np.sqrt(2) * np.std([np.mean(_over_languages(record)) for record in self.bare], ddof=1)
        told = [
            f"{self.config.name}: {count} mixes, one training of each. The seed that a mix is picked on also judges it: a gain "
            "here is flattered by that seed's luck, and is no gain that `best` would print.",
            f"Two trainings without an intermediate phase differ by {apart:.1f} points (one standard deviation, mean over "
            "cells): the errors above are over orders of this one record, and leave that out.",
            f"{first} designed mixes come first in every order, so that a sampler chooses among {count - first}: `auto` ranks "
            "a random half of those that are left, what another one asks for is answered by the nearest of them.",
        ]
        if same := [str(n) for n in trials if n <= first or n == count]:
            told.append(f"At {', '.join(same)} trials every sampler has trained the same mixes: that compares no samplers.")
        return tuple(told)

    def plan_of(self, schedule: Schedule, seed: int) -> Plan:
        """Return the plan of a schedule on a seed."""
        return dataclasses.replace(self.bare[0].plan, schedule=schedule, seed=seed)

    def train(self, schedule: Schedule, seed: int, role: Role, **fields: object) -> TrialRecord:
        """Take the training of that mix from the study."""
        record = dataclasses.replace(self.known[schedule], number=len(self.records), role=role, **fields)  # type: ignore[arg-type]
        self.records.append(record)
        return record


def replay_study(found: RecordedStudy, order: int, trials: tuple[int, ...], *, sampler: str | Sample) -> BenchRows:
    """Replay one search: row → number of trials → value.

    Args:
        found: the study.
        order: draws the search.
        trials: numbers of mixes, at most those that the study trained.
        sampler: as a study takes it, or a user's function.
    """
    mixes = list(found.known)
    if max(trials) > len(mixes):
        raise BadInput(f"{max(trials)} trials; expected at most {len(mixes)}, the mixes that the study trained")
    study = dataclasses.replace(found, records=[dataclasses.replace(r, number=i) for i, r in enumerate(found.bare)])
    baseline = Baseline.of(study.records)
    search_recorded(study, mixes, study.config.space, max(trials), order, sampler, baseline)
    table = GainTable.of([*study.records[: len(found.bare)], *found.known.values()], baseline)
    assert table is not None
    cells = [cell for cell in table.cells if cell[1] != ENGLISH]
    columns = language_columns(cells, dict.fromkeys(cells, 1.0))
    reported = {mix: _reported(found, record, columns) for mix, record in found.known.items()}
    best = np.max(list(reported.values()), axis=0)
    rows = BenchRows()
    for count in trials:
        records = [judged_record(r, baseline, found.groups) for r in study.records[: len(found.bare) + count]]
        told = GainTable.of(without_guessing(records, baseline, found.config.guesses), baseline)
        assert told is not None
        worth = told.by_language(list(columns.values()), {cell: 1 / len(cells) for cell in cells}).mean
        picked = [reported[told.firsts[row].plan.schedule][column] for column, row in enumerate(worth.argmax(axis=0))]
        rows.add("points gained by the pooled pick, reporting examples", count, float(np.mean(picked)))
        rows.add("points lost against the best recorded mix, reporting examples", count, float(np.mean(best - picked)))
    return rows


def _over_languages(record: TrialRecord) -> list[float]:
    """Return the scores on reporting examples, but those in English."""
    return [value for (_, language), value in record.scores.values("report").items() if language != ENGLISH]


def _reported(found: RecordedStudy, record: TrialRecord, columns: dict[str, dict[tuple[str, str], float]]) -> list[float]:
    """Return the gain in points per language on the reporting examples, over the mean of the baseline's seeds."""
    own, bare = record.scores.values("report"), [one.scores.values("report") for one in found.bare]
    return [
        float(np.mean([own[cell] - np.mean([column[cell] for column in bare]) for cell in column_cells]))
        for column_cells in columns.values()
    ]
