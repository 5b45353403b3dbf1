"""SVG elements of the figures: real text, narrow enough for a phone, in the page's colours.

Colours are the page's variables (`var(--ink)` …), so that one drawing serves light and dark. The palette is Okabe and Ito's,
which is distinguishable for the colour-blind (Wong, Nature Methods 8:441, 2011). Lengths are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH = 355.0
"""Width that a phone shows at full size, in CSS pixels."""
INK, MUTED, LINE, BLUE, ORANGE, GREEN = (f"var(--{name})" for name in ("ink", "muted", "line", "blue", "orange", "green"))
_FONT = 11.0


def drawing(slug: str, title: str, description: str, parts: Sequence[str], *, width: float, height: float) -> str:
    """Return one `<svg>` element with a title and a description for screen readers."""
    box = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    words = f'<title id="{slug}-t">{escape(title)}</title><desc id="{slug}-d">{escape(description)}</desc>'
    return f'<svg role="img" aria-labelledby="{slug}-t {slug}-d" {box} font-size="{_FONT:g}">{words}{"".join(parts)}</svg>'


def text(
    x: float, y: float, words: str, *, colour: str = INK, anchor: str = "start", size: float = _FONT, turn: int = 0
) -> str:
    """Words with their baseline at (x, y); `turn` degrees about that point."""
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} font-size="{size:g}" style="fill:{colour}"{turned}>{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, colour: str = LINE, width: float = 1.0) -> str:
    """A straight line."""
    where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {where} style="stroke:{colour};stroke-width:{width:g}"/>'


def path(points: Sequence[tuple[float, float]], *, colour: str = INK, width: float = 1.2) -> str:
    """A line through points."""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{steps}" style="fill:none;stroke:{colour};stroke-width:{width:g}"/>'


def box(x: float, y: float, width: float, height: float, *, colour: str, opacity: str = "", round_by: float = 0.0) -> str:
    """A filled rectangle; `opacity` is CSS."""
    where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    corner = f' rx="{round_by:g}"' if round_by else ""
    return f'<rect {where}{corner} style="fill:{colour}{";fill-opacity:" + opacity if opacity else ""}"/>'


def marker(x: float, y: float, shape: str, colour: str, radius: float = 3.6) -> str:
    """`disc`, `square`, `diamond`, `triangle`, `cross` or `plus` about (x, y)."""
    r, style = radius, f'style="fill:{colour}"'
    if shape == "disc":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" {style}/>'
    if shape in ("cross", "plus"):
        crossed = ((x - r, y - r, x + r, y + r), (x - r, y + r, x + r, y - r))
        lines = crossed if shape == "cross" else ((x - r, y, x + r, y), (x, y - r, x, y + r))
        return "".join(line(*ends, colour=colour, width=1.6) for ends in lines)
    corners = {
        "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        "diamond": [(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)],
        "triangle": [(0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)],
    }[shape]
    points = " ".join(f"{x + r * dx:.1f},{y + r * dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" {style}/>'


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return about `most` round numbers that cover `low` to `high`."""
    span = max(high - low, 1e-9)
    rough = span / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def number(value: float) -> str:
    """Return a tick's label with a real minus sign."""
    return f"{value:g}".replace("-", "\u2212") if abs(value) > 1e-9 else "0"


def width_of(words: str, size: float = _FONT) -> float:
    """Estimate the width of a text, rather too wide than too narrow: the browser's font is not known."""
    return 0.6 * size * len(words)


def shortened(words: str, most: int) -> str:
    """Cut a text to at most so many characters, with an ellipsis."""
    return words if len(words) <= most else words[: most - 1] + "…"
