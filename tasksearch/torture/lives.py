"""One process under torture: a fork that continues a study until its fate is met.

The parent imports everything once and opens nothing; every child is a fork of it.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import TasksearchError
from tasksearch.torture import crash

DEFECT = 70
"""Exit code of a process that ended with an exception other than `TasksearchError`."""

_HEAVY = ("alembic", "mlflow", "numpy", "optuna", "pandas", "scipy", "sklearn", "sqlalchemy", "tasksearch", "torch")
_LONGEST = 1200.0  # seconds; enough for a machine under load


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What happens to a process.

    Attributes:
        kind: `kill`: SIGKILL at a point; `random`: SIGKILL after `seconds`; `full`: the disk is full from the point on; `away`:
            MLflow fails for `times` calls from the point on; `none`.
        point: name of the crash point.
        occurrence: which passage of the point counts, from 1.
        seconds: delay of a `random` kill.
        times: number of failing calls of `away`.
    """

    kind: str = "none"
    point: str = ""
    occurrence: int = 1
    seconds: float = 0.0
    times: int = 1

    def __str__(self) -> str:
        if self.kind == "random":
            return f"SIGKILL after {self.seconds:.2f} s"
        return f"{self.kind} at {self.point}, time {self.occurrence}"


@dataclass(frozen=True, kw_only=True)
class End:
    """How a process ended: exit code (negative: killed by that signal), its output, and whether its fate was met."""

    code: int
    said: str
    met: bool


def fork(act: Callable[[], Any], fate: Fate, words: Path) -> End:
    """Run `act` in a child process under that fate; its output goes to the file `words`."""
    words.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be(act, fate, words)
    status = _wait(child, fate.seconds if fate.kind == "random" else _LONGEST)
    code = os.waitstatus_to_exitcode(status)
    said = words.read_text(encoding="utf-8", errors="replace") if words.exists() else ""
    return End(code=code, said=said, met=code == -signal.SIGKILL or "\nMET " in said)


def points_of(act: Callable[[], Any], path: Path) -> dict[str, int]:
    """Return crash point → how often `act` passes it, counted in one run; read from `path` if that was done before.

    Modules that this run imported are imported here too: later processes are forks of this one, and imports take most of a
    short run.
    """
    if not path.exists():
        counts: Counter[str] = Counter()

        def counted() -> None:
            crash.watch(lambda point: counts.update([point]))
            act()
            plain = dict(counts)
            path.write_text(json.dumps({"points": plain, "modules": sorted(sys.modules)}, indent=1))

        end = fork(counted, Fate(), path.with_suffix(".words"))
        assert end.code == 0, end.said
    found = json.loads(path.read_text())
    for name in found["modules"]:
        if name.partition(".")[0] in _HEAVY:
            with suppress(Exception):
                importlib.import_module(name)
    return dict(found["points"])


def _be(act: Callable[[], Any], fate: Fate, words: Path) -> None:
    """Run as the child; never returns."""
    code = DEFECT
    try:
        handle = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (1, 2):
            os.dup2(handle, stream)
        if fate.kind in ("kill", "full", "away"):
            crash.watch(_meeting(fate))
        act()
        code = 0
    except TasksearchError as error:
        print(f"tasksearch: {error}", file=sys.stderr)
        code = error.exit_code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _meeting(fate: Fate) -> Callable[[str], None]:
    passed = 0
    left = fate.times
    met = False

    def meet(point: str) -> None:
        nonlocal passed, left, met
        passed += point == fate.point
        if passed < fate.occurrence:
            return
        if not met and fate.kind != "kill":
            met = True
            sys.stderr.write(f"\nMET {fate}\n")
        if fate.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        elif fate.kind == "full" and _needs_room(point):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif fate.kind == "away" and " mlflow." in point and left > 0:
            left -= 1
            raise ConnectionError("planted: the server went away")

    return meet


def _needs_room(point: str) -> bool:
    return point.endswith("before") and point.split(" ")[1] in ("open", "os.write", "os.mkdir", "os.symlink", "save_file")


def _wait(child: int, seconds: float) -> int:
    """Return the child's status; kill the child if it exceeds the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]
