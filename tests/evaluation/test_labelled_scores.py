"""Labelled targets by the metric of their card, with a model that says what the test wants it to."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from tasksearch.core.errors import UnknownName
from tasksearch.evaluation import labelled
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.metrics.outcomes import qqp_outcomes, value_of
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import SpanExample, TagExample, TextExample
from tasksearch.tasks.ragged import Ragged
from tasksearch.tasks.selection_split import Portion

CONTEXT = "cats sleep"
EDGES = [0, 4, 5, 10]  # two tokens, one a word


@pytest.fixture
def saying(monkeypatch):
    """A model whose outputs are those that the items carry."""

    class Said:
        def __init__(self, **_):
            pass

        def classes(self, items):
            return items.said

        def tags(self, items, sentences):
            return items.said

        def windows(self, items):
            return items.windows, items.nulls

    monkeypatch.setattr(labelled, "Outputs", Said)

    def score(card, language, halves):
        scored = [
            (Portion(examples=tuple(examples), rows={half: np.arange(len(examples))}), items)
            for half, (items, examples) in halves.items()
        ]
        return score_labelled(nn.Identity(), nn.Identity(), card, language, scored, specials=None, precision="fp32")

    return score


def card(kind, metric, labels=()):
    return TaskCard(name="t", kind=kind, role="target", folder="t", languages=("en",), labels=labels, metric=metric)


def question(answer):
    return SpanExample("1", "q", CONTEXT, ((0, answer),) if answer else ())


def spans(*nulls):
    """Items whose best answer is "cats" with logits 2 + 2, and whose `<s>` has the given sum."""
    ends = np.array([2.0, 0.0], dtype=np.float32)
    return SimpleNamespace(
        owner=np.arange(len(nulls)), offsets=Ragged.of([EDGES] * len(nulls)), windows=[(ends, ends)] * len(nulls), nulls=nulls
    )


def test_the_no_answer_threshold_is_chosen_on_the_selecting_half_and_applied_to_the_reporting_half(saying):
    halves = {
        "select": (spans(3.0, 6.0, 6.5), [question("cats"), question("cats"), question(None)]),
        "report": (spans(6.2, 6.5, 3.0), [question("cats"), question(None), question(None)]),
    }
    found = saying(card("span", "squad_v2"), "en", halves)
    assert found["select"][:, 0].tolist() == [1, 1, 1]  # cut between 6 and 6.5
    assert found["report"][:, 0].tolist() == [0, 1, 0]  # 6.2 - 4 is above the cut of 6 - 4


def test_without_a_selecting_half_no_answer_wins_where_its_logits_are_ahead(saying):
    halves = {"report": (spans(3.9, 4.1, 4.1), [question("cats"), question("cats"), question(None)])}
    assert saying(card("span", "squad_v2"), "en", halves)["report"][:, 0].tolist() == [1, 0, 1]


def test_an_examples_null_score_is_the_lowest_of_its_windows(saying):
    items = spans(9.0, 3.0)
    items.owner = np.array([0, 0])
    assert saying(card("span", "squad_v2"), "en", {"report": (items, [question("cats")])})["report"][:, 0].tolist() == [1]


def test_answers_are_normalised_in_their_own_language(saying):
    halves = {"report": (spans(0.0), [SpanExample("1", "q", CONTEXT, ((0, "los cats"),))])}
    assert value_of(saying(card("span", "mlqa_em_f1"), "es", halves)["report"]) == 100.0
    assert value_of(saying(card("span", "em_f1"), "es", halves)["report"]) < 50.0
    with pytest.raises(UnknownName, match="MLQA's normaliser 'sw'"):
        saying(card("span", "mlqa_em_f1"), "sw", halves)


def test_tags_are_scored_by_name_as_chunks_or_by_word(saying):
    labels = ("O", "B-PER", "I-PER")
    halves = {
        "report": (
            SimpleNamespace(said=[[1, 0], [1, 2]]),
            [TagExample("1", ("a", "b"), (1, 2)), TagExample("2", ("c", "d"), (1, 2))],
        )
    }
    assert value_of(saying(card("tagging", "seqeval_f1", labels), "en", halves)["report"]) == 50.0
    assert value_of(saying(card("tagging", "accuracy", labels), "en", halves)["report"]) == 75.0


def test_classes_are_scored_by_accuracy_or_as_qqp(saying):
    items = SimpleNamespace(said=np.array([1, 0, 0]), labels=np.array([1, 1, 0]))
    halves = {"select": (items, [TextExample("1", "a", "b", 1)] * 3)}
    assert value_of(saying(card("pair", "accuracy", ("0", "1")), "en", halves)["select"]) == pytest.approx(200 / 3)
    assert value_of(saying(card("pair", "qqp", ("0", "1")), "en", halves)["select"]) == pytest.approx(200 / 3)


def test_one_portion_cut_into_halves_gives_each_half_its_own_rows_and_its_own_f1():
    said, labels = np.array([1, 0, 1, 1, 0]), np.array([1, 1, 0, 1, 0])
    halves = {"select": np.array([0, 2]), "report": np.array([1, 3, 4])}
    portion = Portion(examples=(TextExample("1", "a", "b", 1),) * 5, rows=halves)

    class Said:
        def classes(self, items):
            return said

    found = dict(labelled._by_half(Said(), card("pair", "qqp", ("0", "1")), "en", portion, SimpleNamespace(labels=labels)))
    for half, rows in halves.items():
        assert np.array_equal(found[half], qqp_outcomes(said[rows], labels[rows]))


def test_a_threshold_is_chosen_on_the_selecting_rows_of_a_portion(saying):
    items = spans(3.0, 6.2, 6.0, 6.5)
    examples = tuple(question(answer) for answer in ("cats", "cats", "cats", None))
    portion = Portion(examples=examples, rows={"select": np.array([0, 2, 3]), "report": np.array([1])})
    whole = labelled._nullable(SimpleNamespace(windows=lambda items: (items.windows, items.nulls)), items, list(examples))
    assert whole.at(portion.rows["select"]).best_threshold() == pytest.approx(2.0)
    assert whole.at(portion.rows["report"]).after(2.0).tolist() == [0.0]
