"""A study in a real pseudo-terminal: bars while it runs, Ctrl-C says how to go on; the rest in a pipe, in plain text."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from tasksearch.cli.printing import PIPED

STUDY = [
    "run", "--space", "joint", "--trials", "5", "--baseline-seeds", "3", "--leaders", "1", "--leader-seeds", "3",
    "--controls", "none", "--steps", "16",
    "--target", "retrieval", "--target", "topic", "--phase1-steps", "30", "--language", "near1", "--language", "lowfar",
]  # fmt: skip


def in_terminal(command, until, key, seconds=300):
    """Runs it in a pseudo-terminal of 100 columns, types `key` once `until` is seen; what was shown, exit status."""
    child, screen = pty.fork()
    if child == 0:  # pragma: no cover - becomes the command
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        os.execv(command[0], command)
    shown, typed, deadline = "", False, time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([screen], [], [], 1.0)[0]:
            try:
                part = os.read(screen, 65536)
            except OSError:  # the terminal is closed: the command has ended
                break
            if not part:
                break
            shown += part.decode(errors="replace")
        if not typed and re.search(until, shown):
            os.write(screen, key)
            typed = True
    else:
        os.kill(child, 9)
    os.close(screen)
    return shown, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_ctrl_c_in_a_terminal_says_how_to_go_on_and_a_pipe_finishes_in_plain_text(tmp_path):
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "tasksearch", *STUDY, "--out", str(folder)]
    shown, status = in_terminal(command, r"baseline", b"\x03")
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert status == 130, plain[-2000:]
    assert "\x1b[" in shown, "a terminal has a live display"
    last = " ".join(plain.strip().splitlines()[-1].split())
    assert re.fullmatch(rf"tasksearch: interrupted; \d+ finished trials are kept; go on with: tasksearch resume {folder}", last)
    assert "Traceback" not in plain

    rest = subprocess.run(
        [sys.executable, "-m", "tasksearch", "resume", str(folder)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )  # fmt: skip
    assert rest.returncode == 0, rest.stderr
    assert "\x1b" not in rest.stdout + rest.stderr
    assert re.search(r"\[ +\d+/\d+\] finalist", rest.stderr), rest.stderr
    strange = [line for line in rest.stderr.splitlines() if not re.match(r" +\d+ s  ", line)]
    assert strange == [], "no library talks"
    assert rest.stdout.rstrip().splitlines()[-1] == f"report   tasksearch report {folder}"
    assert max(map(len, rest.stdout.split("study    ")[0].splitlines())) <= PIPED
    assert (folder / "report.html").exists()
