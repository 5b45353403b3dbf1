"""A user's Python file, carried to where it is needed: `pack` on the driver, `load` on every worker.

What travels is the file's content, as plain entries of a dict that any JSON or Ray config can hold. A worker therefore runs
what the driver ran, whatever stands at that path on its own machine, or in its current folder.
"""

from __future__ import annotations

import base64
import hashlib
import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput
from tasksearch.core.folders import cache_folder

MOST_BYTES = 2**20
"""Size limit of a user's file: it travels with every trial."""

_PREFIX = "tasksearch_user_file_"


def pack(path: Path, wanted: str = "Python code") -> dict[str, str]:
    """Read a user's file so that it can travel: `path`, `sha256` and `content` (base64).

    Args:
        path: of the file, as the user gave it.
        wanted: what the file should hold, for the error's line.

    Raises:
        BadInput: no such file, not a file, too large, or not readable.
    """
    if not path.is_file():
        raise BadInput(f"no file {str(path)!r}; expected a Python file with {wanted}")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise BadInput(f"cannot read {str(path)!r}: {fault.strerror or fault}") from None
    if len(content) > MOST_BYTES:
        raise BadInput(f"{str(path)!r} is larger than {MOST_BYTES:,} bytes; expected a Python file with {wanted}")
    digest = hashlib.sha256(content).hexdigest()
    return {"path": str(path.absolute()), "sha256": digest, "content": base64.b64encode(content).decode("ascii")}


def load(packed: Mapping[str, str]) -> ModuleType:
    """Import a packed file; the same content gives the same module object within a process.

    The module is named after the content's hash, so that no name of the user's file hides an installed package. Its `__file__`
    is the user's own path where that holds the very same content, else a copy in the cache folder, named by the hash; code that
    reads other files beside itself therefore finds them on the machines that have them.

    Raises:
        BadInput: the content is not what was packed, or running it raised an error, which is passed on with its type.
    """
    content = _verified(packed)
    name = _PREFIX + packed["sha256"][:16]
    if name in sys.modules:
        return sys.modules[name]
    place = _place(packed, content)
    module = ModuleType(name)
    module.__file__ = str(place)
    linecache.checkcache(str(place))
    # registered before it runs: dataclasses and pickle look their module up by name
    sys.modules[name] = module
    try:
        exec(compile(content, str(place), "exec"), module.__dict__)
    except BadInput:
        del sys.modules[name]
        raise
    except BaseException as fault:  # whatever a user's file does, SystemExit among it
        del sys.modules[name]
        if isinstance(fault, KeyboardInterrupt):
            raise
        raise BadInput(f"{packed['path']}: {type(fault).__name__}: {fault}") from None
    return module


def _verified(packed: Mapping[str, str]) -> bytes:
    content = base64.b64decode(packed["content"], validate=True)
    if hashlib.sha256(content).hexdigest() != packed["sha256"]:
        raise BadInput(f"{packed['path']}: its content was changed on the way; expected sha256 {packed['sha256'][:16]}…")
    return content


def _place(packed: Mapping[str, str], content: bytes) -> Path:
    """The user's path where it holds that content, else the copy in the cache."""
    own = Path(packed["path"])
    if _holds(own, content):
        return own
    copy = cache_folder() / "user_files" / packed["sha256"] / own.name
    if not _holds(copy, content):
        write_atomic(copy, content)
    return copy


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.is_file() and path.read_bytes() == content
    except OSError:
        return False
