"""Scores of plans and differences between two plans, with intervals over seeds and examples, both of which are samples.

Every metric here is a ratio of sums over examples, so the outcomes of a trial in one (target, language) cell are an array of
shape (examples, 2), numerator and denominator: accuracy has (correct, 1), F1 has (2 tp, predicted + gold). The score is
100 * sum(numerator) / sum(denominator); its variance comes by linearisation (Cochran, Sampling Techniques, ch. 6).

Seeds and examples are crossed: each trained model answers the same examples. A mean over S seeds and n examples has variance
    seed / S + example / n + interaction / (S n),
estimated as (spread of the seeds' scores) / S + (spread of the examples' seed means) / n - interaction / (S n), because the
interaction hides in both spreads (the two-way random model of multi-reader studies: Gallas 2006; Hillis 2007). Student's t with
Satterthwaite's degrees of freedom makes it an interval.

For the seeds' part see `seed_noise`: plans on the same seed share luck, languages lend each other strength. Targets that some
plan needs no training for (retrieval without an intermediate phase) are set apart: the other targets have one pool over all
plans, and these have the plans that train them.

Examples of one document (paragraph, article, source sentence) are one draw, where documents are known: see `clustering`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.analysis.candidate_outcomes import CandidateOutcomes, linearised, score_of
from tasksearch.analysis.influence import Influence
from tasksearch.analysis.run_outcomes import Array
from tasksearch.analysis.seed_noise import PRIOR, SeedNoise, Trainings, seed_noise
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
"""Three seeds of one plan leave two degrees of freedom: with fewer, and no other row of its kind, no interval is claimed."""
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
    alike: Sequence[Mapping[Cell, float]] = (),
    level: float = 0.95,
) -> Estimate:
    """Estimate the weighted score of a plan over some cells, or its difference from another plan's.

    Seed variances are pooled over `arm`, `minus` and `pool`. Examples are paired between the plans, and seeds where both have
    them. For which examples are summed together see `influence`.

    Args:
        arm: the plan in question.
        weights: cell → weight, any sign and sum.
        minus: the plan to subtract; None gives the score itself.
        pool: other plans with several seeds, as evidence of the seed variance alone. `arm` and `minus` may be among them.
        alike: other rows of the same kind, which lend this one strength (the other languages).
        level: of the interval, in (0, 1). That of a mean of scores is cut at 0 and 100.

    Raises:
        BadInput: no cell, a cell is missing, or two plans were not scored on the same examples.
    """
    if not any(weights.values()):
        raise BadInput("no (target, language) cell to estimate; expected at least one with a weight that is not zero")
    sides = [arm] if minus is None else [arm, minus]
    influence = [Influence.of(side, weights) for side in sides]
    asked = {cell for cell, weight in weights.items() if weight}
    everyone = [*sides, *(p for p in pool if not any(p is side for side in sides) and asked <= p.cells)]
    noise = _seed_noise(sides, everyone, {c: w for c, w in weights.items() if w}, alike)
    value = noise.value
    example, example_df, interaction = _example_noise(influence, noise, [Influence.of(p, weights) for p in everyone])
    seed = sum(part for part, _ in noise.parts)
    variance = max(seed + example - interaction, seed, example)
    documents = influence[0].documents
    enough = min(influence[0].examples) >= MIN_EXAMPLES and min(documents.values(), default=MIN_DOCUMENTS) >= MIN_DOCUMENTS
    known = enough and noise.known
    df = satterthwaite(variance, [*noise.parts, (example, example_df)])
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
        noise_df=noise.counted,
        seeds=len(arm.seeds),
        examples=sum(influence[0].examples),
        documents=sum(documents.values()) if len(documents) == len(influence[0].names) else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Noise:
    """The estimate, and the variance over seeds of what it estimates.

    Attributes:
        value: the estimate.
        parts: variances, each with its degrees of freedom.
        counted: degrees of freedom from trainings of this row alone.
        known: whether that is enough for an interval.
        still: targets that some plan needs no training for; their trainings weigh alike.
        weights: per side, of each training on all other targets.
    """

    value: float
    parts: list[tuple[float, float]]
    counted: int
    known: bool
    still: frozenset[str]
    weights: list[Array]


def _seed_noise(
    sides: Sequence[CandidateOutcomes],
    everyone: Sequence[CandidateOutcomes],
    weights: Mapping[Cell, float],
    alike: Sequence[Mapping[Cell, float]],
) -> _Noise:
    still = frozenset(target for target, _ in weights) & frozenset().union(*(p.fixed for p in everyone))
    moving, unmoved = _split(weights, still)
    rows = [weights, *(row for row in alike if row != weights and all(row.keys() <= p.cells for p in everyone))]
    seeds = [_seeds(p, place) for place, p in enumerate(everyone)]
    shares = [sign * np.full(len(s.seeds), 1 / len(s.seeds)) for sign, s in zip((1.0, -1.0), sides, strict=False)]
    value, parts, counted, known = 0.0, list[tuple[float, float]](), 0, True
    luck = None
    if moving:
        split = [moved for row in rows if (moved := _split(row, still)[0])]
        luck = seed_noise([_trainings(p, split, own) for p, own in zip(everyone, seeds, strict=True)])
        own = seeds[: len(sides)]
        if luck is not None:
            shares = luck.weigh(own)
            parts += luck.variance(shares, own, range(len(sides)))
            counted += luck.counted
        known = luck is not None and luck.counted >= MIN_NOISE_DF
        value += sum(float(share @ side.scores(moving)) for share, side in zip(shares, sides, strict=True))
    if unmoved:
        signs = (1.0, -1.0)[: len(sides)]
        value += sum(sign * float(side.scores(unmoved).mean()) for sign, side in zip(signs, sides, strict=True))
        trained = [side for side in sides if not still <= side.fixed]
        apart = [_split(row, still)[1] for row in rows]
        spread = _spread([p for p in everyone if not still <= p.fixed], [row for row in apart if row]) if trained else None
        if spread is not None:
            variance, df, told = spread
            share = sum(1 / len(side.seeds) for side in trained)
            both = _together(everyone, rows, still) if luck is not None else 0.0
            joint = 2 * both * math.sqrt(variance * luck.total) if luck is not None else 0.0
            parts.append(((variance + joint) * share, df))
            counted += told
        known = known and (spread is not None or not trained)
    return _Noise(value=value, parts=parts, counted=counted, known=known, still=still, weights=shares)


def _split(weights: Mapping[Cell, float], still: frozenset[str]) -> tuple[dict[Cell, float], dict[Cell, float]]:
    """Return the cells of targets that every plan trains, and the others."""
    moving = {cell: weight for cell, weight in weights.items() if cell[0] not in still}
    return moving, {cell: weight for cell, weight in weights.items() if cell[0] in still}


def _seeds(arm: CandidateOutcomes, place: int) -> tuple[Hashable, ...]:
    """Return what identifies the seeds; seeds of unknown number are shared with no other plan."""
    return arm.numbers or tuple((place, seed) for seed in range(len(arm.seeds)))


def _spread(arms: Sequence[CandidateOutcomes], rows: Sequence[Mapping[Cell, float]]) -> tuple[float, float, int] | None:
    """Return the variance of one training in the first row, its degrees of freedom, and those without the prior.

    A row over several languages that has a single degree of freedom takes the sum of its languages' deviations: no mean varies
    more than that, whatever the correlation.
    """
    found = _noise_of(arms, rows)
    languages = sorted({language for _, language in rows[0]})
    if found is None or found.counted >= MIN_NOISE_DF or (len(rows) == 1 and len(languages) == 1):
        return None if found is None or found.total_df < MIN_NOISE_DF else (found.total, found.total_df, found.counted)
    if len(languages) == 1:
        return found.total, found.total_df, found.counted
    slices = [{cell: weight for cell, weight in rows[0].items() if cell[1] == language} for language in languages]
    each = [_noise_of(arms, [own, *(other for other in slices if other is not own)]) for own in slices]
    deviation = sum(math.sqrt(one.total) for one in each if one is not None)
    return deviation**2, found.counted + PRIOR, found.counted


def _noise_of(arms: Sequence[CandidateOutcomes], rows: Sequence[Mapping[Cell, float]]) -> SeedNoise | None:
    return seed_noise([_trainings(p, rows, _seeds(p, i)) for i, p in enumerate(arms)])


def _trainings(arm: CandidateOutcomes, rows: Sequence[Mapping[Cell, float]], seeds: tuple[Hashable, ...]) -> Trainings:
    """Return a plan's trainings as evidence of how much trainings differ; dependent ones count as one, which tells nothing."""
    scores = np.array([arm.scores(row) for row in rows])
    if arm.dependent:
        return Trainings(scores=scores.mean(axis=1, keepdims=True), seeds=(seeds,))
    return Trainings(scores=scores, seeds=seeds)


def _together(everyone: Sequence[CandidateOutcomes], rows: Sequence[Mapping[Cell, float]], still: frozenset[str]) -> float:
    """Return the correlation over seeds of both kinds of targets, over all rows and the plans that train both; at least 0."""
    product, squares = 0.0, [0.0, 0.0]
    for arm in (p for p in everyone if not still <= p.fixed and len(p.seeds) > 1 and not p.dependent):
        for row in rows:
            both = [arm.scores(part) - arm.scores(part).mean() for part in _split(row, still) if part]
            if len(both) == 2:
                product += float(both[0] @ both[1])
                squares = [total + float(part @ part) for total, part in zip(squares, both, strict=True)]
    return min(1.0, max(0.0, product / math.sqrt(squares[0] * squares[1]))) if all(squares) else 0.0


def _example_noise(influence: Sequence[Influence], noise: _Noise, everyone: Sequence[Influence]) -> tuple[float, float, float]:
    """Return the variance over examples of the (paired) seed means, its degrees of freedom, and the interaction within it."""
    if any(p.names != influence[0].names for p in influence):
        raise BadInput("the two plans were not scored on the same number of examples; a paired difference needs the same ones")
    plain = [sign * np.full(side.seeds, 1 / side.seeds) for sign, side in zip((1.0, -1.0), influence, strict=False)]
    pool = [p for p in everyone if p.seeds > 1 and p.names == influence[0].names]
    variances, degrees, hidden = [], [], 0.0
    for place, part in enumerate(influence[0].parts):
        degrees += part.freedom.tolist()
        for block, name in enumerate(part.names):
            weights = plain if name[0] in noise.still else noise.weights
            mean = sum(w @ side.parts[place].influence[:, block] for w, side in zip(weights, influence, strict=True))
            found = float(np.square(mean).sum())
            variances.append(found)
            told = [p for p in pool if name[0] in p.trained]
            if df := sum(p.seeds - 1 for p in told):
                one = sum(float(p.parts[place].interactions[block]) for p in told) / df
                moved = (w for w, side in zip(weights, influence, strict=True) if name[0] in side.trained)
                hidden += min(found, one * sum(float(w @ w) for w in moved))
    variance = sum(variances)
    return variance, satterthwaite(variance, list(zip(variances, degrees, strict=True))), hidden


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
