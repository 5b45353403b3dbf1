"""Training methods in words: one canonical text for flag, file, plan and signature."""

import pytest

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.methods import Adversarial, canonical_methods, method_words, methods_of, read_method
from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.signature import signature_of


def test_words_are_read_in_any_order_and_written_in_one():
    assert method_words("adversarial: steps=3 , epsilon=0.25, phase=both") == (
        ("intermediate", "target"),
        "adversarial:epsilon=0.25,steps=3",
    )
    assert method_words("adversarial:epsilon=0.1") == (("target",), "adversarial"), "a default is not written"
    assert read_method("adversarial:epsilon=1") == Adversarial(epsilon=1.0)


def test_methods_go_to_their_phases():
    texts = canonical_methods(["smoothing:phase=intermediate", "adversarial:phase=both,steps=2"])
    assert texts == canonical_methods(texts) == ("adversarial:steps=2,phase=both", "smoothing:phase=intermediate")
    assert methods_of(texts, "intermediate") == ("adversarial:steps=2", "smoothing")
    assert methods_of(texts, "target") == ("adversarial:steps=2",)


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("adversaral", UnknownName, "no method 'adversaral'; did you mean 'adversarial'"),
        ("adversarial:epsilom=1", UnknownName, "did you mean 'epsilon'"),
        ("adversarial:epsilon=0", BadInput, r"epsilon of method 'adversarial' is 0; expected a number in \(0, 1\]"),
        ("adversarial:epsilon=nan", BadInput, "is nan; expected"),
        ("smoothing:sigma=-0.1", BadInput, "sigma of method 'smoothing' is -0.1; expected"),
        ("smoothing:sigma=1.5", BadInput, "is 1.5; expected"),
        ("adversarial:steps=0", BadInput, "expected at least 1"),
        ("adversarial:steps=two", BadInput, "steps of method 'adversarial' is 'two'; expected an integer"),
        ("adversarial:step_size=3", BadInput, "step_size of method"),
        ("adversarial:0.1", BadInput, "expected NAME=VALUE, such as epsilon=0.1"),
        ("adversarial:phase=3", UnknownName, "phase of a method '3'"),
    ],
)
def test_what_is_no_method_is_refused_in_one_line(text, error, told):
    with pytest.raises(error, match=told) as refused:
        method_words(text)
    assert "\n" not in str(refused.value)


def test_a_phase_uses_a_method_once():
    with pytest.raises(BadInput, match="'smoothing' is given twice for the target phase"):
        canonical_methods(["smoothing:phase=both", "smoothing:sigma=0.2"])


def test_settings_without_methods_have_the_signature_that_they_always_had():
    plain = TrainSettings()
    assert "methods" not in plain.to_json()
    assert signature_of(plain) == "22e4a42d4742087703207815"
    assert signature_of(TrainSettings(methods=("smoothing",))) != signature_of(plain)


def test_a_plan_with_methods_comes_back_from_its_plain_form(toy):
    import dataclasses

    from tasksearch.core.schedule import Schedule

    plan = toy.plan_of(Schedule.none(), 0)
    target = dataclasses.replace(plan.settings.target, methods=("adversarial:epsilon=0.2",))
    plan = dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, target=target))
    assert Plan.from_json(plan.to_json()) == plan
