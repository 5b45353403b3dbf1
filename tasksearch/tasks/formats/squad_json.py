"""SQuAD's JSON, which SQuAD 1.1 and 2.0, XQuAD, MLQA and TyDiQA-GoldP share.

`{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}`;
SQuAD 2.0 marks a question without an answer by `is_impossible`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.tasks.fields import text_of, whole_of
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


def questions(path: Path) -> Iterator[Record]:
    """(line, {question, context, title, language}) of every question; one line for all where the JSON has no line ends.

    The language is what stands before the id's first hyphen: TyDiQA's English name of it, as XTREME reads it.
    """
    text = _whole(path)
    line, at = 1, 0
    for article in _articles(path, text):
        for paragraph in _list_of(article, "paragraphs", path):
            for question in _list_of(paragraph, "qas", path):
                found = text.find(json.dumps(question.get("id"), ensure_ascii=False), at)
                if found >= 0:
                    line, at = line + text.count("\n", at, found), found
                yield (
                    line,
                    {
                        "question": question,
                        "context": paragraph.get("context"),
                        "title": article.get("title") or "",
                        "language": str(question.get("id")).split("-", 1)[0],
                    },
                )


def _whole(path: Path) -> str:
    found = []
    for number, line in lines(path):
        if isinstance(line, Broken):
            raise BadInput(f"{path}:{number}: {line.why}")
        found.append(line)
    return "\n".join(found)


def _articles(path: Path, text: str) -> list[Any]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as fault:
        raise BadInput(f"{path}:{fault.lineno}: not JSON ({fault.msg}); is the file whole? fetch it again") from None
    if not isinstance(data, dict):
        raise BadInput(f"{path}:1: a {type(data).__name__}; expected SQuAD's JSON, an object with 'data'")
    return _list_of(data, "data", path)


def _list_of(holder: Mapping[str, Any], field: str, path: Path) -> list[Any]:
    found = holder.get(field)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadInput(f"{path}:1: no list of objects under {field!r}; expected SQuAD's JSON")
    return found


def question_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """The document is the article's title, else the context: what a cut by document must keep together."""
    question = record["question"]
    try:
        answers = [] if question.get("is_impossible") else [_answer(answer) for answer in question["answers"]]
        context = text_of(record, "context")
        row = {"id": str(question["id"]), "question": text_of(question, "question"), "context": context, "answers": answers}
        for answer in answers:
            _check_offset(answer, context)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        said = f"field {fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)
        raise ValueError(f"question {question.get('id')!r}: {said}") from None
    return row | {"document": record["title"] or context}


def _answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"start": whole_of(answer, "answer_start"), "text": text_of(answer, "text")}


def _check_offset(answer: Mapping[str, Any], context: str) -> None:
    start, text = answer["start"], answer["text"]
    if start < 0 or context[start : start + len(text)] != text:
        at = context.find(text)
        hint = f"it stands at {at}" if at >= 0 else "it is nowhere in it"
        raise ValueError(f"the context does not hold the answer {text!r} at character {start}; {hint}")


SQUAD_JSON = Format(records=questions, row=question_row)
