"""What every mix is measured against, in a terminal: chance, the untrained encoder and the baseline, per target."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tasksearch.reports.data import ReferenceScores
from tasksearch.reports.sections.reference_scores import score_text


def reference_table(floors: Sequence[ReferenceScores]) -> Table:
    """One row per target: percent on reporting examples, mean over languages but English, 95 % intervals over seeds."""
    bare = any(floor.untrained is not None for floor in floors)
    table = Table(title="What a gain stands on", title_justify="left", box=None, pad_edge=False)
    table.add_column("target", no_wrap=True)
    for heading in ("metric", "chance", *(("untrained",) if bare else ()), "baseline", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for floor in floors:
        cells = (score_text(floor.untrained),) if bare else ()
        chance = "–" if floor.chance is None else f"{floor.chance:.1f}"
        table.add_row(floor.target, floor.metric, chance, *cells, score_text(floor.baseline), f"{floor.baseline.examples}")
    table.caption = (
        "Percent on reporting examples, mean over languages but English. Untrained: the same shape and tokenizer, weights "
        "never pretrained, one seed. A baseline no better than it says that the model, not the mix, is what is measured."
    )
    table.caption_justify = "left"
    return table
