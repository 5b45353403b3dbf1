"""Generators of items of the English intermediate tasks.

Their persons and qualities never occur in target items, and their edits differ from the targets'.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tasksearch.lab.edits import continued, other, other_action, other_item, other_person, other_quality, restated
from tasksearch.lab.grammar import Asked, Clause
from tasksearch.lab.items import ChoiceItem, Item, Make, PairItem, SpanItem, TagItem
from tasksearch.lab.world import ACTIONS, INTERMEDIATE, SORTS, TIMES, Concept, Proposition, World

_FRONTED = 0.5


def restate(world: World, rng: Random) -> Item:
    """Do two sentences say the same? If not, person, thing, action or quality differs."""
    said = replace(world.proposition(rng, INTERMEDIATE, full=True), negated=False)
    again, label = restated(said, rng, drop=0, hypernym=0), "same"
    if rng.random() < 0.5:
        label, change = "different", rng.randrange(4)
        if change == 0:
            again = other_person(again, rng, INTERMEDIATE)
        elif change == 1:
            again = other_item(again, rng, INTERMEDIATE)
        elif change == 2:
            again = other_action(again, rng)
        else:
            again = other_quality(again, rng)
    return PairItem(first=Clause(proposition=said), second=_clause(again, rng), label=label)


def entail(world: World, rng: Random) -> Item:
    """Does the second sentence follow? Contradictions change place or time, neutral ones add what was not said."""
    time = rng.randrange(TIMES)
    said = replace(world.proposition(rng, INTERMEDIATE, full=True), negated=False, time=time)
    then, label = restated(said, rng, drop=0.4, hypernym=0), rng.choice(("entailment", "neutral", "contradiction"))
    if label == "contradiction":
        # from the premise: the restatement may have dropped it
        elsewhere, another_time = other(said.place, INTERMEDIATE.places, rng), other(time, TIMES, rng)
        then = replace(then, place=elsewhere) if rng.random() < 0.5 else replace(then, time=another_time)
    elif label == "neutral":
        fewer = rng.randrange(3)
        if fewer == 0:
            said, then = replace(said, place=None), replace(then, place=said.place)
        elif fewer == 1:
            said, then = replace(said, time=None), replace(then, time=said.time)
        else:
            said, then = replace(said, quality=None), replace(then, quality=said.quality)
    return PairItem(first=Clause(proposition=said), second=_clause(then, rng), label=label)


def follow(world: World, rng: Random) -> Item:
    """Which of two sentences happens next? The wrong one has another action."""
    said = replace(world.proposition(rng, INTERMEDIATE), negated=False)
    then = continued(world, said, rng, INTERMEDIATE)
    wrong = replace(then, action=other(then.action, ACTIONS, rng))
    label = rng.randrange(2)
    choices = (then, wrong) if label == 0 else (wrong, then)
    return ChoiceItem(
        prompt=Clause(proposition=said), choices=tuple(Clause(proposition=choice) for choice in choices), label=label
    )


def sort(world: World, rng: Random) -> Item:
    """Which of four class words names the object?"""
    said = world.proposition(rng, INTERMEDIATE)
    wrong = rng.sample([sort for sort in range(SORTS) if sort != said.sort], 3)
    label = rng.randrange(4)
    sorts = [*wrong[:label], said.sort, *wrong[label:]]
    return ChoiceItem(prompt=_clause(said, rng), choices=tuple(Concept("sort", sort) for sort in sorts), label=label)


def find(world: World, rng: Random) -> Item:
    """Who, where or when: the answer is one word of the context."""
    said = replace(world.proposition(rng, INTERMEDIATE, full=True), time=rng.randrange(TIMES))
    roles: tuple[Asked, ...] = ("agent", "place", "time")
    question = Clause(proposition=restated(said, rng, drop=0.3, hypernym=0), asked=rng.choice(roles))
    return SpanItem(question=question, context=_clause(said, rng))


def senses(world: World, rng: Random) -> Item:
    """Semantic tags: role of each word, and for the object its class."""
    return TagItem(clause=_clause(world.proposition(rng, INTERMEDIATE), rng), tagging="senses")


def marks(world: World, rng: Random) -> Item:
    """Tags by a hash of the word's letters: they have no meaning and must be memorised."""
    return TagItem(clause=_clause(world.proposition(rng, INTERMEDIATE), rng), tagging="marks")


def coin(world: World, rng: Random) -> Item:
    """Two sentences with a random label."""
    first, second = world.proposition(rng, INTERMEDIATE, full=True), world.proposition(rng, INTERMEDIATE, full=True)
    label = rng.choice(("heads", "tails"))
    return PairItem(first=Clause(proposition=first), second=Clause(proposition=second), label=label)


def _clause(said: Proposition, rng: Random) -> Clause:
    return Clause(proposition=said, fronted=rng.random() < _FRONTED)


INTERMEDIATES: dict[str, Make] = {
    "restate": restate,
    "entail": entail,
    "follow": follow,
    "sort": sort,
    "find": find,
    "senses": senses,
    "marks": marks,
    "coin": coin,
}
