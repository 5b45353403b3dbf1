"""QAMR as its authors publish it: a table of questions (`filtered/SPLIT.tsv`), and the sentences in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.tasks.formats.contract import Broken, Format, Record
from tasksearch.tasks.formats.lines import bare_tab_lines
from tasksearch.tasks.formats.spans import qamr_row

_COLUMNS = ("sentence_id", "target_words", "worker", "qa_index", "target", "question", "answer_tokens")
"""Two validators' answers stand after them."""


def sentences_of(path: Path) -> tuple[Path, ...]:
    """The sentences that the questions of a file are about."""
    return (path.parent.parent / "wiki-sentences.tsv",)


def questions(path: Path) -> Iterator[Record]:
    """(line, the fields that `qamr_row` reads); the answer is its tokens joined by spaces.

    Raises:
        BadInput: a damaged file of sentences.
    """
    (beside,) = sentences_of(path)
    sentences = dict(_sentence(beside, number, cells) for number, cells in bare_tab_lines(beside))
    for number, cells in bare_tab_lines(path):
        yield number, _question(cells, sentences)


def _sentence(path: Path, number: int, cells: list[str] | Broken) -> tuple[str, str]:
    if isinstance(cells, Broken) or len(cells) != 2:
        why = cells.why if isinstance(cells, Broken) else f"{len(cells)} columns"
        raise BadInput(f"{path}:{number}: {why}; expected a sentence's id, a tab and its text")
    return cells[0], cells[1]


def _question(cells: list[str] | Broken, sentences: dict[str, str]) -> dict[str, object] | Broken:
    if isinstance(cells, Broken):
        return cells
    if len(cells) < len(_COLUMNS):
        return Broken(f"{len(cells)} columns; expected {len(_COLUMNS)} ({', '.join(_COLUMNS)}) and the validators'")
    row = dict(zip(_COLUMNS, cells, strict=False))
    context = sentences.get(row["sentence_id"])
    if context is None:
        return Broken(f"sentence {row['sentence_id']!r} is not in wiki-sentences.tsv")
    words, tokens = context.split(" "), row["answer_tokens"].split(" ")
    if not all(token.isdecimal() and int(token) < len(words) for token in tokens):
        return Broken(f"answer tokens {row['answer_tokens']!r} of a sentence of {len(words)}")
    numbers = [int(token) for token in tokens]
    return {
        **row, "context": context, "answer_tokens": numbers, "answer": " ".join(words[number] for number in numbers),
        "contiguous": numbers == list(range(numbers[0], numbers[0] + len(numbers))),
    }  # fmt: skip


QAMR_TSV = Format(records=questions, row=qamr_row, beside=sentences_of)
