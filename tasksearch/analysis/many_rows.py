"""Many rows at once: which of a verdict's rows stand after a false-discovery correction, and their corrected intervals.

One family is the languages of a verdict, another the targets within each row. Of the rows that a two-sided test sees, those
that the step-up procedure of Benjamini and Hochberg (1995) keeps at 1 - level *stand*; it holds under the positive dependence
of rows that share trainings (Benjamini and Yekutieli 2001). Where R of m rows stand, their intervals at 1 - (1 - level) R / m
keep the expected share that misses below 1 - level, though the rows were selected (Benjamini and Yekutieli 2005).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tasksearch.analysis.estimates import probability_positive, student_reach
from tasksearch.results.verdict import Choice, Estimate


def marked_choices(choices: Sequence[Choice], level: float) -> tuple[Choice, ...]:
    """Mark the languages that stand, and within every row its targets."""
    singles = [choice for choice in choices if not choice.is_group]
    told = dict(zip(map(id, singles), _marks([choice.gain for choice in singles], level), strict=True))
    return tuple(
        dataclasses.replace(
            choice,
            targets=tuple(
                dataclasses.replace(target, **mark)
                for target, mark in zip(choice.targets, _marks([t.gain for t in choice.targets], level), strict=True)
            ),
            **told.get(id(choice), {}),
        )
        for choice in choices
    )


def standing(gains: Sequence[Estimate], level: float) -> tuple[bool, ...]:
    """Return which of the gains stand after the correction; one without an interval never does."""
    chances = [_two_sided(gain, level) for gain in gains]
    limit, order = 0.0, sorted(chances)
    for rank, chance in enumerate(order, start=1):
        if chance <= (1 - level) * rank / len(order):
            limit = chance
    return tuple(chance <= limit and chance < 1 for chance in chances)


def _marks(gains: Sequence[Estimate], level: float) -> list[dict[str, Any]]:
    stand = standing(gains, level)
    kept, marks = sum(stand), list[dict[str, Any]]()
    for gain, stands in zip(gains, stand, strict=True):
        if not stands or gain.low is None or gain.high is None:
            marks.append({})
            continue
        wider = student_reach(1 - (1 - level) * kept / len(gains), gain.df) / student_reach(level, gain.df)
        half = (gain.high - gain.low) / 2 * wider
        marks.append({"stands_after_correction": True, "corrected_low": gain.value - half, "corrected_high": gain.value + half})
    return marks


def _two_sided(gain: Estimate, level: float) -> float:
    above = probability_positive(gain, level)
    return 1.0 if above is None else 2 * min(above, 1 - above)
