"""Numbers, intervals and mixes as short text, for tables, figures and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Interval, finding_of

CLUSTERED = "Intervals are over seeds and documents: examples of one document count as one draw."
NOT_CLUSTERED = (
    "Intervals are not clustered: this study kept no document numbers, so examples of one document count as independent and "
    "intervals may be too narrow."
)
NOT_BETTER = "not shown better: "
"""Stands before a mix that was chosen, but whose interval does not lie above zero."""
MARKS = {"better": "▲", "worse": "▼", "no difference seen": "", "no interval": "?"}
"""Finding → its mark before a gain."""


STANDS = "†"
"""Mark of a row that stands after a false-discovery correction over the rows of its family."""


def marked(gain: Interval) -> str:
    """Return `▲+2.1`, `▼-3.0`, `+0.4` or `?+1.2`: the value alone, with the mark of its finding."""
    return f"{MARKS[finding_of(gain)]}{gain.value:+.1f}"


def score_text(score: Interval | None) -> str:
    """Return `55.6 [54.1, 57.1]`, percent; `–` for None."""
    if score is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:.1f}"
    return f"{score.value:.1f} [{score.low:.1f}, {score.high:.1f}]"


def number_text(value: float | None, form: str = ".1f") -> str:
    """Return the number in that format; `–` for None."""
    return "–" if value is None else format(value, form)


def first_names(names: Sequence[str], most: int = 12) -> str:
    """Join the names with commas: the first `most` of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def short_plan(plan: Plan) -> str:
    """Return the plan's schedule as short text, or the name of the control that it is, or both."""
    if not plan.schedule.stages:
        return plan.words
    control = plan.words.removeprefix(str(plan.schedule)) if plan.few_shot or plan.model_seeds else ""
    return short_mix(plan.schedule) + control


def short_mix(schedule: Schedule) -> str:
    """Return the schedule as short text.

    Shares are in percent where they differ, or by the rule that they follow; `→` stands between stages, `⇝` between the two
    mixtures of an annealed one.
    """
    if not schedule.stages:
        return "no intermediate phase"
    parts = []
    for stage in schedule.stages:
        start, end = (_by_rule(mixture) or _shares(tuple(mixture)) for mixture in (stage.start, stage.end))
        parts.append(f"{start} ⇝ {end}" if stage.annealed else start)
    if len(parts) == 1:
        return f"{parts[0]}, {schedule.steps} steps{schedule.rate_words}"
    return (
        " → ".join(f"{part} {stage.steps}" for part, stage in zip(parts, schedule.stages, strict=True))
        + f" steps{schedule.rate_words}"
    )


def letter(place: int) -> str:
    """Return A … Z, AA … for 0 … 25, 26 …"""
    letters = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _by_rule(mixture: Mixture) -> str:
    """`mnli + qqp by capped(131072)`; empty for a mixture without a rule."""
    return f"{' + '.join(mixture.tasks)} by {mixture.rule}" if mixture.rule else ""


def _shares(shares: Sequence[tuple[str, Fraction]]) -> str:
    if len(shares) == 1:
        return shares[0][0]
    if len({share for _, share in shares}) == 1:
        return " + ".join(task for task, _ in shares) + " equally"
    return " + ".join(f"{float(100 * share):.3g}% {task}" for task, share in shares)
