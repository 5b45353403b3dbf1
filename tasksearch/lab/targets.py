"""Generators of items of the target tasks, with the same latents in all languages."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tasksearch.lab.edits import other_action, other_person, other_quality, other_sort, restated
from tasksearch.lab.grammar import Asked, Clause
from tasksearch.lab.items import BitextItem, Item, Make, PairItem, SentenceItem, SpanItem, TagItem, sort_name
from tasksearch.lab.world import TARGET, Proposition, World

_FRONTED = 0.3


def nli(world: World, rng: Random) -> Item:
    """Entailment by restatement and class word; contradiction by `not` or another quality; neutral: other action or object."""
    said = replace(world.proposition(rng, TARGET, full=True), negated=False)
    label = rng.choice(("entailment", "neutral", "contradiction"))
    then = restated(said, rng, drop=0.2, hypernym=0.3 if label == "entailment" else 0)
    either = rng.random() < 0.5
    if label == "contradiction":
        then = replace(then, negated=True) if either else other_quality(replace(then, quality=said.quality), rng)
    elif label == "neutral":
        then = other_action(then, rng) if either else other_sort(then, rng, TARGET)
    return PairItem(first=Clause(proposition=said), second=_clause(then, rng), label=label)


def topic(world: World, rng: Random) -> Item:
    """The class of the object."""
    said = replace(world.proposition(rng, TARGET), negated=False)
    return SentenceItem(clause=Clause(proposition=said), label=sort_name(said.sort))


def qa(world: World, rng: Random) -> Item:
    """Who, what or where; the answer to `what` is the object with its quality."""
    said = world.proposition(rng, TARGET, full=True)
    roles: tuple[Asked, ...] = ("agent", "thing", "place")
    question = Clause(proposition=restated(said, rng, drop=0.3, hypernym=0), asked=rng.choice(roles))
    return SpanItem(question=question, context=_clause(said, rng))


def tag(world: World, rng: Random) -> Item:
    """Parts of speech."""
    return TagItem(clause=_clause(world.proposition(rng, TARGET), rng), tagging="parts")


def retrieval_cluster(world: World, rng: Random) -> tuple[BitextItem, ...]:
    """A sentence and two near-duplicates (other person, action or object), each with a free English translation."""
    said = world.proposition(rng, TARGET)
    edits = rng.sample((0, 1, 2), 2)
    near = [(other_person(said, rng, TARGET), other_action(said, rng), other_sort(said, rng, TARGET))[edit] for edit in edits]
    return tuple(_bitext(each, rng) for each in (said, *near))


def _bitext(said: Proposition, rng: Random) -> BitextItem:
    """A free translation: other verb, class word for the object, a modifier left out or moved, each with a probability."""
    free = restated(said, rng, drop=0.25, hypernym=0.25, synonym=0.5)
    return BitextItem(clause=_clause(said, rng), translation=_clause(free, rng))


def _clause(said: Proposition, rng: Random) -> Clause:
    return Clause(proposition=said, fronted=rng.random() < _FRONTED)


TARGETS: dict[str, Make] = {"nli": nli, "topic": topic, "qa": qa, "tag": tag}
"""Labelled targets; retrieval has no training items and is made by clusters."""
