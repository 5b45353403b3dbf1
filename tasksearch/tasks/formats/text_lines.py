"""Plain text for MLM, one text per line; for TLM beside its English translation, `en.txt.gz` or `eng.txt.gz` of the folder.

Line n is the same sentence in every file of such a folder; an empty line is a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import Broken, lines
from tasksearch.tasks.formats.contract import Ask, Format, Record

_ENGLISH = ("en", "eng")


def text_lines(path: Path) -> Iterator[Record]:
    """Yield (line number, text) of every line that is not blank."""
    for number, line in lines(path):
        if isinstance(line, Broken) or line.strip():
            yield number, line


def english_beside(path: Path) -> tuple[Path, ...]:
    """Return the English file of the same folder and ending."""
    ending = path.name[path.name.find(".") :]
    there = [path.with_name(f"{code}{ending}") for code in _ENGLISH]
    return (next((one for one in there if one.is_file()), there[0]),)


def text_pairs(path: Path) -> Iterator[Record]:
    """Yield (line number, (text, English text)) of every line that both files have.

    Raises:
        BadInput: the files have different numbers of lines.
    """
    (english,) = english_beside(path)
    ours, theirs = (lines(one, keep_blank_end=True) for one in (path, english))
    for number, (one, other) in enumerate(zip_longest(ours, theirs), start=1):
        sides = "" if one is None else one[1], "" if other is None else other[1]
        if None in (one, other) and any(isinstance(side, Broken) or side.strip() for side in sides):
            longer, shorter = (path, english) if other is None else (english, path)
            raise BadInput(f"{longer}:{number}: no such line in {shorter}; a translation has as many lines as its original")
        if broken := next((side for side in sides if isinstance(side, Broken)), None):
            yield number, broken
        elif all(str(side).strip() for side in sides):
            yield number, sides


def line_row(record: Any, ask: Ask) -> Mapping[str, Any]:
    """Return a line as `a`, or a line and its translation as `a` and `b`."""
    return {"a": record.strip()} if isinstance(record, str) else {"a": record[0].strip(), "b": record[1].strip()}


TEXT: dict[str, Format] = {
    "text": Format(records=text_lines, row=line_row),
    "text_pairs": Format(records=text_pairs, row=line_row, beside=english_beside),
}
"""Format name in `FORMATS` → format."""
