"""Segments that sleep and leave a file behind; the recorded trainable uses them instead of training models."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.plan import Plan
from tasksearch.core.required_segments import RequiredSegment, missing_segments
from tasksearch.phases.segments import IntermediateSegment, TargetSegment
from tasksearch.phases.unfolding import unfolded


@dataclass(frozen=True, kw_only=True)
class TimedSettings:
    """How segments are simulated.

    Attributes:
        log: file to which every training appends a JSON line: trial, signature, begin and end in seconds since the epoch,
            steps.
        store: folder of files that mark finished segments; None: nothing is reused.
        step_seconds: duration of one step.
        target_steps: steps of every target phase; None: as in the plan's settings.
        untrained: targets without a target phase, which take no time.
    """

    log: str
    store: str | None = None
    step_seconds: float = 0.0
    target_steps: int | None = 32
    untrained: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Training:
    """One line of the log."""

    trial: int
    signature: str
    begin: float
    end: float
    steps: int


class TimedSegments:
    """The segments of a plan, trained by sleeping."""

    def __init__(self, plan: Plan, number: int, settings: TimedSettings) -> None:
        self._plan, self._number, self._settings = plan, number, settings
        self._in_memory: set[str] = set()

    @cached_property
    def chain(self) -> dict[str, RequiredSegment]:
        """Part → intermediate segment."""
        return {segment.name: RequiredSegment(segment.signature, segment.stage.steps) for segment in self._unfolded[0]}

    @cached_property
    def needs(self) -> dict[str, RequiredSegment]:
        """Part → its segment, in the order of the parts."""
        return self.chain | {one.name: RequiredSegment(one.signature, self._target_steps(one)) for one in self._unfolded[1]}

    def missing(self, position: int) -> tuple[RequiredSegment, ...]:
        """Return the segments that must be trained from that part on."""
        return missing_segments(
            list(self.chain.values()), list(self.needs.values())[len(self.chain) :], position, self._is_there
        )

    def train(self, part: str) -> dict[str, float]:
        """Train a part's segment and its missing predecessors, or find it in the store; return seconds by kind of work."""
        wanted = self.needs[part]
        if self._is_there(wanted.signature):
            return {"reused": wanted.work * self._settings.step_seconds}
        seconds = 0.0
        for need in self.missing(list(self.needs).index(part)):
            seconds += self._train(need)
            if need.signature == wanted.signature:
                break
        return {part.partition("/")[0]: seconds}

    def _train(self, need: RequiredSegment) -> float:
        begin = time.time()
        time.sleep(need.work * self._settings.step_seconds)
        self._in_memory.add(need.signature)
        if self._settings.store is not None:
            write_atomic(Path(self._settings.store) / need.signature, b"")
        end = time.time()
        _append(Path(self._settings.log), [self._number, need.signature, begin, end, int(need.work)])
        return end - begin

    @cached_property
    def _unfolded(self) -> tuple[tuple[IntermediateSegment, ...], tuple[TargetSegment, ...]]:
        return unfolded(self._plan, self._settings.untrained)

    def _target_steps(self, segment: TargetSegment) -> int:
        if not segment.trained:
            return 0
        steps = self._settings.target_steps
        return self._plan.for_target(segment.target).steps or 0 if steps is None else steps

    def _is_there(self, signature: str) -> bool:
        store = self._settings.store
        return signature in self._in_memory or (store is not None and (Path(store) / signature).exists())


def trainings(log: Path) -> list[Training]:
    """Return all trainings in the order they ended."""
    if not log.exists():
        return []
    rows = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    return [Training(trial=t, signature=s, begin=b, end=e, steps=n) for t, s, b, e, n in rows]


def _append(path: Path, row: list[Any]) -> None:
    """Append a line with a single write, so that lines of several processes do not mix."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, f"{json.dumps(row)}\n".encode())
    finally:
        os.close(handle)
