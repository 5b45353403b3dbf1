"""Ray, quietly: a local cluster of this machine that ends with the run, or one that runs already."""

from __future__ import annotations

import gc
import logging
import math
import os
import socket
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ray

from tasksearch.core.errors import BadInput, MissingPackage, Unreachable, first_line

_LOG = logging.getLogger(__name__)
_OBJECT_STORE = 128 * 2**20  # trials exchange kilobytes
_PATIENCE = 5.0  # seconds for an address to answer
_PAUSES = (2.0, 5.0)  # seconds before a second and a third try to start Ray on a machine under load
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # Ray imports MLflow where it is installed
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_AUTO_INIT": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}
"""No tables, no logs, no usage reports, no experiment snapshots (the ledger is the truth), no signal handler of Ray's."""


@contextmanager
def cluster(address: str | None, slots: int, resources: Mapping[str, float]) -> Iterator[int]:
    """Yields the number of trials that fit at once.

    Args:
        address: None for a local cluster; `auto`, `host:port` or `ray://host:port` for one that runs.
        slots: trials at once that a local cluster is made for; ignored for one that runs.
        resources: of one trial, `cpu` and `gpu`.

    Raises:
        Unreachable: the address does not answer within seconds, or Ray does not start here at three tries.
        BadInput: not even one trial fits, or this process is connected to another cluster.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    os.environ.setdefault("RAY_memory_monitor_refresh_ms", "250")
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    survive_memory_kills()
    _silence()
    mine = not ray.is_initialized()
    if mine:
        _start(address, slots, resources)
    else:
        _check_same(address)
    try:
        fitting = _fitting(resources)
        _LOG.info(
            "Ray %s: %s; its logs are in %s; %d trials fit at once",
            ray.__version__,
            _place(address, mine),
            logs_folder(),
            fitting,
        )
        yield fitting
    finally:
        if mine:
            _LOG.info("Ray is shut down")
            _leave()


def logs_folder() -> Path | None:
    """Where Ray's own processes on this machine write their logs; None for a client, or where Ray does not run."""
    node = getattr(ray._private.worker, "_global_node", None)
    return Path(node.get_logs_dir_path()) if node is not None else None


def _place(address: str | None, mine: bool) -> str:
    if not mine:
        return "a cluster that this process was connected to"
    return "a cluster of this machine" if address is None else f"the cluster at {address}"


def _check_same(address: str | None) -> None:
    """A process that is connected, as a notebook may be, stays where it is: an address of elsewhere is a mistake."""
    if address in (None, "auto", "local") or str(address).startswith("ray://"):
        return
    here = ray.get_runtime_context().gcs_address
    if _resolved(address) != _resolved(here):
        raise BadInput(f"this process is connected to the Ray cluster at {here}, not {address!r}; call ray.shutdown() first")


def _resolved(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition(":")
    try:
        return socket.gethostbyname(host), port
    except OSError:
        return host, port


def _leave() -> None:
    """Shuts Ray down with Python's cycle collector at rest.

    While `ray.shutdown` runs, Ray 2.60 ends the whole process (exit code 1, "the core worker has already been shutdown") when
    an object reference is freed. Finished trials hold such references in cycles, and a collection that another thread, the
    tracker's, happens to bring about frees them at just that time.
    """
    gc.collect()
    collecting = gc.isenabled()
    gc.disable()
    try:
        ray.shutdown()
    finally:
        if collecting:
            gc.enable()


def _start(address: str | None, slots: int, resources: Mapping[str, float]) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        cpus = max(1, math.ceil(slots * resources.get("cpu", 1.0)))
        # `local` starts a cluster whatever RAY_ADDRESS or the remains of another cluster say
        options |= {"address": "local", "include_dashboard": False, "num_cpus": cpus, "object_store_memory": _OBJECT_STORE}
        _start_local(options)
        return
    _knock(address)
    try:
        _init(options | {"address": address})
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise Unreachable(f"no Ray cluster answers at {address!r}: {first_line(error)}") from None


def _start_local(options: Mapping[str, Any]) -> None:
    """Three tries: under load Ray's own processes may miss each other's deadlines."""
    for pause in (*_PAUSES, None):
        try:
            _init(options)
            return
        except Exception as error:  # of a node that timed out Ray 2.60 tells by a bare `Exception`
            _LOG.warning("Ray did not start: %s", error, exc_info=error)
            _leave()
            if pause is None:
                raise Unreachable(f"Ray did not start on this machine: {first_line(error)}; try again later") from None
            time.sleep(pause)


def _init(options: Mapping[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray.init(**options)


def _knock(address: str) -> None:
    """Ray itself tries an address for minutes; a closed port is known at once."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise BadInput(f"{address!r} is no Ray address; expected auto, host:port or ray://host:port")
    if address.startswith("ray://") and find_spec("grpc") is None:
        raise MissingPackage(f"{address!r} is a Ray client address and needs another package: pip install 'ray[client]'")
    try:
        with socket.create_connection((host, int(port)), timeout=_PATIENCE) as line:
            speaks = "RAY_USE_TLS" in os.environ or _speaks_grpc(line)
    except OSError as error:
        raise Unreachable(
            f"no Ray cluster answers at {address!r} within {_PATIENCE:.0f} s: {error.strerror or error}"
        ) from None
    if not speaks:
        raise Unreachable(
            f"no Ray cluster answers at {address!r}: something else does; expected the port of `ray start --head`"
        )


def _speaks_grpc(line: socket.socket) -> bool:
    """Whether the other side answers as HTTP/2 servers do, gRPC among them: a SETTINGS frame (type 4) first (RFC 9113, 3.4)."""
    line.settimeout(_PATIENCE)
    try:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        head = b""
        while len(head) < 4 and (more := line.recv(9)):
            head += more
    except OSError:
        return False
    return head[3:4] == b"\x04"


def _fitting(resources: Mapping[str, float]) -> int:
    there = ray.cluster_resources()
    fits = math.inf
    for name, label in (("gpu", "GPU"), ("cpu", "CPU")):
        wanted, have = resources.get(name, 0.0), there.get(label, 0.0)
        if wanted > have:
            raise BadInput(f"{wanted:g} {label}s per trial; expected at most {have:g}, as many as the cluster has")
        if wanted > 0:
            # whole trials per GPU: a trial cannot be spread over halves of two
            fits = min(fits, have * int(1 / wanted) if name == "gpu" and wanted < 1 else int(have / wanted))
    return max(1, int(fits)) if math.isfinite(fits) else 1


def _silence() -> None:
    """A killed worker is reported in the trial's record, not by a paragraph of the raylet's on the terminal."""
    import ray._private.worker as module

    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = lambda *_, **__: None


def survive_memory_kills() -> None:
    """Lets a trial that Ray's memory monitor killed fail like any killed worker.

    Ray 2.60 knows `RayActorError` and `RayTaskError` there, `OutOfMemoryError` is neither, and the whole run would end.
    """
    import ray.air.execution._internal.actor_manager as module
    from ray.exceptions import ActorDiedError, OutOfMemoryError

    manager = getattr(module, "RayActorManager", None)
    inner = getattr(manager, "_actor_task_failed", None)
    if inner is None or getattr(inner, "survives_memory_kills", False):
        return

    def patched(self: Any, tracked_actor_task: Any = None, exception: Any = None, **more: Any) -> Any:
        if isinstance(exception, OutOfMemoryError):
            died = ActorDiedError()
            died.error_msg = f"killed by Ray's memory monitor: {str(exception)[:300]}"
            exception = died
        return inner(self, tracked_actor_task=tracked_actor_task, exception=exception, **more)

    patched.survives_memory_kills = True  # type: ignore[attr-defined]
    manager._actor_task_failed = patched  # type: ignore[union-attr]
