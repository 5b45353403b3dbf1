"""State of one layer's run of kills, kept in its folder so that an interrupted torture can continue."""

from __future__ import annotations

import json
import os
import platform
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput
from tasksearch.core.signature import seed_from
from tasksearch.torture.code import code_version


@dataclass(kw_only=True)
class Campaign:
    """State of one layer.

    Attributes:
        layer: name of the layer.
        seed: seed of every random choice.
        work: folder of the tortured studies.
        code: version of the tortured code, as `code_version` names it.
        kills: number of SIGKILLs so far.
        faults: number of filled disks, unreachable servers and damaged files so far.
        studies: number of studies that were completed and found equal.
        lives: number of processes started.
        seconds: time spent so far.
        where: kills by place.
        what: kills and faults by kind.
        say: called with every line of progress.
    """

    layer: str
    seed: int
    work: Path
    code: str = field(default_factory=code_version)
    kills: int = 0
    faults: int = 0
    studies: int = 0
    lives: int = 0
    seconds: float = 0.0
    where: Counter[str] = field(default_factory=Counter)
    what: Counter[str] = field(default_factory=Counter)
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)

    def draw(self) -> random.Random:
        """Return the random generator of the next process: equal seeds torture alike, even after an interruption."""
        return random.Random(seed_from("torture", self.layer, self.seed, self.lives))

    def needs(self, kills: int, base: Path) -> bool:
        """Whether kills are still missing, or the last study has not been compared yet because the torture was interrupted.

        Raises:
            BadInput: the code has changed; new processes would run other code than the earlier ones.
        """
        self.expect_same_code()
        return self.kills < kills or (base / f"study-{self.studies}").exists()

    def expect_same_code(self) -> None:
        """Check that the code is the one that the campaign was begun with.

        Raises:
            BadInput: it is not.
        """
        if (now := code_version()) != self.code:
            raise BadInput(
                f"{self.work} holds a torture of tasksearch {self.code}, this is {now}: kills of two codes are not added up; "
                "run that code, or give another --out"
            )

    def count(self, what: str, where: str) -> None:
        """Count one more SIGKILL."""
        self.kills += 1
        self.what[what] += 1
        self.where[where] += 1

    def keep(self) -> None:
        """Write the state to disk."""
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        write_atomic(_path(self.work, self.layer), json.dumps(self.to_json(), indent=1).encode())

    def log(self, line: str) -> None:
        """Print a line and append it to the layer's log."""
        with (self.work / f"{self.layer}.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.say(line)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form."""
        fields = {k: v for k, v in vars(self).items() if k not in ("work", "say", "_since")}
        return fields | {"where": dict(sorted(self.where.items())), "what": dict(sorted(self.what.items()))}

    def summary(self) -> str:
        """Return a one-line summary."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.what.items()))
        return (
            f"{self.layer}: {self.kills} SIGKILLs at {len(self.where)} places, {self.faults} other faults, over {self.studies} "
            f"studies in {self.lives} lives, {self.seconds:.0f} s; every study equal to the undisturbed one ({kinds})"
        )


def open_campaign(layer: str, seed: int, work: Path, say: Callable[[str], None]) -> Campaign:
    """Start a campaign, or continue the one in the folder.

    Raises:
        BadInput: the folder holds one with another seed or of other code.
    """
    path = _path(work, layer)
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        campaign = Campaign(layer=layer, seed=seed, work=work, say=say)
        campaign.log(f"# layer {layer}, seed {seed}, {time.strftime('%Y-%m-%d')}, tasksearch {campaign.code}, {hardware()}")
        return campaign
    data = json.loads(path.read_text())
    if data["seed"] != seed:
        raise BadInput(f"{work} holds a torture with seed {data['seed']}, now {seed}; give that seed, or another --out")
    data = {"code": "of a version that wrote down no code"} | data
    data |= {"where": Counter(data["where"]), "what": Counter(data["what"])}
    campaign = Campaign(**data, work=work, say=say)
    campaign.expect_same_code()
    campaign.log(f"goes on after {campaign.kills} kills")
    return campaign


def hardware() -> str:
    """Return cores, processor and load of this machine as text."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores {model}, load {os.getloadavg()[0]:.1f}"


def _path(work: Path, layer: str) -> Path:
    return work / f"{layer}.json"
