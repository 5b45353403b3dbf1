"""A short command runs without the collector of cycles, and leaves it as it found it."""

import gc

import pytest

from tasksearch.cli.short import short


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.enable()


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_it_was_before(before):
    (gc.enable if before else gc.disable)()
    assert short(gc.isenabled)() is False
    assert gc.isenabled() is before


def test_after_an_error_too():
    with pytest.raises(ZeroDivisionError):
        short(lambda: 1 // 0)()
    assert gc.isenabled()
