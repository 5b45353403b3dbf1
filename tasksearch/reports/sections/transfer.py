"""From one encoder to another: where the study's mixes come from, and whether both encoders rank them alike."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.transfer import transfer_lines, transfer_table


def section(data: ReportData) -> Section | None:
    """The correlation of the rankings, and every mix with its rank in the earlier study; None where no mix was taken over."""
    told = data.config.transfer
    if told is None or data.transfer is None:
        return None
    rows = tuple((str(mix.rank), mix.role, str(mix.trial), str(mix.schedule)) for mix in told.mixes)
    ranks = ReportTable(
        title="The mixes taken over", columns=text_columns("rank there", "role", "trial there", "mix"), rows=rows
    )
    return Section(
        slug="transfer",
        title="From another encoder",
        lead=transfer_lines(data.transfer),
        tables=(*([transfer_table([data.transfer])] if data.transfer.mixes else []), ranks),
        notes=(
            f"Earlier study {told.study}, suite {told.suite}; fingerprint of the trials that were read: {told.fingerprint}.",
        ),
    )
