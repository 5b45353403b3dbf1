"""What every node must have before the first trial: data, model, store, study folder, equal packages, the driver's code.

This module inspects and decides; `raytune.nodes` runs it on the nodes. A node that lacks something would fail trial after
trial; one with another version of torch would train under other segment names, so that nothing of it could be reused.
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
from tasksearch.core.gpu_sharing import mps_runs

PACKAGES = ("tasksearch", "torch", "transformers", "tokenizers", "safetensors", "numpy")
"""Packages whose versions are part of a segment's name, or decide whether it can be read."""

_MOST_FILES = 5000  # files of a folder that enter its fingerprint


@dataclass(frozen=True, kw_only=True)
class MachineView:
    """State of one machine, as far as trials depend on it.

    Attributes:
        places: label → fingerprint of the names and sizes there; None: nothing is there.
        writable: label → whether files can be created there, for folders that trials write.
        versions: package → version; None: not installed.
        code: hash of the sources that decide numbers, from `core.code_identity`.
        host: host name.
        imported_from: package → file that it is imported from; compared only on the driver's own machine.
        mps: whether processes can share a GPU there at the same time.
    """

    places: Mapping[str, str | None]
    writable: Mapping[str, bool]
    versions: Mapping[str, str | None]
    code: str = ""
    host: str = ""
    imported_from: Mapping[str, str | None] = field(default_factory=dict)
    mps: bool = False


@dataclass(frozen=True, kw_only=True)
class NodeAnswer:
    """One node's answer to the preflight.

    Attributes:
        node: the node's name in messages: its address and host name.
        look: what the node found; None if it could not answer.
        fault: why it could not answer, else empty.
    """

    node: str
    look: MachineView | None = None
    fault: str = ""


def view_machine(read: Mapping[str, str], marks: Mapping[str, str]) -> MachineView:
    """Inspect this machine.

    Args:
        read: label → path that trials read.
        marks: label → path of a file that the driver has just created in a folder that trials write.
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
        mps=mps_runs(),
    )


def fingerprint(place: Path) -> str | None:
    """Return a hash of the names and sizes of the first 5,000 files, in the order of their names; None if nothing is there.

    Contents are not hashed: they are part of the segments' names, so a difference shows there.
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
    """Return one line that names every faulty node with what it lacks; None if no node lacks anything.

    Args:
        here: the driver's own view, which has been checked already.
        answers: answers of all nodes.
        paths: label → path, for the message.
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
    """Return one line that says what was found, if nothing is lacking."""
    nodes = ", ".join(answer.node for answer in answers)
    versions = ", ".join(f"{name} {here.versions[name]}" for name in ("tasksearch", "torch") if here.versions.get(name))
    return f"{len(answers)} nodes see {', '.join(here.places)} as the driver does, with {versions}, code {here.code}: {nodes}"


def taking_turns(answers: Sequence[NodeAnswer]) -> str | None:
    """Return one line that names the nodes where trials on one GPU would take turns; None if there is no such node."""
    names = [answer.node for answer in answers if answer.look is not None and not answer.look.mps]
    if not names:
        return None
    return (
        f"no MPS daemon runs on {', '.join(names)}: trials that share a GPU take turns there; "
        "start nvidia-cuda-mps-control -d before the study (docs/gpu.md)"
    )


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
