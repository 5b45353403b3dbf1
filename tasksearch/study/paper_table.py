"""`paper_table`: a study in the layout of Phang et al. 2020, beside the paper's figures as far as they were read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate
from tasksearch.analysis.evidence import Reader, candidate_outcomes_of
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.mixture import base_task
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import SEARCHED, StudyConfig, TrialRecord
from tasksearch.results.estimate import Estimate
from tasksearch.results.paper_table import AVERAGE, PaperRow, PaperTable, PublishedRow
from tasksearch.study.best import design_names_of, open_study
from tasksearch.study.contrasts import Contrasts

_THEIRS = "xtreme"
"""Suite whose targets are the paper's: beside those of another its scores would compare different data."""

Weights = Mapping[Cell, float]


def paper_table(folder: Path) -> PaperTable:
    """Return the table of a study: every single task and every joint plan, chosen or not, on all their trainings.

    Scores are means over a target's languages, English included, and over targets, all unweighted, as XTREME averages. Nothing
    is selected, so that the search's own trainings count beside those on fresh seeds; where the search's target phases were
    shortened, its own trainings alone, against its own baseline.

    Raises:
        StudyNotReady: there is no study, no finished baseline, or no finished plan.
    """
    from tasksearch.records.ledger import Ledger
    from tasksearch.search.fidelity import at_share

    config, suite, records = open_study(folder)
    ledger = Ledger(folder)
    alike = at_share(records, config.search_target_steps)
    documents = Documents.reporting(ledger.documents())
    contrasts = Contrasts.of(alike, Reader(ledger.outcomes), suite.groups, documents, config.guesses)
    wanted = _rows_wanted(config, records, ledger)
    trained: dict[Schedule, Sequence[TrialRecord]] = {}
    for mix in contrasts.mixes.values():
        if not _is_control(mix[0]):
            trained.setdefault(mix[0].plan.schedule, mix)  # a matched set may train it again under another policy
    baseline = contrasts.baseline
    if baseline is None or not any(schedule in trained for schedule in wanted):
        raise StudyNotReady(
            f"no baseline and no single task or joint plan of {folder} is finished yet: `tasksearch resume {folder}` goes on"
        )
    asked = _questions(config.targets, baseline.cells)
    rows = tuple(
        _row(name, trained[schedule], contrasts, asked, frozenset(suite.same_data))
        for schedule, name in wanted.items()
        if schedule in trained
    )
    published = _published()
    short = f"trainings with {config.search_target_steps:g} of the target steps" if config.is_short else ""
    theirs = suite.world == _THEIRS
    return PaperTable(
        study=config.name,
        targets=tuple(name for name in asked if name != AVERAGE),
        baseline={name: estimate(baseline, weights, pool=tuple(contrasts.pool.values())) for name, weights in asked.items()},
        baseline_seeds=len(baseline.seeds),
        rows=rows,
        missing=tuple(name for schedule, name in wanted.items() if schedule not in trained),
        published_average={
            name: (float(own["value"]), published["sources"][own["source"]])
            for name, own in published["average"].items()
            if theirs
        },
        published=tuple(
            PublishedRow(name=one["name"], cells=one["cells"], source=published["sources"][one["source"]])
            for one in published["row"]
            if theirs
        ),
        claims=tuple(f"{one['text']} ({published['sources'][one['source']]})" for one in published["claim"]),
        warning="; ".join(filter(None, (suite.warning, short))),
    )


def _rows_wanted(config: StudyConfig, records: Sequence[TrialRecord], ledger: Any) -> dict[Schedule, str]:
    """Return schedule → name: a grid's plans in their order; of drawn mixes the single tasks and the designed joint ones."""
    if config.space.grid:
        return {row.schedule: row.name for row in config.space.rows(ledger.sizes())}
    names = design_names_of(ledger, config)
    searched = [record for record in records if record.role in SEARCHED and record.status == "done"]
    singles = sorted(
        {r.plan.schedule for r in searched if len(r.plan.schedule.tasks) == 1}, key=lambda s: (s.tasks, s.steps, s.rate_words)
    )
    steps, words = len({one.steps for one in singles}) > 1, len({one.rate_words for one in singles}) > 1
    found = {one: one.tasks[0] + f", {one.steps} steps" * steps + one.rate_words * words for one in singles}
    joint = [r.plan.schedule for r in searched if r.role == "design" and r.plan.schedule.kind == "joint"]
    return found | {one: names.name(one) for one in joint if one not in found}


def _questions(targets: Sequence[str], cells: frozenset[Cell]) -> dict[str, Weights]:
    """Return target → weights of its languages, and the mean over the targets."""
    by_target = {target: sorted(cell for cell in cells if cell[0] == target) for target in targets}
    asked: dict[str, Weights] = {t: dict.fromkeys(own, 1 / len(own)) for t, own in by_target.items() if own}
    count = len(asked)
    average = {cell: weight / count for weights in asked.values() for cell, weight in weights.items()}
    return {**asked, AVERAGE: average}


def _row(
    name: str,
    trained: Sequence[TrialRecord],
    contrasts: Contrasts,
    asked: Mapping[str, Weights],
    same_data: frozenset[tuple[str, str]],
) -> PaperRow:
    plan = trained[0].plan
    arm = candidate_outcomes_of(trained, contrasts.outcomes, contrasts.documents)
    own = tuple(t for t in asked if any((base_task(task), t) in same_data for task in plan.schedule.tasks))
    control = next((mix for mix in contrasts.mixes.values() if mix[0].plan.extra_examples == plan.intermediate_examples), None)
    longer = candidate_outcomes_of(control, contrasts.outcomes, contrasts.documents) if control and own else None

    pool = [arm for mix, arm in contrasts.pool.items() if mix != plan.mix_signature]  # its trainings would count twice

    def gain(weights: Weights, minus: CandidateOutcomes | None) -> Estimate:
        return estimate(arm, weights, minus=minus, pool=pool)

    return PaperRow(
        name=name,
        seeds=len(arm.seeds),
        gains={t: gain(weights, contrasts.baseline) for t, weights in asked.items() if weights.keys() <= arm.cells},
        same_data=own,
        over_exposure={t: gain(asked[t], longer) for t in own if longer is not None and asked[t].keys() <= longer.cells},
    )


def _is_control(record: TrialRecord) -> bool:
    plan = record.plan
    return bool(plan.extra_examples or plan.soup or plan.few_shot or plan.model_seeds)


@lru_cache(maxsize=1)
def _published() -> dict[str, Any]:
    return tomllib.loads((resources.files("tasksearch.reports") / "published.toml").read_text(encoding="utf-8"))
