"""Lexicons: the form of every concept in every language. No two concepts of a language share a form."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tasksearch.lab.languages import ENGLISH, OTHERS, LabLanguage, Script
from tasksearch.lab.world import Concept, World, all_concepts

Forms = Mapping[Concept, str]
"""One language's words."""

_CONSONANTS: dict[Script, str] = {"latin": "bdfgklmnprstvz", "cyrillic": "бвгджзклмнпрст", "devanagari": "कखगजटडतदनपबमरल"}
_VOWELS: dict[Script, str] = {"latin": "aeiou", "cyrillic": "аеиоуы", "devanagari": "अइउएओ"}


def build_lexicons(world: World) -> dict[str, Forms]:
    """Return language code → forms. Except for anchors and names, a form belongs to one concept of one language only."""
    used: set[str] = set()
    english = _draw(ENGLISH, {}, used, world.rng("lexicon", "en"))
    lexicons: dict[str, Forms] = {"en": english}
    for language in OTHERS:
        lexicons[language.code] = _draw(language, english, used, world.rng("lexicon", language.code))
    return lexicons


def _draw(language: LabLanguage, english: Forms, used: set[str], rng: Random) -> dict[Concept, str]:
    return {concept: _form(concept, language, english.get(concept), used, rng) for concept in all_concepts()}


def _form(concept: Concept, language: LabLanguage, english: str | None, used: set[str], rng: Random) -> str:
    """Return the English form, one with a letter changed, or a fresh one; names are shared by all Latin-script languages."""
    grammatical = concept.kind in ("function", "suffix")
    fate = rng.random()
    if english is None or grammatical or language.script != "latin":
        return _fresh(language.script, used, rng, short=grammatical)
    if concept.kind == "person" or fate < language.anchors:
        return english
    if fate < language.anchors + language.cognates:
        return _cognate(english, used, rng)
    return _fresh(language.script, used, rng)


def _fresh(script: Script, used: set[str], rng: Random, *, short: bool = False) -> str:
    """Draw two or three open syllables, or for grammatical words one closed one: no stem plus suffix is another stem."""
    consonants, vowels = _CONSONANTS[script], _VOWELS[script]
    while True:
        syllables = 1 if short else rng.choice((2, 2, 3))
        form = "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(syllables))
        form += rng.choice(consonants) if short else ""
        if form not in used:
            used.add(form)
            return form


def _cognate(english: str, used: set[str], rng: Random) -> str:
    vowels, consonants = _VOWELS["latin"], _CONSONANTS["latin"]
    for _ in range(50):
        at = rng.randrange(len(english))
        form = english[:at] + rng.choice(vowels if english[at] in vowels else consonants) + english[at + 1 :]
        if form not in used:
            used.add(form)
            return form
    return _fresh("latin", used, rng)
