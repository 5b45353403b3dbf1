"""Results of `measure` as Markdown and console tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tasksearch.bench.measure import SizeResults
from tasksearch.bench.results import BenchRows, mean_and_error

ROWS: dict[str, str] = {
    "bare": "regret of the bare maximum per language",
    "pooled": "regret of the pooled pick per language, any trained mix",
    "final": "regret of the verdict's pick, among its finalists",
    "single": "regret of one mix for all languages",
    "asked": "regret of the picker that was asked for, any trained mix",
    "missed": "best mix that exists - best trained mix",
    "flattery": "raw score of the bare maximum - truth",
    "foreseen": "shrunken score of the pooled pick - truth",
    "corrected": "printed gain of the pick - truth",
    "covered": "coverage of the 95 % interval, languages",
    "covered_all": "coverage of the 95 % interval, all languages together",
    "claims": "languages called better",
    "false_claims": "languages called better where nothing is gained",
    "gained": "`all` called better than no intermediate training",
    "worth": "search called worth it",
    "spent": "trainings on fresh seeds",
    "half_width": "half-width, languages, points",
    "half_width_all": "half-width, all languages together, points",
    "power": "called better where the true gain is 2 points or more",
    "false_worse": "languages called worse that lose nothing",
}
"""Field of `SizeResults` → its name in tables. Regrets and scores are in task effects."""


def table_lines(cells: Mapping[int, SizeResults]) -> list[str]:
    """Return Markdown lines; every number has its standard error over worlds, which are the clusters."""
    counts = list(cells)
    lines = ["| mean over worlds ± standard error | " + " | ".join(f"{n} trials" for n in counts) + " |"]
    lines.append("|---|" + "---:|" * len(counts))
    for name, words in ROWS.items():
        if not np.isfinite(getattr(cells[counts[0]], name)).any():
            continue  # not asked for
        shown = [_shown(name, getattr(cells[n], name)) for n in counts]
        lines.append(f"| {words} | " + " | ".join(shown) + " |")
    ratios = [ratio(cells[n].pooled, cells[n].bare) for n in counts]
    lines.append("| **pooled regret / bare regret** | " + " | ".join(f"{r:.2f} ± {e:.2f}" for r, e in ratios) + " |")
    finals = [ratio(cells[n].final, cells[n].bare) for n in counts]
    lines.append("| **verdict's regret / bare regret** | " + " | ".join(f"{r:.2f} ± {e:.2f}" for r, e in finals) + " |")
    bounds = [f"{100 * upper_bound(int(sum(cells[n].worth)), len(cells[n].worth)):.1f} %" for n in counts]
    lines.append("| worth it: upper 95 % bound | " + " | ".join(bounds) + " |")
    return lines


def console_table(rows: BenchRows, *, title: str) -> Any:
    """Return a console table: a row per measure, a column per number of trials, means with standard errors over worlds."""
    from rich.table import Table

    counts = sorted({count for cells in rows.values.values() for count in cells})
    table = Table(
        "mean ± standard error", *(f"{n} trials" for n in counts), title=title, title_justify="left", box=None, pad_edge=False
    )
    names = {words: name for name, words in ROWS.items()}
    for words, cells in rows.values.items():
        shown = [_shown(names.get(words, words), cells[n]) if n in cells else "–" for n in counts]
        table.add_row(words, *shown)
    return table


def ratio(top: list[float], bottom: list[float]) -> tuple[float, float]:
    """Return the ratio of means over worlds and its standard error by linearisation; nan where the divisor is not positive."""
    a, _ = mean_and_error(top)
    b, _ = mean_and_error(bottom)
    if b <= 0:
        return math.nan, math.nan
    _, error = mean_and_error([x - a / b * y for x, y in zip(top, bottom, strict=True)])
    return a / b, error / b


def upper_bound(hits: int, count: int, level: float = 0.95) -> float:
    """Return the one-sided upper bound of a proportion (Clopper and Pearson 1934)."""
    from scipy import special

    return 1.0 if hits >= count else float(special.betaincinv(hits + 1, count - hits, level))


def _shown(name: str, values: list[float]) -> str:
    mean, error = mean_and_error(values)
    if name.startswith("share ") or name in (
        "covered",
        "covered_all",
        "claims",
        "false_claims",
        "gained",
        "worth",
        "power",
        "false_worse",
    ):
        return f"{100 * mean:.1f} ± {100 * error:.1f} %"
    if name.startswith("regret "):
        return f"{100 * mean:.2f} ± {100 * error:.2f} %"
    return f"{mean:.3f} ± {error:.3f}"
