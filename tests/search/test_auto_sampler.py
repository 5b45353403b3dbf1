"""`--sampler auto`: better than random where it can be told, pure, and the same from Optuna alone."""

import dataclasses
import random
from itertools import pairwise

import numpy as np
import optuna
import pytest

from tasksearch.bench.planted_world import CHANCE
from tasksearch.bench.sampler_regret import regrets
from tasksearch.bench.samplers import SEARCHES, judge_last, planted_config
from tasksearch.bench.simulate import GROUPS, GUESSES, Simulation, sizes_of, space_of
from tasksearch.bench.skill_worlds import TUNED
from tasksearch.core.errors import BadInput
from tasksearch.core.score import ScoreTable
from tasksearch.core.space import SearchSpace, decode, suggest
from tasksearch.core.study import Objective
from tasksearch.search import auto, surrogate_search
from tasksearch.search.auto import auto_suggestions
from tasksearch.search.candidate_mixes import random_mixes
from tasksearch.search.proposals import Proposal, Wait, propose
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays
from tasksearch.search.surrogate_sampler import SurrogateSampler
from tasksearch.search.surrogate_search import Told, improvement, ranked_mixes

FIRST = 17  # five seeds of the baseline, eleven designs, one proposal


def grown(world, config, count):
    """Records of a study whose trials end one after the other."""
    study = Simulation(world=world)
    while len(study.records) < count:
        found = propose(config, sizes_of(world), study.plan_of, len(study.records), study.records, GROUPS)
        assert isinstance(found, Proposal)
        study.train(found.plan.schedule, found.plan.seed, found.role, params=found.params)
        judge_last(study, config.baseline_seeds)
    return study


@pytest.fixture(scope="module")
def world():
    return TUNED["families"].draw(3)


@pytest.fixture(scope="module")
def config(world):
    return planted_config(world, sampler="auto", trials=60, lag=4)


@pytest.fixture(scope="module")
def study(world, config):
    return grown(world, config, 26)


def test_it_loses_less_than_half_of_what_random_loses():
    def lost(name):
        families = (TUNED["interference"], TUNED["collapse"])
        return sum(regrets(family, 101, SEARCHES[name], (24,))[24].picked for family in families)

    assert lost("auto") < 0.5 * lost("random")


def test_a_proposal_needs_no_result_within_the_lag_and_waits_for_those_before(world, config, study):
    def without(results):
        return [dataclasses.replace(r, status="running", objective=None, scores=type(r.scores)()) if r.number in results else r
                for r in study.records]  # fmt: skip

    n = 25
    hidden = propose(config, sizes_of(world), study.plan_of, n, without({22, 23, 24}), GROUPS)
    assert isinstance(hidden, Proposal) and hidden.plan == study.records[n].plan and hidden.params == study.records[n].params
    assert propose(config, sizes_of(world), study.plan_of, n, without({21}), GROUPS) == Wait(number=21, search_goes_on=True)


def test_the_seed_and_the_languages_asked_for_change_what_is_proposed(world, config, study):
    def first(**changes):
        asked = dataclasses.replace(config, **changes)
        return next(auto_suggestions(asked, study.records, (), GROUPS, seed=changes.get("seed", 0)))

    assert first() == first()
    assert first() != first(seed=1)
    assert first() != first(objective=Objective(languages=("l4",)))


def test_a_batch_spreads(config, study):
    """Each of eight at once is told which others are running; without that they crowd around one mix."""

    def batch(told):
        mixes = []
        for seed in range(8):
            pending = [dataclasses.replace(study.records[-1], plan=study.plan_of(mix, 0), status="running") for mix in mixes]
            found = auto_suggestions(config, study.records, pending if told else (), GROUPS, seed=seed)
            mixes.append(next(mix for params in found if (mix := decode(config.space, params)) not in mixes))
        place = ScheduleArrays.of(mixes, config.space.tasks).share
        return np.abs(place[:, np.newaxis] - place).sum()

    assert batch(told=True) > batch(told=False)


def test_a_trial_at_a_guess_is_not_told_but_is_not_proposed_again(config, study):
    """As where the trial had not been told at all, once the study knows what a guess scores."""
    asked, last = dataclasses.replace(config, guesses=GUESSES), study.records[-1]
    rows = [dataclasses.replace(s, value=100 * CHANCE) for s in last.scores]
    failed = dataclasses.replace(last, scores=ScoreTable.of(rows))

    def first(told, settings):
        return next(auto_suggestions(settings, told, (), GROUPS, seed=0))

    known = study.records[:-1]
    assert first([*known, failed], asked) == first(known, asked) != first([*known, failed], config)
    assert first(study.records, asked) == first(study.records, config)
    after = propose(dataclasses.replace(asked, lag=1), {}, study.plan_of, len(study.records), [*known, failed], GROUPS)
    assert after.plan.schedule not in {record.plan.schedule for record in [*known, failed]}


def test_trials_without_scores_are_told_by_their_objective(config, study):
    bare = [dataclasses.replace(r, scores=type(r.scores)()) for r in study.records]
    assert decode(config.space, next(auto_suggestions(config, bare, (), GROUPS, seed=0))) is not None
    assert next(auto_suggestions(config, bare[: FIRST - 5], (), GROUPS, seed=0), None) is None  # seven mixes


def test_a_long_study_is_read_in_part_and_its_best_trials_are_among_them(config, study, monkeypatch):
    assert list(surrogate_search.telling_rows(np.arange(20.0))) == list(range(20))
    monkeypatch.setattr(surrogate_search, "MOST_MIXES", 12)
    monkeypatch.setattr(auto, "MOST_MIXES", 12)
    values = np.random.default_rng(0).normal(size=300)
    rows = surrogate_search.telling_rows(values)
    assert 6 < len(set(rows)) <= 12 and list(rows) == sorted(rows)
    assert set(np.argsort(-values)[:6]) | set(range(0, 300, 64)) == set(rows)

    first = next(auto_suggestions(config, study.records, (), GROUPS, seed=0))
    judged = [record for record in study.records if record.role != "baseline"]
    told = {judged[row].number for row in surrogate_search.telling_rows(np.array([r.objective for r in judged]))}
    assert 6 < len(told) <= 12 < len(judged)
    blind = [r if r.role == "baseline" or r.number in told else dataclasses.replace(r, scores=type(r.scores)())
             for r in study.records]  # fmt: skip
    assert next(auto_suggestions(config, blind, (), GROUPS, seed=0)) == first


def test_one_more_trial_changes_little_of_what_is_fitted():
    values, most = np.random.default_rng(1).normal(size=1000), surrogate_search.MOST_MIXES
    fitted = [set(surrogate_search.telling_rows(values[:count])) for count in range(most + 1, 1000)]
    assert all(most // 2 < len(rows) <= most for rows in fitted)
    changed = [len(one ^ other) for one, other in pairwise(fitted)]
    assert sum(change > 2 for change in changed) == 2  # every n-th becomes every 2n-th


# ---- from Optuna alone


def gains_of(world, schedule):
    return dict(zip(world.languages[1:], map(float, world.gains([schedule])[0][1:]), strict=True))


def optimised(world, trials, direction="maximize", vector=True, seed=0, **fields):
    space = dataclasses.replace(space_of(world), **fields)
    sign = 1 if direction == "maximize" else -1

    def objective(trial):
        schedule = decode(space, suggest(space, trial))
        if schedule is None:
            raise optuna.TrialPruned
        gains = gains_of(world, schedule)
        if vector:
            trial.set_user_attr("gains", gains)
        return sign * float(np.mean(list(gains.values())))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=direction, sampler=SurrogateSampler(space, seed=seed))
    study.optimize(objective, n_trials=trials)
    return study, space


@pytest.mark.parametrize("direction, vector", (("maximize", True), ("minimize", False)))
def test_an_ordinary_study_comes_near_the_best_mix(world, direction, vector):
    study, space = optimised(world, 26, direction, vector)
    rng = np.random.default_rng(0)
    drawn = world.gains_of(random_mixes(space, rng, 3000).arrays(space))[:, 1:].mean(axis=1)
    assert abs(study.best_value) > np.quantile(drawn, 0.99)
    schedules = [decode(space, {"steps": 96, "schedule": "joint"} | t.params) for t in study.trials]
    assert len(set(schedules)) == len(schedules)
    again, _ = optimised(world, 20, direction, vector)
    assert [t.params for t in again.trials] == [t.params for t in study.trials[:20]]
    assert optimised(world, 14, direction, vector, seed=1)[0].trials[13].params != study.trials[13].params


@pytest.mark.parametrize(
    "fields",
    ({"schedules": ("joint",), "steps": (96,)}, {"max_tasks": 2, "min_tasks": 2, "schedules": ("sequential",)},
     {"denominator": None}),
    ids=("joint", "pairs", "free shares"),
)  # fmt: skip
def test_every_kind_of_space_is_searched(world, fields):
    study, _ = optimised(world, 18, **fields)
    assert len(study.trials) == 18


def test_results_within_the_lag_are_not_used(world):
    space = space_of(world)

    def proposed(spoiled):
        rng = random.Random(0)
        study = optuna.create_study(direction="maximize", sampler=SurrogateSampler(space, lag=4))
        for n in range(18):
            trial = study.ask()
            gains = gains_of(world, decode(space, suggest(space, trial)))
            gains = {name: rng.uniform(-9, 9) for name in gains} if n in spoiled else gains
            trial.set_user_attr("gains", gains)
            study.tell(trial, sum(gains.values()))
        return suggest(space, study.ask())  # trial 18 knows trials 0 … 14

    assert proposed({15, 16, 17}) == proposed(()) != proposed({14})


def test_the_worth_is_the_expected_improvement():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.3, 1.7, size=400_000)
    assert improvement(np.array([0.3]), np.array([1.7]))[0] == pytest.approx(np.maximum(0, drawn).mean(), rel=0.01)


def test_too_few_mixes_propose_nothing():
    space = SearchSpace(name="x", summary="", tasks=("a", "b"), steps=(96,))
    told = Told(schedules=(), params=(), gains=np.zeros((0, 1)), seeds=None, weights=np.ones(1))
    assert list(ranked_mixes(space, told, (), np.random.default_rng(0))) == []


def test_a_space_with_rules_is_searched_among_random_mixes(world, study):
    space = dataclasses.replace(space_of(world), rules=("uniform", "proportional"), sizes=tuple(sizes_of(world).items()))
    config = planted_config(world, sampler="auto", trials=60, space=space)
    found = [decode(space, params) for params in auto_suggestions(config, study.records, (), GROUPS, seed=0)]
    assert len(set(found)) == len(found) > 20 and None not in found
    with pytest.raises(BadInput, match="expected weights of tasks"):
        SurrogateSampler(space)


# ---- distances between languages


def test_distances_between_languages_decide_only_where_they_differ(world, config, study):
    def first(distances):
        return next(auto_suggestions(config, study.records, (), GROUPS, seed=0, distances=distances))

    assert first(dict.fromkeys(world.distances, 0.5)) == first({}) == first(None)
    assert first(world.distances) != first(None)  # on this world; families gain alike there
    n = len(study.records) - 1
    told = propose(config, sizes_of(world), study.plan_of, n, study.records, GROUPS, distances=world.distances)
    assert isinstance(told, Proposal) and decode(config.space, dict(told.params)) == told.plan.schedule
