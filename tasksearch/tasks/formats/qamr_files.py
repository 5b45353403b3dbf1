"""QAMR in its authors' format.

Questions by sentence id are in `filtered/*.tsv`, sentences in `wiki-sentences.tsv` one folder up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.text_files import Broken
from tasksearch.tasks.formats.contract import Format, Record
from tasksearch.tasks.formats.lines import bare_tab_lines
from tasksearch.tasks.formats.spans import qamr_row


def sentences_file(path: Path) -> tuple[Path, ...]:
    """Return the file of sentences that belongs to a file of questions."""
    return (path.parent.parent / "wiki-sentences.tsv",)


def questions(path: Path) -> Iterator[Record]:
    """Yield (line, fields as in `qamr_row`); raises DataMissing without the sentences."""
    (beside,) = sentences_file(path)
    sentences: dict[str, str] = {}
    for number, cells in bare_tab_lines(beside):
        if isinstance(cells, Broken) or len(cells) != 2:
            why = cells.why if isinstance(cells, Broken) else f"{len(cells)} columns; expected 'sentence id⇥tokens'"
            yield number, Broken(f"line {number} of {beside.name}: {why}")
        else:
            sentences[cells[0]] = cells[1]
    for number, cells in bare_tab_lines(path):
        yield number, cells if isinstance(cells, Broken) else _fields(cells, sentences)


def _fields(cells: list[str], sentences: Mapping[str, str]) -> dict[str, Any] | Broken:
    if len(cells) < 7:
        return Broken(
            f"{len(cells)} columns; expected sentence id, target words, worker, index, target, question, answer, validators"
        )
    sentence, targets, worker, index, target, question, answer = cells[:7]
    if sentence not in sentences:
        return Broken(f"no sentence {sentence!r} in wiki-sentences.tsv; are the two files of one release?")
    context = sentences[sentence]
    words, numbers = context.split(" "), answer.split()
    if not numbers or not all(number.isdecimal() and int(number) < len(words) for number in numbers):
        return Broken(f"answer {answer!r}; expected numbers of the sentence's {len(words)} tokens, from 0")
    places = sorted(map(int, numbers))
    return {
        "sentence_id": sentence, "target_words": targets, "worker": worker, "qa_index": index, "target": target,
        "question": question, "context": context, "answer_tokens": places, "answer": " ".join(words[n] for n in places),
        "contiguous": places == list(range(places[0], places[-1] + 1)),
    }  # fmt: skip


QAMR_FILES = Format(records=questions, row=qamr_row, beside=sentences_file)
