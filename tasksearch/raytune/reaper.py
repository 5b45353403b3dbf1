"""Ends what is left of a local Ray cluster once its driver has ended in any way: `python -I reaper.py FOLDER`.

Runs as a process of its own, started by this file's path. Its standard input is a pipe that the driver holds, which closes
when the driver ends, even if it was killed. Without it Ray's agents would stay for a minute, and Ray's folder for good.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_MOST_SECONDS = 20.0
_WELL = b"the driver ends in good order"


@contextmanager
def reaped(folder: Path) -> Iterator[None]:
    """Context in which the death of this process ends every Ray process that has a file open in the folder."""
    command = [sys.executable, "-I", str(Path(__file__).resolve()), str(folder)]
    nowhere = subprocess.DEVNULL
    reaper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True)
    assert reaper.stdin is not None
    try:
        yield
    finally:
        with suppress(OSError):  # the reaper may have been killed
            reaper.stdin.write(_WELL)
            reaper.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            reaper.wait(_MOST_SECONDS)


def reap(folder: Path) -> None:
    """Kill the Python and Ray processes that have a file open in the folder, then remove it."""
    end = time.monotonic() + _MOST_SECONDS
    while folder.exists() and time.monotonic() < end:
        found = [process for process in psutil.process_iter() if _belongs(process, folder)]
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        if not found:
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


def _belongs(process: psutil.Process, folder: Path) -> bool:
    """Return whether a process runs Python or Ray and has a file of the folder open; so a pager on the logs is not killed."""
    if process.pid == os.getpid():
        return False
    try:
        executable = process.exe()
        ours = os.path.samefile(executable, sys.executable) or "/ray/" in executable  # noqa: PTH121 - text on both sides
        return ours and any(Path(file.path).is_relative_to(folder) for file in process.open_files())
    except (psutil.Error, OSError):
        return False


if __name__ == "__main__":
    if sys.stdin.buffer.read() != _WELL:
        reap(Path(sys.argv[1]))
