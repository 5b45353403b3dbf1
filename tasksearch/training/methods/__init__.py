"""Training methods: what a phase does to its loss, one module per method. Their settings are in `core.methods`.

A method wraps the loss of a part of a step: a function from what is added to the input embeddings to the summed loss. Wrapped
losses nest, so methods combine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tasksearch.core.methods import Adversarial, MethodSettings, Smoothing, read_method
from tasksearch.training.methods.adversarial import worst_case
from tasksearch.training.methods.part import LossOf, StepPart
from tasksearch.training.methods.smoothing import with_noise

__all__ = ["LossOf", "StepPart", "wrapped"]

WRAPPERS: dict[type[MethodSettings], Callable[[Any, LossOf, StepPart], LossOf]] = {
    Adversarial: worst_case,
    Smoothing: with_noise,
}
"""Settings → function that wraps a loss. A method that changes only the inputs has none."""


def wrapped(methods: Sequence[str], loss: LossOf, part: StepPart) -> LossOf:
    """Return the loss as the methods change it; the first method is the outermost."""
    for method in reversed([read_method(text) for text in methods]):
        if (wrap := WRAPPERS.get(type(method))) is not None:
            loss = wrap(method, loss, part)
    return loss
