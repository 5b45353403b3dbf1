"""Layer `trainer`: SIGKILLs over the real tiny trainer through Ray, at random times and at named points inside its workers.

The lab is a small one with thirty steps of phase 1; segments save snapshots every five steps, so that kills hit them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path

from tasksearch.core.errors import TrainingFailed
from tasksearch.torture.campaign import Campaign
from tasksearch.torture.comparison import difference, substance
from tasksearch.torture.processes import Driver, finish, finished, ray_folder, undisturbed

_PROGRAM = "trainer_study"
_LAST = 60.0  # maximum seconds to wait for a point to be met


def torture_trainer(campaign: Campaign, kills: int) -> None:
    """Kill drivers and workers until the number of kills is reached; every study is then completed and compared.

    Raises:
        TrainingFailed: an undisturbed driver ended with an error, or a study differs from the undisturbed one.
    """
    base = campaign.work / "trainer"
    base.mkdir(parents=True, exist_ok=True)
    os.environ["TASKSEARCH_CACHE"] = str(base / "cache")  # the lab and its model are made once, and not in the user's cache
    with ray_folder():
        calm = undisturbed(_PROGRAM, base, {"count": str(base / "points")})
        points = _points(base / "points")
        while campaign.needs(kills, base):
            folder = base / f"study-{campaign.studies}"
            _one_study(folder, campaign, kills, points, float(calm["seconds"]))
            if found := difference(calm["substance"], substance(folder)):
                raise TrainingFailed(f"seed {campaign.seed}, {folder}: {found}")
            shutil.rmtree(folder)
            campaign.studies += 1
            campaign.log(f"study {campaign.studies}: equal to the undisturbed one after {campaign.kills} kills in all")
            campaign.keep()


def _one_study(folder: Path, campaign: Campaign, kills: int, points: list[str], seconds: float) -> None:
    """Run drivers that are killed, most of them after a worker was killed, until the study is complete."""
    while campaign.kills < kills:
        draw, flag = campaign.draw(), folder.with_name(f"met-{campaign.lives}")
        kind = draw.choice(("driver", "worker", "point", "point"))
        point, time_of_it = draw.choice(points), draw.randint(1, 2)
        context = {"point": point, "occurrence": time_of_it, "flag": str(flag)} if kind == "point" else {}
        driver, began = Driver(_PROGRAM, folder, context), time.monotonic()
        campaign.lives += 1
        if _kill_worker(kind, driver, draw, flag, seconds):
            campaign.count("worker at a point" if kind == "point" else "worker", point if kind == "point" else "any time")
            _tell(campaign, f"a worker at {point}, time {time_of_it}" if kind == "point" else "a worker", began, folder)
        longest = 0.6 * seconds if kind == "driver" else 15.0
        if driver.ends_within(draw.uniform(1.0, longest)):
            if driver.lacked_ray:
                continue
            driver.expect_success()
            return
        driver.kill()
        campaign.count("driver", "any time")
        _tell(campaign, "the driver", began, folder)
    finish(_PROGRAM, folder, {})


def _kill_worker(kind: str, driver: Driver, draw: random.Random, flag: Path, seconds: float) -> bool:
    """Return whether a worker was killed: by this process at a random time, or by itself at its crash point."""
    if kind == "driver":
        return False
    deadline = time.monotonic() + (_LAST if kind == "point" else draw.uniform(5.0, max(6.0, 0.6 * seconds)))
    while time.monotonic() < deadline and not driver.ends_within(0.1):
        if kind == "point" and flag.exists():
            return True
    return kind == "worker" and driver.kill_worker(draw.choice) is not None


def _tell(campaign: Campaign, victim: str, began: float, folder: Path) -> None:
    campaign.log(
        f"{campaign.kills:6} SIGKILL of {victim} after {time.monotonic() - began:.1f} s, {finished(folder)} trials finished"
    )
    campaign.keep()


def _points(folder: Path) -> list[str]:
    """Return the crash points that the workers of the undisturbed study passed."""
    return sorted({point for path in folder.glob("*.json") for point in json.loads(path.read_text())})
