"""Signals that end or pause a run, and what a trial is counted for; without Ray's start-up."""

import os
import signal
from types import SimpleNamespace

import pytest

from tasksearch.raytune import cluster
from tasksearch.raytune.driver import _signals


@pytest.fixture(autouse=True)
def as_before():
    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in heard}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended_by(number):
    manager = SimpleNamespace(interrupted=False, paused=None)
    with _signals(manager):
        os.kill(os.getpid(), number)
    return manager


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_of_these_ends_a_run_in_good_order_and_a_second_one_at_once(number):
    assert ended_by(number).interrupted
    manager = SimpleNamespace(interrupted=False, paused=None)
    with pytest.raises(KeyboardInterrupt), _signals(manager):
        for _ in range(2):
            os.kill(os.getpid(), number)


def test_a_hang_up_that_nohup_has_silenced_stays_silent_and_is_so_afterwards():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert not ended_by(signal.SIGHUP).interrupted
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_sigusr1_pauses():
    manager = ended_by(signal.SIGUSR1)
    assert manager.paused == "SIGUSR1 came" and not manager.interrupted


@pytest.mark.parametrize(
    ("asked", "gpus", "counts"),
    [
        ({"cpu": 1.0, "gpu": None}, 4.0, {"cpu": 1.0, "gpu": 1.0}),
        ({"cpu": 1.0, "gpu": None}, 0.0, {"cpu": 1.0}),
        ({"cpu": 1.0, "gpu": 0.0}, 4.0, {"cpu": 1.0, "gpu": 0.0}),
        ({"cpu": 1.0, "gpu": 0.5}, 4.0, {"cpu": 1.0, "gpu": 0.5}),
        ({"cpu": 1.0}, 4.0, {"cpu": 1.0}),
    ],
)
def test_a_trial_without_a_word_about_gpus_is_counted_for_one_where_there_are_any(monkeypatch, asked, gpus, counts):
    monkeypatch.setattr(cluster.ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": gpus})
    assert cluster.counted(asked) == counts
