"""Mixture rules: their limits, their words, and the schedules that a search space makes of them."""

import dataclasses
import json
import random
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.mixture_rule import MixtureRule
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.rule_schedules import curriculum, form_of, rules_in
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode, encode
from tasksearch.core.study import StudyConfig
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import every_schedule, random_params
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

TASKS = ("find", "mnli", "qqp", "sort")
sizes = st.dictionaries(st.sampled_from(TASKS), st.integers(1, 2_000_000), min_size=2)
numbers = st.floats(0.05, 100)
rules = st.one_of(
    st.sampled_from(["uniform", "proportional"]).map(MixtureRule.parse),
    st.integers(1, 10**6).map(lambda cap: MixtureRule(name="capped", cap=cap)),
    numbers.map(lambda t: MixtureRule(name="temperature", temperature=t)),
)
UNIFORM, PROPORTIONAL = MixtureRule(name="uniform"), MixtureRule(name="proportional")
SIZES = {"find": 1000, "mnli": 100, "qqp": 10, "sort": 250}
SPACE = SearchSpace(
    name="ruled", summary="", tasks=TASKS, steps=(32, 64),
    rules=("explicit", "uniform", "proportional", "capped(50)", "temperature(2)", "temperature(5)", "uniform->capped(500)",
           "curriculum:proportional"),
).with_sizes(SIZES)  # fmt: skip


@given(sizes, rules)
def test_shares_of_a_rule_are_positive_sum_to_one_and_never_favour_the_smaller_task(sizes, rule):
    mixture = rule.mixture(sizes)
    assert sum(share for _, share in mixture) == 1 and all(share > 0 for _, share in mixture)
    ascending = sorted(sizes, key=sizes.__getitem__)
    shares = [mixture.share(task) for task in ascending]
    assert shares == sorted(shares)


@given(sizes)
def test_proportional_shares_are_exact(sizes):
    mixture = PROPORTIONAL.mixture(sizes)
    assert all(mixture.share(task) == Fraction(n, sum(sizes.values())) for task, n in sizes.items())
    assert MixtureRule(name="temperature", temperature=1).mixture(sizes) == mixture


@given(sizes, st.integers(0, 10**6))
def test_a_cap_runs_from_uniform_to_proportional(sizes, over):
    assert MixtureRule(name="capped", cap=max(sizes.values()) + over).mixture(sizes) == PROPORTIONAL.mixture(sizes)
    assert MixtureRule(name="capped", cap=min(sizes.values())).mixture(sizes) == UNIFORM.mixture(sizes)


@given(sizes, st.integers(1, 10**6))
def test_a_capped_share_is_the_papers_formula(sizes, cap):
    mixture, total = MixtureRule(name="capped", cap=cap).mixture(sizes), sum(min(n, cap) for n in sizes.values())
    assert all(mixture.share(task) == Fraction(min(n, cap), total) for task, n in sizes.items())


@given(sizes)
def test_a_high_temperature_tends_to_uniform(sizes):
    mixture = MixtureRule(name="temperature", temperature=1e9).mixture(sizes)
    assert all(abs(share - Fraction(1, len(sizes))) < Fraction(1, 10**5) for _, share in mixture)


@given(sizes, st.floats(1.01, 50))
def test_a_temperature_lies_between_proportional_and_uniform(sizes, temperature):
    assume(len(set(sizes.values())) > 1)
    shares = [MixtureRule(name="temperature", temperature=t).mixture(sizes) for t in (1, temperature, 2 * temperature)]
    largest = max(sizes, key=sizes.__getitem__)
    ranked = [float(mixture.share(largest)) for mixture in shares]
    assert ranked[0] >= ranked[1] - 1e-5 and ranked[1] >= ranked[2] - 1e-5


def test_a_temperature_of_two_takes_the_square_root():
    mixture = MixtureRule(name="temperature", temperature=2).mixture({"mnli": 400, "qqp": 100})
    assert mixture == Mixture.of({"mnli": 2, "qqp": 1})


@given(rules)
def test_a_rule_is_read_back_from_its_text(rule):
    assert MixtureRule.parse(str(rule)) == rule


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("capped(0)", "mixture rule capped(0); expected a cap K at least 1 example"),
        ("capped", "with cap None; expected such as capped"),
        ("capped(many)", "expected a number in brackets"),
        ("temperature(0)", "temperature(0); expected a positive number"),
        ("temperature(-1)", "temperature(-1); expected a positive number"),
        ("temperature(inf)", "temperature(inf); expected a positive number"),
        ("uniform(3)", "expected such as temperature"),
        ("caped(3)", "did you mean 'capped'"),
        ("", "expected uniform, proportional"),
    ],
)
def test_a_bad_rule_is_refused_in_one_line(text, told):
    with pytest.raises(BadInput) as refused:
        MixtureRule.parse(text)
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_a_task_without_examples_is_named():
    with pytest.raises(BadInput, match="0 training examples of 'qqp' under rule proportional"):
        PROPORTIONAL.mixture({"mnli": 4, "qqp": 0})


def test_a_rule_is_a_label_of_what_trains_and_changes_no_signature():
    by_rule = Schedule.joint(UNIFORM.mixture(SIZES), 8)
    bare = Schedule.joint(Mixture.uniform(*SIZES), 8)
    assert by_rule == bare and by_rule.to_json() == bare.to_json() and hash(by_rule) == hash(bare)
    plans = [
        Plan(suite="lab", schedule=one, targets=("nli",), languages=("en",), settings=PhaseSettings())
        for one in (by_rule, bare)
    ]
    assert plans[0].signature == plans[1].signature and plans[0].mix_signature == plans[1].mix_signature
    assert "rules" not in plans[1].to_json()
    again = Plan.from_json(json.loads(json.dumps(plans[0].to_json())))
    assert again == plans[0] and again.schedule.rules == (("uniform", "uniform"),)


def test_a_curriculum_takes_in_one_task_after_the_other_and_all_steps_are_used():
    schedule = curriculum(PROPORTIONAL, ["qqp", "mnli", "find"], SIZES, 32)
    assert [stage.tasks for stage in schedule.stages] == [("qqp",), ("mnli", "qqp"), ("find", "mnli", "qqp")]
    assert schedule.steps == 32 and {stage.steps for stage in schedule.stages} == {10, 11}
    assert schedule.stages[1].share("mnli") == Fraction(100, 110) and schedule.kind == "staged"
    with pytest.raises(BadInput, match="3 tasks in 2 steps"):
        curriculum(PROPORTIONAL, ["qqp", "mnli", "find"], SIZES, 2)


@given(st.integers(0, 2**32))
def test_what_a_space_with_rules_draws_encodes_back(seed):
    params = random_params(SPACE, random.Random(seed))
    schedule = decode(SPACE, params)
    assert schedule is not None
    again = decode(SPACE, encode(schedule, SPACE))
    assert again == schedule or (schedule.kind == "annealed" and again.mixture() == schedule.mixture())
    if len(schedule.tasks) > 1 and params["rule"] == "capped":
        assert not [name for name in params if name.startswith(("weight/", "temperature"))]
        chosen = {task: SIZES[task] for task in schedule.tasks}
        wanted = MixtureRule(name="capped", cap=params["cap"]).mixture(chosen)
        assert schedule.kind == "annealed" or schedule.kind == "sequential" or schedule.mixture() == wanted
        assert params["schedule"] != "joint" or f"capped({params['cap']})" in schedule.rules[0]


def test_every_rule_is_reached_by_the_random_sampler():
    rng = random.Random(0)
    assert {random_params(SPACE, rng).get("rule") for _ in range(300)} - {None} == {
        "explicit", "uniform", "proportional", "capped", "temperature", "uniform->capped", "curriculum:proportional",
    }  # fmt: skip


def test_a_small_space_of_rules_is_listed_whole():
    space = dataclasses.replace(SPACE, tasks=TASKS[:2], steps=(32,), rules=SPACE.rules[1:], schedules=("joint", "sequential"))
    listed, rng = every_schedule(space), random.Random(3)
    assert set(listed) == {decode(space, random_params(space, rng)) for _ in range(2000)}
    assert all(decode(space, params) == schedule for schedule, params in listed.items())


def test_the_free_designs_follow_their_rules_exactly():
    found = {name: design for design in designed_trials(SPACE, SIZES) for name in design.names}
    assert found["uniform joint"].schedule == Schedule.joint(UNIFORM.mixture(SIZES), 32)
    assert found["proportional joint"].schedule == Schedule.joint(PROPORTIONAL.mixture(SIZES), 32)
    assert found["proportional joint"].schedule.rules == (("proportional", "proportional"),)
    assert "size rule" in found


def test_a_space_keeps_the_sizes_it_began_with_and_needs_them():
    bare = dataclasses.replace(SPACE, sizes=())
    with pytest.raises(BadInput, match="not the size of"):
        decode(bare, {"use/mnli": True, "use/qqp": True, "rule": "uniform", "steps": 32, "schedule": "joint"})
    assert SPACE.with_sizes(dict.fromkeys(TASKS, 7)) == SPACE
    plain = dataclasses.replace(bare, rules=())
    assert plain.with_sizes(SIZES) == plain and "rules" not in plain.to_json() and "sizes" not in plain.to_json()


def test_a_space_with_rules_survives_a_studys_json():
    config = StudyConfig(name="n", space=SPACE, suite="lab", model="lab", targets=("nli",), languages=("en",))
    assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("capped", "expected such as capped(131072)"),
        ("uniform->capped(0)", "capped(0); expected a cap K at least 1"),
        ("temperature(-2)", "temperature(-2); expected"),
        ("unifrom", "did you mean 'uniform'"),
        ("curriculum:uniform->uniform", "no mixture rule 'uniform->uniform'; did you mean"),
    ],
)
def test_a_space_whose_rules_mean_nothing_is_refused_in_one_line(rule, told):
    with pytest.raises(BadInput) as refused:
        SearchSpace(name="s", summary="", tasks=TASKS, steps=(8,), rules=("uniform", rule))
    assert told in str(refused.value)


def test_rules_in_a_word():
    capped = MixtureRule(name="capped", cap=9)
    words = ("explicit", "uniform -> capped(9)", "curriculum:capped(9)")
    assert [rules_in(word) for word in words] == [(), (UNIFORM, capped), (capped,)]
    assert [form_of(word) for word in words] == ["explicit", "uniform->capped", "curriculum:capped"]


def test_the_surrogate_sees_how_far_a_rule_moves_and_the_shares_it_gives():
    twin = Schedule.annealed(Mixture.uniform("find"), Mixture.uniform("mnli"), 8)
    between = Schedule.annealed(UNIFORM.mixture({"find": 1, "mnli": 3}), PROPORTIONAL.mixture({"find": 1, "mnli": 3}), 8)
    arrays = ScheduleArrays.of([twin, between], ("find", "mnli"))
    assert arrays.moves.tolist() == [0.5, 0.125]
    assert arrays.share[1].tolist() == [0.375, 0.625]
