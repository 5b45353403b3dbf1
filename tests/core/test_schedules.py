"""Mixtures, schedules, plans and spaces: exact, canonical, and the same after a trip through JSON."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan, RetrievalSettings, TrainSettings
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.core.shares import largest_remainder
from tasksearch.core.signature import canonical_json, signature_of
from tasksearch.core.space import SearchSpace, annealed_twin, decode, encode, on_grid, sequential_twin, suggest

TASKS = ("find", "mnli", "qqp", "sort", "squad")
mixtures = st.dictionaries(st.sampled_from(TASKS), st.integers(1, 9), min_size=1).map(Mixture.of)
free = st.dictionaries(st.sampled_from(TASKS), st.floats(0.1, 1.0), min_size=2).map(Mixture.of)
SPACE = SearchSpace(name="s", summary="", tasks=TASKS, steps=(96, 192))


class Draw:
    """Optuna's trial as far as `suggest` uses it, answered by hypothesis."""

    def __init__(self, data):
        self.data = data

    def suggest_categorical(self, name, choices):
        return self.data.draw(st.sampled_from(choices))

    def suggest_int(self, name, low, high):
        return self.data.draw(st.integers(low, high))

    def suggest_float(self, name, low, high, log=False):
        return self.data.draw(st.floats(low, high))


stages = st.builds(lambda start, end, steps: Stage(start=start, end=end, steps=steps), mixtures, mixtures, st.integers(1, 50))
steady = st.builds(lambda mixture, steps: Stage(start=mixture, end=mixture, steps=steps), mixtures, st.integers(1, 50))


@given(
    st.lists(
        stages
        | steady
        | st.sampled_from(TASKS).map(lambda one: Stage(start=Mixture.uniform(one), end=Mixture.uniform(one), steps=5)),
        max_size=4,
    )
)
def test_tasks_are_ordered_by_the_mean_position_of_their_examples(parts):
    schedule, done, moment, mass = Schedule(stages=tuple(parts)), 0, {}, {}
    for stage in parts:
        for task in stage.tasks:
            first, last = stage.start.share(task), stage.end.share(task)
            # integrals from 0 to 1 of the density first + (last - first) x, and of x times it
            own, turn = (first + last) / 2, first / 2 + (last - first) / 3
            mass[task] = mass.get(task, 0) + own * stage.steps
            moment[task] = moment.get(task, 0) + stage.steps * (done * own + stage.steps * turn)
        done += stage.steps
    assert schedule.order == tuple(sorted(mass, key=lambda task: (moment[task] / mass[task], task)))


@given(mixtures | free)
def test_shares_sum_to_one_exactly_and_survive_json(mixture):
    assert sum(share for _, share in mixture) == 1
    assert Mixture.from_json(json.loads(json.dumps(mixture.to_json()))) == mixture


def test_weights_are_relative_and_in_canonical_order():
    assert Mixture.of({"squad": 3, "mnli": 1}) == Mixture.of({"mnli": 0.25, "squad": "3/4"})
    assert Mixture.of({"squad": 3, "mnli": 1}).tasks == ("mnli", "squad")


@pytest.mark.parametrize("weights", [{}, {"mnli": 0}, {"mnli": -1}, {"mnli": float("nan")}, {"mnli": "x"}])
def test_a_mixture_that_is_none_is_refused_with_its_value(weights):
    with pytest.raises(BadInput):
        Mixture.of(weights)


@given(mixtures, st.integers(2, 9))
def test_a_mixture_is_the_same_phase_in_one_stage_or_in_several(mixture, steps):
    one, two = Schedule.joint(mixture, steps), Schedule(stages=Schedule.joint(mixture, steps - 1).stages * 2)
    assert one.order == two.order == mixture.tasks
    assert one.mixture() == two.mixture() == mixture
    assert [one.share(task) for task in TASKS] == [two.share(task) for task in TASKS]


@given(st.lists(st.fractions(0, 50), min_size=1, max_size=8), st.integers(0, 500))
def test_largest_remainder_is_exact_and_within_one(wanted, total):
    counts = largest_remainder(wanted, total)
    assert sum(counts) == total
    if whole := sum(wanted):
        assert all(abs(count - wish * total / whole) < 1 for count, wish in zip(counts, wanted, strict=True))


@given(free, free, st.sampled_from(["joint", "annealed", "staged"]))
def test_a_schedule_of_free_shares_keeps_its_signature_through_json(first, second, kind):
    schedule = {
        "joint": Schedule.joint(first, 9),
        "annealed": Schedule.annealed(first, second, 9),
        "staged": Schedule(stages=Schedule.joint(first, 9).stages + Schedule.joint(second, 4).stages),
    }[kind]
    again = Schedule.from_json(json.loads(json.dumps(schedule.to_json())))
    assert again == schedule
    assert signature_of(again) == signature_of(schedule)


def test_a_float_is_the_fraction_a_person_means():
    assert Mixture.of({"mnli": 0.1, "qqp": 0.9}) == Mixture.of({"mnli": "1/10", "qqp": "9/10"})


@given(mixtures | free, st.randoms(use_true_random=False))
def test_an_annealed_twin_has_the_shares_of_the_joint_plan_exactly(mixture, rng):
    order = list(mixture.tasks)
    rng.shuffle(order)
    if len(order) > 1:
        twin = annealed_twin(mixture, order, 96)
        assert twin.mixture() == mixture
        assert twin.stages[0].start.share(order[0]) > twin.stages[0].end.share(order[0])


@given(mixtures)
def test_a_sequential_twin_has_one_stage_per_task_and_the_same_steps(mixture):
    grid = on_grid(dict(mixture.shares), 8)
    twin = sequential_twin(grid, list(grid.tasks)[::-1], 96)
    assert twin.steps == 96
    assert twin.mixture() == grid
    assert twin.kind == ("sequential" if len(grid.tasks) > 1 else "joint")


@given(st.data())
def test_what_a_sampler_proposes_decodes_to_a_schedule_that_encodes_back(data):
    params = suggest(SPACE, Draw(data))
    schedule = decode(SPACE, params)
    if schedule is None:
        return
    assert all(share.denominator in (1, 2, 4, 8) for stage in schedule.stages for _, share in schedule.mixture() or ())
    again = decode(SPACE, encode(schedule, SPACE))
    assert again is not None
    assert again.mixture() == schedule.mixture()
    assert again == schedule or schedule.kind == "annealed"


def test_a_schedule_is_told_by_its_stages():
    two = Mixture.uniform("mnli", "qqp")
    assert Schedule.none().kind == "none"
    assert Schedule.joint(two, 10).kind == "joint"
    assert Schedule.sequential([("qqp", 5), ("mnli", 5)]).kind == "sequential"
    assert Schedule.sequential([("qqp", 5), ("mnli", 5)]).order == ("qqp", "mnli")
    assert Schedule.annealed(Mixture.uniform("qqp"), Mixture.uniform("mnli"), 10).order == ("qqp", "mnli")
    with pytest.raises(BadInput, match="0 steps"):
        Schedule.joint(two, 0)


def test_a_plan_survives_json_and_its_mix_forgets_the_seed():
    plan = Plan(
        suite="lab",
        schedule=Schedule.annealed(Mixture.uniform("qqp"), Mixture.uniform("mnli"), 16),
        targets=("nli", "topic"),
        languages=("en", "near1"),
        settings=PhaseSettings(target_overrides=(("nli", (("batch_size", 8),)),)),
        seed=3,
    )
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.signature == plan.signature
    assert plan.with_seed(4).signature != plan.signature
    assert plan.with_seed(4).mix_signature == plan.mix_signature
    assert plan.settings.for_target("nli").batch_size == 8


def test_signatures_do_not_depend_on_key_order_and_refuse_nan():
    assert signature_of({"a": 1, "b": Fraction(1, 2)}) == signature_of({"b": Fraction(1, 2), "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_settings_out_of_range_name_their_value():
    with pytest.raises(BadInput, match=r"warmup is 1\.5"):
        TrainSettings(warmup=1.5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("micro_batch_size", -1),
        ("steps", 0),
        ("epochs", -0.5),
        ("train_examples", 0),
        ("learning_rate", float("inf")),
        ("batch_size", 0),
        ("precision", "fp16"),
        ("mixing", "tasks"),
        ("lr_policy", "stages"),
    ],
)
def test_a_setting_that_would_silently_mean_something_else_is_refused(field, value):
    with pytest.raises(BadInput, match=f"^{field} is {value!r}; expected "):
        TrainSettings(**{field: value})


@pytest.mark.parametrize("wrong", [lambda: PhaseSettings(features="pair"), lambda: RetrievalSettings(pooling="max")])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(wrong):
    with pytest.raises(BadInput, match=r"expected 'cls' or 'pair-diff'|expected 'mean' or 'mean-content' or 'cls'"):
        wrong()


def test_an_unknown_name_says_the_nearest():
    assert "did you mean 'mnli'?" in str(UnknownName("task", "mnlu", TASKS))
