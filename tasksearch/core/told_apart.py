"""Whether a trial was scored since languages of one file or hub data set are told apart in the cache of encoded text.

Until 2026-11-30 a language with 1,000 or more examples in a portion was scored on the encoded text of whichever language of the
same file was encoded first on that machine: the labels were its own, the text was not. Trials since then say so in a fact.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasksearch.core.study import TrialRecord

FACT = {"languages": "told apart"}
"""The fact of a trial's record."""


def any_before(records: Iterable[TrialRecord]) -> bool:
    """Return whether some finished trial was scored before."""
    return any(record.status == "done" and "languages" not in dict(record.facts) for record in records)
