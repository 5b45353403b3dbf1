"""What every mix is measured against: chance, an untrained encoder, and the baseline without an intermediate phase."""

from __future__ import annotations

from tasksearch.reports.data import ReferenceScores, ReportData
from tasksearch.reports.section import ReportTable, Section
from tasksearch.results.verdict import Estimate


def section(data: ReportData) -> Section | None:
    """A row per target; by language, folded. Absent while no baseline is done."""
    references = data.references
    if not references:
        return None
    bare = any(reference.untrained is not None for reference in references)
    notes = ["Percent on reporting examples, mean over languages but English, with 95 % intervals where seeds allow one."]
    notes += ["Chance –: a guess is worth what the data make of it."] if any(f.chance is None for f in references) else []
    notes += [] if bare else ["This study trained no untrained reference: an encoder of the same shape without pretraining."]
    return Section(
        slug="floors",
        title="Chance, untrained, baseline",
        tables=(_targets(references, bare), _languages(references, bare)),
        notes=tuple(notes),
    )


def _targets(references: tuple[ReferenceScores, ...], bare: bool) -> ReportTable:
    rows = tuple(
        (
            reference.target,
            reference.group,
            reference.metric,
            "–" if reference.chance is None else f"{reference.chance:.1f}",
            *((score_text(reference.untrained),) if bare else ()),
            score_text(reference.baseline),
            f"{reference.baseline.examples}",
            f"{reference.baseline.seeds}",
        )
        for reference in references
    )
    head = ("target", "kind", "metric", "chance", *(("untrained",) if bare else ()), "baseline", "n", "seeds")
    return ReportTable(title="Per target", head=head, rows=rows)


def _languages(references: tuple[ReferenceScores, ...], bare: bool) -> ReportTable:
    languages = sorted({language for reference in references for language in reference.by_language})
    rows = []
    for language in languages:
        cells = [reference.by_language.get(language) for reference in references]
        if bare:
            rows.append((language, "untrained", *(score_text(cell[0]) if cell else "–" for cell in cells)))
        rows.append((language, "baseline", *(score_text(cell[1]) if cell else "–" for cell in cells)))
    return ReportTable(
        title="Per language and target",
        head=("", "", *(reference.target for reference in references)),
        rows=tuple(rows),
        folded=True,
    )


def score_text(score: Estimate | None) -> str:
    """`55.6 [54.1, 57.1]`, percent; `–` for none."""
    if score is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:.1f}"
    return f"{score.value:.1f} [{score.low:.1f}, {score.high:.1f}]"
