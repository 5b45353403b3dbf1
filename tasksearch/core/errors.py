"""Errors for users: one line with the value, what was expected and the nearest valid alternative.

The command line prints a `TasksearchError` without a traceback and exits with its `exit_code`. Any other exception that reaches
the top is a bug in tasksearch; it too is reported in one line, with the path of a log that holds the traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches


def first_line(fault: BaseException) -> str:
    """Return the first line of another library's error message, at most 200 characters.

    If the message is empty, return the error's type.
    """
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]


def last_line(fault: BaseException) -> str:
    """Return the last line of another library's error message, at most 200 characters.

    In a remote traceback the last line states the error.
    """
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return (lines[-1] if lines else type(fault).__name__)[:200]


def no_room(fault: BaseException) -> bool:
    """Whether a write failed because the disk or a quota is full.

    safetensors raises no OSError; its message contains the error number.
    """
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(fault, OSError):
        return fault.errno in full
    return any(f"(os error {number})" in str(fault) for number in full)


class TasksearchError(Exception):
    """An error that the user can act on."""

    exit_code = 2


class UnknownName(TasksearchError):
    """A name that is not in a catalogue; the message suggests the nearest one that is."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = f" and {len(self.known) - _SHOWN} more" if len(self.known) > _SHOWN else ""
        super().__init__(f"no {kind} {name!r}{hint} (known: {', '.join(self.known[:_SHOWN]) or 'none'}{more})")


_SHOWN = 60
"""Maximum number of known names in the message: two hundred languages would hide the suggestion."""


class BadInput(TasksearchError):
    """A value, file or option that cannot be used as it is."""


class Damaged(BadInput):
    """A file that differs from what was written: truncated, a flipped bit, or a folder in its place."""


class ModelUnusable(TasksearchError):
    """A model folder or hub id that is not an encoder of a known family with its tokenizer."""


class DataMissing(TasksearchError):
    """A file or data set that a task needs is not where it is expected."""


class Unreachable(TasksearchError):
    """A server or cluster that did not answer in time."""

    exit_code = 3


class Refused(Unreachable):
    """A server that answered with a refusal: retrying is useless."""


class MissingPackage(TasksearchError):
    """An optional dependency that this call needs is not installed."""


class StudyBusy(TasksearchError):
    """Another driver owns the study folder."""

    exit_code = 4


class StudyNotReady(TasksearchError):
    """The study lacks what was requested: a baseline, a finished trial, a language."""


class DiskFull(TasksearchError):
    """No space left where the study writes."""

    exit_code = 5


class StoreUnusable(TasksearchError):
    """The segment store cannot be read or written: a newer format, read-only, no atomic rename, or another error."""

    exit_code = 5


class VersionsDiffer(TasksearchError):
    """A study, a store or a worker was made by other code or package versions than those that would continue it."""


class TrainingFailed(TasksearchError):
    """A segment's loss or gradient is not finite: the plan fails, the study goes on."""


class Interrupted(TasksearchError):
    """Stopped by Ctrl-C or SIGTERM: finished work is kept, and the study can be resumed."""

    exit_code = 130


class Paused(Interrupted):
    """Stopped in good order by a time limit or SIGUSR1, to be resumed later (EX_TEMPFAIL)."""

    exit_code = 75
