"""Download one file over HTTPS. A partial download is continued; a file appears at its place only complete and checked."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

from tasksearch.core.atomic import make_folder
from tasksearch.core.errors import BadInput, DataMissing, DiskFull, TasksearchError, Unreachable, first_line, no_room

PATIENCE = 30.0
"""Timeout in seconds without received data after which a connection counts as lost."""
TRIES = 4
"""Maximum number of connections per file; each continues where the previous one broke off."""
LARGEST_UNKNOWN = 2 * 10**9
"""Maximum bytes of a file whose size is not known in advance."""
_BLOCK = 1 << 18
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP status codes for which another try may succeed."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file as published by its authors.

    Attributes:
        url: https address.
        place: path relative to the data folder, with `/`.
        size: bytes; None if unknown.
        sha256: hex digits; empty if unknown.
        git_blob: id of the file in a git tree, which identifies its content as a checksum does; empty if unknown.
    """

    url: str
    place: str
    size: int | None = None
    sha256: str = ""
    git_blob: str = ""

    @property
    def host(self) -> str:
        """Host of the address."""
        return urlsplit(self.url).hostname or ""


OnBytes = Callable[[int], None]
"""Callback with the number of bytes received; negative if a partial file had to be discarded."""


def place_of(root: Path, place: str) -> Path:
    """Return the path of a place below the data folder.

    Raises:
        BadInput: the place leaves the folder, by `..` or through a link.
    """
    parts = PurePosixPath(place).parts
    if not parts or "\\" in place or place.startswith("/") or ".." in parts:
        raise BadInput(f"{place!r} leaves the data folder")
    path = root.joinpath(*parts)
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise BadInput(f"{path} leaves the data folder through a link")
    return path


def mirrored(url: str, mirror: str) -> str:
    """Return the address on a mirror, which holds copies as HOST/PATH; the address itself without a mirror."""
    if not mirror:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


def check_address(url: str) -> None:
    """Raise BadInput for an address that is neither https nor http on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise BadInput(f"{url}: expected an address that begins with https:// (http:// only on 127.0.0.1)")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def fetch(file: Download, root: Path, *, mirror: str = "", on_bytes: OnBytes = lambda _: None) -> str:
    """Download a file to its place and return the sha256 of its content.

    A partial download is kept beside the place as `.NAME.part`, and the next call continues it.

    Raises:
        BadInput: the address or a redirection is not https, the checksum is wrong, or there are more bytes than expected.
        DataMissing: the server does not have the file.
        Unreachable: the server did not answer, or broke off repeatedly.
        DiskFull: no space is left.
    """
    url = mirrored(file.url, mirror)
    check_address(url)
    path = place_of(root, file.place)
    make_folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    for last in (False, True):
        try:
            resumed = _fill(url, file, part, on_bytes)
        except BadInput:
            _drop(part)
            raise
        try:
            found = _checked(part, file, url)
        except BadInput:
            on_bytes(-part.stat().st_size)
            _drop(part)
            if last or not resumed:
                raise
            continue  # the partial file belonged to another version or was damaged: start over
        os.replace(part, path)  # noqa: PTH105 - both names are in one folder
        _drop(part)
        return found
    raise AssertionError("the second round returns or raises")


def _drop(part: Path) -> None:
    for path in (part, _tag_of(part)):
        path.unlink(missing_ok=True)


def _tag_of(part: Path) -> Path:
    """Return the path of the note, beside a partial file, on which version of the remote file it is part of."""
    return part.with_name(f"{part.name}.json")


def _checked(part: Path, file: Download, url: str) -> str:
    size = part.stat().st_size
    if file.size is not None and size != file.size:
        raise BadInput(f"{url}: {size} bytes arrived, expected {file.size}; nothing is kept")
    with part.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    if file.sha256 and sha256 != file.sha256:
        raise BadInput(f"{url}: sha256 is {sha256}, expected {file.sha256}; nothing is kept")
    if file.git_blob and (blob := git_blob_of(part)) != file.git_blob:
        raise BadInput(f"{url}: git blob id is {blob}, expected {file.git_blob}; nothing is kept")
    return sha256


def git_blob_of(path: Path) -> str:
    """Return the id that git gives a file's content: sha1 of `blob SIZE NUL` and the bytes."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fill(url: str, file: Download, part: Path, on_bytes: OnBytes) -> bool:
    """Complete the partial file; return whether it began in an earlier call."""
    began = part.stat().st_size if part.is_file() else 0
    if began and not (file.sha256 or file.git_blob or _tag_of(part).is_file()):
        began = 0  # no way to tell whether the remote file is still the same
    if began and file.size is not None and began >= file.size:
        on_bytes(began)
        return True
    on_bytes(began)
    have = began
    fault: TasksearchError = Unreachable(f"{url}: no part of it could be fetched")
    for attempt in range(TRIES):
        if attempt:
            time.sleep(min(4.0, 0.25 * 4**attempt) if not _is_loopback(urlsplit(url).hostname or "") else 0.01)
        try:
            have, whole = _some_bytes(url, file, part, have, on_bytes)
        except _Stale:
            on_bytes(-have)
            _drop(part)
            began = have = 0
            continue
        except Unreachable as lost:
            fault = lost
            arrived = part.stat().st_size if part.is_file() else 0
            if attempt and arrived == have:
                break  # no data in two consecutive tries
            have = arrived
            continue
        if whole:
            return began > 0
        fault = Unreachable(f"{url}: the connection broke off after {have} bytes")
    raise fault


def _some_bytes(url: str, file: Download, part: Path, have: int, on_bytes: OnBytes) -> tuple[int, bool]:
    """Use one connection; return (bytes of the partial file now, whether it is complete)."""
    limit = file.size if file.size is not None else LARGEST_UNKNOWN
    headers = {"User-Agent": "tasksearch", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag := _read_tag(part):
            headers["If-Range"] = tag
    with _opened(url, headers) as answer:
        if have and (answer.status != 206 or _first_byte(answer) != have):
            if answer.status == 206:
                raise Unreachable(f"{url}: the server sent another part than was asked for")
            on_bytes(-have)
            have = 0
        length = answer.headers.get("Content-Length", "")
        end = have + int(length) if length.isdecimal() else None
        if end is not None and end > limit:
            raise BadInput(f"{url}: {end} bytes are offered, expected {'' if file.size is not None else 'at most '}{limit}")
        _note_tag(part, answer)
        try:
            with part.open("ab" if have else "wb") as out:
                have = _copy(answer, out, have, limit, url, on_bytes)
        except OSError as error:
            raise _write_fault(error, part) from None
    return have, end is None or have == end


def _copy(answer: Any, out: IO[bytes], have: int, limit: int, url: str, on_bytes: OnBytes) -> int:
    while True:
        try:
            block = answer.read(_BLOCK)
        except (http.client.HTTPException, OSError) as lost:  # connection reset or timeout
            out.flush()
            raise Unreachable(f"{url}: {type(lost).__name__}: {first_line(lost)}") from None
        if not block:
            out.flush()
            os.fsync(out.fileno())
            return have
        have += len(block)
        if have > limit:
            raise BadInput(f"{url}: more than {limit} bytes arrived; stopped")
        out.write(block)
        on_bytes(len(block))


def _write_fault(error: OSError, part: Path) -> TasksearchError:
    if no_room(error):
        return DiskFull(f"no room left to write {part}; free some space and repeat the command: it goes on where it stopped")
    return BadInput(f"cannot write {part}: {error.strerror or error}")


def _first_byte(answer: Any) -> int:
    span = answer.headers.get("Content-Range", "")  # bytes 100-199/200
    first = span.removeprefix("bytes ").split("-", 1)[0]
    return int(first) if first.isdecimal() else -1


def _read_tag(part: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(_tag_of(part).read_text("utf-8"))["version"])
    return ""


def _note_tag(part: Path, answer: Any) -> None:
    """Record what identifies the remote file's version: a strong ETag, else its modification time."""
    tag = answer.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    if version:
        _tag_of(part).write_text(json.dumps({"version": version}), "utf-8")
    else:
        _tag_of(part).unlink(missing_ok=True)


class _Stale(Exception):
    """The partial file is at least as long as the remote one, so it belongs to something else."""


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follow redirections to https only, or from this machine to this machine."""

    max_redirections = 5

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        both_here = _is_loopback(old.hostname or "") and _is_loopback(new.hostname or "")
        if not ((new.scheme == "https" and new.hostname) or (new.scheme == "http" and both_here)):
            fp.close()
            raise BadInput(f"{req.full_url}: redirects to {newurl}; only https is followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(url: str, headers: dict[str, str]) -> Any:
    handlers: list[Any] = [_HttpsOnly()]
    if _is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        return urllib.request.build_opener(*handlers).open(urllib.request.Request(url, headers=headers), timeout=PATIENCE)
    except urllib.error.HTTPError as answer:
        with answer:
            if answer.code == 416:
                raise _Stale(url) from None
            if answer.code in _PASSING:
                raise Unreachable(f"{url}: {answer.code} {answer.reason}") from None
            raise DataMissing(f"{url}: {answer.code} {answer.reason}") from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as fault:
        reason = getattr(fault, "reason", fault)
        raise Unreachable(f"{url}: {first_line(reason) if isinstance(reason, BaseException) else reason}") from None
