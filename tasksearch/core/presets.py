"""Presets: options that suit a family and size of encoders, under one name. This table is the only place where they stand.

What is given beside a preset takes precedence. The study keeps the preset's name and all values, so that a later table changes
no study. Values of `small` were chosen on English dev (docs/models.md), those of `paper` are published (docs/paper.md). Nothing
was chosen for XLM-R base and Large, whose values in `xtreme` and `lowres` are the published ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tasksearch.core.errors import BadInput, UnknownName

SUITE = "suite"
"""Preset of every encoder that no other is for: the suite's own settings."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Options under one name.

    Attributes:
        name: what `--preset` takes.
        summary: one line.
        types: `model_type` of the encoders that it is for; empty: of any.
        widths: least and most numbers of a token's vector that it is for.
        models: hub ids that it is chosen for without a look at their configuration.
        chosen: whether it is chosen by family and size where no preset is named, in a suite with published settings.
        options: option of a study → value, taken where the user leaves the option at its default.
        kinds: kind of target → setting of its target phase → value, as `--set` takes them.
    """

    name: str
    summary: str
    types: tuple[str, ...] = ()
    widths: tuple[int, int] = (0, 1 << 30)
    models: tuple[str, ...] = ()
    chosen: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def suits(self, model_type: str, width: int) -> bool:
        """Return whether it is for such an encoder."""
        return (not self.types or model_type in self.types) and self.widths[0] <= width <= self.widths[1]


PRESETS: tuple[Preset, ...] = (
    Preset(
        name=SUITE,
        summary="the suite's own settings: the published ones of jiant's XTREME scripts in xtreme and lowres",
    ),
    Preset(
        name="small",
        summary="multilingual E5 small, MiniLM and their first layers: 256 to 511 wide",
        types=("bert", "xlm-roberta"),
        widths=(256, 511),
        models=(
            "intfloat/multilingual-e5-small",
            "microsoft/Multilingual-MiniLM-L12-H384",
            "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        ),
        chosen=True,
        options={
            "learning_rate": 2e-4,
            "intermediate_learning_rate": (2e-5, 2e-4),
            "head_lr_factor": 10.0,
            "steps": (100,),
            "target_steps": 150,
            "max_length": 128,
            "features": "pair-diff",
            "retrieval_layer": "auto",
        },
        kinds={"span": {"batch_size": 16, "max_length": 256}},
    ),
    Preset(
        name="paper",
        summary="Phang et al. 2020 as far as it was read: jiant's rates, epochs and early stopping (docs/paper.md)",
        options={
            "learning_rate": 1e-5,
            "batch_size": 32,
            "warmup": 0.1,
            "intermediate_epochs": (3.0,),
            "early_stopping": 1000,
            "patience": 30,
        },
        kinds={"span": {"batch_size": 16, "max_length": 384, "epochs": 2.0}, "tagging": {"epochs": 10.0}},
    ),
)


def preset_named(name: str) -> Preset:
    """Return a preset.

    Raises:
        UnknownName: there is none of that name.
    """
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise UnknownName("preset", name, [preset.name for preset in PRESETS])


def preset_for(model: str, model_type: str | None, width: int) -> Preset:
    """Return the preset that is chosen for an encoder.

    Args:
        model: hub id or folder.
        model_type, width: of its configuration; None and 0 where it is not at hand.
    """
    for preset in PRESETS:
        if preset.chosen and (model in preset.models or (model_type is not None and preset.suits(model_type, width))):
            return preset
    return preset_named(SUITE)


def check_preset(name: str, model: str, model_type: str, width: int) -> None:
    """Raise BadInput for a preset of another family or size."""
    if not preset_named(name).suits(model_type, width):
        fitting = [preset.name for preset in PRESETS if preset.suits(model_type, width)]
        raise BadInput(
            f"--preset {name} is for {preset_named(name).summary}; {model!r} is {model_type}, {width} wide: expected "
            f"{' or '.join(fitting)}"
        )
