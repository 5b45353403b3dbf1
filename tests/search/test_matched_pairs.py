"""Twins differ in the order of their examples and in nothing else, and nothing that was seen decides which they are."""

import dataclasses
import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.bench.matched_worlds import matched_result, paired_result
from tasksearch.bench.planted_world import NULL, NULL_LUCK, TUNE, draw_world
from tasksearch.core.errors import BadInput
from tasksearch.core.space import SearchSpace, encode
from tasksearch.core.study import SEARCHED
from tasksearch.search.finalists import choose_finalists
from tasksearch.search.matched_pairs import (
    ORDERS,
    PAIR_SEED,
    best_of_each,
    default_pairs,
    drawn_pairs,
    matched_count,
    matched_plan,
    matched_sets,
    matched_trials,
    matched_trials_now,
    per_mixture,
)
from tasksearch.search.proposals import Finished, Proposal, propose
from tasksearch.training.order import stage_steps

TASKS = ("ccg", "mnli", "qqp", "squad", "sst")


def space(**changes):
    return SearchSpace(**({"name": "toy", "summary": "", "tasks": TASKS, "steps": (48, 96)} | changes))


KEPT_UP = space(tasks=(*TASKS, "mlm:sw", "tlm:sw"), texts=("mlm:sw", "tlm:sw"), kept_up=("0", "1/4"))

spaces = st.sampled_from(
    [space(), space(denominator=None), space(schedules=("joint",)), space(steps=(7,)), space(max_tasks=2), space(steps=(50,)),
     KEPT_UP]
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(spaces, st.integers(0, 1000))
def test_twins_have_equal_tasks_shares_and_steps_and_every_order_is_another(where, seed):
    sets = matched_sets(where, seed, 4)
    assert len(sets) == 4
    assert len({(twins[0].schedule.mixture(), twins[0].schedule.steps) for twins in sets}) == 4
    for twins in sets:
        assert [twin.schedule.kind for twin in twins[:2]] == ["joint", "annealed"]
        assert all(twin.schedule.kind == "sequential" for twin in twins[2:])
        assert [twin.lr_policy for twin in twins] == ["phase"] * 4 + ["stage"] * 2
        assert [twin.schedule for twin in twins[2:4]] == [twin.schedule for twin in twins[4:]]
        assert len({twin.schedule.order for twin in twins[2:4]}) == ORDERS
        assert len(twins[0].schedule.tasks) >= 2
        assert len({(twin.schedule.mixture(), twin.schedule.steps) for twin in twins}) == 1


@settings(max_examples=25, deadline=None)
@given(spaces, st.integers(0, 1000))
def test_twins_see_equally_many_examples_of_every_task(where, seed):
    for twins in matched_sets(where, seed, 3):
        seen = [counted(twin.schedule, seed) for twin in twins]
        assert all(each == seen[0] for each in seen)


def test_text_that_is_kept_up_is_beside_every_stage_of_every_arm():
    kept = 0
    for pair in drawn_pairs(KEPT_UP, 0, 40):
        assert (pair.joint.kind, pair.sequential.kind) == ("joint", "sequential")
        stages = [*pair.joint.stages, *pair.sequential.stages]
        beside = {sum(stage.share(text) for text in KEPT_UP.texts) for stage in stages if len(stage.tasks) > 1}
        if any(len(stage.tasks) > 1 for stage in pair.sequential.stages):
            kept += 1
            assert beside == {Fraction(1, 4)} and all(
                len(set(s.tasks) - set(KEPT_UP.texts)) == 1 for s in pair.sequential.stages
            )
            assert encode(pair.sequential, KEPT_UP)["kept_up"] == encode(pair.joint, KEPT_UP)["kept_up"] == "1/4"
    assert 5 < kept < 35, "the search's own draw: about half where a text is drawn"
    assert all("kept_up" not in encode(pair.joint, space()) for pair in drawn_pairs(space(), 0, 3))


def counted(schedule, seed):
    totals = dict.fromkeys(schedule.tasks, 0)
    for stage in schedule.stages:
        for step in stage_steps(stage, 8, seed=seed, mixing="task"):
            for task, count in step:
                totals[task] += count
    return totals


def test_the_twins_of_fewer_mixtures_are_the_first_of_those_of_more_and_another_seed_draws_others():
    assert matched_sets(space(), 3, 9)[:4] == matched_sets(space(), 3, 4)
    assert matched_sets(space(), 4, 4) != matched_sets(space(), 3, 4)


def test_a_small_space_gives_what_it_holds():
    small = space(tasks=("ccg", "mnli"), steps=(64,), denominator=2)
    assert len(matched_sets(small, 0, 5)) == 1


def finished(toy, config, most=1000, records=()):
    records = list(records)
    while len(records) < most:
        found = propose(config, toy.sizes, toy.plan_of, len(records), records)
        if isinstance(found, Finished):
            return records
        assert isinstance(found, Proposal), found
        value = 0.0 if not found.plan.schedule.stages else int(found.plan.mix_signature[:6], 16) / 2**23
        records.append(toy.record(found.number, role=found.role, plan=found.plan, params=found.params, objective=value))
    return records


@pytest.fixture(scope="module")
def asked(toy):
    return toy.config(trials=22, twins=3, leader_seeds=1, leaders=2)


@pytest.fixture(scope="module")
def history(toy, asked):
    return finished(toy, asked)


def test_twins_run_after_the_finalists_on_shared_fresh_seeds_and_count_apart(toy, asked, history):
    roles = [record.role for record in history]
    assert roles[:24] == [record.role for record in finished(toy, dataclasses.replace(asked, twins=0))]
    assert roles[24:78] == ["twin"] * 54 and set(roles[78:]) == {"best-of"}
    twins = history[24:78]
    assert [record.plan for record in twins] == [matched_plan(asked, toy.plan_of, place) for place in range(54)]
    assert matched_count(asked) == 54 == 3 * per_mixture(asked)
    for first in range(0, 54, 18):
        ours = twins[first : first + 18]
        assert {record.plan.seed for record in ours} == {1, 2, 3}
        assert len({record.plan.signature for record in ours}) == 18
        bare = {without_order(record.plan) for record in ours}
        assert len(bare) == 1, "suite, targets, settings but for the policy: all equal"
    assert len(history) == 24 + matched_trials_now(asked, history) <= 24 + matched_trials(asked)


def without_order(plan):
    train = dataclasses.replace(plan.settings.intermediate, lr_policy="phase")
    alike = dataclasses.replace(plan.settings, intermediate=train)
    mixture, steps = plan.schedule.mixture(), plan.schedule.steps
    return dataclasses.replace(plan, settings=alike, schedule=type(plan.schedule).joint(mixture, steps), seed=0)


def test_no_proposal_of_the_search_reads_a_twin(toy, asked, history):
    longer = dataclasses.replace(asked, trials=30)
    turned = [dataclasses.replace(r, objective=-99.0) if r.role in ("twin", "best-of") else r for r in history]
    ours, theirs = (finished(toy, longer, len(history) + 8, records)[len(history) :] for records in (history, turned))
    assert [record.role for record in ours] == ["search"] * 8
    assert [record.plan for record in ours] == [record.plan for record in theirs]
    without = finished(toy, dataclasses.replace(longer, twins=0, leaders=0), 30)
    assert [record.plan for record in without[:22]] == [record.plan for record in history[:22]]


def test_twins_may_be_asked_for_later_and_more_of_them_after_that(toy, asked, history):
    before = finished(toy, dataclasses.replace(asked, twins=0))
    later = finished(toy, asked, records=before)
    assert [record.plan for record in later] == [record.plan for record in history]
    more = finished(toy, dataclasses.replace(asked, twins=4), records=history)
    assert [record.plan for record in more[: len(history)]] == [record.plan for record in history]
    assert [record.role for record in more[len(history) :]] == ["twin"] * 18


def test_each_kinds_best_is_chosen_among_equally_many_sampled_mixes_of_several_tasks(toy, history):
    bests = best_of_each(history)
    sampled = [r for r in history if r.role == "search" and len(r.plan.schedule.tasks) > 1]
    n = min(sum(r.plan.schedule.kind == kind for r in sampled) for kind in ("joint", "sequential"))
    assert n > 1 and {best.tried for best in bests.values()} == {n}
    for kind, best in bests.items():
        first = [r for r in sampled if r.plan.schedule.kind == kind][:n]
        assert best.record.objective == max(r.objective for r in first)
        assert best.record in first
    fresh = [r for r in history if r.role in ("finalist", "best-of")]
    for best in bests.values():
        seeds = {r.plan.seed for r in fresh if r.plan.mix_signature == best.record.plan.mix_signature}
        assert seeds == {1, 2, 3} and best.record.plan.seed not in seeds


def test_a_search_of_one_kind_has_no_best_of_each(toy, history):
    one = [r for r in history if r.plan.schedule.kind != "sequential"]
    assert best_of_each(one) == {}


@pytest.mark.parametrize("changes", [{"twins": 2}, {"twins": 6, "twin_seeds": 2}])
def test_too_few_mixtures_or_seeds_are_refused(toy, changes):
    with pytest.raises(BadInput, match=r"expected .*at least 3"):
        toy.config(**changes)


def test_on_planted_worlds_the_interval_holds_the_mean_over_the_space_and_no_winner_is_invented():
    null = [matched_result(draw_world(NULL, 7000 + i), many=60) for i in range(6)]
    real = [matched_result(draw_world(TUNE, 7000 + i), many=60) for i in range(6)]
    assert sum(result.covered for result in [*null, *real]) >= 10
    assert sum(result.wrong for result in [*null, *real]) <= 1
    assert any(result.answer.verdict != "no difference at this budget" for result in real)


# Matched pairs, which are trials of the search.


@settings(max_examples=40, deadline=None)
@given(spaces, st.integers(0, 1000))
def test_the_arms_of_a_pair_differ_in_order_alone_and_every_pair_has_a_seed_of_its_own(where, seed):
    pairs = drawn_pairs(where, seed, 6)
    assert pairs[:3] == drawn_pairs(where, seed, 3)
    assert len({(pair.joint.mixture(), pair.joint.steps) for pair in pairs}) == 6
    assert [pair.seed for pair in pairs] == [PAIR_SEED + place for place in range(6)]
    for pair in pairs:
        assert (pair.joint.kind, pair.sequential.kind) == ("joint", "sequential")
        assert (pair.joint.mixture(), pair.joint.steps) == (pair.sequential.mixture(), pair.sequential.steps)
        assert len(pair.joint.tasks) >= 2


def test_mixtures_are_drawn_as_a_random_sampler_draws_them_and_orders_evenly():
    where = space(tasks=("ccg", "mnli", "qqp"), steps=(64,))
    drawn = [drawn_pairs(where, seed, 1)[0] for seed in range(1500)]
    whole = [pair for pair in drawn if len(pair.joint.tasks) == 3]
    assert 300 < len(whole) < 450, "one of the four subsets of two tasks or more"
    counts = [sum(pair.sequential.order == order for pair in whole) for order in itertools.permutations(where.tasks)]
    assert min(counts) > len(whole) / 6 - 4 * len(whole) ** 0.5 / 2.5


@pytest.fixture(scope="module")
def paired(toy):
    return toy.config(trials=22, pairs=3, leader_seeds=1, leaders=2)


def test_pairs_follow_the_designs_and_take_trials_of_the_search(toy, paired):
    roles = [record.role for record in finished(toy, paired)]
    without = [record.role for record in finished(toy, dataclasses.replace(paired, pairs=0))]
    assert len(roles) == len(without), "as many trainings as without pairs"
    assert roles.count("pair") == 6 and roles.count("search") == without.count("search") - 6
    first = roles.index("pair")
    assert roles[first : first + 6] == ["pair"] * 6 and set(roles[:first]) == {"baseline", "design"}


def test_pairs_are_the_same_whatever_the_results_and_wait_for_none(toy, paired):
    known = finished(toy, paired)
    first = next(record.number for record in known if record.role == "pair")
    records = [toy.record(r.number, role=r.role, plan=r.plan, params=r.params, status="running") for r in known]
    for record in known[first : first + 6]:
        found = propose(paired, toy.sizes, toy.plan_of, record.number, records)
        assert isinstance(found, Proposal) and (found.plan, found.params) == (record.plan, record.params)
    arms = [record.plan for record in known if record.role == "pair"]
    assert [(one.seed, two.seed) for one, two in zip(arms[::2], arms[1::2], strict=True)] == [
        (100, 100),
        (101, 101),
        (102, 102),
    ]


def test_both_arms_serve_the_search(toy, paired):
    records = finished(toy, paired)
    arms = [record for record in records if record.role == "pair"]
    assert all(record.params for record in arms), "the sampler is told of them"
    best = [dataclasses.replace(r, objective=9.0 if r is arms[1] else r.objective) for r in records if r.role in SEARCHED]
    baseline = [r for r in records if r.role == "baseline"]
    assert choose_finalists(dataclasses.replace(paired, leaders=1), [*baseline, *best])[0].record.plan == arms[1].plan


def test_more_trials_and_another_space_give_no_further_pairs(toy, paired):
    known = finished(toy, paired)
    wider = dataclasses.replace(paired, trials=26, space=dataclasses.replace(paired.space, steps=(*paired.space.steps, 320)))
    assert sum(record.role == "pair" for record in finished(toy, wider, records=known)) == 6


@pytest.mark.parametrize(
    ("trials", "changes", "pairs"),
    [(31, {}, 5), (60, {}, 10), (400, {}, 30), (12, {}, 0), (20, {}, 3), (31, {"schedules": ("joint",)}, 0)],
)
def test_by_default_a_third_of_the_trials_are_pairs_where_both_kinds_are_searched(trials, changes, pairs):
    assert default_pairs(space(**changes), trials, 5) == pairs


def test_pairs_that_the_trials_have_no_room_for_are_refused(toy):
    with pytest.raises(BadInput, match=r"9 matched pairs are 18 trainings, beside .* expected fewer pairs, or more trials"):
        toy.config(trials=20, pairs=9)


def test_pairs_on_planted_worlds_name_no_winner_where_there_is_none():
    found = [paired_result(draw_world(NULL, 7000 + seed), pairs=8, many=2) for seed in range(20)]
    assert sum(result.wrong for result in found) <= 3, "of one in twenty expected, more than three come in 1.6 % of cases"
    assert all(result.covered != result.wrong for result in found)


def test_luck_that_a_kind_shares_on_a_seed_is_no_effect_of_order():
    found = [paired_result(draw_world(NULL_LUCK, 7000 + seed), pairs=8, many=2) for seed in range(20)]
    assert sum(result.covered for result in found) >= 17
