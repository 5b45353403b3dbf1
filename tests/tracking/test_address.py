"""Addresses: what does not answer is said within seconds, and no password is ever shown."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, Unreachable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.tracking.address import check_answers, masked, scrubbed
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


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", ""])
def test_a_folder_is_no_tracking_address(uri):
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
