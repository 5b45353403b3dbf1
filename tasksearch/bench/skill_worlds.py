"""Families of planted worlds for samplers, where tasks teach skills.

A task has a skill of its own and one that it shares with similar tasks (its cluster). The examples that a skill was taught
with, less what later training washed out, raise it by a concave law; a language gains from each skill by its own amount. So two
similar tasks add little to each other, the best mix differs by language family, and an order may cost or save.

`sampler-tune-…` families are for tuning samplers. The `sampler-held-…` ones differ in their laws, not only in their numbers,
and report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.bench.planted_world import Family, PlantedWorld
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SkillFamily(Family):
    """Settings of worlds with skills.

    Attributes:
        kin: clusters of similar tasks.
        alike: share of a task's effect that is its cluster's skill.
        law: `log` (log1p(bend · examples)) or `ratio` (examples / (examples + 1 / bend)); both 1 at a phase of 96 steps.
        bend: how early a skill saturates.
        clash: loss where two tasks are trained jointly, in task effects, each pair with its own size.
        clash_kin: whether similar tasks clash; else dissimilar ones.
        washed: largest share of a skill that training on other clusters afterwards takes away.
        washed_by: `share` of the phase that comes after, or `tasks`, their number.
        spoken: language families; 0: every language its own.
        apart: deviation of a language family's gain from a skill, beside the common one.
    """

    kin: int = 3
    alike: float = 0.5
    law: str = "log"
    bend: float = 6.0
    clash: float = 0.0
    clash_kin: bool = False
    washed: float = 0.2
    washed_by: str = "share"
    spoken: int = 3
    apart: float = 0.4

    def draw(self, seed: int) -> PlantedWorld:
        """Draw world number `seed`, the same every time."""
        return SkillWorld(
            family=self,
            seed=seed,
            tasks=tuple(f"t{i}" for i in range(self.tasks)),
            languages=("en", *(f"l{i}" for i in range(self.languages))),
            parts=_parts(self, np.random.default_rng([seed, *self.name.encode()])),
        )


@dataclass(frozen=True, kw_only=True)
class SkillWorld(PlantedWorld):
    """A world whose tasks teach skills."""

    @property
    def distances(self) -> dict[tuple[str, str], float]:
        """(language, language) → 0 within a language family, else 1."""
        tongue = self.parts["tongue"]
        return {
            (a, b): float(tongue[i] != tongue[j])
            for i, a in enumerate(self.languages)
            for j, b in enumerate(self.languages)
            if i < j
        }

    def _gains(self, arrays: ScheduleArrays) -> Array:
        family, parts = self.family, self.parts
        assert isinstance(family, SkillFamily)
        strict = arrays.moves[:, np.newaxis]
        lost = np.minimum(1.0, _later(family, arrays, parts["similar"])) * parts["washed"]
        taught = arrays.share * (np.exp2(arrays.length) / 96)[:, np.newaxis] * (1 - strict * lost)
        own = _raised(family, taught) @ parts["own"]
        shared = _raised(family, taught @ parts["cluster"]) @ parts["shared"]
        both = np.einsum("nj,nk,jkl->nl", arrays.share, arrays.share, parts["clash"], optimize=True)
        gain: Array = family.effect * (own + shared - 4 * (1 - strict) * both)
        return gain


def _raised(family: SkillFamily, examples: Array) -> Array:
    if family.law == "log":
        return np.asarray(np.log1p(family.bend * examples) / math.log1p(family.bend))
    return np.asarray(examples * (1 + family.bend) / (1 + family.bend * examples))


def _later(family: SkillFamily, arrays: ScheduleArrays, similar: Array) -> Array:
    """Return how much of other clusters is trained after each task, shape (schedules, tasks)."""
    after = (arrays.rank[:, np.newaxis] > arrays.rank[:, :, np.newaxis]) & arrays.present[:, :, np.newaxis]
    amount = arrays.share if family.washed_by == "share" else 0.4 * arrays.present
    return np.asarray((after * (1 - similar) * amount[:, np.newaxis]).sum(axis=2))


def _parts(family: SkillFamily, rng: np.random.Generator) -> dict[str, Any]:
    p, spoken = family.tasks, family.languages + 1
    member = rng.permutation(np.arange(p) % family.kin) if family.kin > 1 else np.zeros(p, dtype=int)
    cluster = (member[:, np.newaxis] == np.arange(family.kin)).astype(np.float64)
    similar = cluster @ cluster.T
    tongue = rng.integers(max(1, family.spoken), size=spoken) if family.spoken else np.arange(spoken)
    clans = max(1, family.spoken) if family.spoken else spoken

    def skills(count: int, scale: float) -> Array:
        common = rng.normal(0.3, 1.0, size=(count, 1)) * (rng.random((count, 1)) >= family.sparse)
        theirs = family.apart * rng.normal(size=(count, clans))[:, tongue] + 0.15 * rng.normal(size=(count, spoken))
        theirs[:, 0] *= 0.3  # English
        return np.asarray(scale * (common + theirs))

    own, shared = skills(p, math.sqrt(1 - family.alike)), skills(family.kin, math.sqrt(family.alike))
    alone = own + cluster @ shared
    unit = float(np.sqrt(np.mean(np.square(alone.mean(axis=1) - alone.mean())))) or 1.0
    size = np.triu(rng.exponential(size=(p, p)) * (rng.random((p, p)) < 0.6), 1)
    size *= similar if family.clash_kin else 1 - similar
    felt = np.maximum(0.0, 1 + 0.5 * rng.normal(size=clans))[tongue]
    return {
        "own": own / unit,
        "shared": shared / unit,
        "cluster": cluster,
        "similar": similar,
        "tongue": tongue,
        "clash": family.clash * size[:, :, np.newaxis] * felt,
        "washed": family.washed * rng.random(p),
        "level": np.array([0.8, *rng.normal(0.1, 0.3, size=spoken - 1)]),
    }


_TUNED: dict[str, dict[str, Any]] = {
    "saturation": {"bend": 20.0, "alike": 0.75},
    "interference": {"clash": 0.8},
    "forgetting": {"washed": 0.9},
    "families": {"apart": 1.0, "spoken": 3, "languages": 12},
    "collapse": {"collapse": 0.1, "clash": 0.3, "washed": 0.4},
}
_HELD: dict[str, dict[str, Any]] = {
    "saturation": {"bend": 8.0, "alike": 0.8, "kin": 4},
    "interference": {"clash": 1.0, "clash_kin": True},
    "forgetting": {"washed": 0.9, "washed_by": "tasks"},
    "families": {"apart": 1.2, "spoken": 4, "languages": 14},
    "collapse": {"collapse": 0.08, "seed_tails": 4, "clash": 0.5, "washed": 0.4, "washed_by": "tasks"},
}
_OTHER: dict[str, Any] = {
    "tasks": 10, "law": "ratio", "bend": 3.0, "kin": 4, "sparse": 0.3, "seed_noise": 0.45, "seed_shared": 0.7, "select": 150,
    "report": 300, "item_shared": 0.6,
}  # fmt: skip
TUNED = {name: SkillFamily(name=f"sampler-tune-{name}", **fields) for name, fields in _TUNED.items()}
"""Trouble → family on which a sampler may be tuned."""
HELD_OUT = {name: SkillFamily(name=f"sampler-held-{name}", **(_OTHER | fields)) for name, fields in _HELD.items()}
"""Trouble → family that is read once, when the sampler is settled."""
SKILL_FAMILIES = {family.name: family for family in (*TUNED.values(), *HELD_OUT.values())}
