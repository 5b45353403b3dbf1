"""Randomized smoothing (Huang et al. 2021, arXiv 2104.08645): Gaussian noise on the input embeddings."""

from __future__ import annotations

import torch

from tasksearch.core.methods import Smoothing
from tasksearch.training.methods.part import LossOf, StepPart


def with_noise(method: Smoothing, loss: LossOf, part: StepPart) -> LossOf:
    """Add N(0, s²) to every number of every text token's embedding, with s = sigma · mean norm / √width.

    The root mean square of the noise's norm is then sigma times the mean norm.
    """
    spread = method.sigma * part.mean_norm / part.shape[-1] ** 0.5
    noise = part.normal("smoothing") * spread * part.content

    def noisy(shift: torch.Tensor | None) -> torch.Tensor:
        return loss(noise if shift is None else shift + noise)

    return noisy
