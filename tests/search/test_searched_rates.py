"""The intermediate phase's learning rate as something that the search chooses."""

import dataclasses
import random

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan, TrainSettings
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.core.space import SearchSpace, decode, encode
from tasksearch.core.study import StudyConfig
from tasksearch.phases.segments import Surroundings, segments_of
from tasksearch.records.mix_file import read_mix, schedule_toml
from tasksearch.reports.text import short_mix
from tasksearch.search.controls import alike, control_plans, most_controls
from tasksearch.search.design_names import DesignNames
from tasksearch.search.designed_trials import SINGLE, designed_trials
from tasksearch.search.matched_pairs import drawn_pairs, matched_sets
from tasksearch.search.random_schedules import every_schedule, random_params
from tasksearch.search.surrogate.features import features
from tasksearch.study.configuration import configure, options_for
from tasksearch.study.settings import settings_of
from tasksearch.tasks.catalogue import load_suite
from tasksearch.training.order import stage_counts

RATES = (2e-5, 2e-4)
SPACE = SearchSpace(name="s", summary="", tasks=("mnli", "qqp", "squad"), steps=(64, 128), learning_rates=RATES)
ONE = dataclasses.replace(SPACE, learning_rates=())
AROUND = Surroundings(model="m", training=dict.fromkeys(SPACE.tasks, "d"), recipes={}, evaluation={}, numerics="n")


def names_of(schedule, rate):
    settings = PhaseSettings(intermediate=TrainSettings(learning_rate=rate))
    plan = Plan(suite="s", schedule=schedule, targets=(), languages=(), settings=settings)
    chain, _ = segments_of(plan, AROUND, languages_of={}, trained={}, shown_by=stage_counts)
    return [segment.signature for segment in chain]


def test_every_mix_has_one_of_the_rates_and_comes_back_from_its_parameters():
    rng = random.Random(0)
    mixes = [decode(SPACE, random_params(SPACE, rng)) for _ in range(60)]
    assert {mix.learning_rate for mix in mixes} == set(RATES) and {mix.kind for mix in mixes} >= {"joint", "sequential"}
    for mix in mixes:
        assert len({stage.learning_rate for stage in mix.stages}) == 1
        assert decode(SPACE, encode(mix, SPACE)) == mix == Schedule.from_json(mix.to_json())
        with pytest.raises(BadInput, match="cannot express"):
            encode(mix, ONE)
    single = [dataclasses.replace(space, max_tasks=1) for space in (ONE, SPACE)]
    assert [len(every_schedule(space)) for space in single] == [6, 12]


def test_a_space_of_one_rate_draws_what_a_space_without_rates_draws():
    of_one = dataclasses.replace(SPACE, learning_rates=RATES[:1])
    drawn = [[decode(space, random_params(space, random.Random(n))) for n in range(20)] for space in (of_one, ONE)]
    assert drawn[0] == drawn[1] and "learning_rates" not in ONE.to_json()
    assert not any(features(drawn[1], SPACE.tasks)["rate"].ravel())


def test_a_segment_is_named_alike_whether_its_rate_was_searched_or_given():
    joint = Schedule.joint(Mixture.uniform("mnli", "qqp"), 8)
    sequence = Schedule.sequential([("mnli", 4), ("qqp", 4)])
    for schedule in (joint, sequence):
        assert names_of(schedule.at_rate(2e-5), 3e-4) == names_of(schedule, 2e-5) != names_of(schedule, 3e-4)


def test_words_and_files_tell_the_rate(tmp_path):
    mix = Schedule.sequential([("mnli", 4), ("qqp", 4)]).at_rate(2e-5)
    assert short_mix(mix) == "mnli 4 → qqp 4 steps at 2e-05" and str(mix).endswith(" at 2e-05")
    (tmp_path / "mix.toml").write_text(schedule_toml(mix))
    assert read_mix(tmp_path / "mix.toml") == mix
    (tmp_path / "mix.toml").write_text('[[stage]]\nsteps = 4\nlearning_rate = -1.0\nmixture = { "mnli" = "1" }\n')
    with pytest.raises(BadInput, match=r"learning_rate = -1\.0; expected a positive number"):
        read_mix(tmp_path / "mix.toml")
    with pytest.raises(BadInput, match="learning rate 0"):
        Stage(start=Mixture.uniform("a"), end=Mixture.uniform("a"), steps=1, learning_rate=0.0)


def test_designs_take_the_first_rate_and_keep_their_names_at_another():
    designs = designed_trials(SPACE, {"mnli": 9, "qqp": 5, "squad": 7})
    assert {design.schedule.learning_rate for design in designs} == {RATES[0]}
    assert DesignNames(designs=designs).name(designs[0].schedule.at_rate(RATES[1])) == SINGLE


def test_a_matched_training_differs_in_order_alone():
    for pair in drawn_pairs(SPACE, 0, 8):
        assert pair.joint.learning_rate == pair.sequential.learning_rate in RATES
    for members in matched_sets(SPACE, 0, 4):
        assert len({member.schedule.learning_rate for member in members}) == 1


def test_the_free_baseline_is_trained_at_the_finalists_rates_too():
    def plan_of(schedule, seed):
        return Plan(suite="s", schedule=schedule, targets=(), languages=(), settings=PhaseSettings(), seed=seed)

    free = Schedule.joint(Mixture.uniform("mnli"), 64).at_rate(RATES[0])
    other = Schedule.joint(Mixture.uniform("qqp"), 64).at_rate(RATES[1])
    plans = control_plans(("length",), plan_of, [free, other], free, range(1, 3))
    assert [plan.schedule for plan in plans] == [alike(free, other)] * 2 and alike(free, other).learning_rate == RATES[1]
    config = StudyConfig(name="x", space=SPACE, suite="s", model="m", targets=(), languages=(), leaders=2, controls=("length",))
    assert most_controls(config) == 3


def test_one_rate_is_a_setting_and_several_are_searched():
    lab = load_suite("lab")
    one, two = configure(intermediate_learning_rate=1e-4), configure(intermediate_learning_rate=[1e-4, 1e-3])
    assert one == configure(intermediate_learning_rate=(1e-4,)) and one.space == configure().space
    assert settings_of(lab, one, None).intermediate.learning_rate == 1e-4
    assert two.space.learning_rates == (1e-4, 1e-3) and two.overrides == configure().overrides
    assert configure(options_for(two)) == two and configure(options_for(one)) == one


def test_the_surrogate_tells_rates_apart():
    mix = Schedule.joint(Mixture.uniform("mnli"), 64)
    rows = features([Schedule.none(), mix.at_rate(8e-5), mix.at_rate(1e-5)], ("mnli", "qqp"))["rate"]
    assert rows.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]
