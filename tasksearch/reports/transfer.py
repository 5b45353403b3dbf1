"""How far two encoders rank mixes alike, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.reports.table import Column, ReportTable
from tasksearch.reports.text import first_names
from tasksearch.results.transfer import RankCorrelation, RankTransfer

FEW = 10
"""With fewer mixes a correlation says little, and this is said."""
ABOUT = (
    "Spearman's correlation of standardised gains on selection examples, 95 % interval over mixes. Each gain is of one seed as "
    "a rule, which lowers it, and the best mixes are over-represented where one study took them over from the other."
)


def transfer_lines(found: RankTransfer) -> tuple[str, ...]:
    """Return where a study's mixes come from, and how far its encoder ranks them as the earlier one did."""
    taken = ""
    if found.confirm is not None:
        spread = f"{found.confirm} best of {found.ranked} mixes and others from along its ranking"
        taken = f"Mixes of {found.first} ({found.first_model}): its {spread}. "
    return (f"{taken}{correlation_words(found)}",)


def correlation_words(found: RankTransfer) -> str:
    """Return the correlation over all targets, then of each kind, over how many mixes, and what is shared."""
    whole, *kinds = found.rows
    if not found.mixes:
        return "None of them is scored with this encoder yet."
    said = f"Rank correlation of the two encoders over {found.mixes} mixes {correlation(whole)}"
    said += f" ({', '.join(f'{row.name} {correlation(row)}' for row in kinds)})" if kinds else ""
    said += f"; the best here is number {found.best_rank} of {found.ranked} there" if found.best_rank else ""
    few = f" {found.mixes} mixes are few: the correlation says little." if found.mixes < FEW else ""
    return f"{said}. Ranked by what both score: {shared_words(found)}.{few}"


def correlation(row: RankCorrelation) -> str:
    """Return `+0.62 [+0.18, +0.86]`, or why there is none."""
    if row.value is None:
        return "not known"
    interval = "" if row.low is None or row.high is None else f" [{row.low:+.2f}, {row.high:+.2f}]"
    return f"{row.value:+.2f}{interval}"


def shared_words(found: RankTransfer) -> str:
    """Return the shared targets and languages."""
    languages = sorted({language for one in found.shared for language in one.languages})
    return f"{first_names([one.name for one in found.shared], FEW)} in {first_names(languages, FEW)}"


def transfer_table(found: Sequence[RankTransfer]) -> ReportTable:
    """One row per pair of studies and kind of target."""
    columns = (
        Column(name="studies", wrap=True, fill=True, min_width=16),
        Column(name="targets", max_width=16),
        Column(name="mixes", number=True),
        Column(name="rank correlation", short="correlation", number=True),
    )
    named = [(f"{one.first} – {one.second}", one) for one in found]
    rows = tuple((pair, row.name, str(one.mixes), correlation(row)) for pair, one in named for row in one.rows)
    notes = [f"{pair}: ranked by {shared_words(one)}." for pair, one in named]
    few = [pair for pair, one in named if one.mixes < FEW]
    if few:
        notes.append(f"Fewer than {FEW} mixes, so the correlation says little: {', '.join(few)}.")
    return ReportTable(
        title="Rank correlation of the same mixes in two studies", columns=columns, rows=rows, notes=(*notes, ABOUT)
    )
