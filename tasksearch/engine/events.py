"""Events of a run, for displays of progress. Almost all are sent from the driver's thread, in the order they happened."""

from __future__ import annotations

from dataclasses import dataclass

from tasksearch.core.study import TrialRecord


@dataclass(frozen=True, kw_only=True)
class TrialStarted:
    """A trial was handed to Ray. `again`: it had been started before."""

    record: TrialRecord
    again: bool


@dataclass(frozen=True, kw_only=True)
class TrialProgress:
    """A trial is about to run its part `part`, or waits to; `position` of its `parts` parts are done."""

    number: int
    part: str
    position: int
    parts: int


@dataclass(frozen=True, kw_only=True)
class TrialFinished:
    """A trial is done, stopped or failed, and recorded. Its objective is None while the baseline is incomplete."""

    record: TrialRecord


@dataclass(frozen=True, kw_only=True)
class TrialJudged:
    """A finished trial has its objective, if it can have one, and was passed to Optuna and to the tracker."""

    record: TrialRecord


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One line that the user should read, such as that a server stopped answering or answers again."""

    text: str


Event = TrialStarted | TrialProgress | TrialFinished | TrialJudged | Notice
