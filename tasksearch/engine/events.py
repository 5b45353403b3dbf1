"""What a run tells whoever shows its progress; all are sent from the driver's thread, in the order things happened."""

from __future__ import annotations

from dataclasses import dataclass

from tasksearch.core.study import TrialRecord


@dataclass(frozen=True, kw_only=True)
class TrialStarted:
    """A trial was handed to Ray; `again` where an earlier run of the driver had begun it."""

    record: TrialRecord
    again: bool


@dataclass(frozen=True, kw_only=True)
class TrialProgress:
    """A trial waits for, or begins, its part `part`; `position` of `parts` are done."""

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
    """A finished trial has its objective, where it can have one, and was told to Optuna and handed to the tracker."""

    record: TrialRecord


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that the user should know, in one line: a server went away, or is back."""

    text: str


Event = TrialStarted | TrialProgress | TrialFinished | TrialJudged | Notice
