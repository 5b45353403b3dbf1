"""Missing records: a verdict from a copy that lacks some of them would be another study's, so readers refuse it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tasksearch.core.errors import StudyNotReady

if TYPE_CHECKING:
    from tasksearch.records.ledger import Ledger


def missing_numbers(ledger: Ledger, numbers: Collection[int]) -> list[int]:
    """Numbers of trials without a record: those below the highest, and those that the study had when it ended.

    Args:
        numbers: of the records that are there.
    """
    known = max(numbers, default=-1) + 1
    ended = ledger.ended()
    if ended is not None and ended[0] == ledger.config():
        known = max(known, ended[1])
    return sorted(set(range(known)) - set(numbers))


def refuse_holes(ledger: Ledger, numbers: Collection[int]) -> None:
    """Raises StudyNotReady with the missing numbers and the way out, where there are any."""
    missing = missing_numbers(ledger, numbers)
    if not missing:
        return
    aside = set(ledger.put_aside())
    gone = [number for number in missing if number not in aside]
    if gone:
        raise StudyNotReady(
            f"{ledger.trials_path} lacks {named(gone)}; copy what is missing from where the study came from, or "
            f"`tasksearch check {ledger.folder} --repair`, then `tasksearch resume` trains them again"
        )
    raise StudyNotReady(
        f"{ledger.trials_path} lacks {named(missing)}, damaged and put aside; `tasksearch resume {ledger.folder}` trains them "
        "again"
    )


def named(numbers: Collection[int]) -> str:
    """`the record of trial 7`, `the records of trials 2, 5 to 9`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    plural = "the record of trial " if len(numbers) == 1 else "the records of trials "
    return plural + ", ".join(words)
