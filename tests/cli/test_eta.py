"""The time left is what the last trials took, times those that are left."""

import pytest

from tasksearch.cli.eta import TimeLeft, in_words


def told(total, before, ends):
    forecast = TimeLeft(total)
    forecast.begin(before, 0.0)
    for at in ends:
        forecast.end(at)
    return forecast.seconds_left()


def test_nothing_is_said_of_two_trials_or_at_the_end():
    assert told(10, 0, [5.0, 10.0]) is None
    assert told(3, 0, [5.0, 10.0, 15.0]) is None


def test_trials_of_earlier_runs_are_not_left_and_take_no_time():
    assert told(10, 4, [5.0, 10.0, 15.0]) == pytest.approx(3 * 5.0)


def test_the_last_eight_count():
    slow, fast = [100.0 * n for n in range(1, 6)], [500.0 + n for n in range(1, 9)]
    assert told(20, 0, slow + fast) == pytest.approx(7 * 1.0)


def test_a_second_beginning_changes_nothing():
    forecast = TimeLeft(10)
    for n in range(4):
        forecast.begin(n, float(n))
        forecast.end(n + 1.0)
    assert forecast.seconds_left() == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (40, ", about 40 s left"), (840, ", about 14 min left"), (9000, ", about 2.5 h left")]
)
def test_in_words(seconds, words):
    assert in_words(seconds) == words
