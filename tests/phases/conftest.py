"""A process that is killed several times on its way, in one process."""

import pytest


class Killed(BaseException):
    """Stands for the end of a process."""


def to_the_end(live, kills):
    """Calls `live(on_step)` once for each of `kills`, ended before so many steps of that life, then once to its end.

    A life that is over before its kill is followed by the next one all the same. The last life's answer.
    """
    for kill in kills:
        left = [kill]

        def on_step(*_, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        try:
            live(on_step)
        except Killed:
            continue
    return live(lambda *_: None)


@pytest.fixture(scope="session")
def lives():
    """The function `to_the_end`."""
    return to_the_end
