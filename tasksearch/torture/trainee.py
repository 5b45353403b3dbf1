"""`TorturedTrainable`: the real trainable in a process whose crash points are observed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasksearch.torture import crash
from trainables.three_phase import ThreePhase


class TorturedTrainable(ThreePhase):
    """Observed from its first trial on; the context's `torture` says what happens at a point (`torture.trainer_study`)."""

    def setup(self, config: dict[str, Any]) -> None:
        """Set up a new actor; called by Ray."""
        torture = config["context"]["torture"]
        if folder := torture.get("count"):
            crash.watch(_counting(Path(folder)))
        elif torture.get("point"):
            crash.watch(_deadly(torture["point"], int(torture["occurrence"]), Path(torture["flag"])))
        super().setup(config)


def _counting(folder: Path) -> Callable[[str], None]:
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    path = folder / f"{os.getpid()}.json"
    busy = False

    def count(point: str) -> None:
        nonlocal busy
        if busy:
            return
        counts[point] += 1
        if counts[point] == 1:  # a new point; `busy` because writing the file passes points too
            busy = True
            path.write_text(json.dumps(counts))
            busy = False

    return count


def _deadly(point: str, occurrence: int, flag: Path) -> Callable[[str], None]:
    passed = 0

    def meet(found: str) -> None:
        nonlocal passed
        passed += found == point
        if passed < occurrence or flag.exists():
            return
        try:
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    return meet
