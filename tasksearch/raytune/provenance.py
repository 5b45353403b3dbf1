"""Check that a study continues under the code that trained it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasksearch.core.code_identity import code_hash, other_code
from tasksearch.core.errors import VersionsDiffer
from tasksearch.core.study import TrialRecord


def check_trained_by(study: Path, records: Sequence[TrialRecord]) -> None:
    """Refuse to mix trainings by two versions of the code in one study unless the user accepts it.

    Trials that were recorded before the code's hash was recorded count as trained by this code.

    Raises:
        VersionsDiffer: other code trained some of the trials.
    """
    code = {record.number: dict(record.facts).get("code") for record in records if record.status != "running"}
    if not (other := other_code(code.values())):
        return
    numbers = sorted(number for number, one in code.items() if one in other)
    trials = (
        f"trial {numbers[0]} was" if len(numbers) == 1 else f"{len(numbers)} trials from {numbers[0]} to {numbers[-1]} were"
    )
    raise VersionsDiffer(
        f"{study}: {trials} trained by other code ({', '.join(other)}; this is {code_hash()}); install that version, or go on "
        "and mix the two by --accept-versions"
    )
