"""Runs the preflight on the nodes: one small Ray task, pinned to every node that can run a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tasksearch.core.errors import BadInput, last_line
from tasksearch.engine.preflight import MachineView, NodeAnswer, fault_of, summary_of, taking_turns, view_machine

_PATIENCE = 120.0  # seconds; a first task on a node starts a Python process there

_READ = {"data": "data", "model": "model", "suite_home": "folder of the suite's file"}
_WRITTEN = {"store": "store", "study_folder": "study folder"}
"""Entry of a trainable's context → name of the folder in messages."""

_RAY = {"cpu": "CPU", "gpu": "GPU"}
_MODEL = "accelerator_type:"


def preflight(context: Mapping[str, Any], needs: Mapping[str, float]) -> str:
    """Inspect every node that can run a trial; return one line: what was found, and where trials would take turns on a GPU.

    Entries of the context that are not paths on this machine (a hub id, a URL) are left out, since no node could see them.

    Raises:
        BadInput: one line that names each faulty node with what it lacks, or GPUs of several models under `deterministic`.
    """
    if context.get("deterministic") and needs.get("gpu"):
        one_kind_of_gpu({name: there for _, name, there in _able(needs)})
    read, written = _places(context, _READ), _places(context, _WRITTEN)
    with _marked(written) as marks:
        mine = view_machine(read, marks)
        answers = [_wait(node, reference) for node, reference in _ask(_nodes(needs), read, marks)]
    told = fault_of(mine, answers, read | written)
    if told is not None:
        raise BadInput(told)
    turns = taking_turns(answers) if 0 < needs.get("gpu", 0.0) < 1 else None
    return f"{summary_of(answers, mine)}; {turns}" if turns else summary_of(answers, mine)


def _places(context: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    found = {label: str(context[entry]) for entry, label in labels.items() if context.get(entry)}
    return {label: path for label, path in found.items() if Path(path).exists()}


@contextmanager
def _marked(folders: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Create a new file in each folder: a node that sees it sees the same folder, not another one of the same name."""
    marks = {label: Path(folder) / f".preflight-{uuid4().hex}" for label, folder in folders.items()}
    try:
        for mark in marks.values():
            mark.write_text("gone in a moment")
        yield {label: str(mark) for label, mark in marks.items()}
    finally:
        for mark in marks.values():
            mark.unlink(missing_ok=True)


def one_kind_of_gpu(nodes: Mapping[str, Mapping[str, float]]) -> None:
    """Refuse GPUs of several models, whose bits differ.

    Args:
        nodes: node's name → its resources, among which Ray notes the model as `accelerator_type:H200`.

    Raises:
        BadInput: there are several; the line names the nodes of each.
    """
    kinds: dict[str, list[str]] = {}
    for node, there in sorted(nodes.items()):
        for model in (name.removeprefix(_MODEL) for name in there if name.startswith(_MODEL)):
            kinds.setdefault(model, []).append(node)
    if len(kinds) > 1:
        told = "; ".join(f"{model} in {', '.join(names)}" for model, names in sorted(kinds.items()))
        raise BadInput(
            f"--deterministic with GPUs of {len(kinds)} models ({told}); expected one model, since bits differ between them"
        )


def _nodes(needs: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return (Ray's id, name in messages) of every live node with room for a trial."""
    return [(node, name) for node, name, _ in _able(needs)]


def _able(needs: Mapping[str, float]) -> list[tuple[str, str, Mapping[str, float]]]:
    found = []
    for node in ray.nodes():
        there = node.get("Resources", {})
        if node.get("Alive") and all(there.get(_RAY[kind], 0.0) >= wanted for kind, wanted in needs.items() if wanted):
            found.append((str(node["NodeID"]), f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})", there))
    return found


def _ask(nodes: Sequence[tuple[str, str]], read: Mapping[str, str], marks: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Start the task on all nodes at once; return (name in messages, reference to the answer) of each."""
    errand = ray.remote(num_cpus=0, max_retries=0)(_errand())
    pins = [(name, NodeAffinitySchedulingStrategy(node_id=node, soft=False)) for node, name in nodes]
    return [(name, errand.options(scheduling_strategy=pin).remote(dict(read), dict(marks))) for name, pin in pins]


def _wait(node: str, reference: Any) -> NodeAnswer:
    try:
        return NodeAnswer(node=node, look=MachineView(**ray.get(reference, timeout=_PATIENCE)))
    except GetTimeoutError:
        return NodeAnswer(node=node, fault=f"did not answer within {_PATIENCE:.0f} s")
    except (RayError, ImportError) as error:  # tasksearch itself may be missing there
        return NodeAnswer(node=node, fault=f"could not look: {last_line(error)}")


def _errand() -> Callable[[Mapping[str, str], Mapping[str, str]], dict[str, Any]]:
    """Return a function that Ray sends by value and that answers with plain values: a node may have another `tasksearch`."""

    def errand(read: Mapping[str, str], marks: Mapping[str, str]) -> dict[str, Any]:
        import dataclasses

        from tasksearch.engine import preflight

        if "imported_from" not in getattr(preflight.MachineView, "__dataclass_fields__", ()):
            raise ImportError(f"another version of tasksearch stands at {preflight.__file__}")
        return dataclasses.asdict(preflight.view_machine(read, marks))

    return errand
