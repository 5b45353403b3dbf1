"""Training methods as something that the search chooses."""

import dataclasses
import random

import pytest

from search_spaces import robust
from tasksearch.core.errors import BadInput
from tasksearch.core.plan import PhaseSettings, Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode, encode
from tasksearch.core.study import StudyConfig
from tasksearch.phases.segments import Surroundings, segments_of
from tasksearch.records.mix_file import read_mix, schedule_toml
from tasksearch.search.controls import alike, control_plans, most_controls
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import every_schedule, random_params
from tasksearch.study.configuration import configure
from tasksearch.study.contrasts import _but_for_order
from tasksearch.study.settings import settings_of
from tasksearch.study.setup import check_methods
from tasksearch.tasks.catalogue import load_suite
from tasksearch.training.order import stage_counts

METHODS = ("none", "smoothing:phase=both", "adversarial:epsilon=0.2")
SPACE = SearchSpace(name="s", summary="", tasks=("mnli", "qqp", "squad"), steps=(64,), methods=METHODS)
ONE = dataclasses.replace(SPACE, methods=())
SETTINGS = PhaseSettings(intermediate=TrainSettings(), target=TrainSettings())
AROUND = Surroundings(
    model="m", training=dict.fromkeys(SPACE.tasks, "d"), recipes={"t": "r"}, evaluation={("t", "en"): ()}, numerics="n",
    kinds=dict.fromkeys((*SPACE.tasks, "t"), "pair"),
)  # fmt: skip


def names_of(schedule, **methods):
    phases = {phase: TrainSettings(methods=methods.get(phase, ())) for phase in ("intermediate", "target")}
    plan = Plan(suite="s", schedule=schedule, targets=("t",), languages=("en",), settings=PhaseSettings(**phases))
    chain, [target] = segments_of(plan, AROUND, languages_of={"t": ("en",)}, trained={"t": True}, shown_by=stage_counts)
    return [segment.signature for segment in chain], target.signature


def test_every_mix_has_one_of_the_methods_and_comes_back_from_its_parameters():
    rng = random.Random(0)
    mixes = [decode(SPACE, random_params(SPACE, rng)) for _ in range(60)]
    assert {mix.methods for mix in mixes} == {(), METHODS[1:2], METHODS[2:]}
    for mix in mixes:
        assert decode(SPACE, encode(mix, SPACE)) == mix == Schedule.from_json(mix.to_json())
        if mix.methods:
            assert mix.methods[0] in str(mix)
            with pytest.raises(BadInput, match="cannot express"):
                encode(mix, ONE)
    single = [dataclasses.replace(space, max_tasks=1) for space in (ONE, SPACE)]
    assert [len(every_schedule(space)) for space in single] == [3, 9]
    assert "methods" not in ONE.to_json() and SearchSpace.from_json(SPACE.to_json()) == SPACE


def test_designs_take_the_first_method_and_controls_that_of_their_mix():
    designs = designed_trials(SPACE, {"mnli": 9, "qqp": 9, "squad": 9})
    assert len(designs) > 3 and {one.schedule.methods for one in designs} == {()}
    fields = {"name": "s", "suite": "lab", "model": "lab", "targets": (), "languages": (), "controls": ("length",)}
    lengths = [most_controls(StudyConfig(space=one, **fields)) for one in (ONE, SPACE)]
    assert lengths[0] == 0 < lengths[1], "finalists of one length but several methods each have their free baseline"
    mixed = decode(SPACE, random_params(SPACE, random.Random(1))).with_methods(METHODS[1:2])
    assert alike(decode(ONE, random_params(ONE, random.Random(2))), mixed).methods == METHODS[1:2]


def test_a_segment_is_named_alike_whether_its_method_was_searched_or_given():
    plain = Schedule.sequential([("mnli", 4), ("qqp", 4)])
    both, target = plain.with_methods(METHODS[1:2]), plain.with_methods(METHODS[2:])
    assert names_of(both) == names_of(plain, intermediate=("smoothing",), target=("smoothing",)) != names_of(plain)
    assert names_of(target) == names_of(plain, target=("adversarial:epsilon=0.2",))
    assert names_of(target)[0] == names_of(plain)[0], "phase 2 is shared"


def test_a_mix_file_tells_its_methods(tmp_path):
    mix = Schedule.sequential([("mnli", 4), ("qqp", 4)]).with_methods(METHODS[1:2])
    (tmp_path / "mix.toml").write_text(schedule_toml(mix))
    assert read_mix(tmp_path / "mix.toml") == mix
    (tmp_path / "mix.toml").write_text('[[stage]]\nsteps = 4\nmethods = ["smoothin"]\nmixture = { "mnli" = "1" }\n')
    with pytest.raises(BadInput, match="stage 1: no method 'smoothin'; did you mean 'smoothing'"):
        read_mix(tmp_path / "mix.toml")


def test_the_search_s_methods_are_checked_with_the_study_s():
    suite = load_suite("lab")
    config = configure(space="robust")
    assert config.space.methods == robust.SPACE.methods and StudyConfig.from_json(config.to_json()) == config
    check_methods(config, suite)
    with pytest.raises(BadInput, match="'smoothing' is given twice for the target phase"):
        check_methods(configure(space="robust", methods=["smoothing"]), suite)


def test_the_study_s_methods_reach_the_settings_of_their_phases():
    config = configure(methods=["adversarial:epsilon=0.2,phase=both", "smoothing"])
    settings = settings_of(load_suite("lab"), config, None)
    assert settings.intermediate.methods == ("adversarial:epsilon=0.2",)
    for target in config.targets:
        assert settings.for_target(target).methods == ("adversarial:epsilon=0.2", "smoothing")


def test_a_soup_trains_targets_as_its_mixes_do_and_there_is_none_of_mixes_that_differ_in_that():
    def plan_of(schedule, seed):
        return Plan(suite="s", schedule=schedule, targets=("t",), languages=("en",), settings=SETTINGS, seed=seed)

    mixes = [Schedule.sequential([(task, 4), ("qqp", 4)]) for task in ("mnli", "squad")]
    same, mixed = [one.with_methods(METHODS[1:2]) for one in mixes], [mixes[0], mixes[1].with_methods(METHODS[1:2])]
    soups = control_plans(("soup", "seeds"), plan_of, same, free=None, seeds=range(1, 3))
    assert len(soups) == 4 and {one.for_target("t").methods for one in soups} == {("smoothing",)}
    assert not control_plans(("soup",), plan_of, mixed, free=None, seeds=range(1, 3))


def test_mixes_that_differ_in_their_method_are_no_matched_pair():
    plans = [
        Plan(suite="s", schedule=Schedule.sequential([("mnli", 4)]).with_methods(own), targets=("t",), languages=("en",),
             settings=SETTINGS) for own in ((), METHODS[1:2])
    ]  # fmt: skip
    assert _but_for_order(plans[0]) != _but_for_order(plans[1])
