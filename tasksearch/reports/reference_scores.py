"""What every mix is measured against, in a terminal: chance, the untrained encoder and the baseline, per target."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tasksearch.reports.data import ReferenceScores
from tasksearch.reports.sections.reference_scores import score_text


def reference_table(references: Sequence[ReferenceScores]) -> Table:
    """One row per target: percent on reporting examples, mean over languages but English, 95 % intervals over seeds."""
    bare = any(reference.untrained is not None for reference in references)
    table = Table(title="What a gain stands on", title_justify="left", box=None, pad_edge=False)
    table.add_column("target", no_wrap=True)
    for heading in ("metric", "chance", *(("untrained",) if bare else ()), "baseline", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for reference in references:
        cells = (score_text(reference.untrained),) if bare else ()
        chance = "–" if reference.chance is None else f"{reference.chance:.1f}"
        table.add_row(
            reference.target, reference.metric, chance, *cells, score_text(reference.baseline), f"{reference.baseline.examples}"
        )
    table.caption = (
        "Percent on reporting examples, mean over languages but English. Untrained: the same shape and tokenizer, weights "
        "never pretrained, one seed. A baseline no better than it says that the model, not the mix, is what is measured."
    )
    table.caption_justify = "left"
    return table
