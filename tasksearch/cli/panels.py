"""Groups of options in `--help`, each under a heading, for commands with many options.

Options of the same name are under the same heading in all commands, except where a command differs. Options for how the answer
is printed have no heading: they come first, beside `--help`.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from typer.models import OptionInfo

from tasksearch.core.option import options_of
from tasksearch.core.options import HEADINGS, Forecasting, Growth, Places, Resources, StudyOptions

MANY = 10
"""Commands with more options than this are shown in groups."""
PRINTING = ("config", "print_config", "timings", "quiet", "as_json", "verbose")
"""Options without a heading."""

Panels = Mapping[str, tuple[str, ...]]
"""Heading → parameters of a command, in the order in which they are shown."""

SEARCH: Panels = {
    heading: tuple(
        dict.fromkeys(
            one.name
            for table in (StudyOptions, Growth, Resources, Places, Forecasting)
            for one in options_of(table)
            if one.heading == heading
        )
    )
    for heading in HEADINGS
}
TRAIN: Panels = {
    "What to train": ("mix", "target", "encoder_only", "features", "seed"),
    "Where it comes from": ("study", "suite", "data", "model"),
    "Where it is kept": ("out", "force", "register"),
    "The lab's world": ("world_seed", "phase1_steps"),
}
PRETRAIN: Panels = {
    "Text": ("data", "language", "source", "non_commercial"),
    "Model": ("start", "new_pieces", "hidden_size", "layers", "heads", "vocabulary", "max_length"),
    "Training": ("steps", "batch_size", "learning_rate", "tlm_share", "precision", "seed"),
    "Where it is kept": ("out", "save_every", "force"),
}
MINE: Panels = {
    "How texts become vectors": ("model", "layer", "pooling", "prefix", "centering", "max_length", "precision", "encoder"),
    "What is a candidate": ("margin", "retrieval", "similarity", "k", "ties", "duplicates", "threshold"),
    "Files": ("out", "gold", "ids", "text_a", "text_b"),
    "Resources": ("memory", "device", "engine", "forecast"),
}
BENCH: Panels = {
    "What is measured": ("family", "data", "sampler", "picker"),
    "How often": ("trials", "worlds", "seed", "most_seeds", "keep"),
}


def grouped(command: Callable[..., Any], panels: Panels = SEARCH) -> Callable[..., Any]:
    """Put the command's options under these headings, in their order; options without a heading come first."""
    place = {name: (heading, i) for i, (heading, name) in enumerate((h, n) for h, names in panels.items() for n in names)}
    hints = typing.get_type_hints(command, include_extras=True)
    for name, hint in hints.items():
        for option in getattr(hint, "__metadata__", ()):
            if isinstance(option, OptionInfo) and name in place:
                option.rich_help_panel = place[name][0]
                if option.min is not None and option.metavar is None:  # `int range [x>=1]` leaves no room for the help text
                    option.metavar = "<number>"
    command.__annotations__ = hints
    signature = inspect.signature(command)
    ordered = sorted(signature.parameters.values(), key=lambda one: place[one.name][1] if one.name in place else -1)
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[one.name]) for one in ordered]
    command.__signature__ = signature.replace(parameters=keyword_only)  # type: ignore[attr-defined]
    return command
