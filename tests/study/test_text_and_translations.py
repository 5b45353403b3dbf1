"""Texts and translations as ingredients of a search space and of a study, down to a mix trained through the command line."""

import dataclasses
import json
import random
from fractions import Fraction

import pytest
import torch
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.options import Growth
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import decode, encode
from tasksearch.core.study import StudyConfig
from tasksearch.models.encoder import load_pretrained
from tasksearch.records.mix_file import schedule_toml
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import random_params
from tasksearch.search.tpe import distributions_of
from tasksearch.study.configuration import configure
from tasksearch.study.extend import extended
from tasksearch.study.spaces import fill_in, load_space
from tasksearch.tasks.catalogue import load_suite

MT = ("ar", "az", "de", "es", "et", "fi", "fr", "hu", "lt", "nl", "pl", "sw", "tr", "ur", "vi", "zh")
LOWRES = {"suite": "lowres", "model": "some/model", "targets": ["xnli"], "languages": ["sw", "ur", "ko"]}


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path))


def test_the_space_has_the_texts_in_the_studys_languages_or_in_those_asked_for():
    lab = load_suite("lab")
    whole = configure(space="joint_vs_seq_mlm", suite="lab").space
    assert whole.tasks[-2:] == ("mlm", "tlm") and len(whole.tasks) == 10, "in all languages there is nothing to name"
    some = configure(space="joint_vs_seq_mlm", languages=["near1"]).space
    assert some.tasks[-2:] == ("mlm:en+near1", "tlm:near1")
    asked = configure(space="sequential", languages=["near1"], mlm_languages=["sov", "lowfar"]).space
    assert asked.tasks[-2:] == ("mlm:lowfar+sov", "tlm:lowfar+sov") and asked.schedules == ("sequential",)
    assert not any(task.startswith(("mlm", "tlm")) for task in configure().space.tasks), "as ever unless it is asked for"
    assert all(lab.ingredient(task).kind == "mlm" for task in asked.tasks[-2:])


def test_a_text_has_a_share_and_an_order_like_any_task():
    space = configure(space="joint_vs_seq_mlm", languages=["near1"]).space
    rng = random.Random(0)
    drawn = [decode(space, random_params(space, rng)) for _ in range(300)]
    shares = {float(mix.share("mlm:en+near1")) for mix in drawn}
    assert len(shares) > 4 and 0.0 in shares
    assert {mix.kind for mix in drawn if "mlm:en+near1" in mix.tasks} == {"joint", "sequential", "annealed"}


def test_text_is_kept_up_beside_every_stage_where_that_is_searched():
    config = configure(space="joint_vs_seq_mlm", languages=["near1"], mlm_shares=["0", "0.25"])
    assert config.sampler == "tpe" and configure(space="joint_vs_seq_mlm", languages=["near1"]).sampler == "auto"
    space, rng, kinds = config.space, random.Random(2), {"0": set(), "1/4": set()}
    assert space.kept_up == ("0", "1/4") and space.texts == ("mlm:en+near1", "tlm:near1")
    for _ in range(400):
        params = random_params(space, rng)
        mix = decode(space, params)
        assert decode(space, encode(mix, space)) == mix and mix.steps == params["steps"]
        assert set(distributions_of(space, params)) == set(params)
        texts = [task for task in space.texts if params[f"use/{task}"]]
        assert ("kept_up" in params) == (0 < len(texts) < len(mix.tasks))
        if (share := params.get("kept_up")) is not None:
            kinds[share].add(mix.kind)
        if share == "1/4":
            kept = [sum(at.share(task) for task in texts) for stage in mix.stages for at in (stage.start, stage.end)]
            assert set(kept) == {Fraction(1, 4)} and not any(f"weight/{task}" in params for task in texts)
    assert kinds["1/4"] == kinds["0"] == {"joint", "annealed", "sequential"}
    assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert not {"kept_up", "texts"} & set(configure(space="joint_vs_seq_mlm").to_json()["space"]), "as ever unless asked for"
    designs = designed_trials(space, dict.fromkeys(space.tasks, 100))
    assert {design.schedule for design in designs} == {
        design.schedule
        for design in designed_trials(dataclasses.replace(space, kept_up=(), texts=()), dict.fromkeys(space.tasks, 100))
    }
    only = configure(space="joint_vs_seq_mlm", languages=["near1"], mlm_shares=["1/8"]).space
    mix = decode(only, random_params(only, random.Random(4)))
    assert decode(only, encode(mix, only)) == mix


def test_translations_are_searched_and_every_mix_is_found_again_from_its_parameters():
    space = configure(**LOWRES, translations=["english", "targets", "all"]).space
    assert space.variants == (("targets", "mnli", "mnli:sw+ur"), ("all", "mnli", "mnli:all"))
    rng, seen = random.Random(1), set()
    for _ in range(300):
        params = random_params(space, rng)
        mix = decode(space, params)
        assert ("translations" in params) == params["use/mnli"], "it varies what has translations"
        assert decode(space, encode(mix, space)) == mix
        assert set(distributions_of(space, params)) == set(params)
        seen |= {task for task in mix.tasks if task.startswith("mnli")}
    assert seen == {"mnli", "mnli:sw+ur", "mnli:all"}
    designs = designed_trials(space, dict.fromkeys(space.tasks, 100))
    assert len(designs) > 4 and all(":" not in task for design in designs for task in design.schedule.tasks)
    assert load_suite("lowres").card("mnli:all").trains_in == tuple(sorted({"en", *MT}))


def test_a_single_kind_of_data_is_fixed_and_a_study_is_read_back_as_it_was():
    config = configure(**LOWRES, translations=["targets"], mlm_languages=["yo"], language_exponent=0.7)
    assert config.sampler == "tpe" and configure(**LOWRES).sampler == "auto"
    mixes = [decode(config.space, random_params(config.space, random.Random(n))) for n in range(60)]
    assert {task for mix in mixes for task in mix.tasks if task.startswith("mnli")} == {"mnli:sw+ur"}
    assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    plain = configure(suite="lab").to_json()
    assert not {"text", "translations", "variants"} & set(plain["space"]), "an older study reads as it did"


@pytest.mark.parametrize(("words", "why"), [
    ({"space": "joint_vs_seq_mlm", "suite": "lowres", "model": "m", "targets": ["xnli"], "languages": ["sw"],
      "mlm_languages": ["sw", "jv"]}, "no text of jv for MLM in suite 'lowres'; expected languages that have some, such as"),
    ({"mlm_languages": ["xx"]}, "no text of xx for MLM in suite 'lab'"),
    ({"translations": ["all"]}, "--translations all: none of the tasks restate, entail.* is translated"),
    ({**LOWRES, "languages": ["ko"], "translations": ["targets"]}, "is translated into a language of the study; expected some"),
    ({"mlm_shares": ["1/4"]}, "--mlm-share 1/4 in space .* which has no text"),
    ({"mlm_shares": ["1"], "mlm_languages": ["near1"]}, "share of 1 of text beside every stage; expected a share in"),
    ({"mlm_shares": ["1/4"], "mlm_languages": ["near1"], "sampler": "auto"}, "--sampler auto with --mlm-share"),
    ({**LOWRES, "translations": ["all"], "sampler": "auto"}, "--sampler auto with --translations, which it does not search"),
    ({"space": "singles_and_all", "mlm_languages": ["near1"]}, "--mlm-language with space 'singles_and_all', a grid"),
])  # fmt: skip
def test_what_cannot_be_trained_is_refused_in_one_line(words, why):
    with pytest.raises(BadInput, match=why) as caught:
        configure(**words)
    assert "\n" not in str(caught.value)


def test_a_grid_that_names_a_translation_that_is_not_there_is_told_which_there_are(tmp_path):
    lines = ("from tasksearch.core.grid import GridPlan", "from tasksearch.core.space import SearchSpace",
             'SPACE = SearchSpace(name="own", summary="", grid=(GridPlan(each=True, tasks=("mnli", "mnli:th")),))')  # fmt: skip
    (tmp_path / "own.py").write_text("\n".join(lines))
    with pytest.raises(UnknownName, match=r"no translation of task 'mnli' in language 'th'.*sw"):
        configure(**LOWRES | {"space": str(tmp_path / "own.py")})


def test_a_suite_without_text_says_so():
    import dataclasses

    with pytest.raises(BadInput, match="suite 'lab' has no text for MLM; expected one with a card of kind 'mlm'"):
        fill_in(load_space("joint_vs_seq_mlm"), dataclasses.replace(load_suite("lab"), texts=()), languages=["en"])


def test_a_mix_with_text_is_trained_through_the_command_line(tiny_lab, tmp_path):
    mix = Schedule.joint(Mixture.of({"restate": 2, "mlm:near1+sov": 1, "tlm:sov": 1}), 8)
    (tmp_path / "mix.toml").write_text(schedule_toml(mix))
    words = ["train", "--mix", tmp_path / "mix.toml", "--encoder-only", "--model", tiny_lab.model, "--data", tiny_lab.data,
             "--out", tmp_path / "encoder", "--json"]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.exception
    before, after = (load_pretrained(str(folder)).model for folder in (tiny_lab.model, tmp_path / "encoder"))
    assert not torch.equal(before.lm_head.dense.weight, after.lm_head.dense.weight)
    card = (tmp_path / "encoder/README.md").read_text()
    assert "mlm:near1+sov 1/4" in card and "| tlm:sov | intermediate | Apache-2.0 |" in card


def test_translations_join_with_a_task_or_a_language_and_earlier_mixes_stay_in_the_space():
    config = configure(**LOWRES | {"languages": ["sw"]}, trials=20, translations=["english", "targets"])
    suite, drawn = (
        load_suite("lowres"),
        (decode(config.space, random_params(config.space, random.Random(n))) for n in range(99)),
    )
    before = next(mix for mix in drawn if "mnli:sw" in mix.tasks)
    wide = extended(config, suite, Growth(trials="+8", languages=("ur",))).space
    assert wide.variants == (("targets", "mnli", "mnli:sw"), ("targets", "mnli", "mnli:sw+ur"))
    assert decode(wide, encode(before, wide)) == before.renamed({"mnli:sw": "mnli:sw+ur"})
    assert extended(config, suite, Growth(languages=("ur",))).space == config.space, "nothing more is searched"
    without = tuple(task for task in config.space.tasks if task != "mnli")
    other = dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=without, variants=()))
    joined = extended(other, suite, Growth(trials="+8", tasks=("mnli",))).space
    assert joined.variants == (("targets", "mnli", "mnli:sw"),)
