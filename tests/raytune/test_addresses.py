"""An address is known to be Ray's, or not, within seconds: Ray itself would try for minutes."""

import socket
import threading

import pytest

from tasksearch.core.errors import BadInput, MissingPackage, Unreachable
from tasksearch.raytune import cluster as module


@pytest.fixture(params=["silent", "http", "echo", "hangs up"])
def stranger(request):
    """host:port of a server that speaks TCP and is not Ray."""
    server, lines = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            lines.append(line)
            if request.param == "http":
                line.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            if request.param == "echo":
                line.sendall(line.recv(1000))
            if request.param == "hangs up":
                line.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)
    for line in lines:
        line.close()


def test_what_speaks_tcp_and_is_not_ray_is_refused_in_one_line(stranger, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.5)
    monkeypatch.setattr(module.ray, "is_initialized", lambda: False)  # whatever another test is connected to
    monkeypatch.setattr(module.ray, "init", lambda **_: pytest.fail("Ray would try for minutes"))
    with (
        pytest.raises(Unreachable, match=rf"no Ray cluster answers at '{stranger}': something else does") as caught,
        module.cluster(stranger, 1, {"cpu": 1.0}),
    ):
        pytest.fail("no cluster there")
    assert "\n" not in str(caught.value) and caught.value.exit_code == 3


def test_a_cluster_that_runs_passes(local_cluster):
    import ray

    module._knock(ray.get_runtime_context().gcs_address)


def test_a_process_that_is_connected_runs_nothing_elsewhere(local_cluster):
    import ray

    here = ray.get_runtime_context().gcs_address
    for address in (None, "auto", "local", here):
        with module.cluster(address, 1, {"cpu": 1.0}) as slots:
            assert slots == local_cluster
    with (
        pytest.raises(BadInput, match=f"connected to the Ray cluster at {here}, not '127.0.0.1:1'") as caught,
        module.cluster("127.0.0.1:1", 1, {"cpu": 1.0}),
    ):
        pytest.fail("a study would run where nobody asked for it")
    assert "\n" not in str(caught.value) and ray.is_initialized()


def test_a_client_address_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install 'ray\[client\]'"):
        module._knock("ray://127.0.0.1:10001")


def test_auto_is_the_cluster_that_was_started_here_and_never_one_that_merely_runs(monkeypatch, tmp_path):
    from ray._private.utils import write_ray_address

    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(Unreachable, match=r"no cluster for --address auto: .*expected HOST:PORT"):
        module._address_of("auto")  # another cluster of this machine's may be running: these tests' own is
    (tmp_path / "ray").mkdir()
    write_ray_address("10.0.0.1:6379")
    assert module._address_of("auto") == "10.0.0.1:6379"
    monkeypatch.setenv("RAY_ADDRESS", "ray://10.0.0.2:10001")
    assert module._address_of("auto") == "ray://10.0.0.2:10001"
    assert module._address_of("10.0.0.3:6379") == "10.0.0.3:6379"
