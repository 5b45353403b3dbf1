"""Record of what was downloaded into a data folder, with address and checksum: `tasksearch-data.json` in that folder.

If no checksum is published, that of the first download is recorded and all later ones must match it; likewise for the commit of
a hub table.
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
        files: address → `place`, `bytes` and `sha256` of the download.
        hub: hub data set → its pin, as plain JSON.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    hub: dict[str, dict[str, Any]] = field(default_factory=dict)

    def expected(self, file: Download) -> Download:
        """Return the file, with the checksum of its first download if its authors publish none."""
        known = self.files.get(file.url)
        if file.sha256 or file.git_blob or known is None:
            return file
        return replace(file, size=known["bytes"], sha256=known["sha256"])

    def note_file(self, file: Download, size: int, sha256: str) -> None:
        """Add a downloaded file."""
        self.files[file.url] = {"place": file.place, "bytes": size, "sha256": sha256}

    def note_pin(self, pin: Pin) -> None:
        """Add the commit of a hub data set."""
        self.hub[pin.id] = asdict(pin)

    def pin_of(self, identity: str, asked: str) -> Pin | None:
        """Return the commit recorded for a hub data set under that revision."""
        return next((kept for kept in self.pins() if (kept.id, kept.asked) == (identity, asked)), None)

    def pins(self) -> list[Pin]:
        """Return the commits of all hub data sets."""
        return [Pin(**kept | {"files": tuple(kept["files"])}) for kept in self.hub.values()]

    def save(self, root: Path) -> None:
        """Write the record to the folder atomically."""
        content = {"format": FORMAT, "files": dict(sorted(self.files.items())), "hub": dict(sorted(self.hub.items()))}
        write_atomic(root / NAME, f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode())


def read_record(root: Path) -> Record:
    """Read the folder's record; an empty one if there is none.

    Raises:
        BadInput: the record is damaged or has a newer format.
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
