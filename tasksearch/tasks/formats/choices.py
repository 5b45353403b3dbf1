"""COPA, XCOPA and CODAH in their authors' formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksearch.core.text_files import shown
from tasksearch.tasks.formats.contract import Ask, Format
from tasksearch.tasks.formats.lines import bare_tab_lines, json_lines

ASKED = {"cause": "What was the cause?", "effect": "What happened as a result?"}
"""COPA's two questions; in English for all languages, since cross-lingual transfer needs the same wording."""

_HELD_OUT = range(401, 501)
"""COPA items that XCOPA translated for validation: neither they nor their mirrored items are used for training."""


def _prompt(row: Mapping[str, Any], field: str) -> str:
    if row[field] not in tuple(ASKED):
        raise ValueError(f"field {field!r} is {shown(row[field])}; expected cause or effect")
    return f"{row['premise']} {ASKED[row[field]]}"


def xcopa_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read a line of XCOPA: premise, two choices, question, label, idx."""
    return {
        "id": row["idx"], "document": row["idx"], "prompt": _prompt(row, "question"),
        "choices": [row["choice1"], row["choice2"]], "label": row["label"],
    }  # fmt: skip


def copa_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any] | None:
    """Read a line of Balanced COPA, where ids above 1000 mirror the item 1000 below.

    Dev is items 401-500 without mirrors; training is all others with their mirrors (1-400 in COPA's dev file). Other lines give
    None.
    """
    number = int(row["id"])
    item = number - 1000 if number > 1000 else number
    if (item in _HELD_OUT) != (ask.split != "train") or (ask.split != "train" and number != item):
        return None
    return {
        "id": row["id"], "document": str(item), "prompt": _prompt(row, "asks_for"),
        "choices": [row["choice1"], row["choice2"]], "label": row["label"],
    }  # fmt: skip


def codah_row(cells: Sequence[str], ask: Ask) -> dict[str, Any]:
    """Read a line of CODAH: category, prompt, four endings, index of the correct one."""
    if len(cells) != 7:
        raise ValueError(f"{len(cells)} columns; expected 7: category, prompt, 4 endings, gold")
    return {"prompt": cells[1], "choices": cells[2:6], "label": cells[6]}


XCOPA = Format(records=json_lines, row=xcopa_row)
COPA = Format(records=json_lines, row=copa_row, by_split=True)
CODAH = Format(records=bare_tab_lines, row=codah_row)
