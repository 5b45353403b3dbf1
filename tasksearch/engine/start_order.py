"""`StartOrder`: which of the trials that may begin begins next. Decisions alone, no Ray, no clock; nothing of what is proposed.

The order in which trials begin is free, that in which they are proposed is not. While the search goes on the lowest number
begins: later proposals wait for its result, and a long trial that overtakes it holds all of them up. Once all is known that
there will be before what is known has ended (the last proposals of a search, its finalists, a list of matched pairs), nothing
waits for a number: the baseline's seeds begin, without which no trial can be judged, then the trial with most left to train: so
the slots end together. In both, trials whose next segment another trains just then come last: such a trial would only give its
slot up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tasksearch.core.required_segments import RequiredSegment


class StartOrder:
    """Segments of each trial, and which of them are trained or belong to a running trial; trials are known by their numbers."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[RequiredSegment, ...]] = {}
        self._in_flight: set[int] = set()
        self._done: set[str] = set()
        self._early: set[int] = set()

    def know(self, number: int, parts: Sequence[RequiredSegment], *, early: bool = False) -> None:
        """A trial and its parts in their order, named alike in two trials where they share a segment.

        Args:
            early: whether others are judged by it, so that it begins before them.
        """
        self._parts[number] = tuple(parts)
        if early:
            self._early.add(number)

    def begin(self, number: int) -> None:
        """Note that a trial has started."""
        self._in_flight.add(number)

    def passed(self, number: int, position: int) -> None:
        """Note that a trial has finished its first `position` parts."""
        self._done.update(need.signature for need in self._parts.get(number, ())[:position])

    def end(self, number: int, *, whole: bool) -> None:
        """Note that a trial ended. `whole`: with all parts done; False: it failed, was stopped, or lost its worker."""
        self._in_flight.discard(number)
        if whole:
            self.passed(number, len(self._parts.get(number, ())))

    def choose(self, numbers: Collection[int], *, search_goes_on: bool) -> int:
        """Return the trial that starts next.

        Args:
            numbers: the trials that may start; must not be empty.
            search_goes_on: whether further trials can be proposed once the lowest of them has ended.
        """
        taken = {self._front(number) for number in self._in_flight} - {None}
        waits = {number: self._front(number) in taken for number in numbers}
        if search_goes_on:
            return min(numbers, key=lambda number: (waits[number], number))
        return min(numbers, key=lambda number: (waits[number], number not in self._early, -self._left(number), number))

    def _lacking(self, number: int) -> list[RequiredSegment]:
        return [need for need in self._parts.get(number, ()) if need.signature not in self._done]

    def _front(self, number: int) -> str | None:
        return next((need.signature for need in self._lacking(number)), None)

    def _left(self, number: int) -> float:
        return sum(need.work for need in self._lacking(number))
