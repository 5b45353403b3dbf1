"""Error trap for functions that Ray calls: an exception from them would end `tune.run` with Ray's own traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from tasksearch.engine.trial_manager import TrialManager

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


def guarded(manager: TrialManager, act: Callable[[], _T], otherwise: _T) -> _T:
    """Return the result of `act`. If it raises, store the exception as the trial manager's fault and return `otherwise`.

    The fault then makes the stopper end the run in good order.
    """
    try:
        return act()
    except Exception as error:  # the driver raises it again once Ray's loop has ended
        _LOG.error("the run ends: %s", error, exc_info=error)
        manager.fault = manager.fault or error
        return otherwise
