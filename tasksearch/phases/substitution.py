"""The items of a segment with synonyms drawn for every showing of an example."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from tasksearch.core.methods import Substitution, read_method
from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import seed_from, signature_of
from tasksearch.phases.context import RunContext
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import CASTS, Encoded, encode, select
from tasksearch.tasks.encoded_cache import cached_encoding
from tasksearch.tasks.synonyms import read_synonyms, substituted
from tasksearch.training.learner import TrainingTask
from tasksearch.training.order import StepItems

_CHUNK = 4_096


def with_synonyms(
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    settings: TrainSettings,
    signature: str,
    context: RunContext,
) -> tuple[Mapping[str, TrainingTask], Sequence[StepItems]]:
    """Return tasks and steps in which every showing of an example is an item of its own, with synonyms drawn for it.

    What is drawn for a step depends on the segment's signature, the step's number and the task alone. Examples of kinds that
    the method does not serve, and all examples where it is not used, are returned as they are.
    """
    for method in map(read_method, settings.methods):
        if isinstance(method, Substitution):
            for name, task in tasks.items():
                if task.items.kind in method.kinds and len(task.items):
                    tasks, steps = _unrolled(name, task, tasks, steps, method, signature, context)
    return tasks, steps


def _unrolled(
    name: str,
    task: TrainingTask,
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    method: Substitution,
    signature: str,
    context: RunContext,
) -> tuple[Mapping[str, TrainingTask], Sequence[StepItems]]:
    renumbered, shown = [], 0
    for step in steps:
        parts = []
        for task_name, items in step.parts:
            if task_name == name:
                items, shown = np.arange(shown, shown + len(items), dtype=np.int64), shown + len(items)  # noqa: PLW2901
            parts.append((task_name, items))
        renumbered.append(dataclasses.replace(step, parts=tuple(parts)))
    if not shown:
        return tasks, steps
    made = cached_encoding(
        signature_of("synonyms", CASTS, signature, name, len(steps)),
        task.items.kind,
        _drawn(name, task, steps, method, signature, context),
    )
    return {**tasks, name: dataclasses.replace(task, items=made)}, renumbered


def _drawn(
    name: str, task: TrainingTask, steps: Sequence[StepItems], method: Substitution, signature: str, context: RunContext
) -> Iterator[Encoded]:
    """Yield the items of all steps in their order, encoded anew."""
    card, table = context.suite.card(name), read_synonyms(Path(method.table))
    examples, owners = context.source.training_examples(card), task.items.owner
    places = task.items.places if task.places is None else task.places
    waiting, wanted = [], []
    for number, step in enumerate(steps):
        draw = np.random.default_rng(seed_from("synonyms", signature, number, task.seeds or name))
        for item in [item for task_name, items in step.parts if task_name == name for item in items]:
            waiting.append(substituted(examples[int(owners[item])], table, method.rate, draw))
            wanted.append(int(places[item]))
        if len(waiting) >= _CHUNK:
            yield _encoded(waiting, wanted, card, task.max_length, context)
            waiting, wanted = [], []
    if waiting:
        yield _encoded(waiting, wanted, card, task.max_length, context)


def _encoded(
    examples: Sequence[object], wanted: Sequence[int], card: TaskCard, max_length: int, context: RunContext
) -> Encoded:
    """Encode one item of each example: that of the wanted place, or its last one if it has become shorter."""
    made = encode(examples, card, context.pretrained.tokenizer, max_length)  # type: ignore[arg-type]
    numbers = np.arange(len(examples))
    begin, end = (np.searchsorted(made.owner, numbers, side=side) for side in ("left", "right"))
    chosen = np.minimum(begin + np.asarray(wanted), end - 1)
    one_each = len(made) == len(examples)
    return made if one_each else select(made, chosen.astype(np.int64))
