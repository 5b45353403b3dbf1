"""Versions of the libraries that decide numbers: a study trained with others is reported, and mixed only on request."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasksearch.core.atomic import write_atomic
from tasksearch.core.checksum import checked_json, is_damaged, read_checked
from tasksearch.core.errors import BadInput
from tasksearch.core.library_versions import library_versions
from tasksearch.phases.segments import NUMERICS

_FILE = "versions.json"
_NUMERICS = "numerics"
"""Name under which `phases.segments.NUMERICS` stands among the versions."""


def check_versions(ledger: Any, *, accept: bool = False, retrain: bool = False) -> list[str]:
    """Compare this machine's versions with the study's and note them. Requires the folder's lock; call before any training.

    Args:
        ledger: of the study.
        accept: continue under other versions: the study then mixes numbers of both, and keeps a list of the versions.
        retrain: start every trial again under this machine's versions; the old records are kept in another folder.

    Returns:
        Lines for the user.

    Raises:
        BadInput: the study was trained with other versions, and neither `accept` nor `retrain` is set.
    """
    folder, now = ledger.folder, library_versions() | {_NUMERICS: str(NUMERICS)}
    past = _past(folder)
    had = past[-1]["versions"] if past else _of_records(ledger)
    if had and _NUMERICS not in had:
        had = {**had, _NUMERICS: "1"}  # written before the first change of numbers
    finished = [record for record in ledger.written() if record.status != "running"]
    differs = ", ".join(
        f"{name} {had[name]}, here {now.get(name, 'none')}" for name in sorted(had) if had[name] != now.get(name)
    )
    entry = {"versions": now, "trials": len(finished), "when": time.strftime("%Y-%m-%d %H:%M:%S")}
    if not differs or not finished:
        if not past or past[-1]["versions"] != now:
            _write(folder, [*past[:-1], entry] if not finished else [*past, entry])
        return []
    if retrain:
        _set_records_aside(ledger)
        _write(folder, [entry | {"trials": 0}])
        return [
            f"the study was trained with {differs}: every trial is trained again; the records are kept in {folder}/before-*"
        ]
    if not accept:
        raise BadInput(
            f"the study in {folder} was trained with {differs}: numbers of both would stand in one table; install what it had, "
            "or --accept-versions mixes them, or --retrain trains every trial again"
        )
    _write(folder, [*(past or [entry | {"versions": had, "trials": 0}]), entry])
    return [f"the study was trained with {differs}: it goes on with what is here, as --accept-versions says"]


def versions_are_mixed(folder: Path) -> bool:
    """Return whether the study was ever continued under other versions."""
    return len({tuple(sorted(entry["versions"].items())) for entry in _past(folder)}) > 1


def _past(folder: Path) -> list[dict[str, Any]]:
    """Return the noted versions in order, each with the number of trials finished then; empty if none can be read."""
    path = folder / _FILE
    return list(read_checked(path)["passages"]) if path.exists() and not is_damaged(path) else []


def _write(folder: Path, passages: list[dict[str, Any]]) -> None:
    path = folder / _FILE
    if path.is_dir():
        path.rename(path.with_name(f"{_FILE}.damaged"))
    write_atomic(path, checked_json({"passages": passages}))


def _of_records(ledger: Any) -> Mapping[str, str]:
    """Return the versions noted with the trials, for studies of earlier versions that have no `versions.json`."""
    here = library_versions()
    for record in reversed(ledger.written()):
        facts = dict(record.facts)
        if record.status == "done" and (found := {name: facts[name].split("+")[0] for name in here if name in facts}):
            return found
    return {}


def _set_records_aside(ledger: Any) -> None:
    """Move records, additions, end and journal into a folder of their own; keep the configuration and the holdout log.

    Raises:
        BadInput: the study was extended, or its Optuna study is in a database: it cannot be restarted in place.
    """
    from tasksearch.study.locations import optuna_address

    if ledger.history() or optuna_address(ledger.folder) is not None:
        what = "grew" if ledger.history() else "keeps its Optuna study in a database"
        raise BadInput(f"--retrain of a study that {what}; expected a new study: give the command another --name or --out")
    config, before = ledger.config(), ledger.folder / f"before-{time.strftime('%Y%m%d-%H%M%S')}"
    before.mkdir()
    for name in ("ended.json", "optuna.journal", "cache", "trials"):
        if (ledger.folder / name).exists():
            (ledger.folder / name).rename(before / name)
    ledger.save_config(config)
