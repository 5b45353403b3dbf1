"""The segment store: one folder per signature, its manifest written last. A folder without a valid manifest does not exist."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tasksearch.core.errors import DiskFull

MANIFEST = "manifest.json"
FORMAT = 1
Tensors = dict[str, torch.Tensor]


class SegmentStore:
    """Segments under a local folder. Equal signatures hold equal content, so two writers of one may race and neither loses."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, signature: str) -> Path:
        """Where a segment stands, or would."""
        return self.root / signature[:2] / signature

    def manifest(self, signature: str) -> dict[str, Any] | None:
        """The segment's manifest, None where the segment is absent or any of its files is not as the manifest says."""
        folder = self.folder(signature)
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            if (manifest["format"], manifest["signature"]) == (FORMAT, signature) and all(
                _matches(folder / name, *facts) for name, facts in manifest["files"].items()
            ):
                return dict(manifest)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return None

    def tensors(self, signature: str, name: str) -> Tensors:
        """One of the segment's safetensors files, on the CPU."""
        return dict(load_file(self.folder(signature) / f"{name}.safetensors"))

    def put(self, signature: str, tensors: dict[str, Tensors], facts: dict[str, Any]) -> None:
        """Writes a segment: files, their hashes, the manifest, then one rename. An equal segment that is already there stays.

        Raises:
            DiskFull: nothing half-written is left.
        """

        def write(folder: Path) -> None:
            for name, table in tensors.items():
                save_file({key: value.contiguous() for key, value in table.items()}, folder / f"{name}.safetensors")

        self._commit(signature, write, facts)

    def _commit(self, signature: str, write: Callable[[Path], None], facts: dict[str, Any]) -> None:
        final = self.folder(signature)
        temporary = self.root / f".{signature}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        try:
            temporary.mkdir(parents=True)
            write(temporary)
            files = {path.name: _facts(path) for path in sorted(temporary.iterdir())}
            for path in temporary.iterdir():
                sync(path)
            body = json.dumps(
                {"format": FORMAT, "signature": signature, "files": files, "facts": facts}, sort_keys=True, indent=1
            )
            (temporary / MANIFEST).write_text(body, encoding="utf-8")
            sync(temporary / MANIFEST)
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.exists() and self.manifest(signature) is None:
                shutil.rmtree(final, ignore_errors=True)
            try:
                temporary.rename(final)
            except OSError:
                if self.manifest(signature) is None:
                    raise
        except (OSError, SafetensorError) as fault:
            if _is_full(fault):
                raise DiskFull(f"no room left under {self.root} for a segment; free some, then `tasksearch resume`") from None
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _is_full(fault: Exception) -> bool:
    """Whether a write failed for want of room; safetensors raises no OSError, it writes the number into its message."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(fault, OSError):
        return fault.errno in full
    return any(f"(os error {number})" in str(fault) for number in full)


def sync(path: Path) -> None:
    """Forces a file to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _facts(path: Path) -> tuple[int, str]:
    """Size and hash, read in blocks: a segment of a large model does not fit twice into memory."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _matches(path: Path, size: int, digest: str) -> bool:
    return path.stat().st_size == size and _facts(path) == (size, digest)
