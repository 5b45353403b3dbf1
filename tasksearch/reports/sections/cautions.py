"""Warnings to read before quoting a number: same data, chance, tiny sets, few seeds, failures, several machines."""

from __future__ import annotations

from collections.abc import Iterator

from tasksearch.core.mixture import base_task
from tasksearch.core.score import ENGLISH
from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.sections.singles import labels
from tasksearch.reports.text import NOT_CLUSTERED, first_names

FEW_EXAMPLES = 100
FEW_SEEDS = 3


def section(data: ReportData) -> Section | None:
    """One sentence per reason that applies; None where none does."""
    found = tuple(cautions(data))
    return Section(slug="warnings", title="Warnings", alerts=found) if found else None


def cautions(data: ReportData) -> Iterator[str]:
    """Yield the sentences, the suite's warning first."""
    if data.warning:
        yield data.warning
    if data.verdict is not None and data.verdict.adaptive:
        yield "Adaptive: the reporting examples had been read under another question before; these intervals may be too narrow."
    if data.verdict is not None and not data.verdict.clustered:
        yield NOT_CLUSTERED
    yield from _same_data(data)
    yield from _chance(data)
    yield from _tiny(data)
    yield from _seeds(data)
    if data.config.is_short:
        yield (
            f"Short search: its trials, matched pairs among them, ran {data.config.search_target_steps:g} of the target steps, "
            "and so did the baseline beside them. Effects of tasks, single tasks, pairs and foreseen gains are gains there; "
            "the verdict's own gains are those of whole target phases."
        )
    failed = [str(record.number) for record in data.records if record.status == "failed"]
    if failed:
        yield f"Trials that failed, and are in no figure: {', '.join(failed)}."
    machines = {dict(record.facts).get("device", "") for record in data.records if record.status == "done"}
    if len(machines) > 1:
        yield f"Trials ran on different devices ({', '.join(sorted(machines))}): differences between them may be the device's."


def _same_data(data: ReportData) -> Iterator[str]:
    used = {base_task(task) for record in data.records for task in record.plan.schedule.tasks}
    pairs = [f"{task} and {target}" for task, target in data.same_data if task in used and target in data.config.targets]
    if pairs:
        yield (
            f"Same data: {', '.join(pairs)} train on one data set, so a gain of that task on that target may be more exposure "
            "to the target's own data."
        )


def _chance(data: ReportData) -> Iterator[str]:
    near = [
        f"{reference.target} in {language}"
        for reference in data.references
        for language, (_, baseline) in reference.by_language.items()
        if reference.chance is not None and baseline.low is not None and baseline.low <= reference.chance
    ]
    if near:
        yield (
            f"At chance: the baseline's interval includes the score of a guess for {first_names(near)}. Differences there "
            "say little about transfer."
        )


def _tiny(data: ReportData) -> Iterator[str]:
    tiny = sorted(
        {
            f"{score.target} in {score.language} ({score.examples})"
            for record in data.role("baseline")[:1]
            for score in record.scores
            if score.half == "report" and score.examples < FEW_EXAMPLES and score.language != ENGLISH
        }
    )
    if tiny:
        yield f"Tiny sets, under {FEW_EXAMPLES} reporting examples: {first_names(tiny)}."


def _seeds(data: ReportData) -> Iterator[str]:
    if data.verdict is not None and (few := [c.name for c in data.verdict.choices if c.seeds < FEW_SEEDS]):
        yield f"Few seeds: under {FEW_SEEDS} fresh seeds behind the mix of {first_names(few)}."
    once = [name for name, single in zip(labels(data.singles), data.singles, strict=True) if len(single.trials) < FEW_SEEDS]
    if once:
        yield (
            f"Few seeds: under {FEW_SEEDS} behind each single-task figure of {first_names(once)}; their intervals use "
            "the spread over seeds of other mixes."
        )
