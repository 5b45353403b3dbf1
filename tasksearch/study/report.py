"""`write_report`: a study's folder → one HTML page. A study that still runs gives a partial one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.evidence import OutcomesOf, Reader
from tasksearch.core.errors import AlreadyRead, BadInput, StudyNotReady
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import AFTERWARDS, StudyConfig, TrialRecord
from tasksearch.reports.data import ReportData
from tasksearch.results.matched_comparison import MatchedComparison
from tasksearch.results.portfolio import Portfolios
from tasksearch.results.task_effects import TaskEffects
from tasksearch.results.verdict import Verdict
from tasksearch.study.best import best_of, read_study
from tasksearch.study.configuration import command_of
from tasksearch.study.contrasts import Contrasts
from tasksearch.study.portfolio import FIRST_RULES, portfolios_of
from tasksearch.study.settings import warning_of
from tasksearch.study.task_effects import why_from
from tasksearch.tasks.labels import suite_with_labels
from tasksearch.tasks.suite import Suite

FILE = "report.html"
"""Name of the report in the study's folder, and of its copy at the tracker."""


def write_report(folder: Path, out: Path | None = None) -> tuple[Path, ReportData]:
    """Writes the report to `out`, whole or not at all; by default to `report.html` in the study's folder, and where that cannot
    be written to `NAME-report.html` in the working directory.

    Raises:
        StudyNotReady: no study, or none of its trials is finished.
    """
    from tasksearch.core.atomic import write_atomic
    from tasksearch.reports.page import render

    data = report_of(folder)
    path, page = out or folder / FILE, render(data).encode()
    try:
        write_atomic(path, page)
    except BadInput:
        if out is not None:
            raise
        path = Path(f"{data.config.name}-{FILE}")
        write_atomic(path, page)
    return path, data


def report_of(folder: Path) -> ReportData:
    """What the report shows.

    Raises:
        StudyNotReady: no study, or none of its trials is finished.
    """
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(folder)
    config, records = ledger.config(), ledger.records()
    done = [record for record in records if record.status == "done"]
    if not done:
        raise StudyNotReady(f"no trial of {folder} is finished yet; a report needs one: `tasksearch resume {folder}` goes on")
    suite = suite_with_labels(config.suite, config.data)
    outcomes = Reader(ledger.outcomes)
    contrasts = Contrasts.of(records, outcomes, suite.groups, Documents.reporting(ledger.documents()))
    found = _found(folder, records, outcomes)
    order, order_pending = _order(folder, records)
    return ReportData(
        config=config,
        records=tuple(records),
        verdict=found.verdict,
        pending=found.pending,
        portfolios=found.portfolios,
        why=_why(records, suite, found.table),
        warning=warning_of(suite, config, folder),
        same_data=suite.same_data,
        language_groups=suite.language_groups,
        singles=contrasts.singles(),
        pairs=contrasts.pairs(),
        bests=contrasts.bests(),
        references=contrasts.references(
            suite.chance_over(language for language in config.languages if language != ENGLISH),
            [r for r in done if str(r.role) == "untrained"],
        ),
        order=order,
        order_pending=order_pending,
        planned=planned(config, records),
        command=command_of(config, folder),
        versions=versions_of(records),
        made=datetime.now().astimezone().isoformat(sep=" ", timespec="minutes"),
    )


def planned(config: StudyConfig, records: list[TrialRecord]) -> int:
    """Trainings of the complete study. Once a leader is re-run the search is over and its size known; before: at most.

    Leaders that race get seeds beyond their first ones: before the race at most `most_seeds` each, from then on those begun.
    """
    from tasksearch.search.controls import controls_now, most_controls
    from tasksearch.search.matched_pairs import matched_trials, matched_trials_now

    searched = [record for record in records if record.role not in AFTERWARDS]
    if len(searched) == len(records):
        leaders = config.leaders * max(config.leader_seeds, config.most_seeds)
        return max(config.trials, len(searched)) + leaders + config.untrained + most_controls(config) + matched_trials(config)
    judged = {r.plan.mix_signature for r in searched if r.role in ("design", "search") and r.objective is not None}
    begun = sum(record.role == "finalist" for record in records)
    beside = controls_now(config, records) + matched_trials_now(config, records) + config.untrained
    return len(searched) + max(min(config.leaders, len(judged)) * config.leader_seeds, begun) + beside


def versions_of(records: list[TrialRecord]) -> Mapping[str, str]:
    """What the finished trials ran on; several values where they differ, with the version that makes the report."""
    from tasksearch import __version__

    found: dict[str, dict[str, None]] = {}
    for record in records:
        for name, value in record.facts:
            found.setdefault(name, {})[value] = None
    return {"tasksearch (this report)": __version__} | {name: ", ".join(values) for name, values in sorted(found.items())}


def _order(folder: Path, records: Sequence[TrialRecord]) -> tuple[MatchedComparison | None, str]:
    """Joint or sequential, where there are twins; None with the reason while it cannot be told."""
    from tasksearch.study.matched_comparison import answer_question

    if not any(record.role == "twin" for record in records):
        return None, ""
    try:
        return answer_question([folder]), ""
    except (StudyNotReady, AlreadyRead) as why:
        return None, f"No answer: {why}."


def _why(records: Sequence[TrialRecord], suite: Suite, table: Any) -> TaskEffects | None:
    """Effects of tasks; None while there are too few mixes to say. `table`: of the trained mixes, where it was made already."""
    try:
        found: TaskEffects = why_from(records, suite, table)
    except StudyNotReady:
        return None
    return found


@dataclass(frozen=True, kw_only=True)
class _Found:
    verdict: Verdict | None = None
    pending: str = ""
    portfolios: Portfolios | None = None
    table: Any = None


def _found(folder: Path, records: list[TrialRecord], outcomes: OutcomesOf) -> _Found:
    """Verdict and portfolios, from one reading of the study."""
    try:
        study = read_study(folder, records=records, outcomes=outcomes)
    except StudyNotReady as early:
        return _Found(pending=f"No verdict yet: {early}.")
    verdict, pending = _verdict(folder, study)
    found = _Found(verdict=verdict, pending=pending, table=study[0].evidence.table)
    if verdict is None:
        return found
    try:
        return dataclasses.replace(found, portfolios=portfolios_of(folder, study=study, ask=False))
    except StudyNotReady:
        return found


def _verdict(folder: Path, study: tuple[Any, list[TrialRecord]]) -> tuple[Verdict | None, str]:
    """By the rule that was asked last: a report is no second question. A study that nobody asked yet: by the first rule that
    can choose here (one language leaves pivot-dev nothing to read). None with the reason while there is none.
    """
    from tasksearch.records.holdout_log import headline, holdout_uses

    asked = headline(holdout_uses(folder))
    reasons = []
    for rule in (asked,) if asked else FIRST_RULES:
        try:
            return best_of(folder, rule=rule, study=study), ""
        except AlreadyRead as read:
            return None, f"No verdict: {read}."
        except StudyNotReady as nothing:
            reasons.append(str(nothing))
    return None, f"No verdict yet: {reasons[0]}."
