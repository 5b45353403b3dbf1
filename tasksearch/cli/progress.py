"""What one sees while a study runs: bars on a terminal, a line per finished trial elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from tasksearch.core.study import StudyConfig

_LINE_EVERY = 15.0  # seconds between lines of phase 1 where there is no terminal


class Watch:
    """A context manager with the two callbacks that a study reports to."""

    def __init__(self, config: StudyConfig, *, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        self._live = self._console.is_terminal and not quiet
        self._quiet = quiet
        self._total = config.trials + config.leaders * config.leader_seeds
        self._done, self._best, self._told = 0, "", 0.0
        self._phase1: Any = None
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=self._console, disable=not self._live)
        self._trials: Any = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        self._say("preparing: data, pretrained model, Ray, MLflow")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def on_pretrain(self, step: int, steps: int, loss: float) -> None:
        """Phase 1 of the lab."""
        if self._live:
            if self._phase1 is None:
                self._phase1 = self._progress.add_task("phase 1: pretraining the lab's model", total=steps)
            self._progress.update(self._phase1, completed=step)
        elif step == steps or time.monotonic() - self._told > _LINE_EVERY:
            self._told = time.monotonic()
            self._say(f"phase 1: pretraining the lab's model, step {step}/{steps}, loss {loss:.2f}")

    def on_event(self, event: Any) -> None:
        """An event of `raytune.events`."""
        from tasksearch.raytune.events import TrialFinished, TrialJudged, TrialStarted

        if isinstance(event, TrialStarted) and self._live and self._trials is None:
            self._trials = self._progress.add_task("trials", total=self._total, completed=event.record.number)
        if isinstance(event, TrialFinished):
            self._done += 1
            if self._live:
                self._progress.advance(self._trials)
        if isinstance(event, TrialJudged):
            self._judged(event.record)

    def _judged(self, record: Any) -> None:
        value = "failed: " + (record.cause or "") if record.status == "failed" else f"{record.objective or 0.0:+.2f}"
        self._say(f"[{record.number + 1:>3}/{self._total}] {record.role:8} {value:>6}  {record.plan.schedule}")

    def _say(self, text: str) -> None:
        if self._quiet:
            return
        if self._live:
            self._progress.console.print(text, highlight=False, markup=False)
        else:
            print(f"{time.monotonic() - self._started:6.0f} s  {text}", file=sys.stderr, flush=True)
