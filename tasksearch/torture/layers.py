"""The layers of torture, by name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from tasksearch.core.errors import UnknownName
from tasksearch.torture.campaign import Campaign, open_campaign

KILLS = {"store": 1000, "drivers": 60, "workers": 60, "trainer": 20, "commands": 20}
"""Layer → default number of SIGKILLs."""


def seed_of(folder: Path, asked: int | None) -> int:
    """Return the requested seed, else that of the torture in the folder, else a new random one."""
    if asked is not None:
        return asked
    stored = [json.loads(path.read_text())["seed"] for name in KILLS if (path := folder / f"{name}.json").exists()]
    return int(stored[0]) if stored else random.SystemRandom().randrange(10**6)


def run_layers(layer: str, kills: int | None, seed: int, folder: Path, say: Callable[[str], None]) -> list[Campaign]:
    """Run one layer, or `all` in turn.

    Raises:
        UnknownName: there is no such layer.
        BadInput: the folder holds a torture with another seed or of other code.
        TrainingFailed: a study did not end like the undisturbed one.
    """
    if layer not in (*KILLS, "all"):
        raise UnknownName("layer", layer, (*KILLS, "all"))
    done = []
    for name in KILLS if layer == "all" else (layer,):
        campaign = open_campaign(name, seed, folder.absolute(), say)
        _run(name, campaign, kills or KILLS[name])
        campaign.keep()
        campaign.log(campaign.summary())
        done.append(campaign)
    return done


def _run(name: str, campaign: Campaign, kills: int) -> None:
    if name == "store":
        from tasksearch.torture.bare_layer import torture_store as act
    elif name == "drivers":
        from tasksearch.torture.drivers import torture_drivers as act
    elif name == "workers":
        from tasksearch.torture.drivers import torture_workers as act
    elif name == "commands":
        from tasksearch.torture.commands import torture_commands as act
    else:
        from tasksearch.torture.trainer import torture_trainer as act
    act(campaign, kills)
