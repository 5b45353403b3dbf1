"""One file over HTTPS: a partial download goes on where it stopped; a file is at its place whole and checked or not at all."""

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
"""Seconds without a byte after which a connection counts as lost."""
TRIES = 4
"""Connections for one file; each goes on where the last one broke off."""
LARGEST_UNKNOWN = 2 * 10**9
"""Bytes of the largest file whose size is not known beforehand."""
_BLOCK = 1 << 18
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may change."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file as its authors publish it.

    Attributes:
        url: https address.
        place: path below the data folder, with `/`.
        size: bytes; None where it is not known.
        sha256: hex digits; empty where it is not known.
        git_blob: id of the file in a git tree, which names its content as a checksum does; empty where it is not known.
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
"""Told how many bytes arrived; negative where a partial file had to be dropped."""


def place_of(root: Path, place: str) -> Path:
    """The path of a place below the data folder.

    Raises:
        BadInput: a place that leaves the folder, by `..` or through a link.
    """
    parts = PurePosixPath(place).parts
    if not parts or "\\" in place or place.startswith("/") or ".." in parts:
        raise BadInput(f"{place!r} leaves the data folder")
    path = root.joinpath(*parts)
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise BadInput(f"{path} leaves the data folder through a link")
    return path


def mirrored(url: str, mirror: str) -> str:
    """The address under a mirror, which holds copies as HOST/PATH; the address itself where there is none."""
    if not mirror:
        return url
    parts = urlsplit(url)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


def check_address(url: str) -> None:
    """Raises BadInput for an address that is neither https nor http on this very machine."""
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
    """Fetches a file to its place and returns the sha256 of what arrived.

    A partial download stays beside the place as `.NAME.part`, and the next call goes on from there.

    Raises:
        BadInput: an address that is not https, a redirection to one, a wrong checksum, more bytes than expected.
        DataMissing: the server does not have it.
        Unreachable: the server did not answer, or broke off again and again.
        DiskFull: no room left.
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
            continue  # the beginning was of another file, or damaged: once more from the first byte
        os.replace(part, path)  # noqa: PTH105 - both names are in one folder
        _drop(part)
        return found
    raise AssertionError("the second round returns or raises")


def _drop(part: Path) -> None:
    for path in (part, _tag_of(part)):
        path.unlink(missing_ok=True)


def _tag_of(part: Path) -> Path:
    """Beside a partial file: which version of the remote file it is the beginning of."""
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
    """Id that git gives a file's content: sha1 of `blob SIZE NUL` and the bytes."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _fill(url: str, file: Download, part: Path, on_bytes: OnBytes) -> bool:
    """Fills the partial file to its end; returns whether its beginning is of an earlier call."""
    began = part.stat().st_size if part.is_file() else 0
    if began and not (file.sha256 or file.git_blob or _tag_of(part).is_file()):
        began = 0  # nothing would tell whether the remote file is still the one that the beginning is of
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
                break  # twice in a row nothing came
            have = arrived
            continue
        if whole:
            return began > 0
        fault = Unreachable(f"{url}: the connection broke off after {have} bytes")
    raise fault


def _some_bytes(url: str, file: Download, part: Path, have: int, on_bytes: OnBytes) -> tuple[int, bool]:
    """One connection: (bytes of the partial file now, whether that is all of it)."""
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
        except (http.client.HTTPException, OSError) as lost:  # a reset, a time-out
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
    """Keeps what names the remote file's version: a strong ETag, else the time of its last change."""
    tag = answer.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")
    if version:
        _tag_of(part).write_text(json.dumps({"version": version}), "utf-8")
    else:
        _tag_of(part).unlink(missing_ok=True)


class _Stale(Exception):
    """The partial file is no shorter than the remote one: the beginning of something else."""


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to https alone, or from this machine to this machine."""

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
