"""What every node must see before the first trial: data, model, store, study folder, equal packages, and the driver's code.

Decisions and looking alone; `raytune.nodes` carries them to the nodes. A node that lacks something would fail trial after
trial, or, with another version of torch, train under other names: nothing of it would be reused.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tasksearch.core import code_identity
from tasksearch.core.code_identity import code_hash

PACKAGES = ("tasksearch", "torch", "transformers", "tokenizers", "safetensors", "numpy")
"""Packages whose versions decide what a segment is, or whether it can be read."""

_MOST_FILES = 5000  # of a folder, that are looked at


@dataclass(frozen=True, kw_only=True)
class MachineView:
    """What one machine sees.

    Attributes:
        places: label → fingerprint of the names and sizes there; None: nothing is there.
        writable: label → whether files can be made there, of folders that trials write.
        versions: package → version; None: it is not installed.
        code: hash of the sources that decide numbers, as `core.code_identity` has it.
        host: name of the machine.
        imported_from: package → file that it is imported from; compared on the driver's own machine alone.
    """

    places: Mapping[str, str | None]
    writable: Mapping[str, bool]
    versions: Mapping[str, str | None]
    code: str = ""
    host: str = ""
    imported_from: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class NodeAnswer:
    """A node's word; `fault` instead where it had none.

    Attributes:
        node: how the node is named to people: its address and host name.
    """

    node: str
    look: MachineView | None = None
    fault: str = ""


def view_machine(read: Mapping[str, str], marks: Mapping[str, str]) -> MachineView:
    """What this machine sees.

    Args:
        read: label → path of what trials read.
        marks: label → path of a file that the driver has just made in a folder that trials write.
    """
    places = {label: fingerprint(Path(path)) for label, path in (*read.items(), *marks.items())}
    writable = {label: os.access(Path(path).parent, os.W_OK) for label, path in marks.items()}
    return MachineView(
        places=places,
        writable=writable,
        versions={name: _version(name) for name in PACKAGES} | _python(),
        code=code_hash(),
        host=platform.node(),
        imported_from={name: _origin(name) for name in (*code_identity.PACKAGES, *PACKAGES[1:])},
    )


def fingerprint(place: Path) -> str | None:
    """A hash of names and sizes, of the first few thousand files in the order of their names; None: nothing is there.

    Contents are not read: segments are named by them, which a study notices by itself.
    """
    if place.is_file():
        return _hash([f"{place.name} {place.stat().st_size}"])
    if not place.is_dir():
        return None
    rows: list[str] = []
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(folder) / name
            rows.append(f"{path.relative_to(place)} {path.stat().st_size}")
            if len(rows) == _MOST_FILES:
                return _hash(rows)
    return _hash(rows)


def fault_of(here: MachineView, answers: Sequence[NodeAnswer], paths: Mapping[str, str]) -> str | None:
    """One line that names every node with what it lacks; None where nothing is.

    Args:
        here: what the driver sees; it has been checked already.
        paths: label → path, for the line.
    """
    told = [f"node {answer.node} {'; '.join(found)}" for answer in answers if (found := _lacks(here, answer, paths))]
    nodes = "1 node" if len(answers) == 1 else f"{len(answers)} nodes"
    return f"{len(told)} of {nodes} cannot run trials: {' | '.join(told)}" if told else None


def _lacks(here: MachineView, answer: NodeAnswer, paths: Mapping[str, str]) -> list[str]:
    there = answer.look
    if there is None:
        return [answer.fault]
    found = []
    for label, mark in here.places.items():
        if there.places.get(label) is None:
            found.append(f"does not see the {label} {paths[label]}")
        elif there.places[label] != mark:
            found.append(f"sees another {label} at {paths[label]} than the driver")
        elif not there.writable.get(label, True):
            found.append(f"cannot write the {label} {paths[label]}")
    for name, mine in here.versions.items():
        its = there.versions.get(name)
        if its != mine:
            found.append(f"has {name} {its}, the driver {mine}" if its else f"has no {name}, the driver {mine}")
    for name, mine in here.imported_from.items():
        its = there.imported_from.get(name)
        if its != mine and there.host == here.host:
            found.append(f"imports {name} from {its}, the driver from {mine}; run from a folder that holds no {name}")
    if there.code != here.code:
        found.append(f"runs other code than the driver ({there.code}, the driver's is {here.code})")
    return found


def summary_of(answers: Sequence[NodeAnswer], here: MachineView) -> str:
    """One line of what was found well."""
    nodes = ", ".join(answer.node for answer in answers)
    versions = ", ".join(f"{name} {here.versions[name]}" for name in ("tasksearch", "torch") if here.versions.get(name))
    return f"{len(answers)} nodes see {', '.join(here.places)} as the driver does, with {versions}, code {here.code}: {nodes}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _origin(package: str) -> str | None:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else str(Path(spec.origin).resolve())


def _python() -> dict[str, str]:
    return {"Python": ".".join(platform.python_version_tuple()[:2])}


def _hash(rows: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]
