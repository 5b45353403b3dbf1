"""SQuAD's JSON format, shared by SQuAD 1.1 and 2.0, XQuAD, MLQA and TyDiQA-GoldP.

`{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}`;
SQuAD 2.0 marks unanswerable questions with `is_impossible`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.squad_shape import answer_objects, is_impossible
from tasksearch.core.text_files import BadJson, parse_json, shown, whole_text
from tasksearch.tasks.fields import check_offset, named, text_of, whole_of
from tasksearch.tasks.formats.contract import Ask, Format, Record


def questions(path: Path) -> Iterator[Record]:
    """Yield (line, {question, context, document, language}) for every question; all on line 1 if the JSON has no line breaks.

    The document is the article's title, or its first paragraph without one; a division by document must not separate it. The
    language is the part of the id before the first hyphen: TyDiQA's English name of it, as XTREME reads it.
    """
    text = whole_text(path)
    line, at = 1, 0
    for article in _articles(path, text):
        paragraphs = _list_of(article, "paragraphs", path)
        document = _name_of(article, paragraphs)
        for paragraph in paragraphs:
            for question in _list_of(paragraph, "qas", path):
                found = text.find(json.dumps(question.get("id"), ensure_ascii=False), at)
                if found >= 0:
                    line, at = line + text.count("\n", at, found), found
                yield (
                    line,
                    {
                        "question": question,
                        "context": paragraph.get("context"),
                        "document": document,
                        "language": str(question.get("id")).split("-", 1)[0],
                    },
                )


def _name_of(article: Mapping[str, Any], paragraphs: list[Any]) -> object:
    """Return the article's title, else its first paragraph's text; an invalid title is reported when a question is read."""
    try:
        title: object = named(article, "title")
    except ValueError:
        title = article["title"]
    return title or (paragraphs[0].get("context") if paragraphs else None)


def _articles(path: Path, text: str) -> list[Any]:
    try:
        data = parse_json(text)
    except BadJson as fault:
        raise BadInput(f"{path}:{fault.line}: not JSON ({fault}); is the file whole? fetch it again") from None
    if not isinstance(data, dict):
        raise BadInput(f"{path}:1: a {type(data).__name__}; expected SQuAD's JSON, an object with 'data'")
    return _list_of(data, "data", path)


def _list_of(holder: Mapping[str, Any], field: str, path: Path) -> list[Any]:
    found = holder.get(field)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadInput(f"{path}:1: no list of objects under {field!r}; expected SQuAD's JSON")
    return found


def question_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Return a question's fields; errors name the question, since one line may hold the whole file."""
    question = record["question"]
    try:
        context = text_of(record, "context")
        row = {"id": question["id"], "question": text_of(question, "question"), "context": context}
        answers = answers_of(question)
        for answer in answers:
            check_offset(answer["start"], answer["text"], context)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        said = f"field {fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)
        raise ValueError(f"question {shown(question.get('id'))}: {said}") from None
    return row | {"answers": answers, "document": record["document"]}


def answers_of(question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return `{start, text}` of every answer; none if the question is marked as unanswerable."""
    if is_impossible(question):
        return []
    return [{"start": whole_of(a, "answer_start"), "text": text_of(a, "text")} for a in answer_objects(question["answers"])]


SQUAD_JSON = Format(records=questions, row=question_row)
