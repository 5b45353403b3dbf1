"""What a study asks for against what its suite says and its model can."""

import dataclasses

import pytest

from tasksearch.core.errors import BadInput, DataMissing, UnknownName
from tasksearch.core.study import Overrides, StudyConfig
from tasksearch.models.encoder import Shape
from tasksearch.study.run import configure
from tasksearch.study.settings import as_begun, keep_skipped, settings_of, warning_of
from tasksearch.study.setup import choose_languages, choose_targets, data_folder
from tasksearch.tasks.catalogue import load_suite

LOWRES, LAB = load_suite("lowres"), load_suite("lab")
LARGE, SMALL = Shape(layers=24, tokens=512), Shape(layers=3, tokens=128)


@pytest.fixture
def asked(tmp_path):
    def ask(**fields):
        return configure(suite="lowres", data=str(tmp_path), model="m", **fields)

    return ask


def test_a_large_model_takes_the_suite_s_settings_as_they_are(asked):
    assert settings_of(LOWRES, asked(), LARGE) == LOWRES.settings
    assert LOWRES.settings.for_target("tydiqa").max_length == 384


def test_a_small_model_shortens_sequences_and_pools_the_layer_at_the_same_depth(asked):
    settings = settings_of(LOWRES, asked(), SMALL)
    assert settings.retrieval.layer == 2
    assert {settings.intermediate.max_length, settings.for_target("tydiqa").max_length} == {128}
    assert settings.for_target("tydiqa").batch_size == 16


def test_the_lab_s_settings_are_left_alone():
    assert settings_of(LAB, configure(), Shape(layers=2, tokens=128)) == LAB.settings


def test_overrides_reach_both_phases_and_every_target(asked):
    wanted = {"learning_rate": 3e-4, "precision": "bf16", "target_steps": 7, "train_examples": 9, "evaluation_examples": 11}
    settings = settings_of(LOWRES, asked(**wanted, retrieval_layer=1), SMALL)
    assert settings.intermediate.learning_rate == settings.for_target("udpos").learning_rate == 3e-4
    assert settings.intermediate.precision == settings.for_target("tydiqa").precision == "bf16"
    assert settings.for_target("udpos").steps == 7
    assert settings.for_target("xnli").train_examples == 9
    assert settings.evaluation_examples == 11
    assert settings.retrieval.layer == 1
    assert settings_of(LOWRES, asked(retrieval_pooling="cls"), SMALL).retrieval.pooling == "cls"


@pytest.mark.parametrize(
    ("capable", "width", "expected"), [(True, 768, "bf16"), (True, 256, "bf16"), (True, 64, "fp32"), (False, 768, "fp32")]
)
def test_automatic_precision_is_settled_by_device_and_width_when_a_study_begins(asked, monkeypatch, capable, width, expected):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: capable)
    monkeypatch.setattr("tasksearch.models.encoder.shape_of", lambda *_: Shape(layers=12, tokens=512, width=width))
    config = asked(precision="auto")
    assert config.overrides.precision == expected, "stored: a resume elsewhere goes on in it"
    assert settings_of(LOWRES, config, LARGE).for_target("udpos").precision == expected
    assert configure(suite="lab", precision="auto").overrides.precision == "fp32", "the lab's own model is narrow"
    assert asked().overrides.precision is None


def phase3(overrides, target, suite=LAB, **fields):
    return settings_of(suite, configure(suite=suite.name, **overrides, **fields), None).for_target(target)


def test_overrides_reach_targets_that_the_suite_has_settings_of_their_own_for():
    plain = {name: phase3({}, name) for name in ("nli", "topic", "tag")}
    assert [plain[name].steps for name in plain] == [60, 20, 40], "the lab is such a suite"
    longer = {name: phase3({"target_steps": 7}, name) for name in plain}
    assert {name: one.steps for name, one in longer.items()} == dict.fromkeys(plain, 7)
    assert longer["nli"] == dataclasses.replace(plain["nli"], steps=7), "what was not asked for stays the suite's"
    assert {phase3({"learning_rate": 3e-4}, name).learning_rate for name in plain} == {3e-4}
    fewer, more = ([phase3({"train_examples": n}, name).train_examples for name in plain] for n in (9, 1000))
    assert fewer == [9, 9, 9] and more == [1000, 64, 1000], "at most so many"


def test_where_nothing_of_targets_is_asked_a_study_is_what_it_was():
    assert configure().overrides == Overrides()
    assert phase3({"precision": "bf16"}, "nli") == dataclasses.replace(phase3({}, "nli"), precision="bf16")


def test_a_repeated_command_takes_the_sizes_that_its_study_was_begun_with():
    now = configure(rules=("uniform", "capped(9)"), space="joint")
    was = dataclasses.replace(now, space=now.space.with_sizes())
    assert now != was and as_begun(now, was, ()) == was
    assert configure(space="joint").space.with_sizes() == configure(space="joint").space


def test_averages_reach_the_phases_they_are_asked_for():
    asked = settings_of(LAB, configure(target_average=4, average_every=0.2, target={"nli": {"average_last": 2}}), None)
    assert (asked.intermediate.average_last, asked.for_target("tag").average_last) == (1, 4)
    assert (asked.for_target("nli").average_last, asked.for_target("tag").average_every) == (2, 0.2)
    assert settings_of(LAB, configure(intermediate_average=3), None).intermediate.average_last == 3
    with pytest.raises(BadInput, match=r"--average-every 0\.2 without anything to average"):
        configure(average_every=0.2)


def test_a_study_begun_before_overrides_reached_every_target_keeps_its_settings(asked):
    config = configure(target_steps=7)
    fields = config.to_json()
    del fields["overrides"]["every_target"]
    old = StudyConfig.from_json(fields)
    settings = settings_of(LAB, old, None)
    assert [settings.for_target(name).steps for name in ("nli", "topic", "tag")] == [60, 20, 7]
    assert as_begun(config, old, ()) == old, "and its own command goes on with it"


def test_a_layer_that_the_model_has_not_and_a_precision_that_does_not_exist_are_refused(asked):
    with pytest.raises(BadInput, match=r"retrieval layer 9; the model has layers 0 \(embeddings\) to 3"):
        settings_of(LOWRES, asked(retrieval_layer=9), SMALL)
    with pytest.raises(UnknownName, match="no value for --precision 'fp8'"):
        asked(precision="fp8")


def test_a_study_is_read_as_it_was_written(asked):
    config = asked(steps=[8, 16], learning_rate=1e-4, evaluation_examples=5, skip_bad=2)
    assert StudyConfig.from_json(config.to_json()) == config
    assert config.space.steps == (8, 16)
    old = {key: value for key, value in config.to_json().items() if key not in ("overrides", "skip_bad", "untrained")}
    assert StudyConfig.from_json(old).overrides == Overrides()  # a study of an earlier version


def test_limits_stand_beside_the_numbers_and_a_cap_among_them(asked, tmp_path):
    config = asked(evaluation_examples=40)
    told = warning_of(LOWRES, config)
    assert "udpos: one treebank a language" in told
    assert "tatoeba: pools of 104 to 1,000 candidates" in told
    assert "capped: at most 40 examples" in told
    assert "masakhaner" not in told
    keep_skipped(tmp_path, {"xnli sw test": ("x:1: bad", "x:2: bad")})
    assert "2 bad records were passed over by --skip-bad, in xnli sw test" in warning_of(LOWRES, config, tmp_path)
    assert "bad records" not in told


def test_a_first_run_takes_the_first_targets_tasks_and_languages(asked):
    config = asked()
    assert config.targets == ("tatoeba", "tydiqa", "udpos", "xnli")
    assert config.space.tasks == ("codah", "mnli", "mrpc", "qamr")
    assert set(config.languages) == set(LOWRES.first_languages)


def test_targets_that_lack_training_data_run_only_where_they_are_asked_for():
    everything = dataclasses.replace(LOWRES, first_targets=())
    assert "afrisenti" not in choose_targets(everything, ())
    assert choose_targets(LOWRES, ["afrisenti"]) == ("afrisenti",)


@pytest.mark.parametrize(("code", "meant"), [("swh", "sw"), ("tel", "te"), ("cmn", "zh"), ("sw", "sw")])
def test_a_language_may_be_asked_for_by_any_of_its_codes(code, meant):
    assert choose_languages(LOWRES, ["tatoeba", "udpos"], [code]) == ("en", meant)


def test_a_language_that_no_target_has_names_its_neighbour():
    with pytest.raises(UnknownName, match=r"in 'wo'; suite lowres covers it by .*masakhaner.*: run a study with --target "):
        choose_languages(LOWRES, ["tydiqa"], ["wo"])
    with pytest.raises(UnknownName, match=r"in 'qqq'; nor does any target of suite lowres cover it; no language 'qqq'"):
        choose_languages(LOWRES, ["tydiqa"], ["qqq"])


def test_a_suite_of_files_says_where_they_may_be_given(monkeypatch, tmp_path):
    monkeypatch.delenv("TASKSEARCH_DATA", raising=False)
    with pytest.raises(DataMissing, match="--data DIR, or set TASKSEARCH_DATA"):
        data_folder(LOWRES, None)
    with pytest.raises(DataMissing, match=r"no data folder '.*nowhere'.*--data DIR, or set TASKSEARCH_DATA"):
        data_folder(LOWRES, str(tmp_path / "nowhere"))
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path))
    assert data_folder(LOWRES, None) == str(tmp_path)
    assert data_folder(LAB, None) is None


def test_chance_of_retrieval_follows_from_the_pools_of_the_languages():
    card = LOWRES.card("tatoeba")
    assert card.chance_over(["sw"]) == pytest.approx(100 / 390)
    assert card.chance_over(["sw", "ar"]) == pytest.approx((100 / 390 + 100 / 1000) / 2)
    assert card.chance_over(["en"]) is None
    assert LOWRES.card("xnli").chance_over(["sw"]) == pytest.approx(100 / 3)


def test_what_is_asked_of_training_reaches_both_phases_every_target_and_retrieval():
    xtreme = load_suite("xtreme")
    config = configure(suite="xtreme", model="m", batch_size=8, warmup=0.25, max_length=64, features="pair-diff", head="warm")
    settings = settings_of(xtreme, config, LARGE)
    for own in (settings.intermediate, *map(settings.for_target, config.targets)):
        assert (own.batch_size, own.warmup, own.max_length) == (8, 0.25, 64)
    assert {settings.length_of(task) for task in ("squad1", "mnli")} == {64} and settings.untrained.max_length == 64
    assert (settings.features, settings.head) == ("pair-diff", "warm")
    assert (xtreme.settings.length_of("squad1"), xtreme.settings.untrained.max_length) == (384, 512)


def test_a_phase_s_own_learning_rate_goes_before_the_common_one():
    both = settings_of(LAB, configure(learning_rate=1e-4, intermediate_learning_rate=2e-4, target_learning_rate=3e-4), None)
    assert both.intermediate.learning_rate == 2e-4
    assert {both.for_target(name).learning_rate for name in ("nli", "topic", "tag")} == {3e-4}
    one = settings_of(LAB, configure(target_learning_rate=3e-4), None)
    assert one.intermediate == LAB.settings.intermediate and one.for_target("nli").learning_rate == 3e-4


def test_epochs_take_the_place_of_steps_everywhere():
    own = {name: phase3({"epochs": 1.5}, name) for name in ("nli", "topic", "tag")}
    assert {(one.steps, one.epochs) for one in own.values()} == {(None, 1.5)}
    assert own["topic"].train_examples == 64, "what was not asked for stays the suite's"


def test_a_target_s_own_settings_go_before_all_others():
    asked = {
        "batch_size": 8,
        "target_steps": 7,
        "target": {"nli": {"batch_size": 4}, "topic": {"epochs": 2}, "tag": {"steps": 3}},
    }
    assert (phase3(asked, "nli").batch_size, phase3(asked, "nli").steps) == (4, 7)
    assert (phase3(asked, "topic").steps, phase3(asked, "topic").epochs, phase3(asked, "topic").train_examples) == (
        None,
        2.0,
        64,
    )
    assert (phase3(asked, "tag").steps, phase3(asked, "tag").batch_size) == (3, 8)
    settings = settings_of(LAB, configure(target={"nli": {"max_length": 512}}), Shape(layers=2, tokens=128))
    assert settings.for_target("nli").max_length == 128, "as long as the model has positions"
