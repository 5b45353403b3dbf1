"""COPA, XCOPA and CODAH as their authors wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasksearch.core.text_files import shown
from tasksearch.tasks.formats.contract import Ask, Format
from tasksearch.tasks.formats.lines import bare_tab_lines, json_lines

ASKED = {"cause": "What was the cause?", "effect": "What happened as a result?"}
"""COPA's two questions; English in every language, as a cross-lingual cast needs one wording."""

_HELD_OUT = range(401, 501)
"""COPA items that XCOPA translated for validation: they and their mirrors never train."""


def _prompt(row: Mapping[str, Any], field: str) -> str:
    if row[field] not in tuple(ASKED):
        raise ValueError(f"field {field!r} is {shown(row[field])}; expected cause or effect")
    return f"{row['premise']} {ASKED[row[field]]}"


def xcopa_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """XCOPA's lines: premise, two choices, question, label, idx."""
    return {
        "id": row["idx"], "document": row["idx"], "prompt": _prompt(row, "question"),
        "choices": [row["choice1"], row["choice2"]], "label": row["label"],
    }  # fmt: skip


def copa_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any] | None:
    """Balanced COPA's lines: ids above 1000 mirror the item 1000 below. Train: items 1-400 and mirrors; dev: 401-500 alone."""
    number = int(row["id"])
    item = number - 1000 if number > 1000 else number
    if (item in _HELD_OUT) != (ask.split != "train") or (ask.split != "train" and number != item):
        return None
    return {
        "id": row["id"], "document": str(item), "prompt": _prompt(row, "asks_for"),
        "choices": [row["choice1"], row["choice2"]], "label": row["label"],
    }  # fmt: skip


def codah_row(cells: Sequence[str], ask: Ask) -> dict[str, Any]:
    """CODAH's lines: category, prompt, four endings, index of the right one."""
    if len(cells) != 7:
        raise ValueError(f"{len(cells)} columns; expected 7: category, prompt, 4 endings, gold")
    return {"prompt": cells[1], "choices": cells[2:6], "label": cells[6]}


XCOPA = Format(records=json_lines, row=xcopa_row)
COPA = Format(records=json_lines, row=copa_row)
CODAH = Format(records=bare_tab_lines, row=codah_row)
