"""Edits of propositions: saying the same in other words, going on, and changing exactly one thing."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tasksearch.lab.world import ACTIONS, EVERYTHING, SORTS, SYNONYMS, VALUES, Proposition, Vocabulary, World, pick


def restated(said: Proposition, rng: Random, *, drop: float = 0.5, hypernym: float = 0.3, synonym: float = 0.6) -> Proposition:
    """Entailed by `said`: modifiers dropped, the verb's synonym, the class word for the object, each with its probability."""
    general = rng.random() < hypernym
    return replace(
        said,
        synonym=SYNONYMS - 1 - said.synonym if rng.random() < synonym else said.synonym,
        item=None if general else said.item,
        quality=None if rng.random() < drop or general else said.quality,
        place=None if rng.random() < drop else said.place,
        time=None if rng.random() < drop else said.time,
    )


def continued(world: World, said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """What the same person does next: the action that follows, half of the time with the same thing."""
    fresh = world.proposition(rng, vocabulary)
    action = world.follows[said.action]
    if rng.random() < 0.5:
        sort, item, quality = said.sort, said.item, said.quality if rng.random() < 0.5 else None
    else:
        sort, item, quality = pick(rng, world.takes[action]), pick(rng, vocabulary.items), None
    return replace(fresh, person=said.person, action=action, sort=sort, item=item, quality=quality, negated=False)


def other(current: int | None, count: int | tuple[int, ...], rng: Random) -> int:
    """Any value but the current one, from `range(count)` or from a tuple."""
    values = range(count) if isinstance(count, int) else count
    return pick(rng, [value for value in values if value != current])


def other_person(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """Someone else does it."""
    return replace(said, person=other(said.person, vocabulary.persons, rng))


def other_action(said: Proposition, rng: Random) -> Proposition:
    """Something else is done."""
    return replace(said, action=other(said.action, ACTIONS, rng), synonym=pick(rng, range(SYNONYMS)))


def other_item(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """Another thing of the same class."""
    return replace(said, item=other(said.item, vocabulary.items, rng))


def other_sort(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """A thing of another class, without the old one's quality."""
    return replace(said, sort=other(said.sort, SORTS, rng), item=pick(rng, vocabulary.items), quality=None)


def other_quality(said: Proposition, rng: Random) -> Proposition:
    """The same dimension, another value: the two exclude each other. Needs a quality."""
    assert said.quality is not None
    dimension, value = said.quality
    return replace(said, quality=(dimension, other(value, VALUES, rng)))
