"""A run that may last only so long ends in good order, and another call goes on."""

import os
import signal

import pytest

from tasksearch.core.errors import Paused
from tasksearch.engine.limits import Limits, Meter
from tasksearch.records.ledger import Ledger


def test_hours_count_the_clock_and_gpu_hours_the_trials_that_ran():
    now = [0.0]
    meter = Meter(Limits(seconds=100.0, gpu_seconds=30.0), 0.5, clock=lambda: now[0])
    now[0] = 10.0
    assert meter.reached(4) is None  # 20 GPU-seconds
    now[0] = 16.0
    assert meter.reached(2) is None  # 26
    now[0] = 20.0
    assert "GPU-hours" in meter.reached(2)
    assert Meter(Limits(), 1.0).reached(1) is None
    assert Meter(Limits(seconds=0.0), 0.0, clock=lambda: 0.0).reached(0) == "the limit of 0 hours is reached"


@pytest.mark.usefixtures("local_cluster")
def test_a_limit_and_a_batch_systems_signal_pause_a_study_that_a_later_call_completes(planted, tmp_path):
    with pytest.raises(Paused, match="the limit of 0 hours is reached; 0 trials are kept") as caught:
        planted.run(tmp_path, trials=4, leaders=0, limits=Limits(seconds=0.0))
    assert caught.value.exit_code == 75

    finished = []

    def warn(event):
        if type(event).__name__ == "TrialFinished":
            finished.append(event.record.number)
            if len(finished) == 3:
                os.kill(os.getpid(), signal.SIGUSR1)

    with pytest.raises(Paused, match="SIGUSR1 came"):
        planted.run(tmp_path, trials=8, leaders=0, on_event=warn, context={"sleep": 0.1})
    kept = sum(record.status == "done" for record in Ledger(tmp_path).records())
    assert 3 <= kept < 8
    planted.run(tmp_path, trials=8, leaders=0)
    assert [record.status for record in Ledger(tmp_path).records()] == ["done"] * 8
