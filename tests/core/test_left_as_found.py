"""A process is afterwards what it was before: environment, loggers, signal handlers."""

import logging
import os
import signal

import pytest

from tasksearch.core.left_as_found import left_as_found


def test_what_was_changed_added_or_removed_is_undone_also_after_an_error(monkeypatch):
    monkeypatch.setenv("LEFT_CHANGED", "before")
    monkeypatch.setenv("LEFT_REMOVED", "before")
    monkeypatch.delenv("LEFT_ADDED", raising=False)
    logger, handler = logging.getLogger("left.as.found"), logging.NullHandler()
    logger.setLevel(logging.INFO)
    before = dict(os.environ), signal.getsignal(signal.SIGTERM), logging.root.level
    with pytest.raises(RuntimeError, match="planted"), left_as_found():
        os.environ |= {"LEFT_CHANGED": "after", "LEFT_ADDED": "after"}
        del os.environ["LEFT_REMOVED"]
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        logger.setLevel(logging.CRITICAL)
        logger.addHandler(handler)
        logger.propagate = False
        logging.root.setLevel(logging.DEBUG)
        raise RuntimeError("planted")
    assert (dict(os.environ), signal.getsignal(signal.SIGTERM), logging.root.level) == before
    assert logger.level == logging.INFO and handler not in logger.handlers and logger.propagate
