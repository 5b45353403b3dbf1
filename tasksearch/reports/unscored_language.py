"""Lines about a language that a study never scored."""

from __future__ import annotations

from tasksearch.results.estimate import interval_text
from tasksearch.results.unscored_language import UnscoredLanguage

_NAMED = 4


def unscored_lines(found: UnscoredLanguage) -> list[str]:
    """Return the mix, the predicted gain with its interval, what it rests on, and whether to trust it."""
    interval = "no interval" if found.low is None or found.high is None else interval_text(found.low, found.high)
    lines = [
        f"{found.language} was not scored in this study; this is what its other languages say.",
        f"mix: {found.schedule}",
        f"predicted gain: {found.value:+.1f} {interval} points over no intermediate training; "
        f"{100 * found.level:g} % interval from leaving out each of {len(found.left_out)} studied languages",
        f"rests on: {_related(found)}",
    ]
    lines += [found.doubt] if found.doubt else []
    lines += [f"the mix is predicted to lose: train {found.language} without an intermediate phase"] * (
        found.finding == "worse"
    )
    lines += ["the reporting examples had been read by another rule or choice before (adaptive)"] * found.adaptive
    return [*lines, found.covered_by] if found.covered_by else lines


def _related(found: UnscoredLanguage) -> str:
    if not found.distances:
        return f"all {len(found.related)} studied languages alike"
    shown = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in found.related[:_NAMED])
    return shown if len(found.related) <= _NAMED else f"{shown} and {len(found.related) - _NAMED} more"
