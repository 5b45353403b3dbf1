"""Ray's logs are kept where something failed, bounded and without secrets; Ray itself is not started here."""

import logging

import pytest

from tasksearch.core.errors import Paused
from tasksearch.core.logs import driver_log, study_log
from tasksearch.core.required_segments import RequiredSegment
from tasksearch.engine.segment_scheduling import SegmentScheduling
from tasksearch.raytune import ray_logs
from tasksearch.raytune.ray_logs import KEPT, keep_tails, ray_logs_kept


@pytest.fixture
def rays(tmp_path, monkeypatch):
    source = tmp_path / "session" / "logs"
    (source / "old").mkdir(parents=True)
    (source / "raylet.err").write_text("x" * 300_000 + "\nno route to mysql://me:hunter2@db\n")
    (source / "empty.out").write_text("")
    (source / "link").symlink_to("/etc/hostname")
    monkeypatch.setattr(ray_logs, "logs_folder", lambda: source)
    return source


def kept(study):
    return sorted(path.name for path in (study / KEPT).glob("*"))


def test_nothing_is_kept_of_a_run_that_went_well(rays, tmp_path):
    with ray_logs_kept(tmp_path, lambda: False):
        pass
    assert kept(tmp_path) == []


def test_an_error_keeps_them_and_so_does_a_lost_worker(rays, tmp_path):
    with pytest.raises(RuntimeError), ray_logs_kept(tmp_path / "a", lambda: False):
        raise RuntimeError
    with ray_logs_kept(tmp_path / "b", lambda: True):
        pass
    assert kept(tmp_path / "a") == kept(tmp_path / "b") == ["raylet.err"]


def test_a_pause_is_no_failure(rays, tmp_path):
    with pytest.raises(Paused), ray_logs_kept(tmp_path, lambda: False):
        raise Paused("a limit")
    assert kept(tmp_path) == []


def test_ends_are_kept_without_secrets_and_older_copies_go(rays, tmp_path):
    assert keep_tails(rays, tmp_path / KEPT) == 1
    (tmp_path / KEPT / "of_before").write_text("x")
    assert keep_tails(rays, tmp_path / KEPT) == 1
    text = (tmp_path / KEPT / "raylet.err").read_text()
    assert kept(tmp_path) == ["raylet.err"] and len(text) < 270_000
    assert text.endswith("no route to mysql://***@db\n")


def test_a_copy_that_fails_hides_no_error(rays, tmp_path):
    (tmp_path / KEPT).write_text("a file in its place")
    with pytest.raises(RuntimeError, match="the cause"), ray_logs_kept(tmp_path, lambda: False):
        raise RuntimeError("the cause")


def test_who_holds_a_trial_up_is_known():
    scheduling = SegmentScheduling(2, 2)
    for name in ("one", "two"):
        scheduling.enter(name)
    assert scheduling.arrive("one", [RequiredSegment("s", 5.0)]) and not scheduling.arrive(
        "two", [RequiredSegment("s", 5.0), RequiredSegment("t", 1.0, 1)]
    )
    assert scheduling.blockers("two") == {"s": "one"} and scheduling.blockers("one") == {}


def test_the_driver_log_tells_the_story_of_a_study(planted, tmp_path):
    with study_log(tmp_path):
        manager = planted.open_manager(tmp_path, trials=5)
        planted.run_in_process(manager, tmp_path, {"raise_in": [4]}, at_once=2)
        manager.lose(99 % 5, "never running any more")
    told = driver_log(tmp_path).read_text()
    for words in (
        "study 'planted' opened: trials none yet",
        "trial 0 (baseline) proposed: no intermediate phase",
        "trial 0 (baseline) started",
        "trial 0 is done",
        "the baseline is complete",
        "trial 4 failed: RuntimeError: planted failure in trial 4; its traceback is in",
        "waiting for trial",
    ):
        assert words in told, words
    assert "RuntimeError: planted failure" in (tmp_path / "trials" / "0004.log").read_text()
    assert logging.getLogger("tasksearch").handlers == []
