"""PAN-X's token lines; pairs under a header (PAWS-X, QQP) are the format `tsv` with columns named by the card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


def tagged_sentences(path: Path) -> Iterator[Record]:
    """(first line, [(token, tag), …]) of every block between blank lines; a block with a bad line is that line alone."""
    block: list[tuple[str, str]] = []
    begin, fault = 0, None
    for number, line in (*lines(path), (0, "")):
        if not isinstance(line, Broken) and not line.strip():
            if fault or block:
                yield fault or (begin, block)
            block, fault = [], None
            continue
        cells = _token_and_tag(line)
        if isinstance(cells, Broken):
            fault = fault or (number, cells)
        else:
            begin = begin if block else number
            block.append(cells)


def _token_and_tag(line: str | Broken) -> tuple[str, str] | Broken:
    if isinstance(line, Broken):
        return line
    cells = line.split("\t")
    if len(cells) != 2 or not cells[1].strip():
        return Broken(f"{len(cells)} columns; expected a token, a tab and its tag (XTREME's test files have no tags)")
    return cells[0].strip(), cells[1].strip()


def tagged_row(record: Sequence[tuple[str, str]], ask: Ask) -> dict[str, Any]:
    """Tokens as XTREME's `token⇥tag` files have them."""
    return {"words": [token for token, _ in record], "tags": [tag for _, tag in record]}


def wikiann_row(record: Sequence[tuple[str, str]], ask: Ask) -> dict[str, Any]:
    """Tokens of the authors' archives, `lang:token⇥tag`; what stands before the first colon is cut, as XTREME does."""
    bare = [token for token, _ in record if ":" not in token]
    if bare:
        raise ValueError(f"token {bare[0]!r} has no language before a colon; expected WikiAnn's 'lang:token'")
    return {"words": [token.split(":", 1)[1].strip() for token, _ in record], "tags": [tag for _, tag in record]}


TOKEN_TAG = Format(records=tagged_sentences, row=tagged_row)
WIKIANN = Format(records=tagged_sentences, row=wikiann_row)
