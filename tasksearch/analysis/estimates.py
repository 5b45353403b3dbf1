"""Scores of plans and differences between two plans, with intervals over seeds and examples, both of which are samples.

Every metric here is a ratio of sums over examples, so the outcomes of a trial in one (target, language) cell are an array of
shape (examples, 2), numerator and denominator: accuracy has (correct, 1), F1 has (2 tp, predicted + gold). The score is
100 * sum(numerator) / sum(denominator); its variance comes by linearisation (Cochran, Sampling Techniques, ch. 6).

Seeds and examples are crossed: each trained model answers the same examples. A mean over S seeds and n examples has variance
    seed / S + example / n + interaction / (S n),
estimated as (spread of the seeds' scores) / S + (spread of the examples' seed means) / n - interaction / (S n), because the
interaction hides in both spreads (the two-way random model of multi-reader studies: Gallas 2006; Hillis 2007). Student's t with
Satterthwaite's degrees of freedom makes it an interval.

The seed variance is pooled over plans, three seeds being few. A plan that is noisier than the others (an F test at 20 %)
keeps its own, with its own few degrees of freedom. In simulations of seeds alone a nominal 95 % covers 96 % where plans are
equally noisy, 92-93 % where the plan in question is two or three times as noisy; with examples on top, 95-96 and 94-95 %.
Pooling alone falls to 80 %; a plan that keeps any larger spread of its own covers 97 % and loses power (`docs/decisions.md`).

Examples of one document (paragraph, article, source sentence) are one draw, where documents are known: see `clustering`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.analysis.candidate_outcomes import CandidateOutcomes, linearised, score_of
from tasksearch.analysis.influence import Influence
from tasksearch.analysis.run_outcomes import Array
from tasksearch.core.errors import BadInput
from tasksearch.core.score import Cell
from tasksearch.results.verdict import Estimate

__all__ = [
    "CandidateOutcomes",
    "Cell",
    "Estimate",
    "estimate",
    "linearised",
    "probability_positive",
    "satterthwaite",
    "score_of",
    "student_reach",
]

MIN_NOISE_DF = 2
"""Three seeds of one plan leave two degrees of freedom: with fewer no interval is claimed."""
NOISIER = 0.2
"""Level of the test by which a plan keeps its own spread. Any spread that is merely larger would widen every other interval."""
MIN_EXAMPLES = 20
"""With fewer examples the spread over examples is unreliable: no interval is claimed."""
MIN_DOCUMENTS = 10
"""The same for documents."""


def estimate(
    arm: CandidateOutcomes,
    weights: Mapping[Cell, float],
    *,
    minus: CandidateOutcomes | None = None,
    pool: Sequence[CandidateOutcomes] = (),
    level: float = 0.95,
) -> Estimate:
    """Estimate the weighted score of a plan over some cells, or its difference from another plan's.

    The seed variance is pooled over `arm`, `minus` and `pool`: over those that depend on the seed in the same of these cells.
    Examples are paired between the plans. For which of them are summed together see `influence`.

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
    influence = [Influence.of(side, weights) for side in sides]
    asked = {cell for cell, weight in weights.items() if weight}
    others = [Influence.of(p, weights) for p in pool if not any(p is side for side in sides) and asked <= p.cells]
    value = float(influence[0].scores.mean() - (influence[1].scores.mean() if minus is not None else 0.0))
    noises = [_seed_noise(side, [*influence, *others]) for side in influence]
    example, example_df, interaction = _example_noise(influence, noises)
    seed = sum(noise.seed for noise in noises)
    variance = max(seed + example - interaction, seed, example)
    noise_df = sum(df for _, df in _by_source(noises))
    documents = influence[0].documents
    enough = min(influence[0].examples) >= MIN_EXAMPLES and min(documents.values(), default=MIN_DOCUMENTS) >= MIN_DOCUMENTS
    known = enough and all(noise.df >= MIN_NOISE_DF or not noise.needed for noise in noises)
    df = satterthwaite(variance, [*_by_source(noises), (example, example_df)])
    reach = student_reach(level, df) * math.sqrt(variance)
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
        examples=sum(influence[0].examples),
        documents=sum(documents.values()) if len(documents) == len(influence[0].names) else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """Seed variance of one side's mean, from `df` degrees of freedom. Sides of one `source` share its error."""

    source: object
    needed: bool
    seed: float = 0.0
    df: int = 0
    interaction: tuple[Array, ...] = ()


def _seed_noise(side: Influence, everyone: Sequence[Influence]) -> _Noise:
    alike = [p for p in everyone if p.trained == side.trained and p.seeds > 1 and p.names == side.names] if side.trained else []
    df = sum(p.seeds - 1 for p in alike)
    if not df:
        return _Noise(source=side.trained, needed=bool(side.trained))
    hidden = tuple(
        np.asarray(sum(p.parts[place].interactions for p in alike) / (df * side.seeds)) for place in range(len(side.parts))
    )
    pooled = sum(p.squares for p in alike) / df
    own_df = side.seeds - 1
    if own_df >= MIN_NOISE_DF and _noisier(side.squares, own_df, pooled * df, df):
        return _Noise(source=id(side), needed=True, seed=side.squares / own_df / side.seeds, df=own_df, interaction=hidden)
    return _Noise(source=side.trained, needed=True, seed=pooled / side.seeds, df=df, interaction=hidden)


def _noisier(own: float, own_df: int, everyone: float, df: int) -> bool:
    """Test whether a plan's spread over seeds is larger than the others', by an F test at `NOISIER`.

    `own` and `everyone` are sums of squares; everyone's includes the plan's own.
    """
    from scipy import special

    rest, rest_df = everyone - own, df - own_df
    if rest_df < 1 or own <= 0:
        return False
    return bool(rest <= 0 or (own / own_df) / (rest / rest_df) > special.fdtri(own_df, rest_df, 1 - NOISIER))


def _example_noise(influence: Sequence[Influence], noises: Sequence[_Noise]) -> tuple[float, float, float]:
    """Return the variance over examples of the (paired) seed means, its degrees of freedom, and the interaction within it."""
    if any(p.names != influence[0].names for p in influence):
        raise BadInput("the two plans were not scored on the same number of examples; a paired difference needs the same ones")
    variances, degrees, hidden = [], [], 0.0
    for place, part in enumerate(influence[0].parts):
        mean = part.mean if len(influence) == 1 else part.mean - influence[1].parts[place].mean
        found = np.square(mean).sum(axis=1)
        variances += found.tolist()
        degrees += part.freedom.tolist()
        if interactions := [noise.interaction[place] for noise in noises if noise.interaction]:
            hidden += float(np.minimum(found, sum(interactions)).sum())
    variance = sum(variances)
    return variance, satterthwaite(variance, list(zip(variances, degrees, strict=True))), hidden


def _by_source(noises: Sequence[_Noise]) -> list[tuple[float, int]]:
    """(seed variance, degrees of freedom) per source."""
    sources: dict[object, tuple[float, int]] = {}
    for noise in noises:
        sources[noise.source] = (sources.get(noise.source, (0.0, 0))[0] + noise.seed, noise.df)
    return list(sources.values())


def probability_positive(found: Estimate, level: float = 0.95) -> float | None:
    """Return the probability that the true difference is above zero, or None without an interval.

    Student's t about the estimate, under a flat prior. It is unbiased where the plan was not chosen by the data behind the
    estimate, as holds for fresh seeds.

    Args:
        found: with its interval.
        level: of that interval.
    """
    from scipy import special

    if found.low is None or found.high is None:
        return None
    error = (found.high - found.low) / 2 / student_reach(level, found.df)
    if error == 0:
        return 0.5 + 0.5 * float(np.sign(found.value))
    ratio = found.value / error
    return float(special.ndtr(ratio) if math.isinf(found.df) else special.stdtr(found.df, ratio))


def satterthwaite(variance: float, parts: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of (variance, degrees of freedom) parts (Satterthwaite 1946)."""
    loss = sum((part / variance) ** 2 / df for part, df in parts if part and df) if variance else 0.0
    return 1.0 / loss if loss else math.inf


def student_reach(level: float, df: float) -> float:
    """Return half the width of a two-sided interval, in standard errors; `df` may be infinite."""
    from scipy import special

    return float(special.ndtri(0.5 + level / 2) if math.isinf(df) else special.stdtrit(df, 0.5 + level / 2))
