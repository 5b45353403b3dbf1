"""Questions about contexts, one per line: SQuAD's fields without its nesting, and QAMR's token answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Format, LeftOut
from tasksearch.tasks.formats.lines import json_lines
from tasksearch.tasks.formats.squad_json import answers_of


def squad_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read SQuAD's fields, one question per line; the document is the article, since its paragraphs belong together."""
    return {
        "id": row["id"], "document": row.get("title"), "question": row["question"], "context": row["context"],
        "answers": answers_of(row),
    }  # fmt: skip


def qamr_row(row: Mapping[str, Any], ask: Ask) -> dict[str, Any] | LeftOut:
    """Read a line of QAMR, whose answers are tokens of a tokenised sentence.

    Answers of non-contiguous tokens are not spans; they are excluded and counted.
    """
    if not row["contiguous"]:
        return LeftOut("answers of scattered tokens")
    words = row["context"].split(" ")
    first, last = row["answer_tokens"][0], row["answer_tokens"][-1]
    text = " ".join(words[first : last + 1])
    if text != row["answer"]:
        raise ValueError(f"tokens {first} to {last} are {text!r}, the answer is {row['answer']!r}")
    start = len(" ".join(words[:first])) + (1 if first else 0)
    name = "/".join(str(row[field]) for field in ("sentence_id", "target_words", "worker", "qa_index", "target"))
    return {
        "id": name, "document": row["sentence_id"], "question": row["question"], "context": row["context"],
        "answers": [{"start": start, "text": text}],
    }  # fmt: skip


SQUAD_LINES = Format(records=json_lines, row=squad_row)
QAMR = Format(records=json_lines, row=qamr_row)
