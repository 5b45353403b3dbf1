"""Precision by request: how well a finalist's gain is known so far, how many more trainings a limit allows, and what to expect.

The half-width is that of a 95 % interval of a finalist's gain over its languages together, as far as seeds cause it: the t
times the error of the difference of two means, with one variance over the trainings of all finalists and the baseline. It is
read on selection examples, so no reporting example decides when a study stops. Reporting examples add a part of their own to
the printed interval, which no further seed narrows. A rule that stops where the estimated variance happens to be small covers
less than a fixed design (Chow and Robbins 1965): benchmarks/RESULTS.md has the coverage with the rule in it.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from tasksearch.core.score import Cell
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.search.controls import most_controls
from tasksearch.search.matched_pairs import matched_trials

LEVEL = 0.95


def half_width(
    runs: Mapping[int, Sequence[TrialRecord]], finalist: int, baseline: Sequence[TrialRecord], weights: Mapping[Cell, float]
) -> float:
    """Return the half-width of a finalist's gain, points; infinite while the variance is not known.

    The baseline counts with as many seeds as the finalist at least: it gets them after the race.

    Args:
        runs: finalist → its finished trainings on fresh seeds.
        finalist: key of the one in question.
        baseline: finished trainings of the baseline.
        weights: cell → weight in the row; they sum to 1.
    """
    sides = [[_score(record, weights) for record in trained] for trained in (*runs.values(), baseline) if trained]
    df = sum(len(scores) - 1 for scores in sides)
    seeds = len(runs[finalist])
    if not df or seeds < 2:
        return math.inf
    squares = sum((len(scores) - 1) * statistics.variance(scores) for scores in sides if len(scores) > 1)
    return math.sqrt(squares / df) * _reach(df, seeds, max(len(baseline), seeds + 1))


def expected_half_width(config: StudyConfig, seeds: int) -> float:
    """Return the half-width to expect with so many fresh seeds of every finalist, in standard deviations of one training."""
    baseline = max(config.baseline_seeds, seeds + 1)
    return _reach(config.leaders * (seeds - 1) + baseline - 1, seeds, baseline)


def seeds_for(config: StudyConfig, points: float, deviation: float) -> int | None:
    """Return the fresh seeds of every finalist that are expected to reach a half-width; None where `seed_limit` does not.

    Args:
        config: of the study.
        points: half-width, points.
        deviation: standard deviation of one training, points.
    """
    counts = range(max(2, config.leader_seeds), config.seed_limit + 1)
    return next((seeds for seeds in counts if deviation * expected_half_width(config, seeds) <= points), None)


def least_trainings(config: StudyConfig) -> int:
    """Return the trainings of the whole study without a further seed of any finalist, at most."""
    return fixed_trainings(config) + config.leaders * config.leader_seeds + _common(config, config.leader_seeds)


def fixed_trainings(config: StudyConfig, controls: int | None = None) -> int:
    """Return the trainings that no race changes: the search, controls, matched sets, the untrained reference.

    Args:
        config: of the study.
        controls: trainings of controls; None: the most there can be.
    """
    controls = most_controls(config) if controls is None else controls
    return config.trials + config.whole_baseline + controls + matched_trials(config) + int(config.untrained)


def affordable(config: StudyConfig, told: Mapping[int, Sequence[object]], seed: int, controls: int) -> int:
    """Return how many finalists may get that fresh seed under `max_trainings`; all of them without one.

    Args:
        config: of the study.
        told: finalist → its trainings on the seeds before.
        seed: in question, from 1.
        controls: trainings of controls.
    """
    if config.max_trainings is None:
        return len(told)
    spent = fixed_trainings(config, controls) + sum(map(len, told.values())) + _common(config, seed)
    return max(0, config.max_trainings - spent)


def may_run_again(config: StudyConfig, before: Sequence[TrialRecord]) -> bool:
    """Return whether `max_trainings` leaves room for one more training, after the last race."""
    roles = Counter(record.role for record in before)
    further = max(config.more_baseline, roles["baseline"] - config.baseline_seeds)
    spent = fixed_trainings(config, roles["control"]) + roles["finalist"] + further
    return config.max_trainings is None or spent < config.max_trainings


def _common(config: StudyConfig, seed: int) -> int:
    """Return the baseline's trainings beside its first ones, once finalists were trained on seeds up to that one."""
    return max(0, config.more_baseline, seed - config.baseline_seeds + 1)


def _score(record: TrialRecord, weights: Mapping[Cell, float]) -> float:
    values = record.scores.values("select")
    return sum(weight * values[cell] for cell, weight in weights.items())


def _reach(df: int, seeds: int, baseline: int) -> float:
    from scipy import special

    return float(special.stdtrit(df, 0.5 + LEVEL / 2)) * math.sqrt(1 / seeds + 1 / baseline)
