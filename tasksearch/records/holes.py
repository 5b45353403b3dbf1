"""Detection of missing records: a verdict from an incomplete copy would be that of another study, so readers refuse it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tasksearch.core.errors import StudyNotReady

if TYPE_CHECKING:
    from tasksearch.records.ledger import Ledger


def missing_numbers(ledger: Ledger, numbers: Collection[int]) -> list[int]:
    """Return the numbers of trials without a record: gaps below the highest number, and trials present when the study ended.

    Args:
        numbers: numbers of the existing records.
    """
    known = max(numbers, default=-1) + 1
    ended = ledger.ended()
    if ended is not None and ended[0] == ledger.config():
        known = max(known, ended[1])
    return sorted(set(range(known)) - set(numbers))


def refuse_holes(ledger: Ledger, numbers: Collection[int]) -> None:
    """Raise StudyNotReady if records are missing; the message names them and says how to restore them."""
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
    """Format trial numbers as `the record of trial 7` or `the records of trials 2, 5 to 9`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    plural = "the record of trial " if len(numbers) == 1 else "the records of trials "
    return plural + ", ".join(words)
