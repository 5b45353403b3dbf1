"""Data sets of the Hugging Face hub: only parquet, at a commit that is looked up once and recorded.

No code of a repository is ever run. A data set that is a script in `main` is read from `refs/convert/parquet`, the hub bot's
converted copy; if that is missing too, the error tells the user what to download by hand.
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
"""Timeout in seconds for one request to the hub."""

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_silent: dict[str, str] = {}
"""Endpoint → why it did not answer, so that a process asks an unreachable hub only once and not once per task."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """The commit that a data set's name referred to when it was first looked up.

    Attributes:
        id: `namespace/name`.
        asked: requested revision.
        commit: 40 hex digits; this commit is loaded from then on.
        files: parquet files, if the commit is one of `refs/convert/parquet`; empty for a commit of the requested revision.
    """

    id: str
    asked: str
    commit: str
    files: tuple[str, ...] = ()

    @property
    def converted(self) -> bool:
        """Whether the commit is the hub bot's converted copy and not the authors'."""
        return bool(self.files)


def check_id(identity: str) -> None:
    """Raise BadInput for an id without namespace: such ids no longer work, and used to mean other data sets."""
    if not _ID.fullmatch(identity):
        raise BadInput(f"hub data set {identity!r}; expected 'namespace/name', as in rajpurkar/squad")


def pin(identity: str, asked: str = "main", *, cache: Path | None = None) -> Pin:
    """Return the commit of a data set, from the record of an earlier look-up or from the hub.

    Raises:
        BadInput: the id has no namespace.
        DataMissing: there is no such data set, or it has no parquet.
        Unreachable: the hub did not answer.
    """
    check_id(identity)
    noted = _noted(note_of(identity, asked, cache))
    if noted is None or (noted.id, noted.asked) != (identity, asked):  # two names may be one file's, as `a/b--c` and `a--b/c`
        noted = _look_up(identity, asked)
        _note(noted, note_of(identity, asked, cache))
    return noted


def keep_pin(found: Pin) -> None:
    """Record a commit that was looked up elsewhere, unless another one is already recorded here."""
    note = note_of(found.id, found.asked)
    if _noted(note) is None:
        _note(found, note)


def note_of(identity: str, asked: str, cache: Path | None = None) -> Path:
    """Return the path of the file that records a data set's commit."""
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
    """Return (commit, files) of a revision."""
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
    except Exception as fault:  # type depends on the HTTP library: no connection, refused by a proxy, not JSON
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
    """Load one split as a memory-mapped `datasets.Dataset` with `datasets.load_dataset_builder`.

    Raises:
        DataMissing: there is no such configuration or split.
        BadInput: its files are not parquet, or the cache holds another commit.
        Unreachable: the files could not be downloaded.
    """
    where = f"hub data set {found.id!r} ({config}, {split})"
    builder = _converted(found, config, split, where) if found.converted else _of_main(found, config, where)
    _told(where, builder.download_and_prepare)
    return _told(where, lambda: builder.as_dataset(split=split))


def _of_main(found: Pin, config: str, where: str) -> Any:
    from datasets import load_dataset_builder

    builder = _told(where, lambda: load_dataset_builder(found.id, config, revision=found.commit))
    reader = _reader(builder)
    if reader not in ("parquet", "cache"):  # `cache`: prepared from the parquet by an earlier call
        raise BadInput(f"{where}: its files are not parquet but {reader}; nothing else is read")
    if builder.hash != found.commit and found.commit not in str(builder.cache_dir):
        # if the hub fails, `datasets` falls back to any commit in its cache
        raise BadInput(
            f"{where}: expected commit {found.commit}, the local cache holds {builder.hash}; ask when the hub answers"
        )
    return builder


def _converted(found: Pin, config: str, split: str, where: str) -> Any:
    """Load from the bot's branch, whose folders are named by configuration and split; download its files one by one."""
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
    """Return which of `datasets`' own readers a builder is: `parquet`, `csv`, `cache` …"""
    modules = [base.__module__ for base in type(builder).__mro__ if base.__module__.startswith("datasets.packaged_modules.")]
    return modules[0].split(".")[2] if modules else "a script"


def _told(where: str, act: Callable[[], Any]) -> Any:
    """Run a call of `datasets` and convert its errors to ours, in one line."""
    try:
        return act()
    except (ValueError, KeyError, FileNotFoundError) as fault:
        raise DataMissing(f"{where}: {first_line(fault)}") from None
    except RuntimeError as fault:
        raise BadInput(f"{where}: {first_line(fault)}") from None
    except Exception as fault:
        raise Unreachable(f"{where}: {type(fault).__name__}: {first_line(fault)}; fetch its files by hand") from None


def table_bytes(found: Pin, config: str, split: str) -> int | None:
    """Return the size in bytes of one split's parquet files as listed by the hub.

    None if the hub does not answer or names them differently.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        _check_awake(api.endpoint, found.id)
        info = api.dataset_info(found.id, revision=found.commit, timeout=PATIENCE, files_metadata=True)
    except Exception:  # the size is only informative
        return None
    begins = (f"{config}/{split}/", f"{config}/{split}-", f"data/{split}-") if config else ()
    sizes = [entry.size or 0 for entry in info.siblings or () if entry.rfilename.startswith(begins)]
    return sum(sizes) or None
