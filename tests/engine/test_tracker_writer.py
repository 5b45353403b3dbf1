"""The tracker's thread keeps order, passes faults on, and holds nobody up."""

import dataclasses
import threading

import pytest

from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.engine.tracker_writer import TrackerWriter


@pytest.fixture
def records(planted):
    record = TrialRecord(number=0, role="baseline", status="done", plan=planted.plan_of(Schedule.none(), 0), objective=0.0)
    return [dataclasses.replace(record, number=n) for n in range(5)]


def test_trials_are_written_in_the_order_they_were_asked_for(planted, records):
    tracker = planted.SilentTracker()
    writer = TrackerWriter(tracker)
    writer.start(planted.config(), {})
    for record in records:
        writer.write(record)
    writer.close()
    assert [number for number, *_ in tracker.written] == [0, 1, 2, 3, 4] and tracker.opened == 1
    assert set(writer.seconds) == {0, 1, 2, 3, 4} and writer.fault is None


def test_after_a_fault_nothing_more_is_written_and_the_fault_is_kept(planted, records):
    tracker = planted.SilentTracker(fail_at=2)
    writer = TrackerWriter(tracker)
    writer.start(planted.config(), {})
    for record in records:
        writer.write(record)
    writer.close()
    assert [number for number, *_ in tracker.written] == [0, 1]
    assert isinstance(writer.fault, ConnectionError)


def test_a_study_that_cannot_be_opened_is_raised_where_it_is_waited_for(planted):
    class Closed(planted.SilentTracker):
        def open_study(self, config, tags):
            raise ConnectionError("no server")

    writer = TrackerWriter(Closed())
    writer.start(planted.config(), {})
    with pytest.raises(ConnectionError, match="no server"):
        writer.wait_until_open()
    writer.close()


def test_asking_returns_before_a_slow_tracker_has_written(planted, records):
    gate = threading.Event()

    class Slow(planted.SilentTracker):
        def write_trial(self, record, artefacts):
            gate.wait(30)
            super().write_trial(record, artefacts)

    tracker = Slow()
    writer = TrackerWriter(tracker)
    writer.start(planted.config(), {})
    writer.write(records[0])
    assert tracker.written == []
    gate.set()
    writer.close()
    assert len(tracker.written) == 1
