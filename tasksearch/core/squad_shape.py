"""SQuAD's two forms of answers and the spellings of truth values in such files; shared by data and gold files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.core.text_files import shown

_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


def answer_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return one object per answer.

    The value is SQuAD's list of answers, or the object of lists that `datasets` writes, `{"text": [...], "answer_start":
    [...]}`.

    Raises:
        ValueError: the value has another form, or its lists have unequal lengths.
    """
    if isinstance(value, list | tuple):
        strange = [answer for answer in value if not isinstance(answer, Mapping)]
        if strange:
            raise ValueError(f"an answer is {shown(strange[0])}; expected an object with 'text' and 'answer_start'")
        return list(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"field 'answers' is {shown(value)}; expected a list of objects with 'text' and 'answer_start'")
    columns = {name: value[name] for name in ("answer_start", "text") if name in value}
    if "text" not in columns or any(not isinstance(column, list | tuple) for column in columns.values()):
        raise ValueError(f"field 'answers' is {shown(value)}; expected lists under 'text' and 'answer_start'")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{lengths['answer_start']} answer starts but {lengths['text']} answer texts")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def is_impossible(question: Mapping[str, Any]) -> bool:
    """Whether a SQuAD 2 question is marked as unanswerable; the text "false" marks it as answerable.

    Raises:
        ValueError: the mark is neither true nor false.
    """
    value = question.get("is_impossible")
    name = "" if value is None else str(value).strip().lower()
    if not isinstance(value, bool | int | str | None) or name not in _TRUTH:
        raise ValueError(f"field 'is_impossible' is {shown(value)}; expected true or false")
    return _TRUTH[name]
