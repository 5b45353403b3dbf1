"""What the items of the lab's tasks hold to."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.lab.grammar import Word
from tasksearch.lab.intermediates import INTERMEDIATES
from tasksearch.lab.items import BitextItem, ChoiceItem, Item, PairItem, SpanItem, TagItem, answer_span
from tasksearch.lab.languages import ENGLISH, LANGUAGES
from tasksearch.lab.lexicon import build_lexicons
from tasksearch.lab.targets import TARGETS, retrieval_cluster
from tasksearch.lab.world import Concept, Proposition, World

WORLD = World.generate(0)
LEXICONS = build_lexicons(WORLD)
seeds = st.integers(0, 2**32)


def items(name: str, count: int = 600) -> list[Item]:
    make = (INTERMEDIATES | TARGETS)[name]
    return [make(WORLD, Random(seed)) for seed in range(count)]


def persons(item: Item) -> set[int]:
    return {clause.proposition.person for clause in clauses(item)}


def clauses(item: Item) -> list:  # type: ignore[type-arg]
    if isinstance(item, PairItem):
        return [item.first, item.second]
    if isinstance(item, ChoiceItem):
        return [item.prompt, *(choice for choice in item.choices if not isinstance(choice, Concept))]
    if isinstance(item, SpanItem):
        return [item.question, item.context]
    if isinstance(item, BitextItem):
        return [item.clause, item.translation]
    return [item.clause]


@pytest.mark.parametrize("name", [*INTERMEDIATES, *TARGETS])
def test_the_same_seed_makes_the_same_item(name: str) -> None:
    make = (INTERMEDIATES | TARGETS)[name]
    assert make(WORLD, Random(7)) == make(WORLD, Random(7))


@pytest.mark.parametrize("one", INTERMEDIATES)
def test_nobody_in_an_intermediate_item_is_in_a_target_item(one: str) -> None:
    intermediate = {person for item in items(one, 200) for person in persons(item)}
    target = {person for name in TARGETS for item in items(name, 200) for person in persons(item)}
    assert not intermediate & target


@pytest.mark.parametrize("name", ["restate", "entail", "coin", "nli"])
def test_labels_of_a_pair_task_are_even(name: str) -> None:
    counts = Counter(item.label for item in items(name) if isinstance(item, PairItem))
    assert min(counts.values()) > 0.75 * 600 / len(counts)


@pytest.mark.parametrize("name", ["follow", "sort"])
def test_the_right_choice_stands_anywhere(name: str) -> None:
    counts = Counter((item.label, len(item.choices)) for item in items(name) if isinstance(item, ChoiceItem))
    choices = next(iter(counts))[1]
    assert len(counts) == choices
    assert min(counts.values()) > 0.7 * 600 / choices


def said(item: Item) -> tuple[Proposition, Proposition, str]:
    assert isinstance(item, PairItem)
    return item.first.proposition, item.second.proposition, item.label


def test_entailed_pairs_add_nothing_and_neutral_ones_do() -> None:
    for item in items("entail"):
        first, second, label = said(item)
        added = [f for f in ("quality", "place", "time") if getattr(second, f) is not None and getattr(first, f) is None]
        changed = [
            f
            for f in ("place", "time")
            if getattr(second, f) not in (None, getattr(first, f)) and getattr(first, f) is not None
        ]
        assert (len(added), len(changed)) == {"entailment": (0, 0), "neutral": (1, 0), "contradiction": (0, 1)}[label]


def test_contradictions_of_the_target_negate_or_change_a_quality_and_those_of_entail_do_neither() -> None:
    target = [said(item) for item in items("nli")]
    for first, second, label in target:
        contrary = second.negated or (second.quality is not None and second.quality != first.quality)
        assert contrary == (label == "contradiction")
    for first, second, _ in (said(item) for item in items("entail")):
        assert not second.negated
        assert second.quality in (None, first.quality) or first.quality is None


def test_sentences_that_say_the_same_differ_in_wording_alone() -> None:
    for item in items("restate"):
        first, second, label = said(item)
        meaning = [(p.person, p.action, p.sort, p.item, p.quality, p.place, p.time) for p in (first, second)]
        assert (meaning[0] == meaning[1]) == (label == "same")


def test_the_answer_stands_in_the_context_where_it_says() -> None:
    for name in ("find", "qa"):
        for item in items(name, 100):
            for language in LANGUAGES:
                row = item.row(language, LEXICONS)
                answer = row["answers"][0]
                assert row["context"][answer["start"] :].startswith(answer["text"])


def test_what_is_answered_by_the_noun_with_its_quality_and_without_an_article() -> None:
    words = [
        Word("a", "DET", "grammar"),
        Word("red", "ADJ", "quality"),
        Word("dog", "NOUN", "thing"),
        Word("x", "LOC", "place"),
    ]
    assert answer_span(words, "thing") == (2, "red dog")
    assert answer_span(words, "place") == (10, "x")


def test_marks_depend_on_letters_alone_and_senses_on_the_class() -> None:
    marks: dict[str, str] = {}
    for item in items("marks", 200):
        row = item.row(ENGLISH, LEXICONS)
        for word, tag in zip(row["words"], row["tags"], strict=True):
            assert marks.setdefault(word, tag) == tag
    for item in items("senses", 200):
        assert isinstance(item, TagItem)
        assert f"sort{item.clause.proposition.sort + 1}" in item.row(ENGLISH, LEXICONS)["tags"]


@given(seeds)
def test_near_duplicates_differ_from_their_sentence_in_one_participant(seed: int) -> None:
    base, *near = [item.clause.proposition for item in retrieval_cluster(WORLD, Random(seed))]
    for each in near:
        changed = [f for f in ("person", "action", "sort") if getattr(each, f) != getattr(base, f)]
        assert len(changed) == 1


@given(seeds)
def test_a_free_translation_keeps_who_does_what(seed: int) -> None:
    for item in retrieval_cluster(WORLD, Random(seed)):
        one, two = item.clause.proposition, item.translation.proposition
        assert (one.person, one.action, one.sort, one.negated) == (two.person, two.action, two.sort, two.negated)
