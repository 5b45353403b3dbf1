"""Which targets of a trial were trained together, as its record tells it.

A seed of such a group is one draw of a training, not one per target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FACT = "shared_trainings"
"""Name of the fact of a trial's record: `mlqa=xquad masakhapos=udpos`."""


def as_text(groups: Iterable[tuple[str, ...]]) -> str:
    """Return groups of targets as the text of the fact; empty without any."""
    return " ".join("=".join(group) for group in groups)


def shared_trainings(facts: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of two or more targets that one training served, from a trial's facts; none in older records."""
    return tuple(tuple(group.split("=")) for group in facts.get(FACT, "").split())
