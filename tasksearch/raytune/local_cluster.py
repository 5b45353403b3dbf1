"""A Ray cluster on this machine for the duration of a run: with its own folder and token, listening on loopback only."""

from __future__ import annotations

import fcntl
import gc
import importlib
import logging
import math
import os
import secrets
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import ray
from joblib import cpu_count

from tasksearch.core.errors import BadInput, Unreachable, first_line
from tasksearch.raytune.reaper import reaped

Tell = Callable[[str], None]
GOES_ON = "what is finished is kept, `tasksearch resume` goes on from there"

_OBJECT_STORE = 128 * 2**20  # trials exchange kilobytes
_PATIENCE = 600.0  # seconds that a start may take on a machine under load
_QUICK = 20.0  # seconds; a start that fails sooner did not fail because of the machine's load
_PAUSES = (2.0, 5.0)  # seconds before a second and a third try of a start that failed quickly
_GRACE = 20.0  # seconds for a driver to end in good order once Ray is gone
_SAY_AFTER = 20.0  # seconds between lines that say that Ray is still starting
_PREFIX = "ts-ray-"
_LOCK = "driver.lock"
_INNER = "r"  # Ray makes its folder writable for everybody, so it lies inside one that only the owner can enter
_DEEPEST = _INNER + "/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store"
_MOST_BYTES = 107  # of a Unix socket's path on Linux (unix(7): 108 with the zero)

# Ray's processes wait for each other for at most half a minute by default: too short on a machine under load
_WAITS = {
    "RAY_gcs_server_port_wait_time_s": f"{_PATIENCE:.0f}",
    "RAY_agent_register_timeout_ms": f"{1000 * _PATIENCE:.0f}",
    "RAY_worker_register_timeout_seconds": f"{_PATIENCE:.0f}",
}


@contextmanager
def local_cluster(slots: int, cpus: float, job_config: Any, tell: Tell) -> Iterator[None]:
    """Start Ray on this machine and connect to it; afterwards leave no process and no file of it behind.

    Args:
        slots: number of concurrent trials that it is made for.
        cpus: CPUs of one trial.
        job_config: Ray's job configuration of this driver.
        tell: called with a line, from another thread, while the start takes long.

    Raises:
        BadInput: the temporary folder's path is too long for Ray's sockets, or cannot be written.
        Unreachable: Ray does not start; the message holds Ray's own error.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in _WAITS.items()})
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # makes its processes listen on loopback, on Linux too
    with _own_folder() as folder, _own_token():
        options: dict[str, Any] = {
            "address": "local",  # start a cluster even if RAY_ADDRESS or the remains of another cluster name one
            "include_dashboard": False,
            "num_cpus": max(1, math.ceil(slots * cpus)),
            "object_store_memory": _OBJECT_STORE,
            "_temp_dir": str(folder / _INNER),
            "job_config": job_config,
        }
        with _telling(tell), _waiting(), _on_loopback():
            _start(options)
        over = threading.Event()
        threading.Thread(target=_end_without_ray, args=(over,), daemon=True, name="ray-watch").start()
        try:
            yield
        finally:
            if ray_is_gone() is None:
                over.set()
            leave()
            over.set()


def ray_is_gone() -> str | None:
    """Return which of Ray's main processes, started by this one, has ended; None if none has, or Ray was not started here."""
    node = ray._private.worker._global_node
    processes = getattr(node, "all_processes", None) or {}
    for kind in ("raylet", "gcs_server"):
        for info in processes.get(kind, ()):
            if (code := info.process.poll()) is not None:
                return f"Ray's process {kind} ended (exit code {code})"
    return None


def _end_without_ray(over: threading.Event) -> None:
    """End this process if Ray is gone and the driver hangs in a call to Ray.

    Ray 2.60 would end it after 60 seconds, with nothing but a line of its own log. A driver that does not hang has ended in
    good order by then.
    """
    while not over.wait(1.0):
        gone = ray_is_gone()
        if gone and not over.wait(_GRACE):
            os.write(2, f"tasksearch: {gone}; {GOES_ON}\n".encode())
            os._exit(Unreachable.exit_code)


def connect(options: Mapping[str, Any]) -> None:
    """Call `ray.init` without warnings and logs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **options)


def leave() -> None:
    """Shut Ray down with Python's garbage collector disabled.

    While `ray.shutdown` runs, Ray 2.60 ends the whole process (exit code 1, "the core worker has already been shutdown") if an
    object reference is freed. Finished trials hold such references in cycles, and a collection triggered by another thread,
    such as the tracker's, would free them at that moment.
    """
    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        if collecting:
            gc.enable()


def refresh_token() -> None:
    """Make Ray read its token from the environment again: it caches the first one it read for the life of the process."""
    with suppress(ImportError, AttributeError):
        raylet = importlib.import_module("ray._raylet")  # compiled: it has no types
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _start(options: Mapping[str, Any]) -> None:
    """Start Ray, trying up to three times; tries that fail slowly, because the machine is under load, are not counted."""
    begin, quick = time.monotonic(), 0
    while True:
        tried = time.monotonic()
        try:
            connect(options)
            return
        except Exception as error:  # Ray 2.60 raises a bare `Exception` for a node that timed out
            leave()
            now = time.monotonic()
            quick += now - tried < _QUICK
            if quick > len(_PAUSES) or now - begin > _PATIENCE:
                raise Unreachable(
                    f"Ray did not start on this machine in {now - begin:.0f} s: {first_line(error)}; try again later"
                ) from None
            time.sleep(_PAUSES[max(0, quick - 1)])


@contextmanager
def _telling(tell: Tell) -> Iterator[None]:
    """Say every 20 seconds that Ray is still starting."""
    started, over = time.monotonic(), threading.Event()

    def watch() -> None:
        while not over.wait(_SAY_AFTER):
            load = psutil.getloadavg()[0]
            tell(
                f"Ray is still starting after {time.monotonic() - started:.0f} s (load {load:.0f} on {cpu_count()} cores); "
                f"waiting for it, at most {_PATIENCE / 60:.0f} minutes"
            )

    thread = threading.Thread(target=watch, daemon=True, name="ray-start")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _waiting() -> Iterator[None]:
    """Make Ray wait for its raylet as long as that is alive: Ray 2.60 gives up after 30 seconds, whatever the settings."""
    from ray._private import services

    inner, deadline = services.get_node, time.monotonic() + _PATIENCE

    def patient(*arguments: Any, **named: Any) -> Any:
        while True:
            try:
                return inner(*arguments, **named)
            except RuntimeError:
                if time.monotonic() > deadline or _raylet_died():
                    raise
                time.sleep(0.2)

    services.get_node = patient
    try:
        yield
    finally:
        services.get_node = inner


def _raylet_died() -> bool:
    """Return whether a raylet that this process started has ended; each is told once, so that another try starts afresh.

    Ray has no list of its processes until all have started, and would wait for a dead raylet.
    """
    dead = False
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if child.name() == "raylet" and child.status() == psutil.STATUS_ZOMBIE:
                child.wait(0)
                dead = True
    return dead


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Make Ray use the loopback address: it does so only if told that the cluster will not have several nodes.

    Otherwise it takes whatever this machine's name resolves to.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _own_token() -> Iterator[None]:
    """Put a new token into the environment of this process and of Ray's, instead of Ray's token file in the home folder.

    Everybody may read that file, and it would make every later `ray start` on this machine protect its ports with it. If the
    user has set a token or a mode, those are used.
    """
    given = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    own = (
        {} if any(name in os.environ for name in given) else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    )
    os.environ.update(own)
    refresh_token()
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)
        refresh_token()


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Make a folder for Ray's sockets and logs that only its owner can read, and remove those of killed drivers.

    A driver holds a lock on its folder for as long as it lives, so that an unlocked folder belongs to no living driver.
    """
    base = temporary_base()
    sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    with reaped(folder), (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def temporary_base() -> Path:
    """Return the folder in which Ray's folders are made: $RAY_TMPDIR, else $TMPDIR, else /tmp.

    Raises:
        BadInput: the path is too long for Ray's sockets, or must be a folder that can be written and is not.
    """
    name = next((name for name in ("RAY_TMPDIR", "TMPDIR") if os.environ.get(name)), None)
    base = Path(os.environ[name] if name else "/tmp").absolute()
    too_long = len(os.fsencode(base / (_PREFIX + 8 * "x") / _DEEPEST)) - _MOST_BYTES
    told = f"${name} is {str(base)!r}" if name else str(base)
    if too_long > 0:
        most = len(os.fsencode(base)) - too_long
        raise BadInput(
            f"{told}, {too_long} bytes too long for Ray's sockets; set RAY_TMPDIR to a folder of at most {most} bytes"
        )
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise BadInput(f"{told}: {fault.strerror}; set RAY_TMPDIR to a folder that can be written") from None
    if not os.access(base, os.W_OK):
        raise BadInput(f"{told}, which cannot be written; set RAY_TMPDIR to a folder that can")
    return base


def sweep(base: Path) -> None:
    """Remove the folders of this user's drivers that are no longer alive."""
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK).open("r+") as lock:  # if it is absent, a driver is just creating it
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
