"""Errors for people: one line that shows the value, the wish and the neighbour.

The command line prints a `TasksearchError` without a traceback and exits with its `exit_code`.
Anything else that reaches the top is a defect of ours: one line too, with the path of a log that holds the traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches


def first_line(fault: BaseException) -> str:
    """The first line of a foreign error's text, at most 200 characters; the error's type where it says nothing."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]


def last_line(fault: BaseException) -> str:
    """The last line of a foreign error's text, at most 200 characters: of a remote traceback it says what happened."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return (lines[-1] if lines else type(fault).__name__)[:200]


def no_room(fault: BaseException) -> bool:
    """Whether a write failed for want of room or quota; safetensors raises no OSError, it writes the number into its text."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(fault, OSError):
        return fault.errno in full
    return any(f"(os error {number})" in str(fault) for number in full)


class TasksearchError(Exception):
    """A mistake or a misfortune that the user can act on."""

    exit_code = 2


class UnknownName(TasksearchError):
    """A name that is not in a catalogue, with the nearest one that is."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = f" and {len(self.known) - _SHOWN} more" if len(self.known) > _SHOWN else ""
        super().__init__(f"no {kind} {name!r}{hint} (known: {', '.join(self.known[:_SHOWN]) or 'none'}{more})")


_SHOWN = 60
"""Names in the line of an unknown one; a suite's two hundred languages would hide the nearest."""


class BadInput(TasksearchError):
    """A value, file or option that cannot be used as it is."""


class Damaged(BadInput):
    """A file that is not as it was written: cut short, a flipped bit, a folder in its place."""


class ModelUnusable(TasksearchError):
    """A model folder or hub id that is not an XLM-R-shaped encoder with a tokenizer."""


class DataMissing(TasksearchError):
    """A file or data set that a task needs is not where it was looked for."""


class Unreachable(TasksearchError):
    """A server or cluster that did not answer in time."""

    exit_code = 3


class Refused(Unreachable):
    """A server that answered, and said no: waiting for it is of no use."""


class MissingPackage(TasksearchError):
    """An optional dependency that this call needs."""


class StudyBusy(TasksearchError):
    """Another driver owns the study folder."""

    exit_code = 4


class StudyNotReady(TasksearchError):
    """The study lacks what was asked for: a baseline, a finished trial, a language."""


class AlreadyRead(TasksearchError):
    """The reporting examples were read before, under another rule or for another choice."""

    exit_code = 6


class DiskFull(TasksearchError):
    """No room left where the study writes."""

    exit_code = 5


class StoreUnusable(TasksearchError):
    """The segment store cannot be read or written here: a newer format, read-only, no atomic rename, another fault."""

    exit_code = 5


class VersionsDiffer(TasksearchError):
    """A study, a store or a worker was made by other code, or with other packages, than would go on with it now."""


class TrainingFailed(TasksearchError):
    """A segment whose loss or gradient is not finite: the plan's failure, not the study's."""


class Interrupted(TasksearchError):
    """Ctrl-C or SIGTERM: what is finished is kept, and the study can be resumed."""

    exit_code = 130


class Paused(Interrupted):
    """A limit of time was reached, or SIGUSR1 came: in good order, and meant to be resumed (EX_TEMPFAIL)."""

    exit_code = 75
