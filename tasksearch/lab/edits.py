"""Edits of propositions: restatements, next events, and changes of exactly one part."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tasksearch.lab.world import ACTIONS, EVERYTHING, SORTS, SYNONYMS, VALUES, Proposition, Vocabulary, World, pick


def restated(said: Proposition, rng: Random, *, drop: float = 0.5, hypernym: float = 0.3, synonym: float = 0.6) -> Proposition:
    """Return a proposition entailed by `said`: modifiers dropped, a synonym, the class word, each with its probability."""
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
    """Return what the same person does next: the following action, half of the time with the same object."""
    fresh = world.proposition(rng, vocabulary)
    action = world.follows[said.action]
    if rng.random() < 0.5:
        sort, item, quality = said.sort, said.item, said.quality if rng.random() < 0.5 else None
    else:
        sort, item, quality = pick(rng, world.takes[action]), pick(rng, vocabulary.items), None
    return replace(fresh, person=said.person, action=action, sort=sort, item=item, quality=quality, negated=False)


def other(current: int | None, count: int | tuple[int, ...], rng: Random) -> int:
    """Draw any value but the current one, from `range(count)` or from a tuple."""
    values = range(count) if isinstance(count, int) else count
    return pick(rng, [value for value in values if value != current])


def other_person(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """Change the person."""
    return replace(said, person=other(said.person, vocabulary.persons, rng))


def other_action(said: Proposition, rng: Random) -> Proposition:
    """Change the action."""
    return replace(said, action=other(said.action, ACTIONS, rng), synonym=pick(rng, range(SYNONYMS)))


def other_item(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """Change the object within its class."""
    return replace(said, item=other(said.item, vocabulary.items, rng))


def other_sort(said: Proposition, rng: Random, vocabulary: Vocabulary = EVERYTHING) -> Proposition:
    """Change the object to one of another class, without a quality."""
    return replace(said, sort=other(said.sort, SORTS, rng), item=pick(rng, vocabulary.items), quality=None)


def other_quality(said: Proposition, rng: Random) -> Proposition:
    """Change the quality to another value of its dimension, which excludes the old one. The proposition must have a quality."""
    assert said.quality is not None
    dimension, value = said.quality
    return replace(said, quality=(dimension, other(value, VALUES, rng)))
