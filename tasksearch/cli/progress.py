"""Progress of a running study: bars on a terminal, otherwise a line per finished trial."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from tasksearch.cli.eta import TimeLeft, in_words
from tasksearch.cli.heartbeat import Heartbeat
from tasksearch.core.study import SEARCHED, StudyConfig, TrialRecord

_LINE_EVERY = 15.0  # seconds between lines of phase 1 where there is no terminal
_SILENT_AT_MOST = 60.0
"""Seconds without a terminal after which a line says what runs."""


class Watch:
    """A context manager with the two callbacks that a study reports to.

    On a terminal a live display on standard error: trials done with the time left, the parts of each running trial, the best
    so far; it vanishes at the end, the lines of the trials stay. Elsewhere lines alone, at least one a minute. Quiet:
    nothing.

    Args:
        config: how many trials there will be.
        quiet: no word.
        console: a rich console to draw on; None: standard error.
    """

    def __init__(self, config: StudyConfig, *, quiet: bool, console: Any = None) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True)
        self._quiet = quiet
        # A notebook gets lines too: rich's live display needs ipywidgets there, and is gone when the notebook is opened again.
        live = self._console.is_terminal and not self._console.is_jupyter
        self._display = _Display(self._console) if live and not quiet else None
        self._total = config.trials + config.leaders * config.seed_limit + config.untrained
        from tasksearch.search.common_seeds import further_baseline

        self._total += config.whole_baseline + config.more_baseline + further_baseline(config)[1]
        if config.every_control:
            from tasksearch.search.controls import most_controls

            self._total += most_controls(config)
        if config.twins:
            from tasksearch.search.matched_pairs import matched_trials

            self._total += matched_trials(config)
        self._forecast = TimeLeft(self._total)
        self._best: TrialRecord | None = None
        self._told, self._started = 0.0, time.monotonic()
        self._heartbeat, self._lock, self._over = Heartbeat(), threading.Lock(), threading.Event()
        self._spoke = self._started

    def __enter__(self) -> Self:
        if self._display:
            self._display.live.start()
        self._say("preparing: data, pretrained model, Ray, MLflow")
        if not self._display and not self._quiet:
            threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._display:
            self._display.live.stop()

    def _beat(self) -> None:
        """A thread of its own: reading data and starting Ray may keep the driver busy for minutes."""
        while not self._over.wait(min(1.0, _SILENT_AT_MOST / 4)):
            with self._lock:
                silent = time.monotonic() - self._spoke >= _SILENT_AT_MOST
                text = self._heartbeat.line() + in_words(self._forecast.seconds_left()) if silent else ""
            if text and not self._over.is_set():
                self._say(text)

    def on_pretrain(self, step: int, steps: int, loss: float) -> None:
        """Show the pretraining of the lab's model."""
        if self._display:
            self._display.pretrain(step, steps, loss)
        elif step == steps or time.monotonic() - self._told > _LINE_EVERY:
            self._told = time.monotonic()
            self._say(f"phase 1: pretraining the lab's model, step {step}/{steps}, loss {loss:.2f}")

    def on_event(self, event: Any) -> None:
        """Show an event of `engine.events`."""
        from tasksearch.engine.events import Notice, TrialFinished, TrialJudged, TrialProgress, TrialStarted

        with self._lock:
            self._heartbeat.on_event(event)
        if getattr(getattr(event, "record", None), "addition", 0):
            self._added(event)
            return
        if isinstance(event, TrialStarted):
            self._forecast.begin(event.record.number, time.monotonic())
        elif isinstance(event, TrialFinished):
            self._forecast.end(time.monotonic())
        if isinstance(event, TrialJudged):
            self._judged(event.record)
        elif isinstance(event, Notice):
            self._say(event.text)
        elif self._display is None:
            return
        elif isinstance(event, TrialStarted):
            self._display.start(event.record, self._total)
        elif isinstance(event, TrialProgress):
            self._display.move(event.number, event.part, event.position, event.parts)
        elif isinstance(event, TrialFinished):
            self._display.finish(event.record)

    def _added(self, event: Any) -> None:
        """Show an addition to a trial that was finished before the study was extended."""
        from tasksearch.engine.events import TrialFinished

        record = event.record
        if isinstance(event, TrialFinished):
            what = f"{', '.join(record.plan.targets)} in {', '.join(record.plan.languages)}"
            self._say(f"trial {record.number} {'lacks' if record.status == 'failed' else 'was scored:'} {what}")

    def _judged(self, record: TrialRecord) -> None:
        from tasksearch.reports.text import short_plan

        value = "failed: " + (record.cause or "") if record.status == "failed" else record.status
        if record.objective is not None:
            value = f"{record.objective:+.2f}"
        leads = self._leads(record)
        if leads:
            self._best = record
            if self._display:
                self._display.lead(record)
        mix = short_plan(record.plan)
        words = in_words(self._forecast.seconds_left()) + ("  (best so far)" if leads else "")
        self._say(f"[{record.number + 1:>3}/{self._total}] {record.role:8} {value:>6}  {mix}{words}")

    def _leads(self, record: TrialRecord) -> bool:
        """Whether it leads the baseline, which stands at 0, and every earlier trial of the search. Finalists repeat a mix."""
        if record.role not in SEARCHED or record.objective is None:
            return False
        return record.objective > (self._best.objective or 0.0 if self._best else 0.0)

    def _say(self, text: str) -> None:
        if self._quiet:
            return
        if self._display:
            self._console.print(text, highlight=False, markup=False)
        else:
            # notebooks show standard error in red
            place = sys.stdout if self._console.is_jupyter else sys.stderr
            self._spoke = time.monotonic()
            print(f"{time.monotonic() - self._started:6.0f} s  {text}", file=place, flush=True)


def progress(config: StudyConfig) -> Watch:
    """Return the display for `run_study(..., progress=tasksearch.progress)`: bars on a terminal, lines elsewhere."""
    return Watch(config, quiet=False)


class _Display:
    """Live display: a bar for all trials, one for each running trial, and a line for the best trial so far."""

    def __init__(self, console: Any) -> None:
        from rich.console import Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.text import Text

        bar = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
        whole = (*bar, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._whole = Progress(*whole, console=console)
        self._running = Progress(*bar, TextColumn("{task.fields[part]}"), console=console)
        self._best = Text("", style="bold", no_wrap=True, overflow="ellipsis")
        self.live = Live(Group(self._whole, self._running, self._best), console=console, refresh_per_second=4, transient=True)
        self._phase1: Any = None
        self._trials: Any = None
        self._rows: dict[int, Any] = {}

    def pretrain(self, step: int, steps: int, loss: float) -> None:
        """Show the pretraining of the lab's model."""
        if self._phase1 is None:
            self._phase1 = self._whole.add_task("phase 1", total=steps)
        self._whole.update(self._phase1, completed=step, description=f"phase 1, loss {loss:.2f}", visible=step < steps)

    def start(self, record: TrialRecord, total: int) -> None:
        """Show a trial that has begun. On a resume the first one's number is the number of trials finished before."""
        if self._trials is None:
            self._trials = self._whole.add_task("trials", total=total, completed=record.number)
        if record.number not in self._rows:
            self._rows[record.number] = self._running.add_task(f"  trial {record.number:<4} {record.role:8}", total=1, part="")

    def move(self, number: int, part: str, position: int, parts: int) -> None:
        """Show that a trial has begun a part."""
        if number in self._rows:
            self._running.update(self._rows[number], total=parts, completed=position, part=part)

    def finish(self, record: TrialRecord) -> None:
        """Remove a trial that has ended."""
        if record.number in self._rows:
            self._running.remove_task(self._rows.pop(record.number))
        if self._trials is not None:
            self._whole.advance(self._trials)

    def lead(self, record: TrialRecord) -> None:
        """Show a new best trial."""
        from tasksearch.reports.text import short_mix

        self._best.plain = f"best so far {record.objective:+.2f}, trial {record.number}: {short_mix(record.plan.schedule)}"
