"""Tagged words without a join of multiword tokens: MasakhaNER's and MasakhaPOS's lines, and UD's syntactic words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.conllu import Sentence
from tasksearch.tasks.formats.conllu import sentences as conllu_sentences
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


def sentences(path: Path) -> Iterator[Record]:
    """(first line, [(token, tag), …]) of every block between blank lines; a block with a bad line is that line alone.

    A line is a token, one space and its tag. There are no comments: `#` is a token.
    """
    block: list[tuple[str, str]] = []
    begin, fault = 0, None
    for number, line in (*lines(path), (0, "")):
        if not isinstance(line, Broken) and not line.strip():
            if fault or block:
                yield fault or (begin, block)
            block, fault = [], None
            continue
        cells = line if isinstance(line, Broken) else line.split(" ")
        if isinstance(cells, Broken):
            fault = fault or (number, cells)
        elif len(cells) != 2 or not all(cells):
            fault = fault or (number, Broken(f"{len(cells)} columns; expected a token, one space and its tag"))
        else:
            begin = begin if block else number
            block.append((cells[0], cells[1]))


def conll_row(record: Sequence[tuple[str, str]], ask: Ask) -> dict[str, Any]:
    """Tokens and tags."""
    return {"words": [token for token, _ in record], "tags": [tag for _, tag in record]}


def syntactic_row(record: Sentence, ask: Ask) -> Mapping[str, Any]:
    """UD's syntactic words in their order: "du" is "de" and "le"; XTREME's joined words are the format `conllu`."""
    tokens = record.tokens
    if not tokens or sorted(tokens) != list(range(1, len(tokens) + 1)):
        raise ValueError(f"token ids {sorted(tokens)[:5]} …; expected 1, 2, 3, … in every sentence")
    return {
        "id": record.identity, "document": record.identity,
        "words": [tokens[index].form for index in sorted(tokens)], "tags": [tokens[index].tag for index in sorted(tokens)],
    }  # fmt: skip


CONLL = Format(records=sentences, row=conll_row)
UD_WORDS = Format(records=conllu_sentences, row=syntactic_row)
