"""Readers of files with one record per line: JSON objects, and tables with tabs or commas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import LONGEST_LINE, BadJson, Broken, lines, parse_json
from tasksearch.tasks.formats.contract import Record

__all__ = ["bare_tab_lines", "comma_lines", "json_lines", "lines", "quoted_tab_lines", "tab_lines"]

csv.field_size_limit(LONGEST_LINE)  # the library's default of 128 KiB is shorter than a long article


def json_lines(path: Path) -> Iterator[Record]:
    """Yield one JSON object per line."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else _object(line)


def tab_lines(path: Path) -> Iterator[Record]:
    """Read a tab-separated file without quoting, with a header line; yields column → text.

    Raises:
        BadInput: the header cannot be read.
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
    """Read a tab-separated file without quoting and without header; yields lists of cells."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else line.split("\t")


def _quoted_lines(path: Path, separator: str) -> Iterator[Record]:
    """Read separated cells with quoting and a header line; yields column → text. A record's number is that of its last line.

    Raises:
        BadInput: the header cannot be read, a quote is never closed, or text follows a closing quote: the rest could not be
            divided into cells.
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
"""As written by a CSV writer: a cell that contains a quote is itself quoted."""


def _object(line: str) -> object:
    try:
        row = parse_json(line)
    except BadJson as fault:
        return Broken(f"not a JSON object ({fault})")
    return row if isinstance(row, dict) else Broken(f"not a JSON object (a {type(row).__name__})")
