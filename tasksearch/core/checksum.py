"""JSON files with a format version and a checksum, so that a flipped bit is detected and a newer format is not misread.

    {
     "format": 2,
     "checksum": "…",        hex digest of the format number and all bytes after this line
     …

A file with neither key has format 1, which predates them. Newer formats keep this head: their integrity can be checked even
though their content cannot be interpreted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, Damaged

FORMAT = 2
"""Version of the file format; raised whenever older versions would misread new files."""

_HEAD = re.compile(rb'\{\r?\n "format": (\d{1,6}),\r?\n "checksum": "([0-9a-f]{32})",?\r?\n')
_KEYS = ("format", "checksum")


def checked_json(data: Mapping[str, Any]) -> bytes:
    """Return the file content for `data`, which must contain neither `format` nor `checksum`."""
    rest = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode()[1:].lstrip(b"\n") + b"\n"
    end = "," if data else ""
    return f'{{\n "format": {FORMAT},\n "checksum": "{_digest(str(FORMAT).encode(), rest)}"{end}\n'.encode() + rest


def parse_checked(path: Path, content: bytes) -> Any:
    """Return the content of a file without format and checksum; for a file of format 1, its JSON value.

    Raises:
        Damaged: the content is not JSON or does not match its checksum.
        BadInput: a newer version wrote the file.
    """
    try:
        data = json.loads(content.decode())
    except (ValueError, RecursionError) as fault:
        raise Damaged(f"{path} is damaged: {fault}") from None
    if not isinstance(data, dict) or not set(_KEYS) & data.keys():
        return data
    head = _HEAD.match(content)
    if head is None and not _is_newer(data.get("format")):
        raise Damaged(f"{path} is damaged: it lacks its checksum (to edit it by hand, remove format and checksum both)")
    if head is not None and _digest(head[1], content[head.end() :]) != head[2].decode():
        raise Damaged(f"{path} is damaged: its checksum is another (to edit it by hand, remove format and checksum both)")
    if _is_newer(data["format"]):
        raise BadInput(f"{path} has format {data['format']}; expected at most {FORMAT}: update tasksearch")
    return {key: value for key, value in data.items() if key not in _KEYS}


def read_checked(path: Path) -> Any:
    """Read a file and return its `parse_checked` content.

    Raises:
        Damaged, BadInput: as `parse_checked` does.
        Damaged: the path is a folder.
        BadInput: the file cannot be read.
    """
    return parse_checked(path, read_file(path))


def read_file(path: Path) -> bytes:
    """Return a file's bytes; raises as `read_checked` does."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise Damaged(f"{path} is a folder; expected a file") from None
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror or fault}") from None


def is_damaged(path: Path) -> bool:
    """Whether the path exists but is damaged, whatever version wrote it."""
    try:
        read_checked(path)
    except Damaged:
        return True
    except BadInput:
        return False
    return False


def _is_newer(form: Any) -> bool:
    return isinstance(form, int) and form > FORMAT


def _digest(form: bytes, rest: bytes) -> str:
    return hashlib.blake2b(form + b"\n" + rest.replace(b"\r\n", b"\n"), digest_size=16).hexdigest()
