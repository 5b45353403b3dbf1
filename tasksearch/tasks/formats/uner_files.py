"""Universal NER as its authors publish it: IOB2 in five tab-separated columns, number, word, tag, a second tag, annotator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines

_COLUMNS = 5


def sentences(path: Path) -> Iterator[Record]:
    """(first line, {sent_id, words, tags}) of every block between blank lines; a block with a bad line is that line alone.

    A comment begins with `#` and a space and holds no tab: a word may be `#` itself.
    """
    block: dict[str, Any] = {}
    begin, count, fault = 0, 0, None
    for number, line in (*lines(path), (0, "")):
        if not isinstance(line, Broken) and not line.strip():
            if fault or block.get("words"):
                count += 1
                yield fault or (begin, {"sent_id": f"{path.stem}-{count}"} | block)
            block, begin, fault = {}, 0, None
            continue
        begin = begin or number
        if isinstance(line, Broken):
            fault = fault or (number, line)
        elif line.startswith("# ") and "\t" not in line:
            name, _, value = line[2:].partition("=")
            block |= {"sent_id": value.strip()} if name.strip() == "sent_id" else {}
        else:
            cells = line.split("\t")
            if len(cells) != _COLUMNS or not cells[2]:
                fault = fault or (
                    number,
                    Broken(f"{len(cells)} columns; expected {_COLUMNS}: number, word, tag, tag, annotator"),
                )
                continue
            block.setdefault("words", []).append(cells[1])
            block.setdefault("tags", []).append(cells[2])


def sentence_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Words and tags; the sentence's id is its name and, for the source's pattern, its document."""
    return {
        "id": record["sent_id"], "document": record["sent_id"], "words": record["words"], "tags": record["tags"],
    }  # fmt: skip


UNER_IOB2 = Format(records=sentences, row=sentence_row)
