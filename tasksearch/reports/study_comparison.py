"""Tables of several studies side by side."""

from __future__ import annotations

from tasksearch.reports.table import Column, ReportTable, block_ends
from tasksearch.reports.text import letter, short_mix
from tasksearch.results.estimate import gain_text
from tasksearch.results.study_comparison import StudyComparison


def studies_table(found: StudyComparison) -> ReportTable:
    """What was compared: one row per study."""
    columns = (
        Column(name="study", fill=True, wrap=True, min_width=12),
        Column(name="suite", max_width=12),
        Column(name="model", wrap=True, max_width=20),
        Column(name="seed", number=True),
        Column(name="targets", wrap=True, max_width=20),
        Column(name="trainings", short="n", number=True),
        Column(name="rule", max_width=11),
    )
    rows = tuple(
        (
            study.name,
            study.suite,
            study.model,
            str(study.seed),
            ", ".join(study.targets),
            str(study.trainings),
            study.verdict.rule if study.verdict else "–",
        )
        for study in found.studies
    )
    notes = [f"{study.name}: no verdict: {study.pending}." for study in found.studies if study.verdict is None]
    return ReportTable(title="Studies", columns=columns, rows=rows, notes=tuple(notes))


def comparison_table(found: StudyComparison) -> ReportTable:
    """One block per language and group, one row per study: its mix, its gain over its own baseline, what that allows to say."""
    mixes: dict[str, str] = {}
    blocks, rows = [], []
    for row in found.rows:
        for study in found.studies:
            choice = next((one for one in (study.verdict.choices if study.verdict else ()) if one.name == row), None)
            if choice is None:
                continue
            mark = mixes.setdefault(short_mix(choice.schedule), letter(len(mixes)))
            seeds = f"{choice.seeds}+{choice.baseline_seeds}"
            blocks.append(row)
            rows.append((row, study.name, mark, gain_text(choice.gain), choice.finding, f"{choice.baseline.value:.1f}", seeds))
    columns = (
        Column(name="", max_width=14),
        Column(name="study", wrap=True, fill=True, min_width=10),
        Column(name="mix"),
        Column(name="gain [95 %]", number=True),
        Column(name="verdict", max_width=18),
        Column(name="baseline", short="base", number=True),
        Column(name="seeds", number=True),
    )
    return ReportTable(
        title="Best mix per language, study by study",
        columns=columns,
        rows=tuple(rows),
        ends=block_ends(blocks),
        legend=tuple((mark, mix) for mix, mark in mixes.items()),
        notes=_notes(found),
        warning=" ".join(dict.fromkeys(filter(None, (study.warning for study in found.studies)))),
    )


def _notes(found: StudyComparison) -> tuple[str, ...]:
    notes = ["Each gain is over the study's own baseline. Overlapping intervals are no test: studies are not paired."]
    if found.differing:
        notes.append(f"The studies differ in {', '.join(found.differing)}; a difference of gains may come from any of these.")
    if adaptive := [study.name for study in found.studies if study.verdict and study.verdict.adaptive]:
        notes.append(f"Adaptive, read under another question before: {', '.join(adaptive)}.")
    return tuple(notes)
