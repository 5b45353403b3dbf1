"""Tables of what every mix is measured against: chance, the untrained encoder and the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.reports.data import ReferenceScores
from tasksearch.reports.table import Column, ReportTable, text_columns
from tasksearch.reports.text import number_text, score_text


def reference_table(references: Sequence[ReferenceScores]) -> ReportTable:
    """One row per target: percent on reporting examples, mean over languages but English, 95 % intervals over seeds."""
    bare = any(reference.untrained is not None for reference in references)
    columns = (
        Column(name="target"),
        Column(name="kind", page_only=True),
        *(Column(name=name, number=True) for name in ("metric", "chance", *(("untrained",) * bare), "baseline", "n")),
        Column(name="seeds", page_only=True),
    )
    rows = tuple(
        (
            reference.target,
            reference.group,
            reference.metric,
            number_text(reference.chance),
            *((score_text(reference.untrained),) * bare),
            score_text(reference.baseline),
            f"{reference.baseline.examples}",
            f"{reference.baseline.seeds}",
        )
        for reference in references
    )
    notes = ["Percent on reporting examples, mean over languages but English, with 95 % intervals where seeds allow one."]
    notes += [
        "Untrained: the same shape and tokenizer, weights never pretrained, one seed. A baseline that is no better means that "
        "gains measure the model, not the mix."
        if bare
        else "This study trained no untrained reference: an encoder of the same shape without pretraining."
    ]
    notes += ["Chance –: the score of a guess depends on the data."] if any(r.chance is None for r in references) else []
    return ReportTable(title="Chance, untrained, baseline", columns=columns, rows=rows, notes=tuple(notes))


def language_table(references: Sequence[ReferenceScores]) -> ReportTable:
    """The same scores language by language, one column per target; for a page."""
    bare = any(reference.untrained is not None for reference in references)
    rows = []
    for language in sorted({language for reference in references for language in reference.by_language}):
        cells = [reference.by_language.get(language) for reference in references]
        if bare:
            rows.append((language, "untrained", *(score_text(cell[0] if cell else None) for cell in cells)))
        rows.append((language, "baseline", *(score_text(cell[1] if cell else None) for cell in cells)))
    return ReportTable(
        title="Per language and target",
        columns=text_columns("", "", *(reference.target for reference in references)),
        rows=tuple(rows),
        folded=True,
    )
