"""`left_as_found`: restore the process state that a call changes."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_as_found() -> Iterator[None]:
    """Restore environment variables, signal handlers, and levels and handlers of existing loggers on exit.

    Libraries called inside set dozens of them. Signal handlers can be restored only in the main thread, and only where Python
    installed them.
    """
    environment, loggers, handlers = dict(os.environ), _loggers(), _handlers()
    try:
        yield
    finally:
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
        for logger, (level, propagate, disabled, its_handlers) in loggers.items():
            logger.setLevel(level)
            logger.propagate, logger.disabled, logger.handlers[:] = propagate, disabled, its_handlers
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)  # type: ignore[arg-type]


def _loggers() -> dict[logging.Logger, tuple[int, bool, bool, list[logging.Handler]]]:
    known = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    return {one: (one.level, one.propagate, one.disabled, list(one.handlers)) for one in (logging.root, *known)}


def _handlers() -> dict[int, object]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return {number: handler for number, handler in found.items() if handler is not None}
