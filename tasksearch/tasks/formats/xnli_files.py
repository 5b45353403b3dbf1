"""XNLI's later languages as their authors publish them: several side by side in a row, or below each other in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.tasks.fields import text_of
from tasksearch.tasks.formats.contract import Ask, Format, LeftOut
from tasksearch.tasks.formats.lines import tab_lines
from tasksearch.tasks.formats.nli_files import nli_row


def my_xnli_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """MyXNLI's `genre label sentence1_xx sentence2_xx`, once more for English in the Burmese file."""
    premise = text_of(record, f"sentence1_{ask.language}")
    return {"a": premise, "b": text_of(record, f"sentence2_{ask.language}"), "label": record["label"], "document": premise}


def meta4_xnli_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any] | LeftOut | None:
    """Meta4XNLI's `language gold_label sentence1 sentence2 promptID pairID genre source_dataset`, of one language."""
    return nli_row(record, ask) if text_of(record, "language") == ask.language else None


MY_XNLI = Format(records=tab_lines, row=my_xnli_row)
META4_XNLI = Format(records=tab_lines, row=meta4_xnli_row)
