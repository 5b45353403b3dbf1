"""Layer `drivers`: SIGKILL of the driver of a study that runs through Ray, at random times, start-up and shutdown included."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TrainingFailed
from tasksearch.study.torture.campaign import Campaign
from tasksearch.study.torture.substance import difference, substance

_LONGEST = 300.0  # seconds for one start to come to its end


def torture_drivers(campaign: Campaign, kills: int) -> None:
    """Kills drivers until there were so many kills, over as many studies as that takes; every study is compared at its end.

    Raises:
        TrainingFailed: a start that ended by itself with an error, or a study that differs from the undisturbed one.
    """
    base = campaign.work / "drivers"
    with _ray_folder():
        reference = _reference(base)
        while campaign.kills < kills:
            folder = base / f"study-{campaign.studies}"
            _one_study(folder, campaign, kills)
            if found := difference(reference, substance(folder)):
                raise TrainingFailed(f"seed {campaign.seed}, {folder}: {found}")
            shutil.rmtree(folder)
            campaign.studies += 1
            campaign.log(f"study {campaign.studies}: equal to the undisturbed one after {campaign.kills} kills in all")
            campaign.keep()


def _reference(base: Path) -> dict[str, Any]:
    """What the study comes to that nobody disturbs."""
    path, calm = base / "undisturbed.json", base / "undisturbed"
    if not path.exists():
        shutil.rmtree(calm, ignore_errors=True)
        _finish(calm, {})
        path.write_text(json.dumps(substance(calm)))
    return dict(json.loads(path.read_text()))


def _one_study(folder: Path, campaign: Campaign, kills: int) -> None:
    """Starts and kills until the study is complete or all kills are spent; the last start is left alone."""
    while campaign.kills < kills:
        wait = campaign.draw().uniform(1.0, 25.0)
        started = time.monotonic()
        victim = _start(folder, {"sleep": 0.1})
        campaign.lives += 1
        try:
            victim.wait(wait)
        except subprocess.TimeoutExpired:
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
            campaign.kills += 1
            campaign.what["kill"] += 1
            campaign.where["any time"] += 1
            told = f"after {time.monotonic() - started:.1f} s, {_finished(folder)} trials finished"
            campaign.log(f"{campaign.kills:6} SIGKILL of the driver {told}")
            campaign.keep()
            continue
        _expect_success(victim)
        return
    _finish(folder, {"sleep": 0.0})


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
