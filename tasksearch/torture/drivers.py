"""Layers `drivers` and `workers`: SIGKILLs at random times during studies through Ray, over recorded scores.

Drivers are killed at any time, including start-up and shutdown. Workers are killed while their driver keeps running: Ray's
retries and the trial manager must recover without a resume.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tasksearch.core.errors import TrainingFailed
from tasksearch.torture.campaign import Campaign
from tasksearch.torture.comparison import difference, substance
from tasksearch.torture.processes import LONGEST, Driver, finish, finished, in_flight, ray_folder, undisturbed

Torment = Callable[[Path, Campaign, int, float], None]

_SLOW = {"sleep": 0.3}
_QUICK = {"sleep": 0.0}


def torture_drivers(campaign: Campaign, kills: int) -> None:
    """Kill drivers until the number of kills is reached, over as many studies as needed; each is compared when complete.

    Raises:
        TrainingFailed: an undisturbed driver ended with an error, or a study differs from the undisturbed one.
    """
    _torture("drivers", _kill_drivers, campaign, kills)


def torture_workers(campaign: Campaign, kills: int) -> None:
    """Kill workers in the same way; every study is completed by a single driver.

    Raises:
        TrainingFailed: as `torture_drivers`.
    """
    _torture("workers", _kill_workers, campaign, kills)


def _torture(name: str, torment: Torment, campaign: Campaign, kills: int) -> None:
    base = campaign.work / name
    base.mkdir(parents=True, exist_ok=True)
    with ray_folder():
        calm = undisturbed("planted", base, _QUICK)
        while campaign.needs(kills, base):
            folder = base / f"study-{campaign.studies}"
            torment(folder, campaign, kills, float(calm["seconds"]))
            if found := difference(calm["substance"], substance(folder)):
                raise TrainingFailed(f"seed {campaign.seed}, {folder}: {found}")
            shutil.rmtree(folder)
            campaign.studies += 1
            campaign.log(f"study {campaign.studies}: equal to the undisturbed one after {campaign.kills} kills in all")
            campaign.keep()


def _kill_drivers(folder: Path, campaign: Campaign, kills: int, seconds: float) -> None:
    """Start and kill drivers until the study is complete or all kills are spent; the last driver runs undisturbed."""
    longest = max(15.0, seconds)  # on a busy machine Ray alone takes half a minute to start
    while campaign.kills < kills:
        draw, began = campaign.draw(), time.monotonic()
        driver = Driver("planted", folder, _SLOW)
        campaign.lives += 1
        if driver.ends_within(draw.uniform(1.0, longest)):
            if driver.lacked_ray:
                continue
            driver.expect_success()
            return
        driver.kill()
        campaign.count("driver", "any time")
        told = f"after {time.monotonic() - began:.1f} s, {finished(folder)} trials finished"
        campaign.log(f"{campaign.kills:6} SIGKILL of the driver {told}")
        campaign.keep()
    finish("planted", folder, _QUICK)


def _kill_workers(folder: Path, campaign: Campaign, kills: int, _: float) -> None:
    """Run one driver and kill its workers.

    A trial that loses its worker four times fails, as it should; so after each kill all trials in flight are allowed to finish.
    """
    draw: random.Random = campaign.draw()
    driver, began = Driver("planted", folder, _SLOW), time.monotonic()
    campaign.lives += 1
    spared: set[str] = set()
    while campaign.kills < kills and not driver.ends_within(draw.uniform(0.5, 4.0)):
        if time.monotonic() - began > LONGEST:
            break
        if spared & in_flight(folder):
            continue
        if (title := driver.kill_worker(draw.choice)) is not None:
            spared = in_flight(folder)
            campaign.count("worker", title)
            told = f"after {time.monotonic() - began:.1f} s, {finished(folder)} trials finished"
            campaign.log(f"{campaign.kills:6} SIGKILL of {title} {told}")
            campaign.keep()
    if driver.ends_within(LONGEST) and driver.lacked_ray:
        finish("planted", folder, _QUICK)
    else:
        driver.expect_success()
