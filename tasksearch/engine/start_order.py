"""`StartOrder`: decides which of the proposed trials starts next. Pure decisions, without Ray and without a clock.

The order in which trials start is free; the order in which they are proposed is not, and is not decided here. While the search
goes on, the lowest number starts first: later proposals wait for its result, and a long trial that overtakes it would delay
them all. Once no proposal waits for a result (the last trials of a search, its finalists, matched pairs), the trial with the
most work left starts first, so that the slots finish together. In both cases a trial whose next segment is being trained by
another trial comes last, since it would only give up its slot again.
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

    def know(self, number: int, parts: Sequence[RequiredSegment]) -> None:
        """Register a trial with its segments in order. A segment that two trials share must have the same signature in both."""
        self._parts[number] = tuple(parts)

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
        return min(numbers, key=lambda number: (waits[number], -self._left(number), number))

    def _lacking(self, number: int) -> list[RequiredSegment]:
        return [need for need in self._parts.get(number, ()) if need.signature not in self._done]

    def _front(self, number: int) -> str | None:
        return next((need.signature for need in self._lacking(number)), None)

    def _left(self, number: int) -> float:
        return sum(need.work for need in self._lacking(number))
