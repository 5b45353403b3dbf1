"""Matched pairs whose arms have learning rates of their own."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.analysis.task_effects.questions import effect_questions
from tasksearch.bench.planted_world import PAIR, draw_world
from tasksearch.bench.simulate import proposed, searched
from tasksearch.cli.plan import _arms
from tasksearch.core.arm_rates import ARMS, arm_rate_words, read_arm_rates
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.options import StudyOptions
from tasksearch.core.plan import PhaseSettings, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.search import surrogate_search
from tasksearch.search.auto import auto_suggestions
from tasksearch.search.controls import most_controls
from tasksearch.search.gain_table import GainTable
from tasksearch.search.matched_pairs import drawn_pairs, matched_sets
from tasksearch.search.objective import Baseline
from tasksearch.study.configuration import configure, options_for
from tasksearch.study.matched_comparison import _check_alike

SPACE = SearchSpace(name="s", summary="", tasks=("mnli", "qqp", "squad"), steps=(64, 128))
OWN = dataclasses.replace(SPACE, arm_learning_rates={"joint": 2e-5, "sequential": [1e-5, 5e-5]})

RATES = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=3, unique=True).map(tuple)


@given(st.dictionaries(st.sampled_from(ARMS), RATES, min_size=1))
def test_rates_are_the_same_in_every_form(rates):
    asked = read_arm_rates(rates)
    assert dict(asked) == rates and [kind for kind, _ in asked] == [kind for kind in ARMS if kind in rates]
    assert read_arm_rates(arm_rate_words(rates)) == read_arm_rates(",".join(arm_rate_words(rates))) == asked
    assert read_arm_rates(asked) == read_arm_rates([[kind, list(own)] for kind, own in asked]) == asked
    space = dataclasses.replace(SPACE, arm_learning_rates=rates)
    assert SearchSpace.from_json(space.to_json()) == space and "arm_learning_rates" not in SPACE.to_json()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("2e-5", BadInput, "--arm-learning-rate '2e-5'; expected an arm's rate, such as joint=2e-5,sequential=1e-5"),
        (["joint=fast"], BadInput, "learning rate of the joint arm is 'fast'; expected a positive number"),
        ({"sequential": 0}, BadInput, "learning rate of the sequential arm is 0; expected a positive number"),
        ("joint=nan", BadInput, "expected a positive number"),
        ("sequental=1e-5", UnknownName, "did you mean 'sequential'"),
        (3, BadInput, "--arm-learning-rate is 3; expected an arm's rate"),
    ],
)
def test_what_is_no_rate_of_an_arm_is_told_in_one_line(given, error, words):
    with pytest.raises(error) as told:
        StudyOptions(arm_learning_rate=given)
    assert words in str(told.value) and "\n" not in str(told.value)


def test_each_arm_has_its_own_rate_and_nothing_else_is_drawn_otherwise():
    shared, own = drawn_pairs(SPACE, 3, 16), drawn_pairs(OWN, 3, 16)
    for one, other in zip(shared, own, strict=True):
        assert (other.joint.at_rate(None), other.sequential.at_rate(None), other.seed) == (one.joint, one.sequential, one.seed)
        assert other.joint.learning_rate == 2e-5 and {stage.learning_rate for stage in other.sequential.stages} <= {1e-5, 5e-5}
    assert {pair.sequential.learning_rate for pair in own} == {1e-5, 5e-5}
    assert own[:5] == drawn_pairs(OWN, 3, 5)
    one_arm = dataclasses.replace(SPACE, arm_learning_rates="sequential=1e-5")
    assert all((p.joint.learning_rate, p.sequential.learning_rate) == (None, 1e-5) for p in drawn_pairs(one_arm, 3, 4))
    searched = dataclasses.replace(one_arm, learning_rates=(2e-5, 2e-4))
    assert {p.joint.learning_rate for p in drawn_pairs(searched, 3, 8)} == {2e-5, 2e-4}
    assert matched_sets(OWN, 3, 4) == matched_sets(SPACE, 3, 4), "matched sets keep one rate"


def test_a_study_keeps_the_rates_and_asks_for_them_again():
    config = configure(arm_learning_rate={"joint": 2e-5, "sequential": 1e-5})
    assert config.space.arm_learning_rates == (("joint", (2e-5,)), ("sequential", (1e-5,)))
    assert config.overrides == configure().overrides and config.pairs == configure().pairs
    assert configure(options_for(config)) == config
    assert dataclasses.replace(config, space=configure().space) == configure()
    assert _arms(config) == ["matched pairs each arm at its own learning rate: joint=2e-05 sequential=1e-05"]
    assert _arms(configure()) == _arms(dataclasses.replace(config, pairs=0)) == []


def test_rates_of_arms_need_matched_pairs_and_a_space_that_draws_mixes():
    with pytest.raises(BadInput, match=r"--arm-learning-rate joint=2e-05 in a study without matched pairs; expected --pairs 3"):
        configure(arm_learning_rate="joint=2e-5", pairs=0)
    with pytest.raises(BadInput, match=r"--arm-learning-rate with space 'singles_and_all', a grid"):
        configure(arm_learning_rate="joint=2e-5", space="singles_and_all")


def test_a_finalist_at_an_arm_s_rate_may_have_a_control_of_its_own():
    of = {"name": "x", "suite": "s", "model": "m", "targets": (), "languages": (), "leaders": 9, "controls": ("length",)}
    assert most_controls(StudyConfig(space=OWN, **of)) == 3 * (2 * 4 - 1) and most_controls(StudyConfig(space=SPACE, **of)) == 3


def test_studies_with_other_rates_of_their_arms_do_not_answer_one_question(tmp_path):
    configs = [configure(), configure(arm_learning_rate="joint=2e-5")]
    with pytest.raises(BadInput, match=r"--arm-learning-rate none and joint=2e-05; expected the same rates of the arms"):
        _check_alike(list(zip((tmp_path / "a", tmp_path / "b"), configs, strict=True)))


USUAL = 1e-4
SETTINGS = PhaseSettings(intermediate=TrainSettings(learning_rate=USUAL))


def rated(joint, sequential):
    """Records of a search with twelve matched mixtures, whose arms have these learning rates; the other mixes state none."""
    world = draw_world(PAIR, 1)
    mixes = [mix for _, mix in proposed(world, 40, 1) if mix.kind in ("joint", "sequential")]
    rates = {"joint": joint, "sequential": sequential}
    arms = [("pair", mix.at_rate(rates[mix.kind])) for mix in mixes[12:]]
    records = searched(world, [*(("search", mix) for mix in mixes[:12]), *arms]).records
    return [dataclasses.replace(one, plan=dataclasses.replace(one.plan, settings=SETTINGS)) for one in records]


def test_a_mix_that_states_no_rate_has_that_of_the_study_beside_arms_with_their_own():
    records = rated(USUAL * 8, USUAL / 8)
    told = [
        dataclasses.replace(r, plan=dataclasses.replace(r.plan, schedule=r.plan.schedule.at_rate(r.plan.learning_rate)))
        if r.plan.schedule.stages else r
        for r in records
    ]  # fmt: skip
    found, stated = (GainTable.of(each, Baseline.of(each)).surrogate for each in (records, told))
    assert (found.usual, stated.usual) == (USUAL, None)
    assert (found.arrays.rate == stated.arrays.rate).all() and len(set(found.arrays.rate)) == 3
    alike = rated(None, None)
    assert GainTable.of(alike, Baseline.of(alike)).surrogate.usual is None


def test_the_sampler_predicts_its_mixes_at_the_study_s_rate(monkeypatch):
    records, world, seen = rated(USUAL * 8, USUAL / 8), draw_world(PAIR, 1), []
    of = surrogate_search.FittedSurrogate.predict

    def predict(self, mixes):
        seen.extend(mixes.rate)
        return of(self, mixes)

    monkeypatch.setattr(surrogate_search.FittedSurrogate, "predict", predict)
    space = dataclasses.replace(SPACE, tasks=world.tasks)
    config = StudyConfig(name="x", suite="s", model="m", targets=(), languages=(), space=space, sampler="auto")
    assert next(auto_suggestions(config, records, (), {}, seed=0))
    usual = GainTable.of(records, Baseline.of(records)).surrogate.arrays_of(
        [Schedule.joint(Mixture.uniform(world.tasks[0]), 64)]
    )
    assert set(seen) == set(usual.rate) != {0.0}


def test_what_differs_in_order_and_rate_at_once_is_no_effect_of_the_rate():
    def asked(joint, sequential):
        records = rated(joint, sequential)
        return [q.about for q in effect_questions(GainTable.of(records, Baseline.of(records)).surrogate) if q.kind == "rate"]

    assert asked(USUAL * 8, USUAL / 8) == [], "the highest was tried jointly alone, the lowest in order alone"
    assert asked(USUAL, USUAL / 8) == [(f"{USUAL:g}", f"{USUAL / 8:g}")]
