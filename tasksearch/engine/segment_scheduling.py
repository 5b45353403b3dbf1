"""`SegmentScheduling`: decides which trial may use a slot, and which waits for a segment that another trial is training.

Pure decisions, without Ray and without a clock.

A trial states the segments it still has to train, in order, each with the part of the trial that trains it. Its *front* is
what its next part has to train and no trial has trained since: one segment, or several if models are averaged or segments were
evicted. A trial in a slot owns its front. If another trial owns a segment of its front, the trial gives up its slot and waits,
owning nothing. Since every trial that needs a later segment needs the front first, trials seldom wait between two segments.

Invariants, which the tests assert:

- no segment has two owners, and only its owner trains it;
- every owner is in a slot, so a waiting trial never blocks another;
- a slot stays free only if no waiting trial could use it and no further trial may be started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tasksearch.core.required_segments import RequiredSegment

Trial = str
"""Ray's id of a trial."""


class SegmentScheduling:
    """The driver's table of the segments that are being trained, and of the trials that run or wait.

    Attributes:
        slots: number of trials that train at once.
        ahead: number of trials that may wait beside them; when so many wait, no further trial is started.
        pauses, resumes: how often a trial gave up its slot, and how often one got a slot back.
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
        """Number of trials in slots, including those that are being started or resumed."""
        return len(self._running)

    @property
    def waiting(self) -> tuple[Trial, ...]:
        """Trials that gave up their slot, in the order they did."""
        return tuple(self._waiting)

    def owner(self, signature: str) -> Trial | None:
        """Return the trial that trains a segment now or next; None if no trial does."""
        return self._owner.get(signature)

    def blockers(self, trial: Trial) -> dict[str, Trial]:
        """Return the segments that the trial waits for → the trial that owns each."""
        return {name: owner for name in self._front(trial) if (owner := self._owner.get(name, trial)) != trial}

    def room(self) -> bool:
        """Return whether to start another trial: a slot is free, no waiting trial can use it, and not too many wait."""
        return len(self._running) < self.slots and len(self._waiting) < self.ahead and not self._ready(self._waiting)

    def enter(self, trial: Trial) -> None:
        """Assign a slot to a trial whose required segments are not known yet."""
        self.leave(trial)
        self._running[trial] = None

    def arrive(self, trial: Trial, needs: Sequence[RequiredSegment]) -> bool:
        """Take the segments that a trial in a slot must still train. Return whether it may go on; if not, it waits from now on.

        The trial has just looked into the store, so its statement replaces what is known from earlier trials: a segment may
        have been evicted since.
        """
        self._release(trial)
        self._left[trial] = tuple(needs)
        self._done.difference_update(need.signature for need in needs)
        return self._go_on(trial)

    def passed(self, trial: Trial, position: int) -> bool:
        """Note that a trial finished `position` parts, trained or found. Return whether it may go on, as `arrive` does."""
        self._through(trial, position)
        return self._go_on(trial)

    def next(self, eligible: Callable[[Trial], bool] = lambda _: True) -> Trial | None:
        """Give a free slot to the unblocked waiting trial with the most work left.

        Returns that trial, or None if no slot is free or no waiting trial can go on.
        """
        if len(self._running) >= self.slots:
            return None
        ready = self._ready(trial for trial in self._waiting if eligible(trial))
        if not ready:
            return None
        chosen = max(ready, key=self._work)  # ties: the one that has waited longest
        del self._waiting[chosen]
        self._running[chosen] = None
        self.resumes += 1
        self._go_on(chosen)
        return chosen

    def leave(self, trial: Trial, position: int = 0) -> None:
        """Remove a trial that ended after `position` parts, or lost its worker; others may then train the segments it owned."""
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
