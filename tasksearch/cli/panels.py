"""Where an option stands in `--help`: commands of many options show them in groups, each under a heading.

Options of one name stand under one heading in all commands, but for what a command says of its own. What decides how the answer
is printed needs no heading: it stands first, beside `--help`.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from typer.models import OptionInfo

MANY = 10
"""Commands with more options than these are shown in groups."""
PRINTING = ("timings", "quiet", "as_json")
"""Options without a heading."""

Panels = Mapping[str, tuple[str, ...]]
"""Heading → parameters of a command, in the order in which they are shown."""

SEARCH: Panels = {
    "What to search": (
        "space", "suite", "target", "language", "task", "schedule", "steps", "continuous", "objective", "sampler", "scheduler",
        "lag",
    ),
    "Trials and seeds": (
        "trials", "baseline_seeds", "leaders", "leader_seeds", "most_seeds", "controls", "untrained", "twins", "twin_seeds",
        "seed",
    ),
    "Model, data and training": (
        "model", "data", "target_steps", "learning_rate", "lr_policy", "mixing", "precision", "train_examples",
        "evaluation_examples", "retrieval_layer",
    ),
    "Budget, and where it runs": (
        "max_hours", "max_gpu_hours", "concurrency", "gpus_per_trial", "address", "snapshot_minutes", "recalibrate",
    ),
    "Where things are kept": (
        "name", "out", "store", "store_budget", "keep_targets", "optuna_storage", "tracking_uri",
    ),
    "Checks and reproducibility": (
        "deterministic", "pretraining_text", "allow_leakage", "skip_bad", "accept_versions", "retrain",
    ),
    "The lab's world": ("world_seed", "phase1_steps", "shuffled_labels"),
}  # fmt: skip
TRAIN: Panels = {
    "What to train": ("mix", "target", "encoder_only", "features", "seed"),
    "Where it comes from": ("study", "suite", "data", "model"),
    "Where it is kept": ("out", "force"),
    "The lab's world": ("world_seed", "phase1_steps"),
}
PRETRAIN: Panels = {
    "Text": ("data", "language", "source", "non_commercial"),
    "Model": ("hidden_size", "layers", "heads", "vocabulary", "max_length"),
    "Training": ("steps", "batch_size", "learning_rate", "tlm_share", "precision", "seed"),
    "Where it is kept": ("out", "save_every", "force"),
}
BENCH: Panels = {
    "What is measured": ("family", "data", "sampler", "picker"),
    "How often": ("trials", "worlds", "seed", "most_seeds", "keep"),
}


def grouped(command: Callable[..., Any], panels: Panels = SEARCH) -> Callable[..., Any]:
    """The command, its options under these headings and in their order; those that no heading names stay in front."""
    place = {name: (heading, i) for i, (heading, name) in enumerate((h, n) for h, names in panels.items() for n in names)}
    hints = typing.get_type_hints(command, include_extras=True)
    for name, hint in hints.items():
        for option in getattr(hint, "__metadata__", ()):
            if isinstance(option, OptionInfo) and name in place:
                option.rich_help_panel = place[name][0]
                if option.min is not None and option.metavar is None:  # `int range [x>=1]` leaves its text no room
                    option.metavar = "<number>"
    command.__annotations__ = hints
    signature = inspect.signature(command)
    ordered = sorted(signature.parameters.values(), key=lambda one: place[one.name][1] if one.name in place else -1)
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[one.name]) for one in ordered]
    command.__signature__ = signature.replace(parameters=keyword_only)  # type: ignore[attr-defined]
    return command
