"""A `ReportTable` as CSV and as LaTeX, for a spreadsheet or a paper."""

from __future__ import annotations

import csv
import io

from tasksearch.reports.table import ReportTable

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\rightarrow$", "⇝": r"$\leadsto$", "▲": r"$\uparrow$",
    "▼": r"$\downarrow$", "−": "$-$", "±": r"$\pm$", "•": r"$\bullet$", "†": r"$\dagger$", "×": r"$\times$", "–": "--",
}  # fmt: skip


def to_csv(table: ReportTable) -> str:
    """Return head and rows as CSV (RFC 4180, without its carriage returns)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.head, *table.rows])
    return text.getvalue()


def to_latex(table: ReportTable) -> str:
    """Return a `tabular` with booktabs' rules; legend and notes follow as comments."""
    rule = ["\\midrule"]
    lines = [
        f"% {table.title}",
        f"\\begin{{tabular}}{{{''.join('r' if c.number else 'l' for c in table.columns)}}}",
        "\\toprule",
    ]
    lines += [_row(table.head), *rule] if any(table.head) else []
    for number, row in enumerate(table.rows):
        lines += [_row(row), *(rule if number in table.ends else [])]
    lines += ["\\bottomrule", "\\end{tabular}"]
    told = [*(f"{letter} = {mix}" for letter, mix in table.legend), *([table.warning] if table.warning else []), *table.notes]
    return "\n".join([*lines, *(f"% {line}" for text in told for line in text.splitlines())]) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return " & ".join("".join(_TEX.get(sign, sign) for sign in " ".join(cell.split())) for cell in cells) + r" \\"
