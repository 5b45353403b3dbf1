"""Connection to Ray: a local cluster that ends with the run, or a cluster that is already running; without Ray's output."""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.exceptions import AuthenticationError, RayError
from ray.job_config import JobConfig

from tasksearch.core.errors import BadInput, MissingPackage, Unreachable, first_line
from tasksearch.core.left_as_found import left_as_found
from tasksearch.raytune.local_cluster import connect, leave, local_cluster, refresh_token, temporary_base

_LOG = logging.getLogger(__name__)
_PATIENCE = 5.0  # seconds for an address to answer
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
"""Turns off Ray's tables, logs, usage reports, signal handler and experiment snapshots (the ledger holds the study's state)."""


@contextmanager
def cluster(
    address: str | None, slots: int, resources: Mapping[str, float | None], tell: Callable[[str], None] = lambda _: None
) -> Iterator[int]:
    """Connect to Ray and yield the number of trials that fit at once; afterwards restore environment, log levels and handlers.

    Args:
        address: None for a local cluster; `auto`, `host:port` or `ray://host:port` for one that is running.
        slots: number of concurrent trials that a local cluster is made for; ignored for one that is running.
        resources: of one trial, `cpu` and `gpu`; None for one GPU if the cluster has any.
        tell: called with a line, from another thread, while a local cluster takes long to start.

    Raises:
        Unreachable: the address does not answer within seconds, or Ray does not start here within minutes.
        BadInput: not even one trial fits, or this process is connected to another cluster.
    """
    with left_as_found(), ExitStack() as stack:
        os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
        os.environ.setdefault("RAY_memory_monitor_refresh_ms", "250")
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        survive_memory_kills()
        _silence()
        mine = not ray.is_initialized()
        if not mine:
            _check_same(address)
        elif address is None:
            stack.enter_context(local_cluster(slots, resources.get("cpu") or 1.0, job_config(), tell))
        else:
            address = _address_of(address)
            stack.enter_context(token_of_home(address))
            stack.callback(leave)
            _connect(address)
        if mine:
            stack.callback(_LOG.info, "Ray is shut down")
        fitting = _fitting(counted(resources))
        place = _place(address, mine)
        _LOG.info("Ray %s: %s; its logs are in %s; %d trials fit at once", ray.__version__, place, logs_folder(), fitting)
        yield fitting


def check_place(address: str | None) -> None:
    """Check what would keep a local cluster from starting, before anything else begins.

    Raises:
        BadInput: the temporary folder's path is too long for Ray's sockets, or cannot be written.
    """
    if address is None and not ray.is_initialized():
        temporary_base()


def logs_folder() -> Path | None:
    """Return the folder of the logs of Ray's processes on this machine; None for a Ray client, or if Ray does not run."""
    node = getattr(ray._private.worker, "_global_node", None)
    return Path(node.get_logs_dir_path()) if node is not None else None


def _place(address: str | None, mine: bool) -> str:
    if not mine:
        return "a cluster that this process was connected to"
    return "a cluster of this machine" if address is None else f"the cluster at {address}"


def _check_same(address: str | None) -> None:
    """Refuse another address if this process is connected already, as a notebook may be."""
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


def _address_of(address: str) -> str:
    """Return the address that `auto` stands for: $RAY_ADDRESS, else the cluster that `ray start` last joined on this machine.

    Ray 2.60 would otherwise take any cluster that it finds among the machine's processes, such as another study's own.

    Raises:
        Unreachable: there is none.
    """
    if address != "auto":
        return address
    from ray._private.utils import read_ray_address

    found = os.environ.get("RAY_ADDRESS", "")
    found = found if found not in ("", "auto") else read_ray_address()
    if not found:
        raise Unreachable("no cluster for --address auto: `ray start` joined none on this machine; expected HOST:PORT")
    return found


def _connect(address: str) -> None:
    """Connect to a running cluster, with this user's token if there is one.

    Raises:
        Unreachable: no cluster answers at the address, or it requires another token.
    """
    _knock(address)
    try:
        connect({"address": address, "job_config": job_config(own_path=not address.startswith("ray://"))})
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, RayError) as error:
        raise Unreachable(f"no Ray cluster answers at {address!r}: {first_line(error)}") from None


@contextmanager
def token_of_home(address: str) -> Iterator[None]:
    """Use this user's token where the cluster requires one, and leave the environment as it was.

    Where a user has a token, `ray start` protects its ports with it, but a client that connects to an address must be told to
    use it. A cluster that was started before there was a token is open, and a client that uses one there connects and then
    loses every worker: so the token is turned on at once only for addresses that cannot be asked first (`_ask_for_entry`).
    """
    given = "RAY_AUTH_MODE" in os.environ
    refresh_token()
    if address == "local" or address.startswith("ray://"):
        _use_token()
    try:
        yield
    finally:
        if not given:
            os.environ.pop("RAY_AUTH_MODE", None)
        refresh_token()


def _use_token() -> bool:
    """Turn on Ray's token authentication if this user has a token; return whether it is on."""
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available

    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    refresh_token()
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def job_config(*, own_path: bool = True) -> JobConfig:
    """Return Ray's job configuration, with which workers import exactly what this process imports.

    They get this process's `sys.path`, in its order, before any entries of their own. Ray 2.60 otherwise puts the script's
    folder and the driver's current folder first. With a console script neither is on the driver's own path, so that whatever
    package lies there would be trained instead of this code.
    """
    kind = _OwnPath if own_path else JobConfig
    return kind(_py_driver_sys_path=driver_path()[::-1])  # reversed: a worker inserts each entry at the front


def driver_path() -> list[str]:
    """Return this process's `sys.path` as absolute paths; an entry that stands for a deleted current folder is left out."""
    found = []
    for entry in sys.path:
        with suppress(OSError):
            found.append(os.path.abspath(entry))  # noqa: PTH100 - an empty entry is the current folder
    return found


class _OwnPath(JobConfig):
    """Job configuration that claims to have a working folder of its own: Ray adds nothing to the path of such a job."""

    def _runtime_env_has_working_dir(self) -> bool:
        return True


def _knock(address: str) -> None:
    """Check that a Ray cluster answers at the address, in seconds: Ray itself would try a closed port for minutes."""
    if address == "local":
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
    if not address.startswith("ray://"):
        _ask_for_entry(address)


def _ask_for_entry(address: str) -> None:
    """Check that the cluster lets this user in, by this user's token if it requires one.

    Ray itself would only say that it failed to connect, after twenty seconds and as many lines of log.

    Raises:
        Unreachable: the cluster requires another token than this user has, or no cluster answers.
    """
    try:
        with _stderr_aside():
            GcsClient(address=address)
    except AuthenticationError:
        if "RAY_AUTH_MODE" not in os.environ and _use_token():
            return _ask_for_entry(address)
        with_token = os.environ.get("RAY_AUTH_MODE", "").lower() == "token"
        wrong = "this user's token is not its own" if with_token else "this user has no token, or RAY_AUTH_MODE forbids it"
        raise Unreachable(
            f"the Ray cluster at {address!r} is guarded by a token and {wrong}; copy ~/.ray/auth_token from the head's user, "
            "or set RAY_AUTH_TOKEN_PATH"
        ) from None
    except RayError as error:
        raise Unreachable(f"no Ray cluster answers at {address!r}: {first_line(error)}") from None
    return None


@contextmanager
def _stderr_aside() -> Iterator[None]:
    """Discard what Ray's compiled part writes to the process's standard error."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _speaks_grpc(line: socket.socket) -> bool:
    """Return whether the other side starts with a SETTINGS frame (type 4), as HTTP/2 and so gRPC servers do (RFC 9113, 3.4)."""
    line.settimeout(_PATIENCE)
    try:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        head = b""
        while len(head) < 4 and (more := line.recv(9)):
            head += more
    except OSError:
        return False
    return head[3:4] == b"\x04"


def counted(resources: Mapping[str, float | None]) -> dict[str, float]:
    """Return the resources that Ray counts for a trial; if the number of GPUs is not given, one GPU if the cluster has any.

    A worker sees every GPU of its machine: trials without a counted GPU would all train on the first one at once.
    """
    found = {name: wanted for name, wanted in resources.items() if wanted is not None}
    if len(found) < len(resources) and ray.cluster_resources().get("GPU", 0.0) >= 1:
        found["gpu"] = 1.0
    return found


def _fitting(resources: Mapping[str, float]) -> int:
    there = ray.cluster_resources()
    fits = math.inf
    for name, label in (("gpu", "GPU"), ("cpu", "CPU")):
        wanted, have = resources.get(name, 0.0), there.get(label, 0.0)
        if wanted > have:
            raise BadInput(f"{wanted:g} {label}s per trial; expected at most {have:g}, as many as the cluster has")
        if wanted > 0:
            # count whole trials per GPU: a trial cannot use half of one GPU and half of another
            fits = min(fits, have * int(1 / wanted) if name == "gpu" and wanted < 1 else int(have / wanted))
    return max(1, int(fits)) if math.isfinite(fits) else 1


def _silence() -> None:
    """Suppress the raylet's paragraph on the terminal about a killed worker: the trial's record reports it."""
    import ray._private.worker as module

    if hasattr(module, "print_to_stdstream"):
        module.print_to_stdstream = lambda *_, **__: None


def survive_memory_kills() -> None:
    """Make a trial that Ray's memory monitor killed fail like one whose worker was killed otherwise.

    Ray 2.60 handles `RayActorError` and `RayTaskError` there; `OutOfMemoryError` is neither, and would end the whole run.
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
