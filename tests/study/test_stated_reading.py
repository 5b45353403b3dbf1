"""Pooling and prefix that a model's files state: read, given in their place, kept by the study, and part of its names."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from tasksearch.core.errors import BadInput, ModelUnusable
from tasksearch.core.plan import Plan, RetrievalSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import signature_of
from tasksearch.models.stated_reading import StatedReading, stated_reading
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun
from tasksearch.study.configuration import command_of, configure
from tasksearch.study.embedding import embed_file
from tasksearch.study.models import convert_model
from tasksearch.study.settings import as_begun, prefix_note, with_stated_prefix
from tasksearch.study.setup import prepare

QUERY = {"prompts": {"query": "ba: ", "passage": "bo: "}, "default_prompt_name": "query"}


@pytest.fixture
def folder(tiny_lab, tmp_path):
    """The tiny lab's model as a sentence encoder that reads a prefix and its first piece."""
    made = shutil.copytree(tiny_lab.model, tmp_path / "sentences")
    (made / "1_Pooling").mkdir()
    (made / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}')
    (made / "config_sentence_transformers.json").write_text(json.dumps(QUERY))
    return made


def asked(tiny_lab, folder, **words):
    return configure(targets=["retrieval"], model=str(folder), data=str(tiny_lab.data), languages=["near1"], **words)


def test_what_the_files_state_is_read_and_what_cannot_be_followed_is_one_line(folder):
    assert stated_reading(str(folder)) == StatedReading(pooling="cls", prefix="ba: ", prompts=QUERY["prompts"])
    pooling, prompted = folder / "1_Pooling" / "config.json", folder / "config_sentence_transformers.json"
    pooling.write_text('{"pooling_mode": "mean", "include_prompt": false}')
    with pytest.raises(ModelUnusable, match=r"pools without the pieces of its prompt 'ba: ' \(include_prompt\)"):
        stated_reading(str(folder))
    prompted.write_text(json.dumps(QUERY | {"default_prompt_name": "document"}))
    with pytest.raises(ModelUnusable, match=r"default prompt 'document', which .* lacks \(it has query, passage\)"):
        stated_reading(str(folder))
    prompted.write_text(json.dumps(QUERY | {"default_prompt_name": None}))
    assert stated_reading(str(folder)) == StatedReading(pooling="mean", prompts=QUERY["prompts"])
    for text in ("[]", "{", '{"prompts": 3}'):
        prompted.write_text(text)
        assert stated_reading(str(folder)) == StatedReading(pooling="mean"), text


def test_embed_reads_as_the_files_state_unless_told(folder, tmp_path):
    texts = ["ba be", "bu ba bi", "be"]

    def vectors(name, lines, **how):
        (tmp_path / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
        done = embed_file(tmp_path / f"{name}.txt", tmp_path / f"{name}.npy", model=folder, layers=(1,), **how)
        return np.load(tmp_path / f"{name}.npy"), done.embedding

    stated, how = vectors("stated", texts)
    assert (how.pooling, how.prefix) == ("cls", "ba: ")
    spelled, _ = vectors("spelled", ["ba: " + text for text in texts], prefix="", pooling="cls")
    assert np.array_equal(stated, spelled)
    bare, how = vectors("bare", texts, prefix="", pooling="mean")
    assert (how.pooling, how.prefix) == ("mean", "") and np.abs(bare - stated).max() > 1e-3
    convert_model(str(folder), tmp_path / "copy", dtype="bf16")
    assert stated_reading(str(tmp_path / "copy")) == stated_reading(str(folder))


def test_a_new_study_takes_the_prefix_and_keeps_it(tiny_lab, folder):
    begun = with_stated_prefix(asked(tiny_lab, folder))
    assert begun.overrides.retrieval_prefix == "ba: " and "--retrieval-prefix 'ba: '" in command_of(begun)
    assert "retrieval reads 'ba: ' before every sentence" in prepare(begun).suite.warning
    retrieval = prepare(begun).settings.retrieval
    assert (retrieval.prefix, retrieval.pooling) == ("ba: ", "mean-content"), "pooling goes with the layer: it is the suite's"
    assert as_begun(asked(tiny_lab, folder), begun, ()) == begun, "the same command goes on"
    other = asked(tiny_lab, folder, retrieval_prefix="bo: ")
    assert as_begun(other, begun, ()) != begun and with_stated_prefix(other) == other

    none = asked(tiny_lab, folder, retrieval_prefix="")
    assert with_stated_prefix(none) == none and prefix_note(none) == ""
    older = asked(tiny_lab, folder)  # begun before prefixes were read: it has none, and goes on without one
    assert as_begun(asked(tiny_lab, folder), older, ()) == older == as_begun(none, older, ())
    assert "--retrieval-prefix ''" in command_of(older), "or a new study by that command would take the model's"
    assert "--retrieval-prefix" not in command_of(asked(tiny_lab, tiny_lab.model)), "which states none"
    with pytest.raises(BadInput, match=r"the prefix .* pieces, a sentence of retrieval at most"):
        prepare(asked(tiny_lab, folder, retrieval_prefix="bo " * 200))


def test_a_prefix_changes_scores_and_names_of_retrieval_alone(tiny_lab):
    setup = prepare(configure(targets=["retrieval", "topic"], model=str(tiny_lab.model), data=str(tiny_lab.data)))
    context = open_context(setup.suite, setup.data, setup.model, None)
    target = dataclasses.replace(setup.settings.target, steps=2)

    def run(**how):
        settings = dataclasses.replace(
            setup.settings, retrieval=RetrievalSettings(layer=1, **how), target=target, target_overrides=()
        )
        plan = Plan(
            suite="lab", schedule=Schedule.none(), targets=("retrieval", "topic"), languages=("near1",), settings=settings
        )
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
        return PlanRun(plan, context), plan

    (bare, plan), (before, _) = run(), run(prefix="ba be bi bo bu: ")
    assert "prefix" not in plan.settings.retrieval.to_json()
    assert signature_of(RetrievalSettings()) == signature_of({"layer": 14, "pooling": "mean", "centering": False}), (
        "studies without a prefix keep their names"
    )
    outcomes = [run.trained("retrieval").outcomes["retrieval", "near1", "report"] for run in (bare, before)]
    assert not np.array_equal(*outcomes)
    names = [{part.target: part.signatures for part in run.targets} for run in (bare, before)]
    assert names[0]["topic"] == names[1]["topic"] and names[0]["retrieval"][0] == names[1]["retrieval"][0]
    assert names[0]["retrieval"][1] != names[1]["retrieval"][1]
