"""One example of each kind, as read from a file and before tokenization."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextExample:
    """A sentence, or a sentence pair if `text_b` is not None, with the index of its label."""

    id: str
    text_a: str
    text_b: str | None
    label: int
    document: str = ""


@dataclass(frozen=True, slots=True)
class LabelSetExample:
    """A sentence with the ascending indices of its labels, of which there may be any number, including none."""

    id: str
    text: str
    labels: tuple[int, ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A prompt, its possible continuations, and the index of the correct one."""

    id: str
    prompt: str
    choices: tuple[str, ...]
    label: int
    document: str = ""


@dataclass(frozen=True, slots=True)
class SpanExample:
    """A question about a context. `answers` holds (first character, text); it is empty if the question has no answer."""

    id: str
    question: str
    context: str
    answers: tuple[tuple[int, str], ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class TagExample:
    """Words, and the index of each one's tag."""

    id: str
    words: tuple[str, ...]
    tags: tuple[int, ...]
    document: str = ""


@dataclass(frozen=True, slots=True)
class BitextExample:
    """A sentence and its English translation."""

    id: str
    text: str
    english: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class PoolSentence:
    """A sentence of one of the two pools that are mined for translations.

    `translations` holds the ids of its translations in the other pool; only foreign sentences have them.
    """

    id: str
    text: str
    english: bool
    translations: tuple[str, ...] = ()
    document: str = ""


@dataclass(frozen=True, slots=True)
class RawText:
    """Text for MLM; `text_b` is an optional second segment: a following sentence, or the translation (TLM)."""

    id: str
    text_a: str
    text_b: str | None
    document: str = ""


Example = TextExample | LabelSetExample | ChoiceExample | SpanExample | TagExample | BitextExample | PoolSentence | RawText
