"""Layer `drivers`: SIGKILL of the driver of a study that runs through Ray, at random times, start-up and shutdown included."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.signature import seed_from
from tasksearch.study.torture.substance import difference, substance

_LONGEST = 300.0  # seconds for one start to come to its end


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill: when it came, how many trials were recorded then, whether the study was complete after the start before it."""

    number: int
    after: float
    trials: int


def torture_drivers(kills: int, seed: int, work: Path, log: Callable[[str], None]) -> None:
    """Kills drivers `kills` times over as many studies as that takes; every study is then resumed to its end and compared.

    Raises:
        TrainingFailed: a start that ended by itself with an error, or a study that differs from the undisturbed one.
    """
    with _ray_folder():
        calm = work / "undisturbed"
        _finish(calm, {})
        reference = substance(calm)
        done, studies = 0, 0
        while done < kills:
            folder = work / f"study-{studies}"
            done = _one_study(folder, done, kills, seed, log)
            found = difference(reference, substance(folder))
            if found:
                raise TrainingFailed(f"seed {seed}, {folder}: {found}")
            log(f"study {studies}: equal to the undisturbed one after {done} kills in all")
            shutil.rmtree(folder)
            studies += 1
        shutil.rmtree(calm)


def _one_study(folder: Path, done: int, kills: int, seed: int, log: Callable[[str], None]) -> int:
    """Starts and kills until the study is complete or all kills are spent; the last start is left alone."""
    while done < kills:
        draw = random.Random(seed_from("torture", "drivers", seed, done))
        wait = draw.uniform(1.0, 25.0)
        started = time.monotonic()
        victim = _start(folder, {"sleep": 0.1})
        try:
            victim.wait(wait)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            done += 1
            log(f"kill {done}: after {time.monotonic() - started:.1f} s, {_finished(folder)} trials finished")
            continue
        _expect_success(victim)
        return done
    _finish(folder, {"sleep": 0.0})
    return done


def _finish(folder: Path, context: dict[str, Any]) -> None:
    victim = _start(folder, context)
    victim.wait(_LONGEST)
    _expect_success(victim)


def _expect_success(victim: subprocess.Popen[str]) -> None:
    _, said = victim.communicate()
    if victim.returncode != 0:
        raise TrainingFailed(f"a driver that nobody killed ended with code {victim.returncode}: {said.strip()[-2000:]}")


def _start(folder: Path, context: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tasksearch.study.torture.planted", str(folder), "2", json.dumps(context)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finished(folder: Path) -> int:
    return sum('"status": "done"' in path.read_text() for path in (folder / "trials").glob("[0-9]*[0-9].json"))


@contextmanager
def _ray_folder() -> Iterator[None]:
    """Ray's temporary files of killed drivers, which nobody else would clean up."""
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
