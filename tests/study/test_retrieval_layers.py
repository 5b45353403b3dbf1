"""`--retrieval-layer auto`: one choice before the first trial, by other languages' selection examples, that a study keeps."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan, RetrievalSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import NO_LAYERS, StudyConfig
from tasksearch.evaluation.retrieval import layer_accuracies
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.study.configuration import configure, options_for
from tasksearch.study.retrieval_layers import chosen_layers, layer_scores, wants_layers, with_layers
from tasksearch.study.settings import as_begun, layers_note
from tasksearch.study.setup import prepare


def test_each_language_is_left_out_of_its_own_choice():
    scores = {"a": [0, 50, 60], "b": [0, 50, 60], "c": [0, 90, 10]}
    assert chosen_layers(scores) == (("all", 1), ("c", 2)), "a and b follow c, c follows a and b"
    assert chosen_layers({"a": [1, 1], "b": [1, 1]}) == (("all", 1),), "of equals the deepest"
    assert chosen_layers({"a": [1, 2]}) == () == chosen_layers({})


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=2, max_size=5))
def test_a_language_never_decides_its_own_layer(rows):
    names = [f"l{i}" for i in range(len(rows))]
    scores = dict(zip(names, rows, strict=True))

    def layer_of(found, language):
        return dict(found).get(language, dict(found)["all"])

    first = layer_of(chosen_layers(scores), "l0")
    assert first == layer_of(chosen_layers(scores | {"l0": [9, 0, 0]}), "l0")


def test_the_study_keeps_what_was_found_and_its_command_goes_on_with_it(tiny_lab):
    words = {"targets": ["retrieval"], "model": str(tiny_lab.model), "data": str(tiny_lab.data)}
    asked = configure(**words, retrieval_layer="auto")
    assert wants_layers(asked) and configure(options_for(asked)) == asked == configure(**words, retrieval_layer="auto")
    setup = prepare(asked)
    scores = layer_scores(asked, setup)
    assert set(scores) == set(asked.languages) - {"en"} and {len(row) for row in scores.values()} == {3}
    config, found = with_layers(asked, setup)
    assert config.overrides.auto_layers == chosen_layers(scores) and not wants_layers(config)
    assert found.settings.retrieval.layer == dict(config.overrides.auto_layers)["all"]
    assert layers_note(config) in found.suite.warning != setup.suite.warning
    assert as_begun(asked, config, ()) == config == StudyConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert configure(options_for(config)) == asked
    fixed = configure(**words, retrieval_layer=1)
    assert as_begun(fixed, config, ()) == fixed


def test_a_language_is_scored_and_named_by_its_own_layer(tiny_lab):
    setup = prepare(configure(targets=["retrieval"], model=str(tiny_lab.model), data=str(tiny_lab.data)))
    context = open_context(setup.suite, setup.data, setup.model, None)
    languages = tuple(sorted(setup.suite.card("retrieval").languages))[:2]

    def run(**how):
        settings = dataclasses.replace(setup.settings, retrieval=RetrievalSettings(**how))
        plan = Plan(suite="lab", schedule=Schedule.none(), targets=("retrieval",), languages=languages, settings=settings)
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
        return run_plan(plan, context).scores.values("select")

    apart, one, two = run(layer=2, layers=((languages[0], 0),)), run(layer=2), run(layer=0)
    assert apart == {("retrieval", languages[0]): two["retrieval", languages[0]]} | {
        ("retrieval", languages[1]): one["retrieval", languages[1]]
    }
    card, how = setup.suite.card("retrieval"), setup.settings.untrained
    scored = list(
        zip(
            context.source.portions(card, languages[0]),
            context.source.evaluation(card, languages[0], how.max_length),
            strict=True,
        )
    )
    layers = layer_accuracies(context.pretrained.model, scored, context.specials, RetrievalSettings(), "fp32")
    assert [layers[0], layers[2]] == pytest.approx([two["retrieval", languages[0]], one["retrieval", languages[0]]])


@pytest.mark.parametrize("wrong", ["otto", 1.5, True])
def test_a_layer_that_is_none_is_one_line(wrong):
    with pytest.raises(BadInput, match=r"--retrieval-layer is .*; expected an integer, or auto"):
        configure(retrieval_layer=wrong)


def test_a_study_with_nothing_to_choose_by_keeps_the_usual_layer_for_good(tiny_lab):
    words = {"targets": ["topic"], "model": str(tiny_lab.model), "data": str(tiny_lab.data)}
    config = configure(**words, retrieval_layer="auto")
    setup = prepare(config)
    settled, same = with_layers(config, setup)
    assert settled.overrides.auto_layers == NO_LAYERS and same.settings == setup.settings
    assert not wants_layers(settled) and layers_note(settled) == ""
    grown = dataclasses.replace(settled, targets=("topic", "retrieval"))
    assert prepare(grown).settings.retrieval == setup.settings.retrieval
