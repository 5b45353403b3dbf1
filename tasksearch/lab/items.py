"""Items of tasks before they are written in a language: the same latents are realised in all languages."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from tasksearch.lab.grammar import Asked, Clause, Word, realise, text_of
from tasksearch.lab.languages import ENGLISH, LabLanguage
from tasksearch.lab.lexicon import Forms
from tasksearch.lab.world import Concept, World

Row = dict[str, Any]
Tagging = Literal["parts", "senses", "marks"]
MARKS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class PairItem:
    """Two clauses and the name of their label."""

    first: Clause
    second: Clause
    label: str

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"a", "b", "label"}` in the language."""
        forms = lexicons[language.code]
        return {"a": text_of(self.first, language, forms), "b": text_of(self.second, language, forms), "label": self.label}


@dataclass(frozen=True, kw_only=True, slots=True)
class SentenceItem:
    """A clause and the name of its label."""

    clause: Clause
    label: str

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"a", "label"}` in the language."""
        return {"a": text_of(self.clause, language, lexicons[language.code]), "label": self.label}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceItem:
    """A clause, clauses or single words to choose from, and the index of the right one."""

    prompt: Clause
    choices: tuple[Clause | Concept, ...]
    label: int

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"prompt", "choices", "label"}` in the language."""
        forms = lexicons[language.code]
        choices = [forms[c] if isinstance(c, Concept) else text_of(c, language, forms) for c in self.choices]
        return {"prompt": text_of(self.prompt, language, forms), "choices": choices, "label": self.label}


@dataclass(frozen=True, kw_only=True, slots=True)
class SpanItem:
    """A question about a context that holds the answer."""

    question: Clause
    context: Clause

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"question", "context", "answers"}` in the language.

        The answer to `what` is the noun with its quality, without an article.
        """
        forms = lexicons[language.code]
        words = realise(self.context, language, forms)
        assert self.question.asked is not None
        start, answer = answer_span(words, self.question.asked)
        context = " ".join(word.text for word in words)
        question = text_of(self.question, language, forms)
        return {"question": question, "context": context, "answers": [{"start": start, "text": answer}]}


@dataclass(frozen=True, kw_only=True, slots=True)
class TagItem:
    """A clause whose words are tagged by one of the taggings."""

    clause: Clause
    tagging: Tagging

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"words", "tags"}` in the language."""
        words = realise(self.clause, language, lexicons[language.code])
        tag = _TAGGERS[self.tagging]
        return {"words": [word.text for word in words], "tags": [tag(word, self.clause) for word in words]}


@dataclass(frozen=True, kw_only=True, slots=True)
class BitextItem:
    """A clause and its free English translation."""

    clause: Clause
    translation: Clause

    def row(self, language: LabLanguage, lexicons: dict[str, Forms]) -> Row:
        """Return `{"text", "english"}`."""
        english = text_of(self.translation, ENGLISH, lexicons["en"])
        return {"text": text_of(self.clause, language, lexicons[language.code]), "english": english}


Item = PairItem | SentenceItem | ChoiceItem | SpanItem | TagItem | BitextItem
Make = Callable[[World, Random], Item]


def answer_span(words: list[Word], asked: Asked) -> tuple[int, str]:
    """Return start character and text of the participant asked for, in the words joined by single spaces."""
    wanted = {"thing", "quality"} if asked == "thing" else {asked}
    places = [index for index, word in enumerate(words) if word.role in wanted]
    start = sum(len(word.text) + 1 for word in words[: places[0]])
    return start, " ".join(word.text for word in words[places[0] : places[-1] + 1])


def sort_name(sort: int) -> str:
    """Return the label of a class of objects."""
    return f"sort{sort + 1}"


def _sense(word: Word, clause: Clause) -> str:
    return sort_name(clause.proposition.sort) if word.role == "thing" else word.role


def _mark(word: Word, clause: Clause) -> str:
    return f"mark{zlib.crc32(word.text.encode()) % MARKS + 1}"


_TAGGERS: dict[Tagging, Callable[[Word, Clause], str]] = {
    "parts": lambda word, clause: word.tag,
    "senses": _sense,
    "marks": _mark,
}
