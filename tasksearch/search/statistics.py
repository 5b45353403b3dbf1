"""How big a difference between two plans is, and how sure one can be: seeds and examples are both samples.

Every metric here is a ratio of sums over examples, so the outcomes of a trial in one (target, language) cell are an array of
shape (examples, 2), numerator and denominator: accuracy has (correct, 1), F1 has (2 tp, predicted + gold). The score is
100 * sum(numerator) / sum(denominator); its variance comes by linearisation (Cochran, Sampling Techniques, ch. 6).

Seeds and examples are crossed: each trained model answers the same examples. A mean over S seeds and n examples has variance
    seed / S + example / n + interaction / (S n),
estimated as (spread of the seeds' scores) / S + (spread of the examples' seed means) / n - interaction / (S n), because the
interaction hides in both spreads (the two-way random model of multi-reader studies: Gallas 2006; Hillis 2007). Student's t with
Satterthwaite's degrees of freedom makes it an interval.

The seed variance is pooled over plans, three seeds being few. The pool is a floor: a plan whose own spread is larger keeps its
own, with its own few degrees of freedom. In the simulations of the tests a nominal 95 % covers 94-98 % where plans are equally
noisy, and 93 % where the plan in question is three times as noisy as the rest; pooling alone falls to 80 % there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput
from tasksearch.core.verdict import Estimate

Cell = tuple[str, str]
"""(target, language)"""
Array = NDArray[np.float64]
_Block = tuple[str, int]

MIN_NOISE_DF = 2
"""Three seeds of one plan leave two degrees of freedom: with fewer no interval is claimed."""
MIN_EXAMPLES = 20
"""Under this many examples a spread over examples says nothing reliable: no interval is claimed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """One plan, trained on one or more seeds.

    Attributes:
        seeds: per seed, cell → outcomes of shape (examples, 2). Examples stand in the same order for every seed and every plan.
        fixed: targets whose outcomes need no training under this plan (retrieval without an intermediate phase): their seed
            variance is zero by construction, and they say nothing about that of other plans.
    """

    seeds: tuple[Mapping[Cell, NDArray[np.floating]], ...]
    fixed: frozenset[str] = frozenset()
    _known: dict[Cell, tuple[Array, Array]] = field(default_factory=dict, init=False, repr=False)
    _asked: dict[tuple[tuple[Cell, float], ...], _Pulls] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.seeds:
            raise BadInput("a plan without a single trained seed; expected at least one")

    def pulls(self, cell: Cell) -> tuple[Array, Array]:
        """Scores (seeds,) and pulls (seeds, examples) of one cell, linearised once: every row of a verdict asks for them."""
        if cell not in self._known:
            self._known[cell] = _linearised(_stacked(self, cell))
        return self._known[cell]


def score_of(outcomes: NDArray[np.floating]) -> float:
    """100 * sum of numerators / sum of denominators; 0 where nothing was there to be found (all denominators zero).

    Raises:
        BadInput: the array is not of shape (at least 1, 2) or holds a number that is not finite.
    """
    if outcomes.ndim != 2 or outcomes.shape[1] != 2 or not len(outcomes):
        raise BadInput(f"outcomes of shape {outcomes.shape}; expected (examples, 2), numerator and denominator")
    scores, _ = _linearised(outcomes[np.newaxis])
    return float(scores[0])


def linearised(outcomes: NDArray[np.floating]) -> Array:
    """Each example's pull on the score, shape (examples,): 100 (num - R den) / mean(den). Sums to zero."""
    pulls: Array = _linearised(outcomes[np.newaxis])[1][0]
    return pulls


def _linearised(outcomes: NDArray[np.floating]) -> tuple[Array, Array]:
    """Scores (seeds,) and pulls (seeds, examples) of outcomes (seeds, examples, 2)."""
    num, den = outcomes[:, :, 0].astype(np.float64), outcomes[:, :, 1].astype(np.float64)
    top, bottom = num.sum(axis=1), den.sum(axis=1)
    if not np.isfinite(top + bottom).all():
        raise BadInput("outcomes hold a number that is not finite")
    # Where all denominators are zero so are the numerators: a divisor of one keeps both score and pulls at zero.
    bottom = np.where(bottom == 0, 1.0, bottom)
    ratio = top / bottom
    return 100.0 * ratio, 100.0 * (num - ratio[:, np.newaxis] * den) * (den.shape[1] / bottom)[:, np.newaxis]


def estimate(
    arm: Arm, weights: Mapping[Cell, float], *, minus: Arm | None = None, pool: Sequence[Arm] = (), level: float = 0.95
) -> Estimate:
    """The weighted score of a plan over some cells, or its difference to another plan's.

    The seed variance is pooled over `arm`, `minus` and `pool`: over those that depend on the seed in the same of these cells.
    Examples are paired between the plans. Cells of one target with equally many examples are taken as the same items in several
    languages, and their pulls are added per item first; others as independent.

    Args:
        arm: the plan in question.
        weights: cell → weight, any sign and sum.
        minus: the plan to subtract; None gives the score itself.
        pool: other plans with several seeds, as evidence of the seed variance alone. `arm` and `minus` may be among them.
        level: of the interval, in (0, 1). That of a mean of scores is cut at 0 and 100.

    Raises:
        BadInput: no cell, a cell is missing, or two plans were not scored on the same examples.
    """
    if not any(weights.values()):
        raise BadInput("no (target, language) cell to estimate; expected at least one with a weight that is not zero")
    sides = [arm] if minus is None else [arm, minus]
    pulls = [_Pulls.of(side, weights) for side in sides]
    others = [
        _Pulls.of(other, weights) for other in pool if not any(other is side for side in sides) and _covers(other, weights)
    ]
    value = float(pulls[0].scores.mean() - (pulls[1].scores.mean() if minus is not None else 0.0))
    noises = [_seed_noise(side, [*pulls, *others]) for side in pulls]
    example, example_df, interaction = _example_noise(pulls, noises)
    seed = sum(noise.seed for noise in noises)
    variance = max(seed + example - interaction, seed, example)
    noise_df = sum(df for _, df in _by_source(noises))
    enough = min(examples for _, examples in pulls[0].blocks) >= MIN_EXAMPLES
    known = enough and all(noise.df >= MIN_NOISE_DF or not noise.needed for noise in noises)
    df = _satterthwaite(variance, [*_by_source(noises), (example, example_df)])
    reach = _student(level, df) * math.sqrt(variance)
    low, high = value - reach, value + reach
    if minus is None and min(weights.values()) >= 0 and abs(sum(weights.values()) - 1) < 1e-9:
        low, high = max(0.0, low), min(100.0, high)
    return Estimate(
        value=value,
        low=low if known else None,
        high=high if known else None,
        seed_error=math.sqrt(seed),
        example_error=math.sqrt(example),
        df=df,
        noise_df=noise_df,
        seeds=len(arm.seeds),
        examples=sum(len(arm.seeds[0][cell]) for cell, weight in weights.items() if weight),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pulls:
    """One plan, weighted: scores (seeds,), per block pulls (seeds, examples), and the cells that depend on the seed."""

    scores: Array
    blocks: dict[_Block, Array]
    trained: frozenset[Cell]

    @classmethod
    def of(cls, arm: Arm, weights: Mapping[Cell, float]) -> _Pulls:
        """Added up once per arm and question: the arms of a pool are asked the same by every row."""
        key = tuple(weights.items())
        if key not in arm._asked:
            arm._asked[key] = cls._added(arm, weights)
        return arm._asked[key]

    @classmethod
    def _added(cls, arm: Arm, weights: Mapping[Cell, float]) -> _Pulls:
        scores = np.zeros(len(arm.seeds))
        blocks: dict[_Block, Array] = {}
        cells = [(cell, weight) for cell, weight in weights.items() if weight]
        for cell, weight in cells:
            ratios, pulls = arm.pulls(cell)
            scores += weight * ratios
            block = (cell[0], pulls.shape[1])
            blocks[block] = blocks.get(block, 0.0) + weight * pulls
        return cls(scores=scores, blocks=blocks, trained=frozenset(cell for cell, _ in cells if cell[0] not in arm.fixed))

    @property
    def seeds(self) -> int:
        return len(self.scores)

    @cached_property
    def squares(self) -> float:
        """Sum of squares of the seeds' scores, with seeds - 1 degrees of freedom."""
        return float(((self.scores - self.scores.mean()) ** 2).sum())

    @cached_property
    def interactions(self) -> dict[_Block, float]:
        """Block → sum of squares of seed × example, with (seeds - 1)(examples - 1) degrees of freedom."""
        return {block: float(np.square(pulls - pulls.mean(axis=0)).sum()) for block, pulls in self.blocks.items()}


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """Seed variance of one side's mean, from `df` degrees of freedom. Sides of one `source` share its error."""

    source: object
    needed: bool
    seed: float = 0.0
    df: int = 0
    interaction: Mapping[_Block, float] = field(default_factory=dict)


def _stacked(arm: Arm, cell: Cell) -> NDArray[np.floating]:
    """Outcomes of every seed, shape (seeds, examples, 2)."""
    target, language = cell
    if any(cell not in outcomes for outcomes in arm.seeds):
        raise BadInput(f"no outcomes of {target} in {language!r} for one of the seeds; expected them for every seed")
    shapes = {outcomes[cell].shape for outcomes in arm.seeds}
    if len(shapes) > 1 or any(len(shape) != 2 or shape[1] != 2 or not shape[0] for shape in shapes):
        raise BadInput(
            f"outcomes of {target} in {language!r} have shapes {sorted(shapes)}; expected (examples, 2) for every seed"
        )
    return np.stack([outcomes[cell] for outcomes in arm.seeds])


def _covers(arm: Arm, weights: Mapping[Cell, float]) -> bool:
    return all(cell in outcomes for outcomes in arm.seeds for cell, weight in weights.items() if weight)


def _seed_noise(side: _Pulls, everyone: Sequence[_Pulls]) -> _Noise:
    alike = (
        [p for p in everyone if p.trained == side.trained and p.seeds > 1 and set(p.blocks) == set(side.blocks)]
        if side.trained
        else []
    )
    df = sum(p.seeds - 1 for p in alike)
    if not df:
        return _Noise(source=side.trained, needed=bool(side.trained))
    hidden = {
        block: sum(p.interactions[block] for p in alike) / (df * max(1, block[1] - 1)) / (block[1] * side.seeds)
        for block in side.blocks
    }
    pooled = sum(p.squares for p in alike) / df
    own_df = side.seeds - 1
    if own_df >= MIN_NOISE_DF and side.squares / own_df > pooled * (1 + 1e-9):
        return _Noise(source=id(side), needed=True, seed=side.squares / own_df / side.seeds, df=own_df, interaction=hidden)
    return _Noise(source=side.trained, needed=True, seed=pooled / side.seeds, df=df, interaction=hidden)


def _example_noise(pulls: Sequence[_Pulls], noises: Sequence[_Noise]) -> tuple[float, float, float]:
    """Variance over examples of the (paired) seed means, its degrees of freedom, and the interaction hidden in it."""
    if any(set(p.blocks) != set(pulls[0].blocks) for p in pulls):
        raise BadInput("the two plans were not scored on the same number of examples; a paired difference needs the same ones")
    parts = []
    for block in pulls[0].blocks:
        mean = pulls[0].blocks[block].mean(axis=0) - (pulls[1].blocks[block].mean(axis=0) if len(pulls) > 1 else 0.0)
        parts.append((float(mean.var(ddof=1)) / block[1] if block[1] > 1 else 0.0, block[1] - 1))
    variance = sum(v for v, _ in parts)
    hidden = sum(
        min(part, sum(noise.interaction.get(block, 0.0) for noise in noises))
        for (part, _), block in zip(parts, pulls[0].blocks, strict=True)
    )
    return variance, _satterthwaite(variance, parts), hidden


def _by_source(noises: Sequence[_Noise]) -> list[tuple[float, int]]:
    """(seed variance, degrees of freedom) per source."""
    sources: dict[object, tuple[float, int]] = {}
    for noise in noises:
        sources[noise.source] = (sources.get(noise.source, (0.0, 0))[0] + noise.seed, noise.df)
    return list(sources.values())


def probability_positive(found: Estimate, level: float = 0.95) -> float | None:
    """Probability that the true difference is above zero: Student's t about the estimate, a flat prior.

    None without an interval.

    Honest where the plan was not chosen by the data behind the estimate, which is so for every fresh seed.

    Args:
        found: with its interval.
        level: of that interval.
    """
    from scipy import special

    if found.low is None or found.high is None:
        return None
    error = (found.high - found.low) / 2 / _student(level, found.df)
    if error == 0:
        return 0.5 + 0.5 * float(np.sign(found.value))
    ratio = found.value / error
    return float(special.ndtr(ratio) if math.isinf(found.df) else special.stdtr(found.df, ratio))


def _satterthwaite(variance: float, parts: Sequence[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946)."""
    loss = sum((part / variance) ** 2 / df for part, df in parts if part and df) if variance else 0.0
    return 1.0 / loss if loss else math.inf


def _student(level: float, df: float) -> float:
    from scipy import special

    return float(special.ndtri(0.5 + level / 2) if math.isinf(df) else special.stdtrit(df, 0.5 + level / 2))
