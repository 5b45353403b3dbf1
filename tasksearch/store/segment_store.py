"""The segment store: one folder per signature, the manifest written last. A folder without a valid manifest counts as absent.

ROOT/ab/abcd…/manifest.json         format, signature, size and hash of every file, facts (kind, seconds to train, steps …),
                                    versions of the libraries it was trained with
ROOT/ab/abcd…/model.safetensors …   the files it names
ROOT/ab/abcd….00000100/             a snapshot inside that segment, after 100 steps; removed once the segment is stored
ROOT/ab/abcd…/uses                  one byte per reuse; its modification time is that of the last reuse
ROOT/ab/abcd….scores                the score tables of a trial (`store.score_files`)
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tasksearch.core.code_identity import code_hash, other_code
from tasksearch.core.errors import DiskFull, StoreUnusable, VersionsDiffer, no_room
from tasksearch.core.library_versions import library_versions

MANIFEST = "manifest.json"
USES = "uses"
FORMAT = 1
Tensors = dict[str, torch.Tensor]
_SETTLED_SECONDS = 2.0
_NO_WRITING = (errno.EROFS, errno.EACCES, errno.EPERM)
_LOG = logging.getLogger(__name__)


class SegmentDamaged(Exception):
    """A file of a segment does not match its manifest: the segment counts as absent, even if it was found before."""


class SegmentStore:
    """Segments in a local folder. Equal signatures have equal content, so concurrent writers of one segment cannot conflict.

    Attributes:
        damaged: names that this process found not to match their manifests.
        accept_versions: whether segments trained by other code may be reused.
        versions: required library versions: a segment with others counts as absent; None: any. Segments that record no versions
            (written by earlier releases) are always accepted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.damaged: list[str] = []
        self._hashed: dict[Path, tuple[int, int, int, str]] = {}
        self.accept_versions = True
        self.versions: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return str(self.root)

    def folder(self, signature: str) -> Path:
        """Return the folder of a segment, whether it exists or not."""
        return self.root / signature[:2] / signature

    def manifest(self, signature: str) -> dict[str, Any] | None:
        """Return the segment's manifest.

        None if the segment is absent, does not match its manifest, or has other library versions.

        Raises:
            StoreUnusable: a newer version wrote it.
        """
        folder = self.folder(signature)
        if not (folder / MANIFEST).exists():
            return None
        manifest = self.peek(signature)
        with suppress(OSError, ValueError, TypeError, AttributeError):
            if manifest and all(self._matches(folder / name, *facts) for name, facts in manifest["files"].items()):
                return manifest if self.fits(manifest) else None
        self.warn(signature)
        return None

    def reusable(self, signature: str) -> dict[str, Any] | None:
        """Return the manifest of a segment to be reused; None if it is absent or damaged.

        Segments written before the code's hash was recorded are accepted.

        Raises:
            StoreUnusable: a newer version wrote it.
            VersionsDiffer: other code trained it, and `accept_versions` is off.
        """
        manifest = self.manifest(signature)
        return None if manifest is None else self.accepted(manifest)

    def accepted(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Return the manifest if its segment may be reused; raise VersionsDiffer otherwise."""
        if not self.accept_versions and (other := other_code([manifest.get("facts", {}).get("code")])):
            raise VersionsDiffer(
                f"segment {manifest['signature'][:12]}… in {self} was trained by other code ({other[0]}; this is "
                f"{code_hash()}); choose another --store, or reuse what it holds by --accept-versions"
            )
        return manifest

    def fits(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a segment was trained with the required library versions."""
        return self.versions is None or manifest.get("versions", self.versions) == self.versions

    def peek(self, signature: str) -> dict[str, Any] | None:
        """Return the manifest without checking the files; None if there is none for this segment and format."""
        try:
            text = (self.folder(signature) / MANIFEST).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
        return read_manifest(text, signature, self)

    def tensors(self, signature: str, name: str) -> Tensors:
        """Load one of the segment's safetensors files onto the CPU and verify its hash.

        Raises:
            SegmentDamaged: the file does not match the manifest.
        """
        manifest, path = self.peek(signature), self.folder(signature) / f"{name}.safetensors"
        with suppress(OSError, SafetensorError, KeyError):
            if manifest and self._matches(path, *manifest["files"][path.name]):
                return dict(load_file(path))
        self.warn(signature)
        raise SegmentDamaged(signature)

    def put(self, signature: str, tensors: dict[str, Tensors], facts: dict[str, Any]) -> None:
        """Write a segment: files, then the manifest with their hashes, then one rename. An existing equal segment is kept.

        Raises:
            DiskFull: no space is left; incomplete files are removed.
            StoreUnusable: the store cannot be written.
        """

        def write(folder: Path) -> None:
            for name, table in tensors.items():
                save_file({key: value.contiguous() for key, value in table.items()}, folder / f"{name}.safetensors")

        self._commit(signature, write, facts | {"code": code_hash()})

    def use(self, signature: str) -> None:
        """Record that a segment or score file was reused; a store that cannot be written records nothing."""
        with suppress(OSError):
            os.utime(self.folder(signature).with_name(f"{signature}.scores"))
        with suppress(OSError):
            handle = os.open(self.folder(signature) / USES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(handle, b".")
            finally:
                os.close(handle)

    def discard(self, name: str) -> None:
        """Remove a segment or snapshot: rename it first, then delete its files."""
        _LOG.debug("segment %s goes from %s", name, self)
        with suppress(OSError):
            self.folder(name).with_name(f"{name}.scores").unlink()
        grave = self.temporary(name)
        with suppress(OSError):
            self.folder(name).rename(grave)
        shutil.rmtree(grave, ignore_errors=True)

    def names(self) -> Iterator[str]:
        """Yield the names of everything that has a manifest, snapshots included, without verifying."""
        for path in sorted(self.root.glob(f"??/*/{MANIFEST}")):
            yield path.parent.name

    def snapshots(self, signature: str) -> list[str]:
        """Return the names of the snapshots of a segment, the furthest first."""
        return sorted((path.name for path in self.root.glob(f"{signature[:2]}/{signature}.*[0-9]")), reverse=True)

    def files(self, ending: str) -> Iterator[str]:
        """Yield the names, without `ending`, of everything that is a single file."""
        for path in sorted(self.root.glob(f"??/*{ending}")):
            yield path.name.removesuffix(ending)

    def read(self, path: str, most: int | None = None) -> bytes | None:
        """Return the content of a file under the root, or its first `most` bytes; None if there is none."""
        with suppress(OSError), (self.root / path).open("rb") as file:
            return file.read() if most is None else file.read(most)
        return None

    def size(self, path: str) -> int:
        """Return the size of a file under the root in bytes; 0 if there is none."""
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return 0

    def write(self, path: str, content: bytes) -> None:
        """Write a file under the root, under a temporary name that is then renamed.

        Raises:
            DiskFull: no space is left; the old content stays.
            StoreUnusable: the store cannot be written.
        """
        final = self.root / path
        temporary = self.temporary(final.name)
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            sync(temporary)
            temporary.rename(final)
            sync_folder(final.parent)
        except OSError as fault:
            raise translated(fault, self) from None
        finally:
            temporary.unlink(missing_ok=True)

    def modified(self, name: str) -> float:
        """Return when a segment was last reused, or else committed, in seconds since the epoch."""
        folder = self.folder(name)
        for file in (folder / USES, folder / MANIFEST, folder.with_name(f"{name}.scores")):
            with suppress(OSError):
                return file.stat().st_mtime
        return 0.0

    def uses(self, name: str) -> int:
        """Return how often a segment was reused."""
        try:
            return (self.folder(name) / USES).stat().st_size
        except OSError:
            return 0

    def warn(self, name: str) -> None:
        """Log, once per name, that something does not match its manifest."""
        if name not in self.damaged:
            self.damaged.append(name)
            _LOG.warning(
                "segment %s in %s is not as its manifest says: it counts as not there and is trained again", name, self
            )

    def temporary(self, name: str) -> Path:
        """Return a path at the store's root that is unique to this process; the leading dot hides it from readers."""
        return self.root / f".{name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"

    def _commit(self, signature: str, write: Callable[[Path], None], facts: dict[str, Any]) -> None:
        temporary = self.temporary(signature)
        try:
            temporary.mkdir(parents=True)
            write(temporary)
            stage(temporary, signature, facts)
            self._publish(temporary, signature)
            _LOG.info(
                "kept segment %s in %s: %s, %s steps",
                signature,
                self,
                facts.get("label", facts.get("kind")),
                facts.get("steps"),
            )
        except (OSError, SafetensorError) as fault:
            raise translated(fault, self) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _matches(self, path: Path, size: int, digest: str) -> bool:
        """Whether a file is as its manifest says; a file that stayed as it was is hashed once per process."""
        found = path.stat()
        seen = (found.st_ino, found.st_size, found.st_mtime_ns, digest)
        if self._hashed.get(path) == seen:
            return True
        if found.st_size != size or digest_of(path) != digest:
            return False
        if time.time() - found.st_mtime > _SETTLED_SECONDS:  # a younger file may change within one tick of the clock
            self._hashed[path] = seen
        return True

    def _publish(self, temporary: Path, signature: str) -> None:
        final = self.folder(signature)
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists() and self.manifest(signature) is None:
            self.discard(signature)
        try:
            temporary.rename(final)
        except OSError:
            if self.manifest(signature) is None:
                raise
        sync_folder(final.parent)


def stage(folder: Path, signature: str, facts: dict[str, Any]) -> None:
    """Complete a folder of written files: sync them, then add the manifest with their sizes and hashes."""
    files = {path.name: _facts(path) for path in sorted(folder.iterdir())}
    for path in folder.iterdir():
        sync(path)
    told = {"format": FORMAT, "signature": signature, "files": files, "facts": facts, "versions": library_versions()}
    body = json.dumps(told, sort_keys=True, indent=1)
    (folder / MANIFEST).write_text(body, encoding="utf-8")
    sync(folder / MANIFEST)


def read_manifest(text: str, signature: str, store: object) -> dict[str, Any] | None:
    """Parse a manifest; None if the text is not a manifest or belongs to another segment.

    Raises:
        StoreUnusable: a newer version wrote it.
    """
    try:
        manifest = json.loads(text)
        form = int(manifest["format"])
    except (ValueError, KeyError, TypeError):
        return None
    if form > FORMAT:
        raise newer(store, form)
    return dict(manifest) if form == FORMAT and manifest.get("signature") == signature and "files" in manifest else None


def newer(store: object, form: int) -> StoreUnusable:
    """Return the error for a store that a newer version wrote."""
    return StoreUnusable(f"{store} has format {form}; expected at most {FORMAT}: update tasksearch, or choose another --store")


def translated(fault: OSError | SafetensorError, store: object) -> Exception:
    """Convert a write error to one for the user; return it unchanged if its cause is unknown."""
    if no_room(fault):
        return DiskFull(f"no room left under {store} for a segment; free some, then `tasksearch resume`")
    if isinstance(fault, OSError) and fault.errno in _NO_WRITING:
        return StoreUnusable(f"{store} cannot be written ({fault.strerror}); mend that, or choose another --store")
    return fault


def sync(path: Path) -> None:
    """Force a file to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Force a rename in a folder to disk, where the file system supports syncing folders."""
    with suppress(OSError):
        sync(path)


def digest_of(path: Path) -> str:
    """Return a file's SHA-256, read in blocks so that a large model is not loaded into memory a second time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _facts(path: Path) -> tuple[int, str]:
    return path.stat().st_size, digest_of(path)
