"""Lines of text files, packed with gzip or plain: numbered, decoded, with damage told in one line."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.formats.contract import Broken, Record

csv.field_size_limit(2**27)  # the library's 128 KiB are less than a long article


def open_bytes(path: Path) -> IO[bytes]:
    """The file, unpacked where its name ends in .gz.

    Raises:
        BadInput: a device or a pipe, which may never end and cannot be read twice.
    """
    if not (path.is_file() or path.is_dir()) and path.exists():
        raise BadInput(f"{path} is no regular file; expected one that ends and can be read again")
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def lines(path: Path) -> Iterator[tuple[int, str | Broken]]:
    r"""(number from 1, line without its end); split at \n alone, since some texts hold odd line-break characters.

    Raises:
        DataMissing: no such file.
        BadInput: a damaged or truncated gzip file, or one that the system does not let us read.
    """
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield number, line.decode("utf-8").removesuffix("\n").removesuffix("\r")
                except UnicodeDecodeError as fault:
                    yield number, Broken(f"not UTF-8 at byte {fault.start} of the line; convert the file")
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput(f"{path}: damaged gzip file ({fault}); fetch it again") from None
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read ({fault.strerror or fault})") from None


def json_lines(path: Path) -> Iterator[Record]:
    """One JSON object per line."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else _object(line)


def tab_lines(path: Path) -> Iterator[Record]:
    """Tab-separated without quoting, first line a header: column → text."""
    header: list[str] = []
    for number, line in lines(path):
        cells = [] if isinstance(line, Broken) else line.split("\t")
        if number == 1:
            header = cells
        elif isinstance(line, Broken):
            yield number, line
        elif len(cells) != len(header):
            yield number, Broken(f"{len(cells)} columns; the header has {len(header)} ({', '.join(header)})")
        else:
            yield number, dict(zip(header, cells, strict=True))


def bare_tab_lines(path: Path) -> Iterator[Record]:
    """Tab-separated without quoting and without a header: lists of cells."""
    for number, line in lines(path):
        yield number, line if isinstance(line, Broken) else line.split("\t")


def comma_lines(path: Path) -> Iterator[Record]:
    """Comma-separated with quoting, first line a header: column → text; a record's number is its last line.

    Raises:
        BadInput: a quote that is never closed, or text behind a closing one: what follows could not be told from its cell.
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

    reader = csv.reader(readable(), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if broken:
                yield broken.pop()
            elif not header:
                header = cells
            elif len(cells) != len(header):
                yield reader.line_num, Broken(f"{len(cells)} columns; the header has {len(header)} ({', '.join(header)})")
            else:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as fault:
        raise BadInput(f"{path}:{reader.line_num}: {fault}; is a quote missing or left open?") from None


def _object(line: str) -> object:
    try:
        row = json.loads(line)
    except ValueError as fault:
        return Broken(f"not a JSON object ({getattr(fault, 'msg', fault)})")
    return row if isinstance(row, dict) else Broken(f"not a JSON object (a {type(row).__name__})")
