"""Segment store on an object store through fsspec. There is no atomic rename, so the manifest, written last, is the commit."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load

from tasksearch.core.errors import BadInput, MissingPackage, StoreUnusable, first_line
from tasksearch.store.segment_store import MANIFEST, SegmentDamaged, SegmentStore, Tensors, read_manifest


class RemoteStore(SegmentStore):
    """Segments under an fsspec URL such as `s3://bucket/store` or `memory://store`.

    Presence is checked by the manifest and the files' sizes, a file's hash when it is read. At worst two drivers train the same
    segment, with equal results. Reuses are not counted.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._fs, self._base = fsspec.core.url_to_fs(url)
        except ImportError as missing:
            raise MissingPackage(f"store {url} needs a package: {first_line(missing)}") from None
        except ValueError as error:
            raise BadInput(
                f"store {url}: {first_line(error)}; expected a folder or an fsspec URL such as s3://bucket/x"
            ) from None
        self.url = url
        super().__init__(Path(tempfile.gettempdir()))

    def __str__(self) -> str:
        return self.url

    def manifest(self, signature: str) -> dict[str, Any] | None:
        """Return the manifest; None if it is missing or one of its files has another size."""
        text = self._manifest_text(signature)
        if text is None:
            return None
        manifest = read_manifest(text, signature, self)
        with suppress(OSError, ValueError, TypeError, AttributeError):
            if manifest and all(self._size(signature, name) == facts[0] for name, facts in manifest["files"].items()):
                return manifest if self.fits(manifest) else None
        self.warn(signature)
        return None

    def peek(self, signature: str) -> dict[str, Any] | None:
        """Return the manifest without checking the files."""
        text = self._manifest_text(signature)
        return None if text is None else read_manifest(text, signature, self)

    def is_whole(self, signature: str, file: str) -> bool:
        """Whether a file's content matches the hash in the manifest."""
        manifest = self.peek(signature)
        with suppress(OSError, KeyError):
            if manifest:
                content = self._fs.cat_file(f"{self._at(signature)}/{file}")
                return bool(hashlib.sha256(content).hexdigest() == manifest["files"][file][1])
        return False

    def tensors(self, signature: str, name: str) -> Tensors:
        """Load one file and verify its hash.

        Raises:
            SegmentDamaged: the file does not match the manifest; the segment is removed so that it can be written again.
        """
        manifest = self.manifest(signature)
        with suppress(OSError, SafetensorError, KeyError):
            if manifest:
                content = self._fs.cat_file(f"{self._at(signature)}/{name}.safetensors")
                if hashlib.sha256(content).hexdigest() == manifest["files"][f"{name}.safetensors"][1]:
                    return dict(load(content))
        self.warn(signature)
        self.discard(signature)
        raise SegmentDamaged(signature)

    def use(self, signature: str) -> None:
        """Do nothing: an object store cannot append to a file."""

    def uses(self, name: str) -> int:
        """Return 0: reuses are not counted."""
        return 0

    def discard(self, name: str) -> None:
        """Remove a segment, its manifest first."""
        for path in (f"{self._at(name)}.scores", f"{self._at(name)}/{MANIFEST}"):
            with suppress(OSError):
                self._fs.rm_file(path)
        with suppress(OSError):
            self._fs.rm(self._at(name), recursive=True)

    def names(self) -> Iterator[str]:
        """Yield the names of everything that has a manifest."""
        for path in sorted(self._fs.glob(f"{self._base}/*/*/{MANIFEST}")):
            yield str(path).split("/")[-2]

    def snapshots(self, signature: str) -> list[str]:
        """Return the names of the snapshots of a segment, the furthest first."""
        found = {str(path).split("/")[-2] for path in self._fs.glob(f"{self._base}/{signature[:2]}/{signature}.*/{MANIFEST}")}
        return sorted(found, reverse=True)

    def files(self, ending: str) -> Iterator[str]:
        """Yield the names, without `ending`, of everything that is a single object."""
        for path in sorted(self._fs.glob(f"{self._base}/??/*{ending}")):
            yield str(path).split("/")[-1].removesuffix(ending)

    def read(self, path: str, most: int | None = None) -> bytes | None:
        """Return the content of a file under the root, or its first `most` bytes; None if there is none."""
        where = f"{self._base}/{path}"
        return bytes(self._fs.cat_file(where, end=most)) if self._fs.exists(where) else None

    def size(self, path: str) -> int:
        """Return the size of a file under the root in bytes; 0 if there is none."""
        with suppress(OSError):
            return int(self._fs.info(f"{self._base}/{path}")["size"])
        return 0

    def write(self, path: str, content: bytes) -> None:
        """Write a file under the root."""
        where = f"{self._base}/{path}"
        self._fs.makedirs(where.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(where, content)

    def modified(self, name: str) -> float:
        """Return when a segment was committed, in seconds since the epoch; 0 if the object store does not say."""
        for path in (f"{self._at(name)}/{MANIFEST}", f"{self._at(name)}.scores"):
            with suppress(OSError, NotImplementedError, AttributeError):
                return float(self._fs.modified(path).timestamp())
        return 0.0

    def _publish(self, temporary: Path, signature: str) -> None:
        if self.manifest(signature) is not None:
            return
        there = self._at(signature)
        self._fs.makedirs(there, exist_ok=True)
        for path in sorted(temporary.iterdir(), key=lambda path: path.name == MANIFEST):  # the manifest comes last
            self._fs.put_file(str(path), f"{there}/{path.name}")

    def _manifest_text(self, signature: str) -> str | None:
        try:
            return str(self._fs.cat_file(f"{self._at(signature)}/{MANIFEST}").decode("utf-8", "replace"))
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise StoreUnusable(f"store {self} cannot be read: {first_line(fault)}") from None

    def _at(self, name: str) -> str:
        return f"{self._base}/{name[:2]}/{name}"

    def _size(self, signature: str, name: str) -> int:
        return int(self._fs.info(f"{self._at(signature)}/{name}")["size"])


def open_store(address: str) -> SegmentStore:
    """Open the store at a folder (also `file://…`) or an fsspec URL."""
    if address.startswith("file://"):
        return SegmentStore(Path(address.removeprefix("file://")))
    return RemoteStore(address) if "://" in address else SegmentStore(Path(address))
