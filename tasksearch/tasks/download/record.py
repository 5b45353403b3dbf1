"""What was fetched into a data folder, from where and with which checksum: `tasksearch-data.json` in it.

Where no checksum is published, the first fetch's is recorded and every later one must equal it; a hub table's commit likewise.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput
from tasksearch.tasks.download.transfer import Download
from tasksearch.tasks.hub import Pin

NAME = "tasksearch-data.json"
FORMAT = 1


@dataclass(kw_only=True)
class Record:
    """The record of one data folder.

    Attributes:
        files: address → `place`, `bytes` and `sha256` of what arrived.
        hub: hub data set → its pin, as plain JSON.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    hub: dict[str, dict[str, Any]] = field(default_factory=dict)

    def expected(self, file: Download) -> Download:
        """The file with the checksum of its first fetch, where its authors publish none."""
        known = self.files.get(file.url)
        if file.sha256 or file.git_blob or known is None:
            return file
        return replace(file, size=known["bytes"], sha256=known["sha256"])

    def note_file(self, file: Download, size: int, sha256: str) -> None:
        """Adds what was fetched."""
        self.files[file.url] = {"place": file.place, "bytes": size, "sha256": sha256}

    def note_pin(self, pin: Pin) -> None:
        """Adds the commit of a hub data set."""
        self.hub[pin.id] = asdict(pin)

    def pin_of(self, identity: str, asked: str) -> Pin | None:
        """The commit that was recorded for a hub data set under that revision."""
        return next((kept for kept in self.pins() if (kept.id, kept.asked) == (identity, asked)), None)

    def pins(self) -> list[Pin]:
        """The commits of all hub data sets."""
        return [Pin(**kept | {"files": tuple(kept["files"])}) for kept in self.hub.values()]

    def save(self, root: Path) -> None:
        """Writes it to the folder, whole or not at all."""
        content = {"format": FORMAT, "files": dict(sorted(self.files.items())), "hub": dict(sorted(self.hub.items()))}
        write_atomic(root / NAME, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode())


def read_record(root: Path) -> Record:
    """The folder's record; an empty one where there is none.

    Raises:
        BadInput: a record that is damaged or of a newer format.
    """
    path = root / NAME
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise BadInput(f"{path}: format {content['format']!r}; this version reads {FORMAT}: use a newer tasksearch")
        found = Record(files=dict(content["files"]), hub=dict(content["hub"]))
        for entry in found.files.values():
            int(entry["bytes"]), str(entry["sha256"])
        found.pins()
        return found
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadInput(
            f"{path}: cannot be read ({type(fault).__name__}); move it away, and what is fetched is recorded anew"
        ) from None
