"""How every figure looks, and how one becomes an `<svg>` element for a page that is light or dark.

Colours of lines and text are placeholders that become the page's own (`var(--ink)` …), so that one drawing serves both. The
palette is Okabe and Ito's, which the colour-blind tell apart (Wong, Nature Methods 8:441, 2011).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

WIDTH = 3.7
"""Inches; 355 CSS pixels, so that a phone shows a figure at its own size."""

INK, MUTED, LINE, BLUE, ORANGE, GREEN = ("#010101", "#020202", "#030303", "#040404", "#050505", "#060606")
_PAGE = {INK: "ink", MUTED: "muted", LINE: "line", BLUE: "blue", ORANGE: "orange", GREEN: "green"}

_SETTINGS: Any = {
    "svg.fonttype": "none",  # text stays text: readable aloud, searchable, small
    "svg.hashsalt": "tasksearch",  # equal figures are equal bytes
    "text.parse_math": False,  # a dollar in a task's name is a dollar
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@contextmanager
def canvas(height: float, *, width: float = WIDTH, rows: int = 1, ratios: tuple[float, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """A figure of so many inches and its axes (an array of them for several rows), in the style of the report."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        grid = {"height_ratios": ratios} if ratios else None
        yield figure, figure.subplots(rows, 1, sharex=rows > 1, gridspec_kw=grid)


def to_svg(figure: Any, slug: str, title: str, description: str) -> str:
    """One `<svg>` element with a title and a description for readers who do not see it, its ids prefixed with `slug`."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{slug}-', text)
    text = text.replace("url(#", f"url(#{slug}-").replace('href="#', f'href="#{slug}-')
    for placeholder, name in _PAGE.items():
        text = text.replace(placeholder, f"var(--{name})")
    named = f'<svg role="img" aria-labelledby="{slug}-t {slug}-d"'
    words = f'<title id="{slug}-t">{escape(title)}</title><desc id="{slug}-d">{escape(description)}</desc>'
    head, _, body = text.partition(">")
    return head.replace("<svg", named, 1) + ">" + words + body
