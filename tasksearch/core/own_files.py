"""Files of the user's own (suites, samplers, pickers, trainables): read once, identified by content, sent to every worker.

A file is identified by its *reference* `NAME@DIGEST`, which depends on its content and not on its location. A study keeps the
text of its files under `STUDY/files/DIGEST/`, reads them from there when it is resumed, and sends them to its workers as plain
text in the trials' context (`pack`, `unpack`): a worker needs neither the file nor a folder shared with the driver. Python code
is run only from a file that the user named by its path.
"""

from __future__ import annotations

import inspect
import json
import linecache
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, TasksearchError, UnknownName
from tasksearch.core.input_files import check_regular
from tasksearch.core.signature import signature_of

FOLDER = "files"
"""Subfolder of a study that keeps its user's files."""
MOST_BYTES = 2**20
"""Maximum size of a file in bytes: it is sent along with every trial."""
MODULE = "tasksearch_user_"
"""Prefix of the module name under which a user's file is imported."""

_DIGEST_LENGTH = 12
_REFERENCE = re.compile(r"(?P<name>.+)@(?P<digest>[0-9a-f]{12})")
_ABOUT = "file.json"


@dataclass(frozen=True, kw_only=True)
class UserFile:
    """A file that the user named by its path, together with the files that it refers to.

    Attributes:
        files: (path relative to the file's folder, text), the file itself first.
        home: absolute folder that the file was read from, to which its relative paths refer. Not part of its content.
    """

    files: tuple[tuple[str, str], ...]
    home: str = ""

    @property
    def name(self) -> str:
        """Name of the file, without folders."""
        return self.files[0][0]

    @property
    def text(self) -> str:
        """Content of the file."""
        return self.files[0][1]

    @property
    def digest(self) -> str:
        """Hash of the names and texts."""
        return signature_of("user file", self.files)[:_DIGEST_LENGTH]

    @property
    def path(self) -> Path:
        """Path that the file was read from."""
        return Path(self.home) / self.name


_known: dict[str, UserFile] = {}
_folders: dict[Path, None] = {}


def is_path(name: str) -> bool:
    """Whether an option's value names a file rather than something built in."""
    return name.endswith((".py", ".toml")) or "/" in name


def read_user_file(path: Path, wanted: str, beside: Callable[[str], Iterable[str]] = lambda _: ()) -> UserFile:
    """Read a file and register it in this process.

    Args:
        wanted: what the file should hold, for error messages (`a SPACE`).
        beside: function from the file's text to the paths, relative to its folder, of the files that it refers to.

    Raises:
        BadInput: the file is missing, too large or not UTF-8, or refers to a file outside its folder.
    """
    home = path.absolute().parent
    files = [(path.name, _text(path, wanted))]
    for name in dict.fromkeys(beside(files[0][1])):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BadInput(f"{path}: {name!r} leaves the file's folder; expected a path below it")
        files.append((name, _text(home / name, f"what {path.name} names")))
    return register(UserFile(files=tuple(files), home=str(home)))


def _text(path: Path, wanted: str) -> str:
    if check_regular(path, f"a file with {wanted}") > MOST_BYTES:
        raise BadInput(
            f"{path} is larger than {MOST_BYTES:,} bytes; expected a file with {wanted}, not data: it travels to workers"
        )
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path} is not UTF-8 at byte {fault.start}; convert the file") from None
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror or fault}") from None


def register(file: UserFile) -> UserFile:
    """Register the file in this process under its digest."""
    _known[file.digest] = file
    return file


def look_in(folder: Path) -> None:
    """Add a study's folder of user files to those searched for references."""
    _folders[folder.absolute()] = None


def reference_of(name: str, file: UserFile) -> str:
    """Return `NAME@DIGEST`."""
    return f"{name}@{file.digest}"


def is_reference(text: str) -> bool:
    """Whether the text is a reference to a user's file."""
    return _REFERENCE.fullmatch(text) is not None


def split_reference(text: str) -> tuple[str, UserFile]:
    """Return (name, file) of a reference.

    Raises:
        BadInput: the file is unknown in this process, or its copy in the study was changed.
    """
    found = _REFERENCE.fullmatch(text)
    assert found is not None, f"{text} is no reference"
    return found["name"], _file(found["digest"], text)


def _file(digest: str, shown: str) -> UserFile:
    if digest not in _known:
        for folder in _folders:
            if (folder / digest / _ABOUT).is_file():
                return register(_kept(folder / digest))
        raise BadInput(f"the file behind {shown!r} is not known here; give its path, or resume the study that keeps it")
    return _known[digest]


def _kept(folder: Path) -> UserFile:
    """Return a file as a study keeps it; refuse it if its text was changed since."""
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        texts = [(name, (folder / name).read_text("utf-8")) for name in map(str, about["files"])]
        file = UserFile(files=tuple(texts), home=str(about["home"]))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadInput(f"{folder} cannot be read ({fault}); put back what the study kept there") from None
    if file.digest != folder.name:
        raise BadInput(f"{folder / file.name} was changed after the study began; put its text back, or begin another study")
    return file


def references_in(*texts: str) -> tuple[UserFile, ...]:
    """Return the files behind those of the texts that are references, each once."""
    found = [split_reference(text)[1] for text in texts if is_reference(text)]
    return tuple({file.digest: file for file in found}.values())


def keep(study: Path, files: Iterable[UserFile]) -> None:
    """Write the files into a study's folder unless they are there unchanged; raises what `write_atomic` raises."""
    for file in files:
        folder = study / FOLDER / file.digest
        about = json.dumps({"files": [name for name, _ in file.files], "home": file.home}, ensure_ascii=False, indent=1)
        if (folder / _ABOUT).is_file() and _kept(folder) == file:
            continue
        for name, text in file.files:
            write_atomic(folder / name, text.encode())
        write_atomic(folder / _ABOUT, f"{about}\n".encode())


def pack(files: Iterable[UserFile]) -> list[dict[str, Any]]:
    """Convert files to plain dictionaries that can be sent to a worker."""
    return [{"files": [list(pair) for pair in file.files], "home": file.home} for file in files]


def unpack(packed: Iterable[Mapping[str, Any]]) -> None:
    """Register packed files in this process."""
    for one in packed:
        register(UserFile(files=tuple((str(n), str(t)) for n, t in one["files"]), home=str(one["home"])))


def shown(reference: str) -> str:
    """Return a reference as the user wrote it: the file's path, with `:NAME` where it has one.

    Other text is returned unchanged.
    """
    if not is_reference(reference):
        return reference
    name, file = split_reference(reference)
    return f"{file.path}:{name.partition(':')[2]}" if ":" in name else str(file.path)


def module_of(file: UserFile, name: str | None = None) -> ModuleType:
    """Return the module of a Python file, which is run once per process and content.

    Args:
        name: one of `file.files`; None: the file itself.

    Raises:
        BadInput: running the file raised an error, which is reported in one line.
    """
    name = name or file.name
    text = dict(file.files)[name]
    called = MODULE + signature_of("user module", name, text)[:_DIGEST_LENGTH]
    path = str(Path(file.home) / name)
    if called in sys.modules:
        return sys.modules[called]
    module = ModuleType(called)
    module.__file__ = path
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)  # for tracebacks on another machine
    sys.modules[called] = module  # dataclasses look up their module there
    try:
        exec(compile(text, path, "exec"), module.__dict__)  # the user named this very file
    except BaseException as fault:
        del sys.modules[called]
        if isinstance(fault, TasksearchError | KeyboardInterrupt):
            raise
        raise BadInput(f"{path}: {type(fault).__name__}: {fault}") from None
    return module


def refer(option: str, text: str, wanted: str) -> str:
    """Read and run the file in `FILE.py:NAME` and return its reference.

    Args:
        option: option that the text was given for (`--sampler`).
        wanted: what NAME should be, for messages (`a function or class`).

    Raises:
        BadInput: NAME or the file is missing, or the file cannot be run.
        UnknownName: the file has no such name.
    """
    path, _, name = text.rpartition(":")
    if not path or not name.isidentifier():
        raise BadInput(f"{option} {text!r}; expected FILE.py:NAME, where NAME is {wanted}")
    file = read_user_file(Path(path), wanted)
    named_in(file, name, wanted)
    return reference_of(f"{file.name}:{name}", file)


def named_in(file: UserFile, name: str, wanted: str, where: str | None = None) -> Any:
    """Return the object with that name in a Python file.

    Args:
        where: one of `file.files`; None: the file itself.

    Raises:
        BadInput: the file cannot be run, or the object is not callable.
        UnknownName: the file has no such name.
    """
    module = module_of(file, where)
    if not hasattr(module, name):
        known = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        raise UnknownName(f"name in {where or file.name}", name, known)
    found = getattr(module, name)
    if not callable(found):
        raise BadInput(f"{name} in {where or file.name} is {found!r}; expected {wanted}")
    return found


def referred(reference: str, wanted: str) -> Any:
    """Return the object that a reference `FILE.py:NAME@DIGEST` names; raises as `split_reference` and `named_in` do."""
    name, file = split_reference(reference)
    return named_in(file, name.partition(":")[2], wanted)


def takes(found: Callable[..., Any], parameter: str) -> bool:
    """Whether a callable has a parameter of that name; False if its signature cannot be read."""
    try:
        return parameter in inspect.signature(found).parameters
    except (TypeError, ValueError):
        return False
