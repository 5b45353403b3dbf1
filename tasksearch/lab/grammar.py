"""Grammar: from a proposition to the words of a language, each with its part of speech and its role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tasksearch.lab.languages import LabLanguage
from tasksearch.lab.lexicon import Forms
from tasksearch.lab.world import FUNCTION_WORDS, SUFFIXES, Concept, Proposition

Role = Literal["agent", "action", "thing", "quality", "place", "time", "grammar"]
Asked = Literal["agent", "thing", "place", "time"]

PARTS_OF_SPEECH = ("ADJ", "ADP", "ADV", "DET", "LOC", "NOUN", "PART", "PRON", "PROPN", "VERB")
_FUNCTION = {word: Concept("function", index) for index, word in enumerate(FUNCTION_WORDS)}
_SUFFIX = {suffix: Concept("suffix", index) for index, suffix in enumerate(SUFFIXES)}
_PRONOUN: dict[Asked, str] = {"agent": "who", "thing": "what", "place": "where", "time": "when"}


class Word(NamedTuple):
    """A word as written, its part of speech, and its role."""

    text: str
    tag: str
    role: Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A proposition with the choices of wording that the language leaves open.

    Attributes:
        fronted: the time is first instead of last.
        asked: the participant that the question word replaces; None: a statement.
    """

    proposition: Proposition
    fronted: bool = False
    asked: Asked | None = None


def realise(clause: Clause, language: LabLanguage, forms: Forms) -> list[Word]:
    """Return the words of the clause in the language's order: SVO + place, or S + place + OV; time first or last."""
    said, asked = clause.proposition, clause.asked
    subject = _pronoun(asked, forms) if asked == "agent" else [Word(forms[Concept("person", said.person)], "PROPN", "agent")]
    thing = _pronoun(asked, forms) if asked == "thing" else _object(said, language, forms)
    place = _pronoun(asked, forms) if asked == "place" else _place(said, language, forms)
    time = _pronoun(asked, forms) if asked == "time" else _time(said, forms)
    verb = _verb(said, language, forms)
    body = subject + verb + thing + place if language.order == "svo" else subject + place + thing + verb
    return time + body if clause.fronted else body + time


def text_of(clause: Clause, language: LabLanguage, forms: Forms) -> str:
    """Return the clause's words joined by single spaces."""
    return " ".join([word[0] for word in realise(clause, language, forms)])


def _pronoun(asked: Asked, forms: Forms) -> list[Word]:
    return [_function(_PRONOUN[asked], "PRON", forms)]


def _function(word: str, tag: str, forms: Forms) -> Word:
    return Word(forms[_FUNCTION[word]], tag, "grammar")


def _object(said: Proposition, language: LabLanguage, forms: Forms) -> list[Word]:
    concept = Concept("sort", said.sort) if said.item is None else Concept("noun", said.sort, said.item)
    suffix = forms[_SUFFIX["object-suffix"]] if language.suffixes else ""
    noun = [Word(forms[concept] + suffix, "NOUN", "thing")]
    adjective = [Word(forms[Concept("quality", *said.quality)], "ADJ", "quality")] if said.quality else []
    article = [_function("the", "DET", forms)] if language.article else []
    return article + (adjective + noun if language.adjective == "pre" else noun + adjective)


def _verb(said: Proposition, language: LabLanguage, forms: Forms) -> list[Word]:
    suffix = forms[_SUFFIX["verb-suffix"]] if language.suffixes else ""
    verb = Word(forms[Concept("action", said.action, said.synonym)] + suffix, "VERB", "action")
    return [_function("not", "PART", forms), verb] if said.negated else [verb]


def _place(said: Proposition, language: LabLanguage, forms: Forms) -> list[Word]:
    if said.place is None:
        return []
    place, adposition = Word(forms[Concept("place", said.place)], "LOC", "place"), _function("in", "ADP", forms)
    return [adposition, place] if language.adposition == "pre" else [place, adposition]


def _time(said: Proposition, forms: Forms) -> list[Word]:
    return [] if said.time is None else [Word(forms[Concept("time", said.time)], "ADV", "time")]
