"""Text for MLM or TLM that is kept up beside every stage of a schedule, instead of being a task with a stage of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture, as_fraction
from tasksearch.core.schedule import Schedule

ALONE = "0"
"""Share of text that is a task like any other."""


def read_shares(shares: Sequence[object]) -> tuple[str, ...]:
    """Return shares of the examples as text, each once: `("0", "1/4")`.

    Raises:
        BadInput: one is not in [0, 1).
    """
    found = [as_fraction(share) for share in shares]
    for given, share in zip(shares, found, strict=True):
        if not 0 <= share < 1:
            raise BadInput(f"a share of {given} of text beside every stage; expected a share in [0, 1), such as 1/4")
    return tuple(dict.fromkeys(map(str, found)))


def keep_up(schedule: Schedule, texts: Sequence[str], share: str) -> Schedule:
    """Return the schedule with a share of every stage's examples for the texts, in equal parts; its steps stay the same."""
    if share == ALONE or not texts:
        return schedule
    return _mapped(schedule, lambda mixture: _beside(mixture, texts, Fraction(share)))


def without_kept_up(schedule: Schedule, texts: Sequence[str], share: str) -> Schedule | None:
    """Return the schedule from which `keep_up` makes this one; None where nothing does."""
    own, whole = Fraction(share), [mixture for stage in schedule.stages for mixture in (stage.start, stage.end)]
    for mixture in whole:
        kept = [mixture.share(text) for text in texts]
        if not texts or set(kept) != {own / len(texts)} or len(mixture.tasks) == len(texts):
            return None
    return _mapped(schedule, lambda mixture: Mixture.of({task: part for task, part in mixture if task not in texts}))


def _beside(mixture: Mixture, texts: Sequence[str], share: Fraction) -> Mixture:
    parts: dict[str, object] = {task: own * (1 - share) for task, own in mixture}
    return Mixture.of(parts | {text: share / len(texts) for text in texts})


def _mapped(schedule: Schedule, change: Callable[[Mixture], Mixture]) -> Schedule:
    stages = (replace(stage, start=change(stage.start), end=change(stage.end)) for stage in schedule.stages)
    return Schedule(stages=tuple(stages))
