"""Reading of text files that users supply: data sets, prediction and gold files, raw text.

Files must be UTF-8, plain or gzipped if their name ends in .gz. A leading byte-order mark is dropped and trailing blank lines
are skipped. Content that cannot be UTF-8 text is named in the error: another encoding, an archive, a Git LFS pointer.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import reprlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tasksearch.core.errors import BadInput, DataMissing

LONGEST_LINE = 2**27
"""Maximum bytes per line: more than any sentence, article or cell, but a device or binary file without line ends exceeds it."""
LARGEST_WHOLE = 2**30
"""Maximum bytes of a file that is read at once (JSON, predictions)."""

_NOT_TEXT = (
    (codecs.BOM_UTF32_LE, "not UTF-8 but UTF-32; convert it: iconv -f UTF-32 -t UTF-8"),
    (codecs.BOM_UTF32_BE, "not UTF-8 but UTF-32; convert it: iconv -f UTF-32 -t UTF-8"),
    (codecs.BOM_UTF16_LE, "not UTF-8 but UTF-16; convert it: iconv -f UTF-16 -t UTF-8"),
    (codecs.BOM_UTF16_BE, "not UTF-8 but UTF-16; convert it: iconv -f UTF-16 -t UTF-8"),
    (b"\x1f\x8b", "gzip data in a file whose name does not end in .gz; rename or unpack it"),
    (b"PK\x03\x04", "a zip archive; unpack it"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"),
)
_HEAD = 1_024


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read: invalid UTF-8, a line that is not JSON, or too few columns."""

    why: str


class BadJson(ValueError):
    """Text that is not valid JSON, or too deeply nested or too long a number to parse.

    Attributes:
        line: line number, from 1.
    """

    def __init__(self, why: str, line: int = 1) -> None:
        super().__init__(why)
        self.line = line


def lines(path: Path, *, keep_blank_end: bool = False) -> Iterator[tuple[int, str | Broken]]:
    r"""Yield (line number from 1, line without its end); lines end only at \n, since some texts contain unusual line-break
    characters.

    Args:
        keep_blank_end: yield blank lines at the end of the file too, for files that are aligned line by line.

    Raises:
        DataMissing: the file does not exist.
        BadInput: a folder, a damaged or truncated gzip file, another encoding, a line longer than `LONGEST_LINE`, or an
            unreadable file.
    """
    blank: list[tuple[int, str]] = []
    with _open(path) as file:
        for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=1):
            if len(raw) > LONGEST_LINE:
                raise BadInput(f"{path}:{number}: a line of more than {_size(LONGEST_LINE)}; is this the right file?")
            line = _decoded(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw)
            if not isinstance(line, Broken) and not line.strip(" "):
                blank.append((number, line))
                continue
            yield from blank
            blank.clear()
            yield number, line
    if keep_blank_end:
        yield from blank


def whole_text(path: Path) -> str:
    """Return a file's whole text; raises as `lines` does, and BadInput for more than `LARGEST_WHOLE` bytes or invalid UTF-8."""
    with _open(path) as file:
        raw = file.read(LARGEST_WHOLE + 1)
    if len(raw) > LARGEST_WHOLE:
        raise BadInput(f"{path}: more than {_size(LARGEST_WHOLE)}; a file that is read at once may not be larger")
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        begin = raw.rfind(b"\n", 0, fault.start) + 1
        raise BadInput(f"{path}:{line}: {_not_utf8(fault.start - begin)}") from None


def has_byte_order_mark(path: Path) -> bool:
    """Whether the text begins with a UTF-8 byte-order mark.

    False if the file cannot be read; that error is reported when it is read.
    """
    with suppress(BadInput, DataMissing), _open(path) as file:
        return file.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8)
    return False


def parse_json(text: str, *, unique_keys: bool = False) -> Any:
    """Parse JSON text.

    Args:
        unique_keys: refuse an object that holds the same key twice.

    Raises:
        BadJson: the text is not JSON, is nested too deeply, or holds a number with thousands of digits.
    """
    try:
        return json.loads(text, object_pairs_hook=_each_once if unique_keys else None)
    except json.JSONDecodeError as fault:
        raise BadJson(fault.msg, fault.lineno) from None
    except RecursionError:
        raise BadJson("nested too deeply") from None
    except BadJson:
        raise
    except ValueError:
        raise BadJson("a number of thousands of digits") from None


def unencodable(text: str) -> str:
    """Return why UTF-8 cannot encode the text; an empty string if it can.

    JSON escapes can contain half of a surrogate pair, for instance where a text was cut inside an emoji; no tokenizer accepts
    it.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as fault:
        return (
            f"character {fault.start + 1} is {text[fault.start]!r}, half of a surrogate pair; expected text that UTF-8 can hold"
        )
    return ""


def shown(value: object) -> str:
    """Return a value as messages show it; long or deeply nested values are shortened."""
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 120
_SHORT.maxlevel = 3


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise BadJson(f"{shown(key)} stands there twice in one object")
        table[key] = value
    return table


def _decoded(raw: bytes) -> str | Broken:
    try:
        return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as fault:
        return Broken(_not_utf8(fault.start))


def _not_utf8(byte: int) -> str:
    return f"not UTF-8 at byte {byte} of the line; convert the file"


@contextmanager
def _open(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file's bytes, unpacked; report every system or gzip error as one line."""
    if not (path.is_file() or path.is_dir()) and path.exists():
        raise BadInput(f"{path} is no regular file; expected one that ends and can be read again")
    try:
        with path.open("rb") as file:
            source: io.BufferedReader = file
            if path.suffix == ".gz":
                source = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=file)))
            if strange := _strange(source.peek(_HEAD)[:_HEAD]):
                raise BadInput(f"{path}: {strange}")
            yield source
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except IsADirectoryError:
        raise BadInput(f"{path} cannot be read: it is a folder; expected a file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput(f"{path}: damaged gzip file ({fault}); fetch it again") from None
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read ({fault.strerror or fault})") from None


def _strange(head: bytes) -> str:
    """Return what a file that does not begin as UTF-8 text seems to be; an empty string for text."""
    for mark, what in _NOT_TEXT:
        if head.startswith(mark):
            return what
    if len(head) > 3 and head.count(0) * 4 >= len(head):
        return "not UTF-8: every other byte is 0, as in UTF-16; convert it: iconv -f UTF-16LE -t UTF-8"
    return ""


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 2**20 else f"{count} bytes"
