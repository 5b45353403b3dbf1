"""`Need`: a segment that a trial would have to train, as the trial tells it to the driver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """A segment that is not there.

    Attributes:
        signature: its name.
        work: how much training it stands for, at least 0; optimiser steps, or any other unit that all trials share.
    """

    signature: str
    work: float


def to_text(needs: Iterable[Need]) -> str:
    """JSON text, since Ray flattens nested reports."""
    return json.dumps([[need.signature, need.work] for need in needs], allow_nan=False)


def from_text(text: str) -> tuple[Need, ...]:
    """The inverse of `to_text`."""
    return tuple(Need(str(signature), float(work)) for signature, work in json.loads(text))


def missing(chain: Sequence[Need], leaves: Sequence[Need], position: int, there: Callable[[str], bool]) -> tuple[Need, ...]:
    """What a trial still has to train, in the order it will.

    Args:
        chain: its intermediate segments, each the parent of the next; the last is the parent of every leaf.
        leaves: its targets' segments.
        position: how many of chain and leaves it has behind it.
        there: whether a segment of that signature is stored.
    """
    found: dict[str, Need] = {}
    for place in range(position, len(chain) + len(leaves)):
        need = [*chain, *leaves][place]
        if there(need.signature):
            continue
        lacking = []
        for parent in reversed(chain[: min(place, len(chain))]):  # back to what can be loaded
            if parent.signature in found or there(parent.signature):
                break
            lacking.append(parent)
        found |= {each.signature: each for each in (*reversed(lacking), need)}
    return tuple(found.values())
