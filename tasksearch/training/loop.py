"""One segment of gradient steps: AdamW, one clip per step, accumulation, one learning-rate curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from tasksearch.core.errors import TrainingFailed
from tasksearch.core.plan import TrainSettings
from tasksearch.forward.batches import MASK_SHARE
from tasksearch.training.accumulate import step_gradient
from tasksearch.training.curves import Curve, StableCurve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.micro import MicroSizes
from tasksearch.training.order import StepItems
from tasksearch.training.probe import probe

OptimizerState = dict[str, torch.Tensor]
"""AdamW's state as tensors `<parameter>/exp_avg`, `/exp_avg_sq` and `/step`, as safetensors can hold it."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Saves checkpoints inside a segment: `save(steps done, optimiser state)` every so many steps, and every so many seconds.

    Attributes:
        asked: whether to save now; called after every step.
    """

    save: Callable[[int, OptimizerState], None]
    every_steps: int | None = None
    every_seconds: float | None = None
    asked: Callable[[], bool] = lambda: False


def train_segment(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    settings: TrainSettings,
    curve: Curve | StableCurve,
    *,
    randomness: str,
    optimizer_state: OptimizerState | None = None,
    first: int = 0,
    saving: Saving | None = None,
    sizes: MicroSizes | None = None,
    mask_share: float = MASK_SHARE,
    on_step: Callable[[int, float], None] | None = None,
) -> OptimizerState:
    """Train in place and return the optimiser's state.

    Args:
        first: number of steps done before; the learner and `optimizer_state` are as they were after them.
        saving: how to save on the way; not called after the last step.
        sizes: the examples that fit into memory, updated here and shared between segments.
        randomness: a signature; dropout and masking of step i are drawn from (randomness, i), so that resuming needs no RNG
            state.
        on_step: called after each step with its number from 1 and its loss.

    Raises:
        TrainingFailed: a loss or gradient is not finite, or one example does not fit into memory.
    """
    optimizer = make_optimizer(learner, settings)
    if optimizer_state:
        _load_state(optimizer, learner, optimizer_state)
    parameters = [p for _, p in learner.named_parameters()]
    learner.model.train()
    learner.heads.train()
    sizes = sizes if sizes is not None else MicroSizes()
    if learner.device.type == "cuda":  # on a CPU too large a batch becomes slow before memory runs out
        probe(learner, tasks, settings, sizes)
    saved = time.monotonic()
    for number, step in enumerate(steps[first:], first):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * curve.at(number)
        loss = step_gradient(learner, tasks, step, settings, randomness, number, sizes=sizes, mask_share=mask_share)
        norm = nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
        if not (math.isfinite(loss) and bool(torch.isfinite(norm))):
            shown = " + ".join(task for task, _ in step.parts)
            raise TrainingFailed(
                f"loss {loss:.3g}, gradient norm {float(norm):.3g} at step {number + 1} on {shown}: training diverged"
            )
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if on_step is not None:
            on_step(number + 1, loss)
        if saving is not None and number + 1 < len(steps) and _is_due(saving, number + 1, saved):
            saving.save(number + 1, _dump_state(optimizer, learner))
            saved = time.monotonic()
    learner.model.eval()
    learner.heads.eval()
    return _dump_state(optimizer, learner)


def _is_due(saving: Saving, step: int, saved: float) -> bool:
    by_step = saving.every_steps is not None and step % saving.every_steps == 0
    return by_step or saving.asked() or (saving.every_seconds is not None and time.monotonic() - saved >= saving.every_seconds)


def make_optimizer(learner: Learner, settings: TrainSettings) -> torch.optim.AdamW:
    """AdamW in four groups: encoder and heads, each with and without weight decay (none on biases and layer norms)."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in learner.named_parameters():
        decays = parameter.ndim > 1
        groups.setdefault((name.startswith("heads."), decays), []).append(parameter)
    peak = {False: settings.learning_rate, True: settings.learning_rate * settings.head_lr_factor}
    return torch.optim.AdamW(
        [
            {"params": params, "peak": peak[is_head], "weight_decay": settings.weight_decay if decays else 0.0}
            for (is_head, decays), params in sorted(groups.items())
        ],
        lr=settings.learning_rate,
        betas=(0.9, settings.adam_beta2),
        eps=1e-8,
        fused=True,
    )


def _dump_state(optimizer: torch.optim.AdamW, learner: Learner) -> OptimizerState:
    state: OptimizerState = {}
    for name, parameter in learner.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            state[f"{name}/{key}"] = value.detach().to("cpu", copy=True)
    return state


def _load_state(optimizer: torch.optim.AdamW, learner: Learner, state: OptimizerState) -> None:
    for name, parameter in learner.named_parameters():
        found = {key: state[f"{name}/{key}"] for key in ("exp_avg", "exp_avg_sq", "step") if f"{name}/{key}" in state}
        if found:
            optimizer.state[parameter] = {key: value.to(parameter.device, copy=True) for key, value in found.items()}
