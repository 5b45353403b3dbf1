"""Layer `commands`: damage done to a study between two commands.

Drivers are killed at random times, a file of any kind has a bit flipped, is truncated or deleted, the folder is moved or
copied. `check --repair` and `resume` must then complete the study, and `best` and `report` must give the results of the
undisturbed one.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TrainingFailed, Unreachable
from tasksearch.records.ledger import Ledger
from tasksearch.torture.campaign import Campaign
from tasksearch.torture.comparison import difference, substance
from tasksearch.torture.planted import config
from tasksearch.torture.processes import LONGEST, ray_folder

_TRIALS = 10
_SPARED = (".lock", ".damaged")
_STARTS = 5


def torture_commands(campaign: Campaign, kills: int) -> None:
    """Torture studies until the number of kills is reached; each is compared when complete.

    Raises:
        TrainingFailed: an undisturbed command ended with an error, or a study differs from the undisturbed one.
    """
    base = campaign.work / "commands"
    base.mkdir(parents=True, exist_ok=True)
    with ray_folder():
        calm = _undisturbed(base)
        while campaign.needs(kills, base):
            folder = _torment(base / f"study-{campaign.studies}", campaign, kills)
            told = _told(folder)
            if found := difference(calm["substance"], _substance(folder)) or (told != calm["told"] and "best differs"):
                raise TrainingFailed(f"seed {campaign.seed}, {folder}: {found}")
            shutil.rmtree(folder)
            campaign.studies += 1
            campaign.log(
                f"study {campaign.studies}: equal after {campaign.kills} kills and {campaign.faults} other faults in all"
            )
            campaign.keep()


def _torment(folder: Path, campaign: Campaign, kills: int) -> Path:
    """Kill, damage, move and copy a study until it is complete; return its final folder."""
    if not folder.exists():
        _begin(folder)
    while campaign.kills < kills:
        draw = campaign.draw()
        process = _start(folder, "resume", str(folder), "--concurrency", "2", "--quiet", context={"sleep": 0.3})
        campaign.lives += 1
        try:
            code = process.wait(draw.uniform(5.0, 45.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            campaign.count("command", "any time")
            told = damage(folder, draw)
            campaign.faults += 1
            campaign.what[told.partition(" ")[0]] += 1
            campaign.log(f"{campaign.kills:6} SIGKILL of `tasksearch resume`; then {told}")
            folder = _shifted(folder, draw, campaign)
            _repaired(folder)
            campaign.keep()
            continue
        if code not in (0, Unreachable.exit_code):
            raise TrainingFailed(f"seed {campaign.seed}, {folder}: `resume` ended with code {code}: {_words(folder)}")
        if code == 0:
            break
    _expect(folder, "resume", str(folder), "--quiet")
    return folder


def damage(folder: Path, draw: random.Random) -> str:
    """Flip a bit of one file of the study, truncate it or delete it; return a description."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and path.stat().st_size]
    path = draw.choice([path for path in found if path.suffix not in _SPARED and "ray" not in path.relative_to(folder).parts])
    size, kind = path.stat().st_size, draw.choice(("flipped", "cut", "deleted"))
    if kind == "deleted":
        path.unlink()
    elif kind == "cut":
        os.truncate(path, draw.randrange(size))
    else:
        with path.open("r+b") as file:
            place = draw.randrange(size)
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ (1 << draw.randrange(8))]))
    return f"{kind} {path.relative_to(folder)} of {size} bytes"


def _shifted(folder: Path, draw: random.Random, campaign: Campaign) -> Path:
    """Move the study or replace it by a copy, at random; return its folder."""
    what = draw.choice(("moved", "copied", "", ""))
    if not what:
        return folder
    campaign.what[what] += 1
    away = folder.with_name(f"{folder.name}-{what}-{campaign.kills}")
    if what == "moved":
        folder.rename(away)
    else:
        shutil.copytree(folder, away)
        shutil.rmtree(folder)
    away.rename(folder.with_name(folder.name + "+"))
    return folder.with_name(folder.name + "+")


def _repaired(folder: Path) -> None:
    """Run `check --repair`; it may report findings but must not fail otherwise."""
    process = _start(folder, "check", str(folder), "--repair")
    if process.wait(LONGEST) not in (0, 1):
        raise TrainingFailed(f"{folder}: `check --repair` ended with code {process.returncode}: {_words(folder)}")


def _undisturbed(base: Path) -> dict[str, Any]:
    path, calm = base / "undisturbed.json", base / "undisturbed"
    if not path.exists():
        shutil.rmtree(calm, ignore_errors=True)
        _begin(calm)
        _expect(calm, "resume", str(calm), "--quiet")
        path.write_text(json.dumps({"substance": _substance(calm), "told": _told(calm)}))
    return dict(json.loads(path.read_text()))


def _begin(folder: Path) -> None:
    Ledger(folder).save_config(config(_TRIALS, leaders=1))


def _substance(folder: Path) -> dict[str, Any]:
    """Return the substance without MLflow, whose runs `check` itself compares."""
    return json.loads(json.dumps(substance(folder, tracked=False)))  # type: ignore[no-any-return]


def _told(folder: Path) -> str:
    """Run `check` and `report`, which must succeed, and return what `best` says."""
    _expect(folder, "check", str(folder))
    _expect(folder, "report", str(folder))
    _expect(folder, "best", str(folder), "--json")
    verdict = json.loads(_words(folder).splitlines()[-1])
    return json.dumps({key: value for key, value in verdict.items() if key != "adaptive"}, sort_keys=True)


def _expect(folder: Path, *words: str) -> None:
    for _ in range(_STARTS):
        process = _start(folder, *words)
        if process.wait(LONGEST) != Unreachable.exit_code:
            break
        time.sleep(5)
    if process.returncode != 0:
        raise TrainingFailed(f"`tasksearch {' '.join(words)}` ended with code {process.returncode}: {_words(folder)}")


def _start(folder: Path, *words: str, context: dict[str, Any] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tasksearch.torture.command", json.dumps(context or {"sleep": 0.0}), *words]
    with folder.with_name(f"{folder.name}.words").open("wb") as said:
        return subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)


def _words(folder: Path) -> str:
    return folder.with_name(f"{folder.name}.words").read_text(encoding="utf-8", errors="replace").strip()[-20000:]
