"""Addresses: what does not answer is said within seconds, and no password is ever shown."""

import http.server
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.tracking.address import check_answers, default_uri, masked, scrubbed
from tasksearch.tracking.mlflow import MlflowTracker

CONFIG = StudyConfig(
    name="first", space=SearchSpace(name="joint", summary=""), suite="lab", model="lab", targets=("nli",), languages=("sw",)
)
WORDS = st.text("abcdefXYZ0189", min_size=6, max_size=12)


@given(WORDS, WORDS, WORDS)
def test_user_password_and_query_are_never_printed(user, password, token):
    uri = f"https://u{user}:p{password}@host.example:8443/mlflow?token=t{token}"
    assert masked(uri) == "https://host.example:8443/mlflow"
    text = scrubbed(f"failed for {uri}: token=t{token}, login u{user}:p{password}, again p{password}", uri)
    assert f"p{password}" not in text
    assert f"t{token}" not in text


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "", "http://"])
def test_a_folder_or_no_host_is_no_tracking_address(uri):
    with pytest.raises(BadInput, match="expected"):
        check_answers(uri)


def test_an_address_that_cannot_be_read_is_not_quoted():
    with pytest.raises(BadInput) as caught:
        check_answers("http://me:secret/word@host:5000:x")
    assert "secret" not in str(caught.value)


def test_an_address_that_does_not_answer_is_one_line_without_its_password(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refuses at once
        port = taken.getsockname()[1]
        tracker = MlflowTracker(f"http://me:secretword@127.0.0.1:{port}", tmp_path, "study")
        with pytest.raises(Unreachable) as caught:
            tracker.open_study(CONFIG, {})
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "secretword" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def refusing():
    """A server that answers every request with 401."""

    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_accepts_and_stays_silent_does_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Unreachable, match="timed out"):
            check_answers(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)


def test_a_server_that_refuses_is_there(refusing):
    check_answers(f"http://me:secretword@127.0.0.1:{refusing.server_port}/mlflow/")


def test_a_refusal_is_one_line_without_the_password(refusing, tmp_path):
    with pytest.raises(Unreachable, match="401") as caught:
        MlflowTracker(f"http://me:secretword@127.0.0.1:{refusing.server_port}", tmp_path, "study").open_study(CONFIG, {})
    assert "secretword" not in str(caught.value)


@pytest.mark.parametrize("uri", ["http://a..b:5000", "http://two words:5000", "postgresql://a..b/db"])
def test_a_host_name_that_cannot_be_is_one_line(uri):
    with pytest.raises(Unreachable, match="no MLflow server answers"):
        check_answers(uri)


def test_a_folder_that_would_end_the_database_address_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"without '\?'"):
        default_uri(tmp_path / "mix?")
