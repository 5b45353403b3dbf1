"""The world behind the sentences: concepts, facts about them, and propositions drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple, Self, TypeVar

from tasksearch.core.signature import seed_from

SORTS, ITEMS, PERSONS, PLACES, ACTIONS, SYNONYMS, DIMENSIONS, VALUES, TIMES = 8, 6, 16, 8, 12, 2, 5, 4, 4
FUNCTION_WORDS = ("the", "in", "not", "who", "what", "where", "when")
SUFFIXES = ("object-suffix", "verb-suffix")

T = TypeVar("T")
ConceptKind = Literal["sort", "noun", "person", "place", "action", "quality", "time", "function", "suffix"]


class Concept(NamedTuple):
    """A meaning that every language has a word (or a suffix) for."""

    kind: ConceptKind
    first: int
    second: int = 0


def pick(rng: Random, values: Sequence[T]) -> T:
    """Draw one of the values, uniformly to 2**-53; three times as fast as `Random.choice`, which matters for a corpus."""
    return values[int(rng.random() * len(values))]


def all_concepts() -> tuple[Concept, ...]:
    """Return every concept in a fixed order, in which lexicons are drawn."""
    grids: tuple[tuple[ConceptKind, int, int], ...] = (
        ("sort", SORTS, 1),
        ("noun", SORTS, ITEMS),
        ("person", PERSONS, 1),
        ("place", PLACES, 1),
        ("action", ACTIONS, SYNONYMS),
        ("quality", DIMENSIONS, VALUES),
        ("time", TIMES, 1),
        ("function", len(FUNCTION_WORDS), 1),
        ("suffix", len(SUFFIXES), 1),
    )
    return tuple(Concept(kind, i, j) for kind, rows, columns in grids for i in range(rows) for j in range(columns))


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposition:
    """Who does what to which object, of which quality, where and when.

    Attributes:
        person, action, synonym: indices; a synonym is one of the action's two verbs.
        sort: class of the object, in [0, 8).
        item: the object within its class; None: the class word is used.
        quality: (dimension, value), two values of one dimension exclude each other.
        place, time: indices, or None.
    """

    person: int
    action: int
    synonym: int
    sort: int
    item: int | None
    quality: tuple[int, int] | None = None
    place: int | None = None
    time: int | None = None
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The part of the world that items are drawn from; actions, times and class words are common to all."""

    persons: tuple[int, ...] = tuple(range(PERSONS))
    items: tuple[int, ...] = tuple(range(ITEMS))
    dimensions: tuple[int, ...] = tuple(range(DIMENSIONS))
    places: tuple[int, ...] = tuple(range(PLACES))


EVERYTHING = Vocabulary()
INTERMEDIATE = Vocabulary(persons=tuple(range(8)), items=(0, 2, 3, 4), dimensions=(0, 1), places=(0, 1, 2, 3, 4))
TARGET = Vocabulary(persons=tuple(range(8, 16)), items=(1, 2, 3, 5), dimensions=(2, 3, 4), places=(3, 4, 5, 6, 7))
"""Persons and qualities are disjoint between intermediate and target items; nouns and places overlap in part."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Facts about the world, random but fixed by the seed.

    Attributes:
        likes: person → 3 classes of object.
        habits: person → 4 actions.
        takes: action → 3 classes of object.
        venues: action → 2 places.
        typical: (class, item) → value in each of 2 dimensions of quality.
        follows: action → the action that comes after it; a permutation without a fixed point.
    """

    seed: int
    likes: tuple[tuple[int, ...], ...]
    habits: tuple[tuple[int, ...], ...]
    takes: tuple[tuple[int, ...], ...]
    venues: tuple[tuple[int, ...], ...]
    typical: dict[tuple[int, int], dict[int, int]]
    follows: tuple[int, ...]

    @classmethod
    def generate(cls, seed: int) -> Self:
        """Draw the world of that seed."""
        rng = Random(seed_from("lab", "world", seed))
        follows = list(range(ACTIONS))
        while any(action == after for action, after in enumerate(follows)):
            rng.shuffle(follows)
        return cls(
            seed=seed,
            likes=tuple(tuple(rng.sample(range(SORTS), 3)) for _ in range(PERSONS)),
            habits=tuple(tuple(rng.sample(range(ACTIONS), 4)) for _ in range(PERSONS)),
            takes=tuple(tuple(rng.sample(range(SORTS), 3)) for _ in range(ACTIONS)),
            venues=tuple(tuple(rng.sample(range(PLACES), 2)) for _ in range(ACTIONS)),
            typical={
                (sort, item): {dimension: rng.randrange(VALUES) for dimension in rng.sample(range(DIMENSIONS), 2)}
                for sort in range(SORTS)
                for item in range(ITEMS)
            },
            follows=tuple(follows),
        )

    def rng(self, *parts: str) -> Random:
        """Return a random stream for a purpose: adding a task does not change another task's items."""
        return Random(seed_from("lab", "stream", self.seed, *parts))

    def proposition(self, rng: Random, vocabulary: Vocabulary = EVERYTHING, *, full: bool = False) -> Proposition:
        """Draw a plausible proposition; with `full` it always has quality and place."""
        person = pick(rng, vocabulary.persons)
        action = pick(rng, self.habits[person]) if rng.random() < 0.8 else pick(rng, range(ACTIONS))
        sort = self._sort(rng, person, action)
        item = vocabulary.items[min(int(rng.expovariate(0.5)), len(vocabulary.items) - 1)]
        return Proposition(
            person=person,
            action=action,
            synonym=pick(rng, range(SYNONYMS)),
            sort=sort,
            item=item,
            quality=self.quality(rng, sort, item, vocabulary) if full or rng.random() < 0.6 else None,
            place=self.place(rng, action, vocabulary) if full or rng.random() < 0.5 else None,
            time=pick(rng, range(TIMES)) if rng.random() < 0.3 else None,
            negated=rng.random() < 0.1,
        )

    def quality(self, rng: Random, sort: int, item: int, vocabulary: Vocabulary = EVERYTHING) -> tuple[int, int]:
        """Draw a quality of the object, mostly of a typical dimension and at its typical value."""
        typical = self.typical[sort, item]
        known = [dimension for dimension in typical if dimension in vocabulary.dimensions]
        dimension = pick(rng, known) if known and rng.random() < 0.8 else pick(rng, vocabulary.dimensions)
        usual = dimension in typical and rng.random() < 0.8
        return dimension, typical[dimension] if usual else pick(rng, range(VALUES))

    def place(self, rng: Random, action: int, vocabulary: Vocabulary = EVERYTHING) -> int:
        """Draw a place for the action, mostly one of its venues where the vocabulary has one."""
        venues = [place for place in self.venues[action] if place in vocabulary.places]
        return pick(rng, venues) if venues and rng.random() < 0.8 else pick(rng, vocabulary.places)

    def _sort(self, rng: Random, person: int, action: int) -> int:
        if rng.random() >= 0.9:
            return pick(rng, range(SORTS))
        both = [sort for sort in self.takes[action] if sort in self.likes[person]]
        return pick(rng, both or self.takes[action])
