"""Precision by request: seeds until a gain is known to so many points, and never more trainings than asked for."""

import dataclasses
import math

import numpy as np
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.search.precision import expected_half_width, half_width, least_trainings, seeds_for
from tasksearch.search.simulated_study import bounds, simulated_study
from tasksearch.study.configuration import check_precision

CELL = ("nli", "xx")
CELLS = (("nli", "en"), CELL)


def trained(toy, values):
    return [toy.record(n, scores=toy.table({CELL: 50.0 + value})) for n, value in enumerate(values)]


def test_the_half_width_is_that_of_a_difference_of_means_with_one_variance(toy):
    runs = {0: trained(toy, [1.0, 3.0]), 1: trained(toy, [0.0, 4.0])}
    baseline = trained(toy, [0.0, 1.0, 2.0])
    deviation = math.sqrt((2 + 8 + 2) / 4)
    assert half_width(runs, 0, baseline, {CELL: 1.0}) == pytest.approx(2.776445 * deviation * math.sqrt(1 / 2 + 1 / 3))
    assert half_width({0: trained(toy, [1.0])}, 0, baseline, {CELL: 1.0}) == math.inf


def test_what_plan_expects_is_what_comes_out_on_average(toy):
    config, rng = toy.config(leaders=3, leader_seeds=4, baseline_seeds=5), np.random.default_rng(0)
    found = [
        half_width({i: trained(toy, rng.normal(size=4)) for i in range(3)}, 0, trained(toy, rng.normal(size=5)), {CELL: 1.0})
        for _ in range(200)
    ]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(expected_half_width(config, 4), rel=0.05)


def test_the_seeds_it_takes_grow_with_the_deviation_and_end_at_the_limit(toy):
    config = toy.config(leaders=3, leader_seeds=2, half_width=1.0)
    few, many = seeds_for(config, 1.0, 0.5), seeds_for(config, 1.0, 1.0)
    assert 2 <= few < many and expected_half_width(config, many) <= 1.0 < expected_half_width(config, many - 1)
    assert seeds_for(config, 1.0, 50.0) is None


def fresh(study):
    finalists: dict = {}
    for record in study:
        if record.role == "finalist":
            finalists.setdefault(record.plan.schedule, []).append(record)
    return finalists


@pytest.mark.parametrize("points", [0.8, 1.5])
def test_a_study_trains_until_every_gain_is_known_so_well_and_no_longer(toy, points):
    config = toy.config(sampler="random", trials=12, leaders=2, leader_seeds=2, most_seeds=3, half_width=points)
    study = simulated_study(config, toy.sizes, toy.plan_of, {}, 0, cells=CELLS)
    finalists, bare = fresh(study), [r for r in study if r.role == "baseline"]
    runs = dict(enumerate(finalists.values()))
    first = max(runs, key=lambda i: len(runs[i]))
    assert len(runs[first]) > 3 or points > 1
    assert half_width(runs, first, bare[:3], {CELL: 1.0}) <= points
    shorter = {i: trained_runs[: len(runs[first]) - 1] for i, trained_runs in runs.items()}
    assert len(runs[first]) == 2 or half_width(shorter, first, bare[: config.baseline_seeds], {CELL: 1.0}) > points


@pytest.mark.parametrize("more", [0, 1, 7])
def test_never_more_trainings_than_asked_for_and_none_left_unspent_while_a_verdict_is_open(toy, more):
    config = toy.config(sampler="random", trials=12, leaders=2, leader_seeds=2, controls=("exposure",), untrained=True)
    config = dataclasses.replace(config, max_trainings=least_trainings(config) + more)
    check_precision(config)
    study = simulated_study(config, toy.sizes, toy.plan_of, {}, 0, cells=CELLS, race=True)
    most = sum(one.most for role, one in bounds(config).items() if role not in ("baseline", "re-run"))
    assert config.max_trainings - 2 <= len(study) <= config.max_trainings
    assert len(fresh(study)) == 2 and most >= sum(map(len, fresh(study).values()))


def test_too_few_trainings_or_a_single_first_seed_are_refused_in_one_line(toy):
    with pytest.raises(BadInput, match="--max-trainings 13; this study has up to"):
        check_precision(toy.config(trials=12, leaders=2, leader_seeds=2, max_trainings=13))
    with pytest.raises(BadInput, match="--leader-seeds 1 beside --half-width"):
        check_precision(toy.config(trials=12, leaders=2, leader_seeds=1, half_width=1.0))
