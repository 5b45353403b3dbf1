import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.search.controls import controls_now, most_controls, stretched
from tasksearch.search.finalists import choose_finalists
from tasksearch.search.proposals import Finished, Proposal, Wait, propose

BASELINE, DESIGNS = 3, 6


def value(plan):
    return seed_from("value", plan.mix_signature) % 1000 / 250 - 2 if plan.schedule.stages else 0.0


def run(toy, config, most=1000, **changes):
    """Every trial in order, each finished before the next is proposed."""
    records = []
    while len(records) < most:
        found = propose(config, toy.sizes, toy.plan_of, len(records), records)
        if isinstance(found, Finished):
            break
        assert isinstance(found, Proposal), found
        records.append(record_of(toy, found))
    return records


def record_of(toy, found, **changes):
    record = toy.record(found.number, role=found.role, plan=found.plan, params=found.params, objective=value(found.plan))
    return dataclasses.replace(record, **changes)


def again(toy, config, n, records):
    return propose(config, toy.sizes, toy.plan_of, n, records)


@pytest.fixture(scope="module")
def history(toy):
    return run(toy, toy.config())


def test_roles_and_seeds_run_in_order(toy, history):
    roles = ["baseline"] * BASELINE + ["design"] * DESIGNS + ["search"] * 11 + ["finalist"] * 9 + ["baseline"]
    assert [r.role for r in history] == roles
    assert [r.plan.seed for r in history] == [0, 1, 2] + [0] * 17 + [1, 2, 3] * 3 + [3]


def test_the_baseline_gets_every_fresh_seed_of_finalists_and_controls_once(toy):
    for changes in ({"leader_seeds": 5}, {"leader_seeds": 2, "controls": ("exposure",)}, {"leader_seeds": 1}):
        found = run(toy, toy.config(**changes))
        bare = [r.plan.seed for r in found if r.role == "baseline"]
        fresh = {r.plan.seed for r in found if r.role in ("finalist", "control")}
        assert fresh <= set(bare) and len(bare) == len(set(bare)) == max(BASELINE, 1 + max(fresh))


def test_no_mix_is_proposed_twice(history):
    mixes = [r.plan.schedule for r in history if r.role in ("design", "search")]
    assert len(set(mixes)) == len(mixes) and all(mix.stages for mix in mixes)


@pytest.mark.parametrize("n", [3, 9, 12, 19])
def test_results_within_the_lag_are_never_used_even_if_known(toy, history, n):
    config = toy.config()
    edge = n - config.lag + 1
    hidden = [dataclasses.replace(r, status="running", objective=None) if r.number >= edge else r for r in history[:n]]
    failed = [dataclasses.replace(r, status="failed", objective=None) if r.number >= edge else r for r in history[:n]]
    other = [dataclasses.replace(r, objective=50.0) if r.number >= edge else r for r in history[:n]]
    expected = again(toy, config, n, history)
    assert expected == again(toy, config, n, hidden) == again(toy, config, n, failed) == again(toy, config, n, other)


def test_results_before_the_lag_are_used(toy):
    config = toy.config(trials=40)
    records = run(toy, config, most=30)
    turned = [dataclasses.replace(r, objective=-(r.objective or 0.0)) for r in records]
    assert any(again(toy, config, n, records) != again(toy, config, n, turned) for n in range(20, 31))


def test_a_trial_waits_for_the_results_that_it_rests_on(toy, history):
    config = toy.config()
    late = [dataclasses.replace(r, status="running", objective=None) if r.number == 10 else r for r in history]
    unjudged = [dataclasses.replace(r, objective=None) if r.number == 10 else r for r in history]
    assert again(toy, config, 13, late[:13]) == again(toy, config, 13, history)
    assert again(toy, config, 14, late[:14]) == again(toy, config, 14, unjudged[:14]) == Wait(number=10, search_goes_on=True)


def test_draws_at_random_wait_for_no_result_and_are_what_they_are_when_all_results_are_there(toy):
    config = toy.config(sampler="random")
    history = run(toy, config, most=20)
    bare = [dataclasses.replace(r, status="running", objective=None) for r in history]
    assert [again(toy, config, n, bare[:n]) for n in range(9, 20)] == [again(toy, config, n, history[:n]) for n in range(9, 20)]
    assert again(toy, config, 20, bare) == Wait(number=0), "finalists rest on all results, whoever proposed them"


def test_failed_and_stopped_trials_do_not_hold_the_search_up(toy, history):
    gone = [
        dataclasses.replace(r, status="failed" if r.number % 2 else "stopped", objective=None) if r.role == "design" else r
        for r in history
    ]
    assert isinstance(again(toy, toy.config(), 15, gone[:15]), Proposal)


def test_another_study_seed_gives_other_proposals(toy, history):
    other = run(toy, toy.config(seed=1), most=20)
    assert [r.plan for r in other[:9]] == [r.plan for r in history[:9]]
    assert [r.plan for r in other[9:]] != [r.plan for r in history[9:20]]


def test_finalists_wait_for_every_trial_and_copy_the_leaders(toy, history):
    config = toy.config()
    late = [dataclasses.replace(r, status="running", objective=None) if r.number == 19 else r for r in history[:20]]
    assert again(toy, config, 20, late) == Wait(number=19)
    best = [one.record for one in choose_finalists(config, history[:20])]
    objectives = sorted((r.objective for r in history[3:20]), reverse=True)
    assert [r.objective for r in best] == objectives[:3]
    finalists = history[20:29]
    assert [(r.plan.mix_signature, r.params) for r in finalists] == [
        (leader.plan.mix_signature, leader.params) for leader in best for _ in range(3)
    ]


def test_finalists_take_their_seeds_where_the_baseline_does_so_that_they_pair_in_a_study_of_any_seed(toy, history):
    def shifted(schedule, seed):
        return toy.plan_of(schedule, 1000 + seed)

    records = [dataclasses.replace(r, plan=r.plan.with_seed(1000 + r.plan.seed)) for r in history[:20]]
    found = propose(toy.config(), toy.sizes, shifted, 20, records)
    assert found.plan.seed == 1001
    assert found.plan.seed in {r.plan.seed for r in records if r.role == "baseline"}
    assert found.plan.seed not in {r.plan.seed for r in records if r.role != "baseline"}


def test_a_baseline_a_failed_or_a_stopped_trial_is_no_leader_and_ties_go_to_the_lower_number(toy):
    config = toy.config(leaders=4)
    records = [
        toy.record(0, objective=9.0),
        toy.record(1, role="design", objective=1.0),
        toy.record(2, role="search", status="failed"),
        toy.record(3, role="search", objective=2.0),
        toy.record(4, role="search", objective=2.0),
        toy.record(5, role="search", status="stopped"),
    ]
    assert [one.record.number for one in choose_finalists(config, records)] == [3, 4, 1]


@pytest.mark.parametrize("sampler", ["auto", "tpe", "random"])
def test_a_space_that_is_used_up_goes_on_to_the_finalists_and_ends(toy, sampler):
    config = toy.config(space=toy.space(max_tasks=1), sampler=sampler, trials=50, leaders=1)
    roles = [r.role for r in run(toy, config, most=60)]
    assert roles == ["baseline"] * 3 + ["design"] * 3 + ["search"] * 3 + ["finalist"] * 3 + ["baseline"]


def test_random_proposals_use_no_result(toy):
    config = toy.config(sampler="random")
    records = run(toy, config, most=20)
    assert len({r.plan.schedule for r in records[3:]}) == 17
    flat = [dataclasses.replace(r, objective=0.0) for r in records]
    assert all(again(toy, config, n, records) == again(toy, config, n, flat) for n in range(20))


def test_free_shares_are_proposed_where_the_space_has_no_grid(toy):
    config = toy.config(space=toy.space(denominator=None), leaders=0)
    found = [r for r in run(toy, config) if r.role == "search"]
    assert found and any(share.denominator > 8 for r in found for _, share in r.plan.schedule.mixture())


def test_tpe_finds_better_mixes_than_chance_on_an_easy_surface(toy):
    def ease(plan):
        return 10 * float(plan.schedule.share("b") - plan.schedule.share("a"))

    def late_mean(sampler, seed):
        space = toy.space(tasks=tuple("abcdef"))
        config, records = toy.config(space=space, sampler=sampler, seed=seed, trials=40, leaders=0), []
        while isinstance(found := again(toy, config, len(records), records), Proposal):
            records.append(record_of(toy, found, objective=ease(found.plan)))
        return sum(r.objective for r in records[20:]) / len(records[20:])

    gained = [late_mean("tpe", seed) - late_mean("random", seed) for seed in range(3)]
    assert min(gained) > 0 and sum(gained) / 3 > 1


def test_an_unknown_sampler_is_met_with_its_neighbour(toy):
    with pytest.raises(UnknownName, match="did you mean 'random'"):
        again(toy, toy.config(sampler="randon"), 0, [])


def test_the_untrained_reference_is_the_last_training_and_changes_no_other_one(toy, history):
    trained = run(toy, toy.config(untrained=True))
    assert trained[:-1] == history
    assert (trained[-1].role, trained[-1].plan.start, trained[-1].plan.schedule.stages) == ("untrained", "fresh", ())
    assert trained[-1].plan.mix_signature != trained[0].plan.mix_signature  # it is never taken for the baseline


def test_a_study_that_is_extended_goes_on_as_if_the_untrained_reference_were_not_there(toy, history):
    short = run(toy, toy.config(trials=12, untrained=True))
    moved = dataclasses.replace(short[-1], objective=-50.0)
    longer = toy.config(trials=14, untrained=True)
    proposals = [again(toy, longer, len(short), records) for records in (short, [*short[:-1], moved])]
    assert proposals[0] == proposals[1]
    assert proposals[0].role == "search"


def test_controls_follow_the_leaders_first_seeds_and_change_no_other_training(toy, history):
    found = run(toy, toy.config(controls=("length", "exposure", "soup")))
    controls = [r for r in found if r.role == "control"]
    assert [r.plan for r in found if r.role != "control"] == [r.plan for r in history]
    leading = list(dict.fromkeys(r.plan.schedule for r in history if r.role == "finalist"))
    free = next(schedule for schedule in leading if schedule in {r.plan.schedule for r in history if r.role == "design"})
    lengths = sorted({schedule.steps for schedule in leading})
    longer = {stretched(free, steps) for steps in lengths} - set(leading)
    assert lengths == [64, 128] and len(longer) == 1
    wanted = [(longer.copy().pop(), 0, (), seed) for seed in (1, 2, 3)]
    wanted += [(Schedule.none(), 32 * steps, (), seed) for steps in lengths for seed in (1, 2, 3)]
    wanted += [(Schedule.none(), 0, tuple(leading), seed) for seed in (1, 2, 3)]
    assert [(r.plan.schedule, r.plan.extra_examples, r.plan.soup, r.plan.seed) for r in controls] == wanted
    assert len(controls) <= most_controls(toy.config(controls=("length", "exposure", "soup")))
    assert controls_now(toy.config(controls=("length", "exposure", "soup")), found) == len(controls)
    begun = [r for r in found if r.number <= controls[0].number]
    assert controls_now(toy.config(controls=("length", "exposure", "soup")), begun) == len(controls)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(1, 300))
def test_a_stretched_schedule_keeps_its_stages_and_their_proportions(lengths, steps):
    names = "abcd"
    stages = tuple(Schedule.joint(Mixture.uniform(names[i]), n).stages[0] for i, n in enumerate(lengths))
    schedule = Schedule(stages=stages)
    found = stretched(schedule, steps)
    assert [stage.tasks for stage in found.stages] == [stage.tasks for stage in stages]
    if found is not schedule:
        assert found.steps == steps
        assert all(abs(a.steps - b.steps * steps / schedule.steps) < 1 for a, b in zip(found.stages, stages, strict=True))
    assert stretched(schedule, schedule.steps) == schedule


def test_a_single_leader_makes_no_soup(toy):
    found = run(toy, toy.config(leaders=1, controls=("soup",)))
    assert "control" not in {r.role for r in found}


def test_averages_of_snapshots_and_of_seeds_are_controls_of_their_own(toy, history):
    config = toy.config(controls=("average", "seeds"))
    found = run(toy, config)
    controls = [r.plan for r in found if r.role == "control"]
    assert [r.plan for r in found if r.role != "control"] == [r.plan for r in history]
    best = next(r.plan.schedule for r in history if r.role == "finalist")
    assert [plan.seed for plan in controls] == [1, 2, 3] * 2 and not any(plan.schedule.stages for plan in controls)
    assert [plan.settings.target.average_last for plan in controls] == [5] * 3 + [1] * 3
    assert [(plan.soup, plan.soup_seeds) for plan in controls] == [((), ())] * 3 + [((best,), (1, 2, 3))] * 3
    assert len(controls) == most_controls(config) == controls_now(config, found)


def test_a_study_over_mixture_rules_proposes_every_mix_once_and_the_same_again(toy):
    rules = ("uniform", "proportional", "capped(1500)", "temperature(2)", "uniform->proportional", "curriculum:uniform")
    config = toy.config(space=toy.space(rules=rules).with_sizes(toy.sizes), trials=26, pairs=3)
    found = run(toy, config, most=26)
    searched = [r for r in found if r.role in ("design", "search")]
    assert len({r.plan.schedule for r in searched}) == len(searched) > 15
    assert sum(bool(r.plan.schedule.rules) for r in searched) > 5
    assert run(toy, config, most=26) == found
    assert all(again(toy, config, n, found[:n]).plan == found[n].plan for n in (9, 17, 25))


def test_an_unknown_control_is_met_with_its_neighbour(toy):
    with pytest.raises(UnknownName, match="did you mean 'soup'"):
        toy.config(controls=("soop",))
