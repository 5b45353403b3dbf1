"""Records of files that hold one a line: JSON objects, tables with tabs or commas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import LONGEST_LINE, BadJson, Broken, lines, parse_json
from tasksearch.tasks.formats.contract import Record

__all__ = ["bare_tab_lines", "comma_lines", "json_lines", "lines", "quoted_tab_lines", "tab_lines"]

csv.field_size_limit(LONGEST_LINE)  # the library's 128 KiB are less than a long article


def json_lines(path: Path) -> Iterator[Record]:
    """One JSON object per line."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else _object(line)


def tab_lines(path: Path) -> Iterator[Record]:
    """Tab-separated without quoting, first line a header: column → text.

    Raises:
        BadInput: a header that cannot be read.
    """
    header: list[str] = []
    for number, line in lines(path):
        if number == 1:
            header = _header(path, line).split("\t")
        elif isinstance(line, Broken):
            yield number, line
        else:
            yield number, _under(header, line.split("\t"))


def _header(path: Path, line: str | Broken) -> str:
    if isinstance(line, Broken):
        raise BadInput(f"{path}:1: {line.why}; the header names the columns")
    return line


def _under(header: list[str], cells: list[str]) -> dict[str, str] | Broken:
    if len(cells) != len(header):
        return Broken(f"{len(cells)} columns; the header has {len(header)} ({', '.join(header)})")
    return dict(zip(header, cells, strict=True))


def bare_tab_lines(path: Path) -> Iterator[Record]:
    """Tab-separated without quoting and without a header: lists of cells."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else line.split("\t")


def _quoted_lines(path: Path, separator: str) -> Iterator[Record]:
    """Separated cells with quoting, first line a header: column → text; a record's number is its last line.

    Raises:
        BadInput: a header that cannot be read; a quote that is never closed, or text behind a closing one: what follows could
            not be told from its cell.
    """
    texts = lines(path)
    broken: list[tuple[int, Broken]] = []

    def readable() -> Iterator[str]:
        for number, line in texts:
            if isinstance(line, Broken):
                broken.append((number, line))
                yield "\n"
            else:
                yield line + "\n"

    reader = csv.reader(readable(), strict=True, delimiter=separator)
    header: list[str] = []
    try:
        for cells in reader:
            if broken:
                number, line = broken.pop()
                yield number, line if header else _header(path, line)
            elif not header:
                header = cells
            else:
                yield reader.line_num, _under(header, cells)
    except csv.Error as fault:
        raise BadInput(f"{path}:{reader.line_num}: {fault}; is a quote missing or left open?") from None


comma_lines = partial(_quoted_lines, separator=",")
quoted_tab_lines = partial(_quoted_lines, separator="\t")
"""As a csv writer makes it: a cell that holds a quote is quoted itself."""


def _object(line: str) -> object:
    try:
        row = parse_json(line)
    except BadJson as fault:
        return Broken(f"not a JSON object ({fault})")
    return row if isinstance(row, dict) else Broken(f"not a JSON object (a {type(row).__name__})")
