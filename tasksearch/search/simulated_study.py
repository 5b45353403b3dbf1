"""A study as it might come to be: its proposals under results drawn at random, for a look at it before anything runs. Pure.

Drawn scores vary as follows, in units of the spread of seeds: the gain of a mix N(0, 1), its own part in each target and
language N(0, 1), a seed N(0, 1). How many seeds races take, and which lengths have controls, rests on that: it is expected.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasksearch.core.arm_rates import ARMS
from tasksearch.core.score import Cell, Score, ScoreTable
from tasksearch.core.signature import seed_from
from tasksearch.core.study import BASELINES, StudyConfig, TrialRecord
from tasksearch.search.collapse import RERUNS
from tasksearch.search.common_seeds import further_baseline
from tasksearch.search.controls import always, most_controls, trainings_of
from tasksearch.search.matched_pairs import matched_count
from tasksearch.search.precision import fixed_trainings
from tasksearch.search.proposals import PlanOf, Proposal, propose

_LEVEL, _EXAMPLES = 50.0, 10**6
"""Percent of the baseline; so many examples that a score's own error is far below the spread of seeds, one point."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How many trainings of a role there can be, whatever the results: exact where both are equal."""

    least: int
    most: int


def bounds(config: StudyConfig) -> dict[str, Bounds]:
    """Role → trainings of the complete study but for the search's mixes, where the space holds as many as there are trials.

    `re-run` stands for trainings that replace collapsed ones.
    """
    mixes = max(0, config.trials - config.baseline_seeds)
    leaders, seeds = min(config.leaders, mixes), config.leader_seeds
    races = seeds > 1 and config.seed_limit > seeds
    each = {"length": 0, "exposure": 1, "soup": int(leaders > 1), **always(config)}
    controls = trainings_of(config, each) if leaders else 0
    further = further_baseline(config) if leaders else (0, 0)
    most = leaders * (config.seed_limit if races else seeds)
    if config.max_trainings is not None:
        room = max(0, config.max_trainings - fixed_trainings(config, controls) - leaders * seeds - further[0])
        most, further = min(most, leaders * seeds + room), (further[0], min(further[1], further[0] + room))
    twins, untrained = matched_count(config), int(config.untrained)
    baseline = (config.whole_baseline if config.is_short else config.baseline_seeds) + config.more_baseline
    found = {
        config.search_baseline: Bounds(least=config.baseline_seeds, most=config.baseline_seeds),
        "baseline": Bounds(least=baseline + further[0], most=baseline + further[1]),
        "finalist": Bounds(least=leaders * seeds, most=most),
        "control": Bounds(least=controls, most=most_controls(config)),
        "twin": Bounds(least=twins, most=twins),
        "best-of": Bounds(least=0, most=len(ARMS) * config.twin_seeds if config.twins else 0),
        "untrained": Bounds(least=untrained, most=untrained),
        "re-run": Bounds(least=0, most=RERUNS if leaders else 0),
    }
    return {role: one for role, one in found.items() if one.most}


def simulated_study(
    config: StudyConfig,
    sizes: Mapping[str, int],
    plan_of: PlanOf,
    groups: Mapping[str, str],
    draw: int,
    *,
    cells: Sequence[Cell] = (),
    race: bool | None = None,
) -> list[TrialRecord]:
    """Every trial that the study would run, were its results drawn at random.

    Args:
        draw: which draw; equal draws are equal.
        cells: targets and languages that are scored; without any the objectives alone are drawn, and races say nothing.
        race: no leader gets seeds beyond its first ones (False), or each gets as many as it may (True); None: as results say.
    """
    records: list[TrialRecord] = []
    while isinstance(found := propose(config, sizes, plan_of, len(records), records, groups, race=race), Proposal):
        rng = random.Random(seed_from("outlook", draw, found.plan.mix_signature))
        value = 0.0 if found.role in BASELINES else rng.gauss(0.0, 1.0)
        gains = {cell: value + (rng.gauss(0.0, 1.0) if found.role not in BASELINES else 0.0) for cell in cells}
        records.append(
            TrialRecord(
                number=found.number,
                role=found.role,
                status="done",
                plan=found.plan,
                params=found.params,
                objective=value,
                scores=_scores(gains, found.plan.seed, random.Random(seed_from("outlook", draw, found.plan.signature))),
            )
        )
    return records


def _scores(gains: Mapping[Cell, float], seed: int, rng: random.Random) -> ScoreTable:
    return ScoreTable.of(
        Score(
            target=target,
            language=language,
            half="select",
            metric="drawn",
            value=min(100.0, max(0.0, _LEVEL + gain + rng.gauss(0.0, 1.0))),
            examples=_EXAMPLES,
            seed=seed,
        )
        for (target, language), gain in gains.items()
    )
