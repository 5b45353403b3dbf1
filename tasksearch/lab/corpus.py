"""The corpus of phase 1: documents of two segments, code-mixed in part, and sentence pairs with English."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tasksearch.lab.edits import continued, restated
from tasksearch.lab.grammar import Asked, Clause, realise, text_of
from tasksearch.lab.languages import ENGLISH, OTHERS, LabLanguage
from tasksearch.lab.lexicon import Forms
from tasksearch.lab.world import Concept, World

Segments = tuple[str, str]
_FRONTED = 0.3
_SWAPPED = 0.5


class MixedForms(dict[Concept, str]):
    """A lexicon that replaces each word by the other language's with probability one half; suffixes stay.

    It draws at every look-up, so that two mentions of one concept may differ.
    """

    def __init__(self, own: Forms, borrowed: Forms, rng: Random) -> None:
        super().__init__(own)
        self._borrowed, self._rng = borrowed, rng

    def __getitem__(self, concept: Concept) -> str:
        if concept.kind != "suffix" and self._rng.random() < _SWAPPED:
            return self._borrowed[concept]
        return super().__getitem__(concept)


def documents(world: World, lexicons: dict[str, Forms], language: LabLanguage, count: int) -> Iterator[Segments]:
    """Yield documents of two segments: 40 % restatement, 35 % next event, 15 % question with answer, 10 % unrelated."""
    rng = world.rng("documents", language.code)
    own = lexicons[language.code]
    for _ in range(count):
        mixed = rng.random() < language.mixed
        forms = [MixedForms(own, _borrowed(lexicons, language, rng), rng) if mixed else own for _ in range(2)]
        yield _document(world, language, own, (forms[0], forms[1]), rng)


def parallel(world: World, lexicons: dict[str, Forms], language: LabLanguage, count: int) -> Iterator[Segments]:
    """Yield pairs of the same proposition in English and in the language, word for word, in random order."""
    rng = world.rng("parallel", language.code)
    for _ in range(count):
        clause = Clause(proposition=world.proposition(rng))
        pair = text_of(clause, ENGLISH, lexicons["en"]), text_of(clause, language, lexicons[language.code])
        yield pair if rng.random() < 0.5 else (pair[1], pair[0])


def _borrowed(lexicons: dict[str, Forms], language: LabLanguage, rng: Random) -> Forms:
    """Choose the lexicon to mix in: for English any other language's by weight, for the others English."""
    if language.code != "en":
        return lexicons["en"]
    return lexicons[rng.choices(OTHERS, weights=[other.weight for other in OTHERS])[0].code]


def _document(world: World, language: LabLanguage, own: Forms, spoken: tuple[Forms, Forms], rng: Random) -> Segments:
    first, second = spoken
    said = world.proposition(rng)
    opening = text_of(Clause(proposition=said, fronted=rng.random() < _FRONTED), language, first)
    fate = rng.random()
    if 0.75 <= fate < 0.9:
        roles: tuple[Asked, ...] = ("agent", "thing") if said.place is None else ("agent", "thing", "place")
        asked = rng.choice(roles)
        question = Clause(proposition=restated(said, rng, hypernym=0), asked=asked)
        answer = next(word.text for word in realise(Clause(proposition=said), language, own) if word.role == asked)
        return opening, f"{text_of(question, language, second)} {answer}"
    if fate < 0.4:
        then = Clause(proposition=restated(said, rng), fronted=rng.random() < _FRONTED)
    else:
        then = Clause(proposition=continued(world, said, rng) if fate < 0.75 else world.proposition(rng))
    return opening, text_of(then, language, second)
