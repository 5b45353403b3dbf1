"""Drivers as processes: start them, kill them, and find their workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from tasksearch.core.errors import TrainingFailed, Unreachable
from tasksearch.torture.comparison import substance

_STARTS = 5

LONGEST = 900.0
"""Maximum seconds for one driver to finish."""


class Driver:
    """A driver of a study, run as a program of this package: `module FOLDER CONTEXT_JSON`."""

    def __init__(self, module: str, folder: Path, context: dict[str, Any]) -> None:
        command = [sys.executable, "-m", f"tasksearch.torture.{module}", str(folder), json.dumps(context)]
        self._words = folder.with_name(f"{folder.name}.words")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with self._words.open("wb") as words:
            self._process = subprocess.Popen(command, stdout=words, stderr=words, stdin=subprocess.DEVNULL)

    def ends_within(self, seconds: float) -> bool:
        """Wait at most that many seconds; return whether the driver ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def kill(self) -> None:
        """Send SIGKILL to the driver only; its workers have to notice by themselves."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def kill_worker(self, choose: Callable[[list[psutil.Process]], psutil.Process]) -> str | None:
        """Send SIGKILL to one of the processes that run a trial; return its title, or None if there is none."""
        found = []
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied, IndexError):
                    title = process.cmdline()[0]
                    if title.startswith("ray::") and "Trainable" in title:
                        found.append(process)
        if not found:
            return None
        victim = choose(sorted(found, key=lambda process: process.pid))
        with suppress(psutil.NoSuchProcess):
            title = str(victim.cmdline()[0])
            victim.kill()
            return title
        return None

    @property
    def lacked_ray(self) -> bool:
        """Whether it ended because Ray did not start.

        This happens on a loaded machine and does not count against the study.
        """
        return self._process.returncode == Unreachable.exit_code

    def expect_success(self) -> None:
        """Wait for the end.

        Raises:
            TrainingFailed: the driver, which was not killed, ended with an error or not in time.
        """
        if not self.ends_within(LONGEST):
            self.kill()
            raise TrainingFailed(f"a driver that nobody killed came to no end within {LONGEST:.0f} s: {self._said()}")
        if self._process.returncode != 0:
            raise TrainingFailed(f"a driver that nobody killed ended with code {self._process.returncode}: {self._said()}")

    def _said(self) -> str:
        return self._words.read_text(encoding="utf-8", errors="replace").strip()[-2000:]


def finish(module: str, folder: Path, context: dict[str, Any]) -> None:
    """Start a driver and let it finish undisturbed; retry if Ray did not start.

    Raises:
        TrainingFailed: as `Driver.expect_success`.
    """
    for _ in range(_STARTS):
        driver = Driver(module, folder, context)
        if not (driver.ends_within(LONGEST) and driver.lacked_ray):
            break
    driver.expect_success()


def undisturbed(module: str, base: Path, context: dict[str, Any]) -> dict[str, Any]:
    """Return the result of the undisturbed study; it is run once and then read from the folder."""
    path, calm = base / "undisturbed.json", base / "undisturbed"
    if not path.exists():
        shutil.rmtree(calm, ignore_errors=True)
        began = time.monotonic()
        finish(module, calm, context)
        path.write_text(json.dumps({"seconds": time.monotonic() - began, "substance": substance(calm)}))
    return dict(json.loads(path.read_text()))


def in_flight(folder: Path) -> set[str]:
    """Return the record files of trials that have started and not finished."""
    found = ((p.name, json.loads(p.read_text())) for p in (folder / "trials").glob("[0-9]*[0-9].json"))
    return {name for name, record in found if record["status"] == "running" and record["started"] > 0}


def finished(folder: Path) -> int:
    """Return the number of trials recorded as done."""
    return sum('"status": "done"' in path.read_text() for path in (folder / "trials").glob("[0-9]*[0-9].json"))


@contextmanager
def ray_folder() -> Iterator[None]:
    """Give Ray a temporary folder that is removed afterwards: killed drivers do not clean up their files."""
    before = os.environ.get("RAY_TMPDIR")
    with tempfile.TemporaryDirectory(prefix="tt", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["RAY_TMPDIR"]
            else:
                os.environ["RAY_TMPDIR"] = before
