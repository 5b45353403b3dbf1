"""AdamW with its groups, its state as plain tensors, and the norm of a gradient in one order of summation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from tasksearch.core.plan import TrainSettings
from tasksearch.training.learner import Learner
from tasksearch.training.vocabulary import CompactTable

OptimizerState = dict[str, torch.Tensor]
"""AdamW's state as tensors `<parameter>/exp_avg`, `/exp_avg_sq` and `/step`, as safetensors can hold it.

`/rows` beside the moments of the embedding table: the rows that they are of; the others' are zero.
"""

_MOMENTS = ("exp_avg", "exp_avg_sq")


def make_optimizer(learner: Learner, settings: TrainSettings, compact: CompactTable | None = None) -> torch.optim.AdamW:
    """AdamW in four groups: encoder and heads, each with and without weight decay (none on biases and layer norms).

    A compact table is decayed by itself (`CompactTable.decay`).
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in learner.named_parameters():
        decays = parameter.ndim > 1 and (compact is None or parameter is not compact.weight)
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


def dump_state(
    optimizer: torch.optim.AdamW, learner: Learner, compact: CompactTable | None = None, *, copy: bool = True
) -> OptimizerState:
    """Return the optimiser's state on the CPU; call it while the compact table is in place.

    Args:
        copy: False where the optimiser takes no further step: on a CPU its own tensors are returned.
    """
    state: OptimizerState = {}
    for name, parameter in learner.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            state[f"{name}/{key}"] = value.detach().to("cpu", copy=copy)
        if compact is not None and parameter is compact.weight and optimizer.state.get(parameter):
            state[f"{name}/rows"] = compact.rows
    return state


def load_state(
    optimizer: torch.optim.AdamW, learner: Learner, state: OptimizerState, compact: CompactTable | None = None
) -> None:
    """Restore the state; moments of a table's rows are laid out for the rows that are trained now."""
    for name, parameter in learner.named_parameters():
        found = {key: state[f"{name}/{key}"] for key in (*_MOMENTS, "step") if f"{name}/{key}" in state}
        if found and f"{name}/rows" in state:
            rows = state[f"{name}/rows"]
            places = rows if compact is None else torch.searchsorted(compact.rows, rows)
            for key in _MOMENTS:
                moments = torch.zeros(parameter.shape, dtype=found[key].dtype)
                moments[places] = found[key]
                found[key] = moments
        if found:
            optimizer.state[parameter] = {key: value.to(parameter.device, copy=True) for key, value in found.items()}


def clip_gradient(learner: Learner, most: float) -> torch.Tensor:
    """Scale the gradient down to the norm `most` if it is longer; return the norm that it had, as a tensor on the device.

    The norm does not depend on how many rows of the embedding table are held: rows are summed one after the other, in double
    precision, so that a row of zeros changes no bit.
    """
    table = learner.model.get_input_embeddings().weight
    gradients = [p.grad for _, p in learner.named_parameters() if p.grad is not None]
    norm = _norm(gradients, table.grad)
    if norm.device.type != "cpu" or float(norm) > most:  # reading a GPU's number would wait for it
        nn.utils.clip_grads_with_norm_([p for _, p in learner.named_parameters()], most, norm)
    return norm


def _norm(gradients: Sequence[torch.Tensor], table: torch.Tensor | None) -> torch.Tensor:
    others = [gradient for gradient in gradients if gradient is not table]
    squares = torch.stack([norm.double() ** 2 for norm in torch._foreach_norm(others)]).sum() if others else torch.zeros(())
    if table is not None:
        rows = torch.linalg.vector_norm(table, dim=1).double() ** 2
        squares = squares + rows.cumsum(0)[-1]
    return squares.sqrt().float()
