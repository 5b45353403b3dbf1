"""Prediction and label files as XTREME's evaluation reads them: labels, tags, answers, sentence pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.squad_shape import answer_objects
from tasksearch.core.text_files import BadJson, parse_json, shown, whole_text

"""Bytes of one file that are read: more are another file, or a device that never ends."""


@dataclass(frozen=True, kw_only=True)
class GoldQuestion:
    """One question of a SQuAD-style file and the texts of its gold answers; without any it has no answer."""

    id: str
    answers: tuple[str, ...]


def read_lines(path: Path) -> list[str]:
    """Read one label per line, stripped, as XTREME's `read_label` does. A blank line is an empty label.

    Raises:
        DataMissing: there is no such file.
        BadInput: the file is not UTF-8 or has no line.
    """
    lines = _lines(whole_text(path))
    if not lines:
        raise BadInput(f"{path}: the file is empty; expected one label per line")
    return lines


def read_sentences(path: Path) -> list[list[str]]:
    """Read one tag per line, with a blank line after each sentence.

    Raises:
        DataMissing, BadInput: as `read_lines`; also for a line of two words.
    """
    sentences: list[list[str]] = [[]]
    for number, line in enumerate(read_lines(path), start=1):
        if len(line.split()) > 1:
            raise BadInput(f"{path}:{number}: {shown(line)}; expected one tag alone, and a blank line between sentences")
        if line:
            sentences[-1].append(line)
        elif sentences[-1]:
            sentences.append([])
    found = [sentence for sentence in sentences if sentence]
    if not found:
        raise BadInput(f"{path}: the file has no tag")
    return found


def read_pairs(path: Path) -> set[tuple[str, str]]:
    """Read one pair of sentence ids per line, separated by a tab. An empty file means that nothing was mined.

    Blank lines are skipped; XTREME's script counts each as one more pair.

    Raises:
        DataMissing, BadInput: as `read_lines`.
    """
    pairs = set()
    for number, line in enumerate(_lines(whole_text(path)), start=1):
        if not line:
            continue
        ids = line.split("\t")
        if len(ids) != 2:
            raise BadInput(f"{path}:{number}: {shown(line)}; expected two sentence ids separated by a tab")
        pairs.add((ids[0], ids[1]))
    return pairs


def read_candidates(path: Path) -> dict[tuple[str, str], float]:
    """Read scored pairs, `score⇥id⇥id` as `tasksearch mine` writes them; the best score of a pair that stands there twice.

    Raises:
        DataMissing, BadInput: as `read_lines`; also for a score that is no number.
    """
    found: dict[tuple[str, str], float] = {}
    for number, line in enumerate(_lines(whole_text(path)), start=1):
        if not line:
            continue
        cells = line.split("\t")
        score = _number(cells[0]) if len(cells) == 3 else None
        if score is None:
            raise BadInput(f"{path}:{number}: {shown(line)}; expected a score and two sentence ids separated by tabs")
        pair = (cells[1], cells[2])
        found[pair] = max(score, found.get(pair, score))
    return found


def has_scores(path: Path) -> bool:
    """Whether the first pair of a file has a score before its ids."""
    first = next(filter(None, _lines(whole_text(path))), "")
    return first.count("\t") == 2


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value


def read_gold_questions(path: Path) -> list[GoldQuestion]:
    """Read the questions of a SQuAD-style file, `{"data": [...]}` or its list alone, in order.

    Raises:
        DataMissing: there is no such file.
        BadInput: malformed JSON or another shape; the message names what is missing.
    """
    data = _json(path)
    articles = data.get("data") if isinstance(data, dict) else data
    if not isinstance(articles, list):
        raise BadInput(f"{path}: no list of articles under 'data'; expected a SQuAD-style file")
    try:
        questions = [
            GoldQuestion(id=str(qa["id"]), answers=_golds(qa))
            for article in articles
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        ]
    except KeyError as fault:
        raise BadInput(f"{path}: field {fault.args[0]!r} is missing; expected a SQuAD-style file") from None
    except (TypeError, AttributeError, ValueError) as fault:
        raise BadInput(f"{path}: not a SQuAD-style file ({fault})") from None
    if not questions:
        raise BadInput(f"{path}: the file has no question")
    return questions


def _golds(question: Any) -> tuple[str, ...]:
    """Return the texts of the gold answers, in SQuAD's own shape or in that of `datasets`.

    As in the reference scripts they alone decide whether a question has an answer; `is_impossible` is ignored.
    """
    texts = [answer["text"] for answer in answer_objects(question["answers"])]
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"an answer of question {question['id']!r} is {shown(text)}; expected text")
    return tuple(texts)


def read_answers(path: Path) -> dict[str, str]:
    """Read question id → predicted answer; raises as `read_questions` does."""
    found = _table(path, "an object of question ids and answers")
    for question, answer in found.items():
        if not isinstance(answer, str):
            raise BadInput(f"{path}: the answer to {shown(question)} is {shown(answer)}; expected text")
    return found


def read_null_scores(path: Path) -> dict[str, float]:
    """Read question id → no-answer score, a probability or a difference of logits; raises as `read_questions` does."""
    found = _table(path, "an object of question ids and numbers")
    for question, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise BadInput(f"{path}: the no-answer score of {shown(question)} is {shown(value)}; expected a number")
    return {question: float(value) for question, value in found.items()}


def _table(path: Path, wanted: str) -> dict[str, Any]:
    found = _json(path)
    if not isinstance(found, dict):
        raise BadInput(f"{path}: a {type(found).__name__}; expected {wanted}")
    return found


def _lines(text: str) -> list[str]:
    """Return stripped lines, split at line feeds alone: some texts contain other line-break characters."""
    lines = text.split("\n")
    return [line.strip() for line in (lines[:-1] if lines[-1] == "" else lines)]


def _json(path: Path) -> Any:
    try:
        return parse_json(whole_text(path), unique_keys=True)
    except BadJson as fault:
        raise BadInput(f"{path}:{fault.line}: not JSON ({fault})") from None
