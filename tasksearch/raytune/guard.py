"""What Ray calls must not raise: an exception would end `tune.run` with a traceback of Ray's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from tasksearch.engine.trial_manager import TrialManager

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)


def guarded(manager: TrialManager, act: Callable[[], _T], otherwise: _T) -> _T:
    """What `act` returns; where it raises, that is the trial manager's fault, and the stopper ends the run in good order."""
    try:
        return act()
    except Exception as error:  # raised by the driver once Ray is at rest
        _LOG.error("the run ends: %s", error, exc_info=error)
        manager.fault = manager.fault or error
        return otherwise
