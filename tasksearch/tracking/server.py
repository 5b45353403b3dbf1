"""The MLflow page of a study, served on loopback with few processes, and links to its comparison view."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.tracking.address import masked, scrubbed

HOST = "127.0.0.1"
_CLASSIC = "workflowType=machine_learning"
"""MLflow 3 opens its GenAI pages by default; this part of the address opens the runs and their comparison."""
_LIGHT = {
    # Without its job runners the server has 2 processes instead of 15.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running page: its `url` and process (None for a server that ran already). A context manager."""

    url: str
    process: subprocess.Popen[bytes] | None = None

    def wait(self) -> None:
        """Wait until the server ends or is interrupted."""
        if self.process is not None:
            self.process.wait()

    def close(self) -> None:
        """End the server and its workers."""
        if self.process is None or self.process.poll() is not None:
            return
        _end(self.process, signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            _end(self.process, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def serve_ui(uri: str, artifact_root: Path, port: int | None = None, *, timeout: float = 180.0) -> Server:
    """Start the page over a database; an http(s) address is a server already, and only its links are returned.

    Args:
        uri: tracking address of the study.
        artifact_root: where new experiments of this server keep files; the study's experiment has its own location.
        port: on loopback; None: a free one.
        timeout: seconds to wait for the first answer; a cold start reads many files.

    Raises:
        BadInput: the port is taken.
        Unreachable: the server ended, or did not answer in time.
    """
    if uri.startswith(("http://", "https://")):
        return Server(url=masked(uri).rstrip("/"))
    port = _free_port(port)
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", HOST, "--port", str(port)]
    command += ["--default-artifact-root", artifact_root.absolute().as_uri(), "--no-serve-artifacts"]
    # The address is passed in the environment: a command line is visible to every user of the machine.
    environment = {**os.environ, **_LIGHT, "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_TRACKING_URI": uri}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        server = Server(url=f"http://{HOST}:{port}", process=process)
        try:
            if not _answers(server, time.monotonic() + timeout):
                log.seek(0)
                told = log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
                raise Unreachable(f"the MLflow page did not start at {server.url}: {scrubbed(told[-1], uri)[:300]}")
        except BaseException:
            server.close()
            raise
    return server


def compare_link(base_url: str, experiment_id: str, run_ids: Sequence[str]) -> str:
    """Return the link to the comparison of these runs."""
    runs, experiments = (quote(json.dumps(ids)) for ids in (list(run_ids), [experiment_id]))
    return f"{base_url.rstrip('/')}/#/compare-runs?runs={runs}&experiments={experiments}&{_CLASSIC}"


def view_link(base_url: str, experiment_id: str, key: str, *, charts: bool = False) -> str:
    """Return the link to a view of the experiment's runs (`tracking.views`), as a table or as charts."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"{base_url.rstrip('/')}/#/experiments/{experiment_id}/runs?viewStateShareKey={quote(key)}{mode}&{_CLASSIC}"


def _free_port(port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except (OSError, OverflowError):
            raise BadInput(f"port {port} on {HOST} cannot be used; expected a free one, or none for any") from None
        return int(probe.getsockname()[1])


def _answers(server: Server, deadline: float) -> bool:
    assert server.process is not None
    while time.monotonic() < deadline and server.process.poll() is None:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{server.url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
        time.sleep(0.2)
    return False


def _end(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, sign)
