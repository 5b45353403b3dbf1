"""`RequiredSegment`: a segment that a trial still has to train, as the trial reports it to the driver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

There = Callable[[str], bool]
"""Function that says whether the segment with that signature is stored."""


@dataclass(frozen=True)
class RequiredSegment:
    """A segment that is not stored yet.

    Attributes:
        signature: signature of the segment.
        work: cost of its training, at least 0, in optimiser steps or any other unit that all trials share.
        part: index of the trial's part that would train it.
    """

    signature: str
    work: float
    part: int = 0


def to_text(needs: Iterable[RequiredSegment]) -> str:
    """Return the segments as JSON text, since Ray flattens nested reports."""
    return json.dumps([[need.signature, need.work, need.part] for need in needs], allow_nan=False)


def from_text(text: str) -> tuple[RequiredSegment, ...]:
    """Restore segments from the output of `to_text`."""
    return tuple(RequiredSegment(str(signature), float(work), int(part)) for signature, work, part in json.loads(text))


def missing_segments(
    chain: Sequence[RequiredSegment], leaves: Sequence[RequiredSegment], position: int, there: There
) -> tuple[RequiredSegment, ...]:
    """Return the segments that a trial still has to train, in training order.

    Args:
        chain: intermediate segments, each the parent of the next; the last is the parent of every leaf.
        leaves: segments of the targets.
        position: number of elements of chain and leaves that are finished.
        there: says whether a segment is stored.
    """
    found: dict[str, RequiredSegment] = {}
    for place, need in list(enumerate((*chain, *leaves)))[position:]:
        if need.signature in found or there(need.signature):
            continue  # found before: a training that serves an earlier target too
        lacking = [need]
        for parent in reversed(chain[:place]):  # back to the nearest segment that can be loaded
            if parent.signature in found or there(parent.signature):
                break
            lacking.append(parent)
        found |= {each.signature: replace(each, part=place) for each in reversed(lacking)}
    return tuple(found.values())


def missing_of_average(
    roots: Sequence[RequiredSegment], leaves: Sequence[RequiredSegment], position: int, there: There
) -> tuple[RequiredSegment, ...]:
    """Return what `missing_segments` does, for a trial whose first part averages the ends of several chains.

    The average needs all of `roots`.
    """
    found: dict[str, RequiredSegment] = {}
    for place in range(position, 1 + len(leaves)):
        own = leaves[place - 1 : place] if place else ()
        if own and (own[0].signature in found or there(own[0].signature)):
            continue
        lacking = [need for need in (*roots, *own) if need.signature not in found and not there(need.signature)]
        found |= {each.signature: replace(each, part=place) for each in lacking}
    return tuple(found.values())
