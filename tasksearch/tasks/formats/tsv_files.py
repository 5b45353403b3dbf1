"""Tokens and tags line by line with blank lines between sentences: PAN-X (tab), MasakhaNER and MasakhaPOS (space), UNER (iob2).

Sentence pairs under a header (PAWS-X, QQP) use the format `tsv`, with columns named by the card.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.columns import renamed
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines

TokenAndTag = tuple[str, str]


def tagged_sentences(path: Path, cells_of: Callable[[str], TokenAndTag | Broken]) -> Iterator[Record]:
    """Yield (first line, [(token, tag), …]) for every block between blank lines; for a block with a bad line only that line."""
    block: list[TokenAndTag] = []
    begin, fault = 0, None
    for number, line in (*lines(path), (0, "")):
        if not isinstance(line, Broken) and not line.strip():
            if fault or block:
                yield fault or (begin, block)
            block, fault = [], None
            continue
        cells = line if isinstance(line, Broken) else cells_of(line)
        if isinstance(cells, Broken):
            fault = fault or (number, cells)
        else:
            begin = begin if block else number
            block.append(cells)


def _tab_between(line: str) -> TokenAndTag | Broken:
    cells = line.split("\t")
    if len(cells) != 2 or not cells[1].strip():
        return Broken(f"{len(cells)} columns; expected a token, a tab and its tag (XTREME's test files have no tags)")
    return cells[0].strip(), cells[1].strip()


def tagged_row(record: Sequence[tuple[str, str]], ask: Ask) -> dict[str, Any]:
    """Return the tokens and tags of XTREME's `token⇥tag` files."""
    return {"words": [token for token, _ in record], "tags": [tag for _, tag in record]}


def wikiann_row(record: Sequence[tuple[str, str]], ask: Ask) -> dict[str, Any]:
    """Return the tokens and tags of the authors' archives, `lang:token⇥tag`.

    The part up to the first colon is removed, as in XTREME.
    """
    bare = [token for token, _ in record if ":" not in token]
    if bare:
        raise ValueError(f"token {bare[0]!r} has no language before a colon; expected WikiAnn's 'lang:token'")
    return {"words": [token.split(":", 1)[1].strip() for token, _ in record], "tags": [tag for _, tag in record]}


_SPACED = re.compile(r"(.*[^ \t])[ \t]+([^ \t]+)[ \t]*")


def _space_between(line: str) -> TokenAndTag | Broken:
    found = _SPACED.fullmatch(line)
    return (found[1], found[2]) if found else Broken(f"{line[:40]!r}; expected a token, a space and its tag")


def spaced_records(path: Path) -> Iterator[Record]:
    """Yield (first line, {tokens, tags}); a line that begins with `#` is an ordinary token."""
    for number, block in tagged_sentences(path, _space_between):
        yield number, block if isinstance(block, Broken) else _columns(block)


def iob2_records(path: Path) -> Iterator[Record]:
    """Yield (first line, {sent_id, tokens, tags}) of UNER's files: number, token, tag and two more columns, separated by tabs.

    A line that begins with `# ` and has no tab is a comment; `# sent_id = …` names the sentence.
    """
    for number, block in tagged_sentences(path, _numbered):
        if isinstance(block, Broken):
            yield number, block
            continue
        named = [tag for token, tag in block if token == _NAME]
        words = [pair for pair in block if pair[0] not in (_NAME, _COMMENT)]
        if words:
            yield number, _columns(words) | ({"sent_id": named[-1]} if named else {})


_NAME, _COMMENT = "\n# sent_id", "\n#"  # cannot be tokens, since no token contains a line break


def _numbered(line: str) -> TokenAndTag | Broken:
    if line.startswith("#") and "\t" not in line:
        key, sign, value = line.partition("=")
        return (_NAME, value.strip()) if sign and key.strip() == "# sent_id" else (_COMMENT, "")
    cells = line.split("\t")
    if len(cells) < 3 or not cells[0].isdecimal() or not cells[2].strip():
        return Broken(f"{line[:40]!r}; expected a number, a token and its tag, parted by tabs")
    return cells[1], cells[2]


def _columns(block: Sequence[TokenAndTag]) -> dict[str, Any]:
    return {"tokens": [token for token, _ in block], "tags": [tag for _, tag in block]}


_TABBED = partial(tagged_sentences, cells_of=_tab_between)
TOKEN_TAG = Format(records=_TABBED, row=tagged_row)
WIKIANN = Format(records=_TABBED, row=wikiann_row)
CONLL = Format(records=spaced_records, row=renamed)
IOB2 = Format(records=iob2_records, row=renamed)
