"""Results of the additions to an extended study, as lines for the user."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def growth_lines(folder: Path) -> list[str]:
    """Return lines on how many finished trials were scored in what was added, what was trained again for that, and what failed.

    Empty if the study has no additions.
    """
    from tasksearch.records.ledger import Ledger

    every = [one for own in Ledger(folder).additions().values() for one in own]
    done = [one for one in every if one.status == "done"]
    lines = [f"{len({one.number for one in done})} trials of before were scored in what joined the study"] if done else []
    again = Counter(target for one in done for target in dict(one.facts).get("trained_again", "").split(", ") if target)
    if again:
        told = ", ".join(f"{target} ({count})" for target, count in sorted(again.items()))
        lines.append(f"target phases trained again, since their weights were not kept (--keep-targets keeps them): {told}")
    failed = [one for one in every if one.status == "failed"]
    for one in failed[:5]:
        where = f"{', '.join(one.plan.targets)} in {', '.join(one.plan.languages)}"
        lines.append(f"trial {one.number} lacks {where}: {one.cause}; `tasksearch resume` tries again")
    return lines + ([f"… and {len(failed) - 5} more"] if len(failed) > 5 else [])
