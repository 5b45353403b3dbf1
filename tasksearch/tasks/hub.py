"""Data sets of the Hugging Face hub: parquet alone, at a commit that is looked up once and written down.

Nothing of a repository is ever run: a data set that stands as a script in `main` is taken from `refs/convert/parquet`, the
copy that the hub's own bot once made, and where that is not there either the user is told what to fetch by hand.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, DataMissing, Unreachable, first_line
from tasksearch.core.folders import cache_folder

CONVERTED = "refs/convert/parquet"
PATIENCE = 8.0
"""Seconds that one question to the hub may take."""

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_silent: dict[str, str] = {}
"""Address → why it did not answer: one process asks a dead hub once, not once per task."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """What a data set's name meant when it was first asked for.

    Attributes:
        id: `namespace/name`.
        asked: the revision that was asked for.
        commit: 40 hex digits; what is loaded, from then on.
        files: the parquet files, where the commit is one of `refs/convert/parquet`; empty for a commit of `main`.
    """

    id: str
    asked: str
    commit: str
    files: tuple[str, ...] = ()

    @property
    def converted(self) -> bool:
        """Whether the commit is the bot's and not the authors'."""
        return bool(self.files)


def check_id(identity: str) -> None:
    """Raises BadInput for an id without its namespace: bare ids no longer work, and once meant other things."""
    if not _ID.fullmatch(identity):
        raise BadInput(f"hub data set {identity!r}; expected 'namespace/name', as in rajpurkar/squad")


def pin(identity: str, asked: str = "main", *, cache: Path | None = None) -> Pin:
    """The commit of a data set: from the note of an earlier look-up, else from the hub.

    Raises:
        BadInput: an id without a namespace.
        DataMissing: no such data set, or no parquet in it.
        Unreachable: the hub did not answer.
    """
    check_id(identity)
    noted = _noted(note_of(identity, asked, cache))
    if noted is None:
        noted = _look_up(identity, asked)
        _note(noted, note_of(identity, asked, cache))
    return noted


def keep_pin(found: Pin) -> None:
    """Takes a commit that was looked up elsewhere for what the name means here, unless another was looked up here before."""
    note = note_of(found.id, found.asked)
    if _noted(note) is None:
        _note(found, note)


def note_of(identity: str, asked: str, cache: Path | None = None) -> Path:
    """Where the commit of a data set is kept."""
    name = re.sub(r"[^\w.-]", "-", f"{identity.replace('/', '--')}--{asked}")
    return (cache or cache_folder()) / "hub" / f"{name}.json"


def _noted(note: Path) -> Pin | None:
    try:
        noted = json.loads(note.read_text("utf-8"))
        return Pin(**noted | {"files": tuple(noted["files"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _note(found: Pin, note: Path) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    temporary = note.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(asdict(found), indent=1) + "\n", "utf-8")
    temporary.replace(note)


def _look_up(identity: str, asked: str) -> Pin:
    commit, files = _listing(identity, asked)
    if _is_parquet(identity, files):
        return Pin(id=identity, asked=asked, commit=commit)
    try:
        commit, files = _listing(identity, CONVERTED)
    except DataMissing:
        files = []
    tables = tuple(sorted(name for name in files if name.endswith(".parquet")))
    if not tables:
        raise DataMissing(
            f"hub data set {identity!r} holds no parquet, in {asked} or in {CONVERTED} (a loading script is never run): "
            "fetch its original files by hand"
        )
    return Pin(id=identity, asked=asked, commit=commit, files=tables)


def _is_parquet(identity: str, files: list[str]) -> bool:
    script = f"{identity.rsplit('/', 1)[1]}.py"
    return script not in files and any(name.endswith(".parquet") for name in files)


def _listing(identity: str, revision: str) -> tuple[str, list[str]]:
    """(commit, files) of a revision."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    api = HfApi()
    _check_awake(api.endpoint, identity)
    try:
        info = api.dataset_info(identity, revision=revision, timeout=PATIENCE)
    except RevisionNotFoundError:
        raise DataMissing(f"hub data set {identity!r} has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise DataMissing(f"no hub data set {identity!r}, or none that may be read without a login") from None
    except Exception as fault:  # whatever HTTP library is below: a dead address, a proxy's refusal, an answer that is no JSON
        _silent[api.endpoint] = f"{type(fault).__name__}: {first_line(fault)}"
        raise _unreachable(api.endpoint, identity) from None
    return str(info.sha), [entry.rfilename for entry in info.siblings or ()]


def _check_awake(endpoint: str, identity: str) -> None:
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        raise Unreachable(f"hub data set {identity!r} was never fetched here and HF_HUB_OFFLINE is set")
    if endpoint in _silent:
        raise _unreachable(endpoint, identity)


def _unreachable(endpoint: str, identity: str) -> Unreachable:
    return Unreachable(f"{endpoint} did not answer for data set {identity!r} ({_silent[endpoint]}); fetch its files by hand")


@lru_cache(maxsize=64)
def load_table(found: Pin, config: str, split: str) -> Any:
    """One split as a memory-mapped `datasets.Dataset`, through `datasets.load_dataset`.

    Raises:
        DataMissing: no such configuration or split.
        BadInput: its files are not parquet, or another commit came back.
        Unreachable: the files could not be fetched.
    """
    where = f"hub data set {found.id!r} ({config}, {split})"
    builder = _converted(found, config, split, where) if found.converted else _of_main(found, config, where)
    _told(where, builder.download_and_prepare)
    return _told(where, lambda: builder.as_dataset(split=split))


def _of_main(found: Pin, config: str, where: str) -> Any:
    from datasets import load_dataset_builder

    builder = _told(where, lambda: load_dataset_builder(found.id, config, revision=found.commit))
    reader = _reader(builder)
    if reader not in ("parquet", "cache"):  # `cache`: what an earlier call made of the parquet
        raise BadInput(f"{where}: its files are not parquet but {reader}; nothing else is read")
    if builder.hash != found.commit and found.commit not in str(builder.cache_dir):
        # `datasets` falls back to whatever its cache holds when the hub fails
        raise BadInput(
            f"{where}: expected commit {found.commit}, the local cache holds {builder.hash}; ask when the hub answers"
        )
    return builder


def _converted(found: Pin, config: str, split: str, where: str) -> Any:
    """From the bot's branch, whose folders name configuration and split; its files are asked for one by one."""
    from datasets import load_dataset_builder
    from huggingface_hub import hf_hub_download

    files = [name for name in found.files if name.startswith(f"{config}/{split}/")]
    if not files:
        there = sorted({" ".join(name.split("/")[:2]) for name in found.files})
        raise DataMissing(f"{where}: no such configuration and split; there are {', '.join(there)}")

    def fetch(name: str) -> str:
        return str(hf_hub_download(found.id, name, repo_type="dataset", revision=found.commit))

    paths = [_told(where, partial(fetch, name)) for name in files]
    return _told(where, lambda: load_dataset_builder("parquet", data_files={split: paths}))


def _reader(builder: Any) -> str:
    """Which of `datasets`' own readers a builder is: `parquet`, `csv`, `cache` …"""
    modules = [base.__module__ for base in type(builder).__mro__ if base.__module__.startswith("datasets.packaged_modules.")]
    return modules[0].split(".")[2] if modules else "a script"


def _told(where: str, act: Callable[[], Any]) -> Any:
    """Runs a call of `datasets`; its errors as ours, in one line."""
    try:
        return act()
    except (ValueError, KeyError, FileNotFoundError) as fault:
        raise DataMissing(f"{where}: {first_line(fault)}") from None
    except RuntimeError as fault:
        raise BadInput(f"{where}: {first_line(fault)}") from None
    except Exception as fault:
        raise Unreachable(f"{where}: {type(fault).__name__}: {first_line(fault)}; fetch its files by hand") from None


def table_bytes(found: Pin, config: str, split: str) -> int | None:
    """Bytes of one split's parquet files as the hub lists them; None where it does not answer or names them otherwise."""
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        _check_awake(api.endpoint, found.id)
        info = api.dataset_info(found.id, revision=found.commit, timeout=PATIENCE, files_metadata=True)
    except Exception:  # a size is no more than a courtesy
        return None
    begins = (f"{config}/{split}/", f"{config}/{split}-", f"data/{split}-") if config else ()
    sizes = [entry.size or 0 for entry in info.siblings or () if entry.rfilename.startswith(begins)]
    return sum(sizes) or None
