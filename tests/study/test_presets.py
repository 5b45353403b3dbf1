"""Presets: chosen by family and size, named in the study, and less than what is given beside them."""

import dataclasses
import json

import pytest

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.option import options_of
from tasksearch.core.options import Growth, StudyOptions
from tasksearch.core.plan import Plan
from tasksearch.core.presets import PRESETS, SUITE, check_preset, preset_for, preset_named
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.core.target_settings import read_per_target
from tasksearch.models.encoder import Shape
from tasksearch.records.additions import asked as asked_of
from tasksearch.records.additions import lacking
from tasksearch.study.configuration import command_of, configure, options_for
from tasksearch.study.extend import extended
from tasksearch.study.settings import as_begun, settings_of
from tasksearch.tasks.catalogue import load_suite

E5 = "intfloat/multilingual-e5-small"
SMALL = preset_named("small")


@pytest.fixture
def asked(tmp_path):
    def ask(model=E5, **words):
        return configure(suite="lowres", data=str(tmp_path), model=model, **words)

    return ask


def test_every_preset_is_made_of_options_and_settings_that_exist():
    known = {one.name for one in options_of(StudyOptions)}
    for preset in PRESETS:
        assert set(preset.options) <= known - {"preset", "model", "data"}
        assert StudyOptions(**preset.options)
        read_per_target({kind: dict(own) for kind, own in preset.kinds.items()})
    [default] = [one.default for one in dataclasses.fields(StudyConfig) if one.name == "preset"]
    assert default == SUITE


@pytest.mark.parametrize(
    ("model_type", "width", "name"),
    [("bert", 384, "small"), ("xlm-roberta", 384, "small"), ("xlm-roberta", 768, SUITE), ("xlm-roberta", 1024, SUITE),
     ("bert", 128, SUITE), ("xmod", 384, SUITE), (None, 0, SUITE)],
)  # fmt: skip
def test_the_preset_follows_family_and_width(model_type, width, name):
    assert preset_for("somewhere", model_type, width).name == name
    assert preset_for(E5, model_type, width).name == "small"


def test_a_small_encoder_gets_its_preset_and_xlm_r_the_published_settings(asked):
    lowres, small, large = load_suite("lowres"), asked(), asked(model="xlm-roberta-large")
    assert (small.preset, large.preset) == ("small", SUITE) and large.overrides == asked(preset=SUITE).overrides
    assert settings_of(lowres, large, Shape(layers=24, tokens=512)) == lowres.settings
    settings = settings_of(lowres, small, Shape(layers=12, tokens=512))
    assert settings.for_target("udpos").learning_rate == SMALL.options["learning_rate"]
    assert settings.for_target("tydiqa").max_length == SMALL.kinds["span"]["max_length"] != settings.target.max_length
    assert small.space.learning_rates == SMALL.options["intermediate_learning_rate"]
    assert asked(preset=SUITE) == dataclasses.replace(large, model=E5), "the suite's own settings can be had for any encoder"


def test_what_is_given_takes_precedence(asked):
    mine = asked(learning_rate=1e-4, epochs=2.0, steps=[7], max_length=64, target={"tydiqa": {"batch_size": 4}})
    overrides = mine.overrides
    assert (overrides.learning_rate, overrides.intermediate_learning_rate, overrides.target_steps) == (1e-4, None, None)
    assert mine.space.learning_rates == () and mine.space.steps == (7,)
    assert dict(overrides.target)["tydiqa"] == (("batch_size", 4),) and overrides.max_length == 64
    assert asked(space="ladder").space.steps == configure(space="ladder").space.steps


def test_the_command_of_a_study_makes_it_again(asked):
    for config in (asked(), asked(preset=SUITE), asked(batch_size=4)):
        assert configure(options_for(config)) == config
        assert f"--preset {config.preset}" in command_of(config)
        assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert configure().preset == SUITE and "--preset" not in command_of(configure())


def test_a_study_begun_before_presets_goes_on_by_its_own_command(asked):
    old = asked(preset=SUITE, learning_rate=3e-4)
    now = asked(learning_rate=3e-4)
    assert now != old and as_begun(now, old, frozenset({"preset"})) == old
    assert as_begun(asked(learning_rate=1e-4), old, frozenset({"preset"})) != old


def test_a_preset_of_another_family_is_one_line(asked):
    check_preset("small", "m", "bert", 384)
    check_preset(SUITE, "m", "bert", 384)
    with pytest.raises(BadInput, match=r"--preset small is for .*; 'm' is xlm-roberta, 1024 wide: expected suite or paper$"):
        check_preset("small", "m", "xlm-roberta", 1024)
    with pytest.raises(UnknownName, match="no value for --preset 'smal'; did you mean 'small'"):
        asked(preset="smal")


def test_the_paper_s_preset_counts_epochs_of_a_grid_and_stops_early(asked):
    config = asked(preset="paper", space="singles_and_all")
    assert config.space.epochs == (3.0,) and not config.space.steps and config.space.batch_size == 32
    settings = settings_of(load_suite("lowres"), config, Shape(layers=24, tokens=512))
    assert {settings.for_target(name).early_stopping for name in config.targets} == {1000}
    assert (settings.for_target("tydiqa").batch_size, settings.for_target("xnli").batch_size) == (16, 32)
    assert configure(options_for(config)) == config
    short = asked(preset="paper", space="singles_and_all", steps=[8])
    assert short.space.steps == (8,) and not short.space.epochs
    drawn = asked(preset="paper")
    assert not drawn.space.epochs and drawn.pairs == 0, "sampled mixes have no passes, and are not compared in order"


def test_a_target_that_joins_takes_the_presets_settings_for_its_kind_in_every_trial(asked):
    suite, shape = load_suite("lowres"), Shape(layers=12, tokens=512, width=384)
    config = asked(targets=["xnli", "udpos"], target={"udpos": {"batch_size": 4}})
    wanted = extended(config, suite, Growth(targets=("xquad", "xcopa")), 200)
    assert wanted.overrides.joined == (("xquad", (("batch_size", 16), ("max_length", 200))),), "choice has none"
    assert StudyConfig.from_json(json.loads(json.dumps(wanted.to_json()))) == wanted

    def plan(config):
        return Plan(
            suite="lowres", schedule=Schedule.none(), targets=config.targets, languages=config.languages,
            settings=settings_of(suite, config, shape), seed=0,
        )  # fmt: skip

    record = TrialRecord(number=0, role="baseline", status="done", plan=plan(config))
    assert asked_of([record], wanted)[0].plan == plan(wanted), "an earlier trial is one of the plans of today"
    (addition,) = lacking([record], {}, wanted)
    assert addition.plan.targets == ("xcopa", "xquad") and addition.plan.for_target("xquad").batch_size == 16
    again = extended(wanted, suite, Growth(targets=("tydiqa",)))
    assert [target for target, _ in again.overrides.joined] == ["xquad", "tydiqa"]
    assert asked_of([record], again)[0].plan == plan(again)
    by_hand = extended(asked(targets=["xnli"], max_length=64), suite, Growth(targets=("xquad",)))
    assert by_hand.overrides.joined == (("xquad", (("batch_size", 16),)),), "what is given beside a preset takes precedence"
