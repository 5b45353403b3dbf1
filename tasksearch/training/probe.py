"""Probe, before a task's first step on a GPU, how many of its longest examples fit into one forward and backward pass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.micro import MicroSizes
from tasksearch.training.order import StepItems

_KIND = "micro_batches"


def probe(learner: Learner, tasks: Mapping[str, TrainingTask], settings: TrainSettings, sizes: MicroSizes) -> None:
    """Probe every task whose size is not known yet; results are kept in the cache folder, once per machine and model.

    Raises:
        TrainingFailed: memory runs out with one example at a time.
    """
    for name, task in tasks.items():
        if name in sizes.most:
            continue
        count = min(settings.batch_size, len(task.items))
        longest = np.sort(np.argsort(task.items.lengths, kind="stable")[-count:])
        kept = _name(learner, name, settings, int(task.items.lengths[longest].max()))
        most = read_cached(_KIND, kept)
        sizes.most[name] = (
            most if isinstance(most, int) and most > 0 else _measure(learner, name, task, longest, settings, sizes)
        )
        write_cached(_KIND, kept, sizes.most[name])


def _measure(
    learner: Learner, name: str, task: TrainingTask, items: np.ndarray, settings: TrainSettings, sizes: MicroSizes
) -> int:
    """Run one step on the longest items, with as much memory taken as AdamW's two moments will need."""
    ballast = [torch.empty_like(p) for _, p in learner.named_parameters() if p.requires_grad for _ in range(2)]
    step_gradient(learner, {name: task}, StepItems(parts=((name, items),)), settings, "probe", 0, sizes=sizes)
    del ballast
    learner.clear_gradients()
    sizes.used.pop(name, None)  # no step of the segment was cut yet
    return sizes.most.get(name, settings.micro_batch_size or len(items))


def _name(learner: Learner, task: str, settings: TrainSettings, width: int) -> str:
    device = learner.device
    machine = str(torch.cuda.get_device_properties(device)) if device.type == "cuda" else str(device)
    parameters = sum(p.numel() for _, p in learner.named_parameters())
    what = (settings.batch_size, settings.micro_batch_size or 0, settings.precision, width, parameters)
    return signature_of("micro", machine, task, what)
