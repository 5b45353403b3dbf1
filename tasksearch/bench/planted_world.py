"""A planted world: a simulation with known true scores of any schedule in ten languages, and noisy outcomes per seed.

The unit is the *task effect*: the standard deviation, over tasks, of the gain of a task trained alone in an average language.
The latent gain of a schedule in language l is

    dose(steps) · Σ_r Λ_lr · g_r(schedule) + residual_l(schedule)

with few factors r (low rank), where g_r holds main effects of shares, interactions of pairs, what an early task loses
when others follow (forgetting), an effect of order, and a cost or gain of training jointly that grows with the number of
tasks (so that which kind is best depends on the subset). Outcomes are probit: example i is right where

    level_l + 0.11 · (gain + seed noise) + easiness_i + 0.25 · (plan × example) + 0.35 · (seed × example) > 0,

with easiness partly shared by the languages. So the true score, over examples and seeds, has a closed form.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.schedule import Schedule
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

Array = NDArray[np.float64]

LATENT = 0.11
"""Latent units per task effect: about four points of percent in the middle of the scale."""
PLAN_ITEM, SEED_ITEM = 0.25, 0.35


@dataclass(frozen=True, kw_only=True)
class Family:
    """Settings from which worlds are drawn. Two families differ in structure, not only in numbers.

    Attributes:
        name: as printed.
        tasks, languages, factors: counts; English is one more language, close to the first factor alone.
        share_law: `power` (share ** 0.5) or `saturating` (1.25 share / (share + 0.25)).
        sparse: share of tasks without a main effect.
        tails: degrees of freedom of the main effects' t distribution; 0: normal.
        pair, order, conditional, forgetting: sizes of those parts, in task effects (forgetting: share lost at most).
        order_law: `last` (the last task has an effect of its own) or `precedence` (it matters which of two comes first).
        clusters: clusters of languages with loadings in common; 0: every language its own.
        residual: of a language's own main effects, beside the factors'.
        seed_noise, seed_shared: deviation over seeds, and the share of its variance that all languages have in common.
        seed_kin: share of the seed noise's variance that all mixes of one kind of schedule have in common on one seed.
        select, report: number of selection and of reporting examples.
        item_shared: share of the variance of easiness that languages have in common.
        effect: scale of all effects; 0 is a null world.
        only: None; `one`: a single task has an effect of one everywhere and nothing else has any; `pair`: two tasks have one
            together, trained one after the other with the size rule's last task first, and none alone.
        seed_tails: degrees of freedom of the luck's t distribution; 0: normal.
        luck_common: share of a seed's luck that every plan trained on that seed has in common.
        luck_alike: share of a seed's luck that mixes have in common as far as they hold the same tasks.
        collapse: probability that a training ends at chance, in every language and on every example.
        retrieval: whether a second target is scored that needs no training without an intermediate phase.
    """

    name: str
    tasks: int = 8
    languages: int = 10
    factors: int = 2
    share_law: str = "power"
    sparse: float = 0.0
    tails: int = 0
    pair: float = 0.35
    order: float = 0.3
    conditional: float = 0.5
    forgetting: float = 0.5
    order_law: str = "last"
    clusters: int = 0
    residual: float = 0.35
    seed_noise: float = 0.35
    seed_shared: float = 0.5
    seed_kin: float = 0.0
    select: int = 200
    report: int = 400
    item_shared: float = 0.4
    effect: float = 1.0
    only: str | None = None
    seed_tails: int = 0
    luck_common: float = 0.0
    luck_alike: float = 0.0
    collapse: float = 0.0
    retrieval: bool = False

    def draw(self, seed: int) -> PlantedWorld:
        """Draw world number `seed`, the same every time."""
        return _drawn(self, seed)


TUNE = Family(name="tune")
"""The family on which the surrogate's settings were chosen."""
HELD = Family(
    name="held",
    tasks=9,
    factors=3,
    share_law="saturating",
    sparse=0.35,
    tails=5,
    pair=0.3,
    order=0.25,
    conditional=0.4,
    forgetting=0.35,
    order_law="precedence",
    clusters=3,
    residual=0.25,
    seed_noise=0.45,
    seed_shared=0.7,
    select=150,
    report=300,
    item_shared=0.6,
)
"""Another structure, used by the benchmark alone."""
NULL = Family(name="null", effect=0.0)
ONE = Family(name="one", only="one", forgetting=0.0)
PAIR = Family(name="pair", only="pair")
LUCK = dataclasses.replace(HELD, name="luck", seed_kin=0.5)
"""`held`, where mixes of one kind of schedule share luck: more of them on one seed do not average it out."""
NULL_LUCK = dataclasses.replace(LUCK, name="null-luck", effect=0.0)
_TROUBLES: dict[str, dict[str, Any]] = {
    "heavy": {"seed_tails": 2},
    "collapse": {"collapse": 0.1},
    "luck": {"luck_common": 0.3, "luck_alike": 0.4},
    "retrieval": {"retrieval": True, "luck_common": 0.3},
    "null": {"effect": 0.0, "luck_common": 0.3},
    "null-collapse": {"effect": 0.0, "collapse": 0.1},
}
_TROUBLED = tuple(
    dataclasses.replace(family, name=f"{family.name}-{name}", **fields)
    for family in (TUNE, HELD)
    for name, fields in _TROUBLES.items()
)
"""What real trainings do beside Gaussian luck. Methods may be tuned on the `tune-` families; the `held-` ones report."""
FAMILIES = {family.name: family for family in (TUNE, HELD, NULL, ONE, PAIR, LUCK, NULL_LUCK, *_TROUBLED)}
CHANCE = 1 / 3
"""Share of examples that a collapsed training gets right."""
_CHANCE_Z = -0.4307  # quantile of the standard normal at `CHANCE`


@dataclass(frozen=True, kw_only=True)
class PlantedWorld:
    """One world: a family and the parameters drawn from it. `draw_world` makes one."""

    family: Family
    seed: int
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    parts: dict[str, Any]

    def gains(self, schedules: Sequence[Schedule]) -> Array:
        """Return true latent gains in task effects, shape (schedules, languages); English is first."""
        return self.gains_of(ScheduleArrays.of(schedules, self.tasks))

    def gains_of(self, arrays: ScheduleArrays) -> Array:
        """Return the same of schedules as arrays over the world's tasks."""
        gain = self._gains(arrays) if self.family.effect else np.zeros((len(arrays.share), len(self.languages)))
        return np.where(arrays.present.any(axis=1, keepdims=True), gain, 0.0)

    def scores(self, gains: Array) -> Array:
        """Return true scores in percent, over examples and seeds, of latent gains of shape (plans, languages)."""
        spread = math.sqrt(1 + PLAN_ITEM**2 + SEED_ITEM**2 + (LATENT * self.family.seed_noise) ** 2)
        return 100 * _phi((self.parts["level"] + LATENT * gains) / spread)

    def effects(self, points: Array) -> Array:
        """Convert points of percent to task effects, at the middle of the scale."""
        spread = math.sqrt(1 + PLAN_ITEM**2 + SEED_ITEM**2)
        return points / (100 * LATENT / spread / math.sqrt(2 * math.pi))

    def outcomes(
        self,
        gain: Array,
        plan: int,
        seed: int,
        half: str,
        kind: int = 0,
        *,
        shares: Mapping[str, float] | None = None,
        target: int = 0,
    ) -> NDArray[np.bool_]:
        """Return which examples a training gets right, shape (languages, examples).

        Args:
            gain: true latent gains, shape (languages,).
            plan: number of the mix; 0 is the baseline.
            seed: of the training.
            half: `select` or `report`.
            kind: number of the kind of schedule, whose mixes share luck where the family says so.
            shares: task → share, by which mixes have luck in common; None for the baseline.
            target: 1 for the target that the baseline needs no training for.
        """
        family, count = self.family, getattr(self.family, half)
        place = (0 if half == "select" else 1) + 2 * target
        items = self._items(np.random.default_rng([self.seed, 1, place]), count)
        own = self._items(np.random.default_rng([self.seed, 2, place, plan]), count)
        untrained = bool(target) and not plan
        if untrained:
            seed = 0
        residual = np.random.default_rng([self.seed, 4, plan, seed, place]).normal(size=items.shape)
        if family.collapse and np.random.default_rng([self.seed, 5, plan, seed]).random() < family.collapse:
            return np.asarray(residual < _CHANCE_Z)
        lucky = np.zeros(len(gain)) if untrained else family.seed_noise * self._luck(plan, seed, kind, shares or {})
        latent = (self.parts["level"] + LATENT * (gain + lucky))[:, np.newaxis] + items + PLAN_ITEM * own + SEED_ITEM * residual
        return np.asarray(latent > 0)

    def _luck(self, plan: int, seed: int, kind: int, shares: Mapping[str, float]) -> Array:
        """Return the luck of a training per language; each has unit variance where luck is normal."""
        family = self.family
        luck = math.sqrt(1 - family.seed_kin) * self._draw(3, plan, seed)
        if family.seed_kin:
            luck = luck + math.sqrt(family.seed_kin) * self._draw(5, kind, seed)
        if not family.luck_common and not family.luck_alike:
            return luck
        common, alike = self._draw(6, 0, seed), np.zeros_like(luck)
        for task, share in shares.items():
            alike += math.sqrt(share) * self._draw(7, self.tasks.index(task), seed)
        if not shares:
            alike = self._draw(7, len(self.tasks), seed)
        free = 1 - family.luck_common - family.luck_alike
        return math.sqrt(family.luck_common) * common + math.sqrt(family.luck_alike) * alike + math.sqrt(free) * luck

    def _draw(self, part: int, plan: int, seed: int) -> Array:
        family, rng = self.family, np.random.default_rng([self.seed, part, plan, seed])
        shared, free = rng.normal(), rng.normal(size=len(self.languages))
        scale = math.sqrt(family.seed_tails / rng.chisquare(family.seed_tails)) if family.seed_tails else 1.0
        return np.asarray(scale * (math.sqrt(family.seed_shared) * shared + math.sqrt(1 - family.seed_shared) * free))

    def _items(self, rng: np.random.Generator, count: int) -> Array:
        shared = self.family.item_shared
        common = rng.normal(size=count)
        return math.sqrt(shared) * common + math.sqrt(1 - shared) * rng.normal(size=(len(self.languages), count))

    def _gains(self, arrays: ScheduleArrays) -> Array:
        if self.family.only is not None:
            return np.repeat(self._only(arrays)[:, np.newaxis], len(self.languages), axis=1)
        parts, family, share, strict = self.parts, self.family, arrays.share, arrays.moves[:, np.newaxis]
        use = _law(family.share_law, share) * (1 - parts["forgetting"] * strict * share_after(arrays))
        main = use @ parts["theta"]
        root, scale = (share, 1.0) if family.share_law == "power" else (use, 0.25)
        pairs = np.einsum("nj,nk,jkr->nr", 4 * scale * root, root, parts["pair"], optimize=True)
        order = strict * self._order(arrays)
        crowd = (arrays.count - 1)[:, np.newaxis] / (len(self.tasks) - 1)
        conditional = (1 - strict) * crowd * parts["conditional"]
        dose = (np.exp2(arrays.length) / 96)[:, np.newaxis] ** 0.2
        factors = main + pairs + order + conditional
        gain: Array = dose * (factors @ parts["loading"].T + use @ parts["own"].T)
        return family.effect * gain

    def _order(self, arrays: ScheduleArrays) -> Array:
        weights: Array = self.parts["order"]
        if self.family.order_law == "last":
            return np.asarray(weights[arrays.rank.argmax(axis=1)])
        rank, share = arrays.rank, arrays.share
        before = (rank[:, :, np.newaxis] < rank[:, np.newaxis]) & (rank >= 0)[:, :, np.newaxis]
        smaller = np.minimum(share[:, :, np.newaxis], share[:, np.newaxis])
        return np.asarray(np.tensordot(before * smaller, weights, 2))

    def _only(self, arrays: ScheduleArrays) -> Array:
        first, second = arrays.share[:, 0], arrays.share[:, 1]
        if self.family.only == "one":
            return np.asarray((first > 0) * np.minimum(1.0, 4 * first))
        later = arrays.rank[:, 1] < arrays.rank[:, 0]
        return np.asarray((np.minimum(first, second) > 0) * later * arrays.moves)


def share_after(arrays: ScheduleArrays) -> Array:
    """Return the share of the phase that comes after each task that is present, shape (schedules, tasks)."""
    later = arrays.rank[:, np.newaxis] > arrays.rank[:, :, np.newaxis]
    return np.where(arrays.present, (later * arrays.share[:, np.newaxis]).sum(axis=2), 0.0)


def draw_world(family: Family, seed: int) -> PlantedWorld:
    """Draw world number `seed` of a family, the same every time."""
    return family.draw(seed)


def _drawn(family: Family, seed: int) -> PlantedWorld:
    rng = np.random.default_rng([seed, *family.name.encode()])
    p, r, spoken = family.tasks, family.factors, family.languages + 1
    raw = rng.standard_t(family.tails, size=(p, r)) if family.tails else rng.normal(size=(p, r))
    raw /= math.sqrt(family.tails / (family.tails - 2)) if family.tails else 1.0
    theta = raw * (rng.random((p, 1)) >= family.sparse)
    theta[:, 1:] *= 0.6
    if family.clusters:
        centres = rng.normal(size=(family.clusters, r)) * 0.5
        loading = centres[rng.integers(family.clusters, size=spoken)] + 0.15 * rng.normal(size=(spoken, r))
    else:
        loading = 0.3 * rng.normal(size=(spoken, r))
        loading[:, 1:] *= 2.0
    loading[:, 0] += 1.0
    own = family.residual * rng.normal(size=(spoken, p)) * (theta[:, 0] != 0)
    own[0] *= 0.3
    shape = (p, r) if family.order_law == "last" else (p, p, r)
    pair = np.triu(np.ones((p, p)), 1)[:, :, np.newaxis] * rng.normal(size=(p, p, r)) * family.pair
    scale = float(np.sqrt(np.mean((theta @ loading.mean(axis=0)) ** 2))) or 1.0
    parts: dict[str, Any] = {
        "theta": theta / scale,
        "loading": loading,
        "own": own,
        "pair": pair,
        "order": family.order * rng.normal(size=shape),
        "conditional": family.conditional * rng.normal(size=r) - 0.2,
        "forgetting": family.forgetting * rng.random(),
        "level": np.array([0.8, *rng.normal(0.1, 0.3, size=spoken - 1)]),
    }
    tasks = tuple(f"t{i}" for i in range(p))
    languages = ("en", *(f"l{i}" for i in range(spoken - 1)))
    return PlantedWorld(family=family, seed=seed, tasks=tasks, languages=languages, parts=parts)


def _law(name: str, share: Array) -> Array:
    return np.sqrt(share) if name == "power" else 1.25 * share / (share + 0.25)


def _phi(z: Array) -> Array:
    from scipy import special

    return np.asarray(special.ndtr(z))
