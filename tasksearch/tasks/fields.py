"""From fields to examples, one builder per kind: every format and every source meets here.

Fields: pair `a b label` · sentence `a label` · multilabel `a labels` · choice `prompt choices label` ·
span `question context answers[{start, text}]` · tagging `words tags` · retrieval `text english` ·
mining `text english translations` · mlm `a b`; every row may carry `id` and
`document`. Labels and tags are names, a choice's label is an index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import (
    BitextExample,
    ChoiceExample,
    Example,
    LabelSetExample,
    PoolSentence,
    RawText,
    SpanExample,
    TagExample,
    TextExample,
)

Row = Mapping[str, Any]

FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What a builder raises for a row that does not fit its card; `why` says it in words."""


def build(row: Row, card: TaskCard, number: int) -> Example:
    """One example of the card's kind; `number` is its id where the row has none.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: a row that does not fit the card.
    """
    return _BUILDERS[card.kind](row, card, str(number))


def why(fault: Exception) -> str:
    """A builder's fault in words."""
    return f"field {fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)


def text_of(row: Row, field: str) -> str:
    """A field that must be text."""
    value = row[field]
    if not isinstance(value, str):
        raise ValueError(f"field {field!r} is {value!r}; expected text")
    return value


def texts_of(row: Row, field: str) -> tuple[str, ...]:
    """A field that must be a list of texts."""
    value = row[field]
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"field {field!r} is {value!r}; expected a list of texts")
    return tuple(value)


def whole_of(row: Row, field: str) -> int:
    """A field that must be a whole number; `int()` would take 0.9 for 0."""
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"field {field!r} is {value!r}; expected a whole number")
    return value


def _label(card: TaskCard, name: object) -> int:
    if name not in card.labels:
        raise ValueError(f"unknown label {name!r}; expected one of {', '.join(card.labels)}")
    return card.labels.index(str(name))


def _marks(row: Row, number: str) -> tuple[str, str]:
    return str(row.get("id", number)), str(row.get("document", ""))


def _text(row: Row, card: TaskCard, number: str) -> TextExample:
    name, document = _marks(row, number)
    pair = text_of(row, "b") if card.kind == "pair" else None
    return TextExample(name, text_of(row, "a"), pair, _label(card, row["label"]), document)


def _label_set(row: Row, card: TaskCard, number: str) -> LabelSetExample:
    name, document = _marks(row, number)
    given = sorted({_label(card, label) for label in texts_of(row, "labels")})
    return LabelSetExample(name, text_of(row, "a"), tuple(given), document)


def _choice(row: Row, card: TaskCard, number: str) -> ChoiceExample:
    name, document = _marks(row, number)
    choices, label = texts_of(row, "choices"), whole_of(row, "label")
    if not 0 <= label < len(choices):
        raise ValueError(f"label {label} of {len(choices)} choices")
    return ChoiceExample(name, text_of(row, "prompt"), choices, label, document)


def _span(row: Row, card: TaskCard, number: str) -> SpanExample:
    name, document = _marks(row, number)
    question, context = text_of(row, "question"), text_of(row, "context")
    answers = tuple((whole_of(a, "start"), text_of(a, "text")) for a in row["answers"])
    for start, text in answers:
        if start < 0 or context[start : start + len(text)] != text:
            raise ValueError(f"the context does not hold the answer {text!r} at character {start}")
    return SpanExample(name, question, context, answers, document)


def _tagging(row: Row, card: TaskCard, number: str) -> TagExample:
    name, document = _marks(row, number)
    words, tags = texts_of(row, "words"), tuple(_label(card, tag) for tag in row["tags"])
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words but {len(tags)} tags")
    return TagExample(name, words, tags, document)


def _retrieval(row: Row, card: TaskCard, number: str) -> BitextExample:
    name, document = _marks(row, number)
    return BitextExample(name, text_of(row, "text"), text_of(row, "english"), document)


def _mining(row: Row, card: TaskCard, number: str) -> PoolSentence:
    name, document = _marks(row, number)
    english = row["english"]
    if not isinstance(english, bool):
        raise ValueError(f"field 'english' is {english!r}; expected true or false")
    translations = texts_of(row, "translations") if "translations" in row else ()
    if english and translations:
        raise ValueError("an English sentence with translations; expected them at the foreign one")
    return PoolSentence(name, text_of(row, "text"), english, translations, document)


def _raw(row: Row, card: TaskCard, number: str) -> RawText:
    name, document = _marks(row, number)
    return RawText(name, text_of(row, "a"), text_of(row, "b") if row.get("b") is not None else None, document)


_BUILDERS: dict[str, Callable[[Row, TaskCard, str], Example]] = {
    "pair": _text,
    "sentence": _text,
    "multilabel": _label_set,
    "choice": _choice,
    "span": _span,
    "tagging": _tagging,
    "retrieval": _retrieval,
    "mining": _mining,
    "mlm": _raw,
}
