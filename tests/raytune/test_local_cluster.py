"""Ray on this machine: waited for, on loopback, with a token that nobody else reads, and gone without a trace."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.raytune import local_cluster as module
from tasksearch.raytune.local_cluster import sweep, temporary_base

# What a driver sees of its own cluster, and what it leaves of its process; with `hold` it waits to be killed.
DRIVER = """
import json, logging, os, signal, sys
import psutil, ray
from tasksearch.raytune.cluster import cluster

logging.getLogger("ray").setLevel(logging.WARNING)
before = dict(os.environ), signal.getsignal(signal.SIGTERM), logging.getLogger("ray").level

def addresses():
    me = psutil.Process()
    found = (c for p in [me, *me.children(recursive=True)] for c in p.net_connections(kind="inet"))
    return sorted({c.laddr.ip for c in found if c.status == psutil.CONN_LISTEN})

with cluster(None, 2, {"cpu": 1.0}) as slots:
    folder = os.path.dirname(os.path.dirname(ray._private.worker._global_node.get_session_dir_path()))
    there = [p.pid for p in psutil.Process().children(recursive=True)]
    print(json.dumps({"addresses": addresses(), "folder": folder, "mode": oct(os.stat(folder).st_mode)[-3:], "slots": slots,
                      "processes": there}), flush=True)
    if "hold" in sys.argv:
        sys.stdin.read()
print(json.dumps({"environment": {k: v for k, v in os.environ.items() if before[0].get(k) != v} | {
    k: None for k in before[0].keys() - os.environ.keys()}, "sigterm": signal.getsignal(signal.SIGTERM) == before[1],
    "level": logging.getLogger("ray").level == before[2]}), flush=True)
"""


def driver(tmp_path, *words):
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "t").mkdir(exist_ok=True)
    taken = ("RAY_", "TUNE_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(taken)} | {"HOME": str(tmp_path / "home")}
    environment["RAY_TMPDIR"] = f"/tmp/ts{os.getpid()}"  # pytest's own folders are too long for sockets
    command = [sys.executable, "-c", DRIVER, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment)  # fmt: skip


def gone(pids, seconds=30):
    def alive(pid):
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    end = time.monotonic() + seconds
    while left := [pid for pid in pids if alive(pid)]:
        if time.monotonic() > end:
            return left
        time.sleep(0.2)
    return []


def test_a_local_cluster_listens_on_loopback_is_private_and_leaves_the_process_and_the_machine_as_they_were(tmp_path):
    run = driver(tmp_path)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    inside, after = map(json.loads, out.splitlines())
    assert {address.removeprefix("::ffff:") for address in inside["addresses"]} == {"127.0.0.1"}
    assert inside["mode"] == "700" and inside["slots"] == 2
    assert not Path(inside["folder"]).exists() and not gone(inside["processes"])
    assert after == {"environment": {}, "sigterm": True, "level": True}
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()], "a token would guard later clusters"


def test_a_killed_driver_takes_all_of_ray_with_it_and_its_folder(tmp_path):
    run = driver(tmp_path, "hold")
    inside = json.loads(run.stdout.readline())
    folder, base = Path(inside["folder"]), Path(inside["folder"]).parent
    sweep(base)
    assert folder.exists(), "its driver lives"
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    assert not gone(inside["processes"])
    for _ in range(100):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not folder.exists(), "what was killed beside it does not wait for the next driver"


def test_what_is_not_a_dead_drivers_folder_is_never_swept(tmp_path):
    for name in ("session_2026", "ts-ray-making"):
        (tmp_path / name).mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "driver.lock").write_text("")
    (tmp_path / "ts-ray-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "ts-ray-dead").mkdir()
    (tmp_path / "ts-ray-dead" / "driver.lock").write_text("")
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"session_2026", "ts-ray-making", "elsewhere", "ts-ray-link"}


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_a_temporary_folder_too_long_for_rays_sockets_is_known_at_once_and_to_the_byte(tmp_path, monkeypatch, variable):
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", "/tmp")
    room = module._MOST_BYTES - len(f"/{module._PREFIX}12345678/{module._DEEPEST}")
    fits = "/tmp/" + f"{os.getpid()}".rjust(room - 5, "x")
    monkeypatch.setenv(variable, fits)
    try:
        assert str(temporary_base()) == fits
    finally:
        Path(fits).rmdir()
    monkeypatch.setenv(variable, fits + "y")
    with pytest.raises(BadInput, match=rf"\${variable} is .*1 bytes too long.*set RAY_TMPDIR to a folder of at most {room}"):
        temporary_base()
    monkeypatch.setenv(variable, fits[:-2] + "éé")  # bytes count, not letters
    with pytest.raises(BadInput, match="2 bytes too long"):
        temporary_base()


def test_what_ray_counts_as_too_long_is_what_we_do():
    from ray._private.utils import validate_socket_filepath

    validate_socket_filepath("x" * module._MOST_BYTES)
    with pytest.raises(OSError, match="cannot exceed"):
        validate_socket_filepath("x" * (module._MOST_BYTES + 1))


def test_a_temporary_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "file" / "folder"))
    with pytest.raises(BadInput, match=r"RAY_TMPDIR is .*Not a directory"):
        temporary_base()


def failing_init(monkeypatch, times, kind=RuntimeError, takes=0.0):
    calls, clock = [], [0.0]
    monkeypatch.setattr(module, "leave", lambda: None)

    def init(**options):
        calls.append(options["address"])
        clock[0] += takes
        if len(calls) <= times:
            raise kind("the raylet did not come up in time\nmore")

    monkeypatch.setattr(module.ray, "init", init)
    monkeypatch.setattr(module.ray, "shutdown", lambda: None)
    monkeypatch.setattr(module, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    return calls


def test_a_start_that_fails_twice_is_tried_a_third_time(monkeypatch):
    calls = failing_init(monkeypatch, 2)
    module._start({"address": "local"})
    assert calls == ["local"] * 3


@pytest.mark.parametrize("kind", [RuntimeError, Exception])  # Ray raises both
def test_a_start_that_fails_thrice_at_once_is_one_line_with_rays_own_error(monkeypatch, kind):
    calls = failing_init(monkeypatch, 9, kind)
    with pytest.raises(
        Unreachable, match="Ray did not start on this machine in 0 s: the raylet did not come up in time; try again"
    ):
        module._start({"address": "local"})
    assert len(calls) == 3


def test_a_start_that_takes_long_to_fail_is_tried_again_for_ten_minutes(monkeypatch):
    calls = failing_init(monkeypatch, 12, Exception, takes=45.0)
    module._start({"address": "local"})
    assert len(calls) == 13
    calls = failing_init(monkeypatch, 99, Exception, takes=45.0)
    with pytest.raises(Unreachable, match="in 630 s"):
        module._start({"address": "local"})
    assert len(calls) == 14


def test_ray_waits_for_a_raylet_that_is_alive_and_for_none_that_died(monkeypatch, tmp_path):
    from ray._private import services

    calls = []

    def get_node(*_):
        calls.append(1)
        if len(calls) < 5:
            raise RuntimeError("no node info")
        return {"labels": {}}

    monkeypatch.setattr(services, "get_node", get_node)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    with module._waiting():
        assert services.get_node("address", "node") == {"labels": {}}
    assert services.get_node is get_node
    calls.clear()
    raylet = subprocess.Popen([shutil.copy(shutil.which("true"), tmp_path / "raylet")])
    os.waitid(os.P_PID, raylet.pid, os.WEXITED | os.WNOWAIT)
    with module._waiting():
        with pytest.raises(RuntimeError, match="no node info"):
            services.get_node("address", "node")
        assert services.get_node("address", "node") == {"labels": {}}, "another try is not ended by it"
    raylet.wait()  # it is gone: so that Python knows


def test_a_start_that_takes_long_says_so(monkeypatch):
    monkeypatch.setattr(module, "_SAY_AFTER", 0.02)
    said = []
    with module._telling(said.append):
        time.sleep(0.2)
    assert said and said[0].startswith("Ray is still starting after 0 s (load ") and "cores); waiting for it" in said[0]
    lines = len(said)
    time.sleep(0.1)
    assert len(said) == lines
