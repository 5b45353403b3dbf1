"""`SegmentScheduling`: which trial may use a slot, and which waits for a segment that another trains.

It only decides: no Ray, no clock.

A trial says what it still has to train, in order and by the part of it that would. What its next part would train, as far as
nobody has since, is its *front*: one segment, or several where an average is made or where segments were evicted. A trial in a
slot owns its front; a trial whose front another owns in part leaves its slot and waits, owning nothing. Whoever needs what lies
behind a front needs the front first, so between two segments a trial hardly ever waits.

What holds at any time, and what the tests assert:

- no segment has two owners, and whoever trains one owns it;
- every owner stands in a slot, so a trial that waits never holds another up;
- a slot stays free only where no waiting trial could use it, and no further trial may be begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tasksearch.core.required_segments import RequiredSegment

Trial = str
"""Ray's name of a trial."""


class SegmentScheduling:
    """The driver's table of segments in flight.

    Attributes:
        slots: trials that train at once.
        ahead: trials that may wait beside them; with so many waiting no further one is begun.
        pauses, resumes: how often a trial gave its slot up, and got one again.
    """

    def __init__(self, slots: int, ahead: int) -> None:
        self.slots, self.ahead = slots, ahead
        self.pauses = self.resumes = 0
        self._running: dict[Trial, None] = {}
        self._waiting: dict[Trial, None] = {}
        self._left: dict[Trial, tuple[RequiredSegment, ...]] = {}
        self._owner: dict[str, Trial] = {}
        self._done: set[str] = set()

    @property
    def running(self) -> int:
        """Trials in slots, on their way into one included."""
        return len(self._running)

    @property
    def waiting(self) -> tuple[Trial, ...]:
        """Trials that gave their slot up, in the order they did."""
        return tuple(self._waiting)

    def owner(self, signature: str) -> Trial | None:
        """Who trains a segment, or will next."""
        return self._owner.get(signature)

    def blockers(self, trial: Trial) -> dict[str, Trial]:
        """Segments that the trial waits for → who trains them."""
        return {name: owner for name in self._front(trial) if (owner := self._owner.get(name, trial)) != trial}

    def room(self) -> bool:
        """Whether another trial should be begun: a slot is free, and no waiting trial can use it."""
        return len(self._running) < self.slots and len(self._waiting) < self.ahead and not self._ready(self._waiting)

    def enter(self, trial: Trial) -> None:
        """A trial is on its way into a slot; what it needs is not known yet."""
        self.leave(trial)
        self._running[trial] = None

    def arrive(self, trial: Trial, needs: Sequence[RequiredSegment]) -> bool:
        """A trial in a slot says what it has to train. Returns whether it may go on; if not, it waits from now on.

        Its word on what is there is newer than what earlier trials told: a segment may have been evicted since.
        """
        self._release(trial)
        self._left[trial] = tuple(needs)
        self._done.difference_update(need.signature for need in needs)
        return self._go_on(trial)

    def passed(self, trial: Trial, position: int) -> bool:
        """A trial is through with so many of its parts, trained or found. Returns as `arrive`."""
        self._through(trial, position)
        return self._go_on(trial)

    def next(self, eligible: Callable[[Trial], bool] = lambda _: True) -> Trial | None:
        """The waiting trial that gets a free slot now: of those that need not wait, the one with most left to train."""
        if len(self._running) >= self.slots:
            return None
        ready = self._ready(trial for trial in self._waiting if eligible(trial))
        if not ready:
            return None
        chosen = max(ready, key=self._work)  # the first to wait among equals
        del self._waiting[chosen]
        self._running[chosen] = None
        self.resumes += 1
        self._go_on(chosen)
        return chosen

    def leave(self, trial: Trial, position: int = 0) -> None:
        """A trial ended with so many parts done, or its worker was lost: what it still owned may be trained by others."""
        self._through(trial, position)
        self._release(trial)
        self._running.pop(trial, None)
        self._waiting.pop(trial, None)
        self._left.pop(trial, None)

    def _through(self, trial: Trial, position: int) -> None:
        left = self._left.get(trial, ())
        done = {need.signature for need in left if need.part < position}
        self._done |= done
        self._left[trial] = tuple(need for need in left if need.part >= position)
        self._release(trial, done)

    def _go_on(self, trial: Trial) -> bool:
        front = self._front(trial)
        if self._is_free(front, trial):
            self._owner |= dict.fromkeys(front, trial)
            return True
        self._running.pop(trial, None)
        self._waiting[trial] = None
        self.pauses += 1
        return False

    def _front(self, trial: Trial) -> list[str]:
        lacking = self._lacking(trial)
        return [need.signature for need in lacking if need.part == lacking[0].part]

    def _lacking(self, trial: Trial) -> list[RequiredSegment]:
        return [need for need in self._left[trial] if need.signature not in self._done]

    def _is_free(self, front: Iterable[str], trial: Trial) -> bool:
        return all(self._owner.get(name, trial) == trial for name in front)

    def _ready(self, trials: Iterable[Trial]) -> list[Trial]:
        return [trial for trial in trials if self._is_free(self._front(trial), trial)]

    def _work(self, trial: Trial) -> float:
        return sum(need.work for need in self._lacking(trial))

    def _release(self, trial: Trial, signatures: Iterable[str] | None = None) -> None:
        owned = [name for name, owner in self._owner.items() if owner == trial]
        for name in owned if signatures is None else set(owned) & set(signatures):
            del self._owner[name]
