"""`LabRecipe`: everything that decides the lab's files and its pretrained model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tasksearch.core.errors import BadInput
from tasksearch.core.signature import plain_without, signature_of

GENERATOR_VERSION = 2
"""Incremented whenever the same recipe gives other bytes: the new signature keeps old files from being used."""


@dataclass(frozen=True, kw_only=True)
class LabRecipe:
    """Seed and sizes of the generated world.

    Attributes:
        world_seed: decides lexicons, world knowledge, corpus and task items.
        phase1_steps: optimiser steps of the lab's pretraining, batch 32; the files do not depend on it.
        document_unit: documents of a language whose size is 1.
        parallel_unit: sentence pairs of a language whose parallel size is 1.
        intermediate_train, intermediate_dev: English items per intermediate task.
        target_train: English training items per labelled target.
        target_dev, target_test: items per labelled target and language, the same latents in all languages.
        pool: sentence pairs per language in each of retrieval's two pools; a multiple of 3.
        shuffled_labels: whether intermediate tasks have shuffled labels: a world in which no task can help.
    """

    world_seed: int = 0
    phase1_steps: int = 4000
    document_unit: int = 12_000
    parallel_unit: int = 8_000
    intermediate_train: int = 4_000
    intermediate_dev: int = 300
    target_train: int = 600
    target_dev: int = 100
    target_test: int = 200
    pool: int = 300
    shuffled_labels: bool = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "world_seed" else 1
            if field.name == "shuffled_labels":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise BadInput(f"lab recipe: {field.name} is {value!r}; expected a whole number of at least {least}")
        if self.pool % 3:
            raise BadInput(f"lab recipe: pool is {self.pool}; expected a multiple of 3 (each sentence has two near-duplicates)")

    @property
    def signature(self) -> str:
        """Hash of the recipe and of the generator's version; it names the folder of files and the pretrained model."""
        return signature_of("lab", GENERATOR_VERSION, plain_without(self, ("shuffled_labels",)))

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        return cls(**data)
