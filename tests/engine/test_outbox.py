"""A place that goes away is waited for, in order, once said; one that refuses is a fault at once."""

import threading
import time

import pytest

from tasksearch.core.errors import Refused, Unreachable
from tasksearch.engine.outbox import Outbox, Patience

QUICK = Patience(at_end=30.0, first=0.001, longest=0.002)


class Place:
    """Notes what it is told; away for the given number of calls, from the given one on."""

    def __init__(self, away=0, since=1, error=None):
        self.told, self.calls, self.away, self.since = [], 0, away, since
        self.error = error or Unreachable("the server went away; start it again")

    def job(self, number):
        def tell():
            self.calls += 1
            if self.calls > self.since and self.away > 0:
                self.away -= 1
                raise self.error
            self.told.append(number)

        return tell


def run(place, patience=QUICK, *, once=False, wait=True):
    outbox, said = Outbox("MLflow", patience), []
    for number in range(4):
        outbox.put(place.job(number), once=once)
    outbox.start()
    outbox.close(wait=wait, tell=said.append)
    return outbox, said


def test_after_an_absence_all_is_told_in_order_and_the_absence_is_said_once():
    place = Place(away=50)
    outbox, said = run(place)
    assert place.told == [0, 1, 2, 3] and place.calls == 54 and outbox.fault is None
    assert said[0].startswith("the server went away: the study goes on") and said[-1].startswith("MLflow answers again after")
    assert sum("went away" in text for text in said) == 1


def test_an_absence_longer_than_the_patience_is_a_fault_and_the_rest_is_dropped():
    place = Place(away=10**9)
    outbox, _ = run(place, Patience(at_end=0.05, first=0.001, longest=0.002))
    assert place.told == [0] and isinstance(outbox.fault, Unreachable)


def test_who_does_not_wait_gets_one_last_try():
    place = Place(away=10**9)
    began = threading.Event()
    outbox = Outbox("MLflow", Patience(at_end=3600.0, first=3600.0))
    outbox.put(began.set)
    outbox.put(place.job(0))
    outbox.put(place.job(1))
    outbox.start()
    assert began.wait(30)
    outbox.close(wait=False)
    assert isinstance(outbox.fault, Unreachable) and place.told == [0]


@pytest.mark.parametrize("error", [Refused("MLflow failed: no such run"), ValueError("a defect")])
def test_what_another_try_would_meet_again_is_a_fault_at_once_and_is_not_said_to_be_away(error):
    place = Place(away=1, error=error)
    outbox, said = run(place)
    assert outbox.fault is error and place.told == [0] and said == []


def test_a_place_that_must_answer_once_is_not_waited_for():
    place = Place(away=1, since=0)
    outbox, said = run(place, once=True)
    assert isinstance(outbox.fault, Unreachable) and place.told == [] and said == []


def test_the_news_of_an_absence_come_while_it_lasts():
    place = Place(away=10**9)
    outbox = Outbox("MLflow", QUICK)
    outbox.put(place.job(0))
    outbox.put(place.job(1))
    outbox.start()
    deadline = time.monotonic() + 30
    while not (said := outbox.news()) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(said) == 1 and outbox.news() == []
    place.away = 0
    outbox.close()
    assert place.told == [0, 1]
