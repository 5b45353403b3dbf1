"""Build examples from fields, with one builder per kind that all formats and sources share.

Without an `id` the example's number is its id; without a `document` it is a document of its own. Null and empty values count
as missing; a span example with an empty `document` belongs to the document of its context.

Fields: pair `a b label` · sentence `a label` · multilabel `a labels` · choice `prompt choices label` ·
span `question context answers[{start, text}]` · tagging `words tags` · retrieval `text english` ·
mining `text english translations` · mlm `a b`; every row may carry `id` and
`document`. Labels and tags are names, a choice's label is an index.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tasksearch.core.text_files import shown, unencodable
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

FAULTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
"""Exceptions that a builder raises for a row that does not fit its card; `why` describes them in words."""


def build(row: Row, card: TaskCard, number: int) -> Example:
    """Build one example of the card's kind; `number` is its id if the row has none.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the row does not fit the card.
    """
    return _BUILDERS[card.kind](row, card, str(number))


def why(fault: Exception) -> str:
    """Describe a builder's exception in one line of bounded length."""
    if isinstance(fault, RecursionError):
        return "a value is nested too deeply"
    said = f"field {shown(fault.args[0])} is missing" if isinstance(fault, KeyError) else " ".join(str(fault).split("\n"))
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST // 2]} … {said[-_LONGEST // 2 :]}"


_LONGEST = 500


def text_of(row: Row, field: str) -> str:
    """Return a field that must be text that UTF-8 can encode."""
    value = row[field]
    if not isinstance(value, str):
        raise ValueError(f"field {field!r} is {shown(value)}; expected text")
    return _encodable(value, field)


def texts_of(row: Row, field: str) -> tuple[str, ...]:
    """Return a field that must be a list of texts."""
    value = row[field]
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"field {field!r} is {shown(value)}; expected a list of texts")
    return tuple(_encodable(text, field) for text in value)


def _encodable(value: str, field: str) -> str:
    if fault := unencodable(value):
        raise ValueError(f"field {field!r}: {fault}")
    return value


def whole_of(row: Row, field: str) -> int:
    """Return a field that must be a whole number; `int()` would accept 0.9 as 0."""
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"field {field!r} is {shown(value)}; expected a whole number")
    return value


def choice_of(row: Row, field: str) -> int:
    """Return a field that is the index of the correct choice, as a number or as digits."""
    value = row[field]
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(
            f"field {field!r} is {shown(value)}; expected a whole number, the index of the right choice (a test file without "
            "labels cannot be scored)"
        )
    return value


def label_name(value: object) -> object:
    """Return a label's name; a numeric label is named by its digits (`1`, also for `1.0` from tables of floats)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def named(row: Row, field: str) -> str:
    """Return a field that is a name, as text; empty if it is missing, null, NaN or blank."""
    value = row.get(field)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"field {field!r} is {shown(value)}; expected text or a number")
    return _encodable(value, field) if isinstance(value, str) and value.strip() else str(value).strip()


def check_offset(start: int, text: str, context: str) -> None:
    """Raise ValueError unless the context holds the answer at that character; the message says where the answer is."""
    if start < 0 or context[start : start + len(text)] != text:
        at = context.find(text)
        hint = f"it stands at {at}" if at >= 0 else "it is nowhere in it"
        raise ValueError(f"the context does not hold the answer {shown(text)} at character {start}; {hint}")


def _label(card: TaskCard, value: object) -> int:
    name = label_name(value)
    if isinstance(name, str) and name in card.labels:
        return card.labels.index(name)
    numbered = isinstance(name, str) and name.lstrip("-").isdecimal()
    hint = "; numbers need names: `labels` of the card's source says which is which" if numbered else ""
    raise ValueError(f"unknown label {shown(value)}; expected one of {', '.join(card.labels)}{hint}")


def _marks(row: Row, number: str) -> tuple[str, str]:
    unnamed = f"line {number}" if "id" in row else number  # the number alone could be another example's id
    return named(row, "id") or unnamed, named(row, "document")


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
    choices, label = texts_of(row, "choices"), choice_of(row, "label")
    if not 0 <= label < len(choices):
        raise ValueError(f"label {label} of {len(choices)} choices")
    return ChoiceExample(name, text_of(row, "prompt"), choices, label, document)


def _span(row: Row, card: TaskCard, number: str) -> SpanExample:
    name, document = _marks(row, number)
    question, context = text_of(row, "question"), text_of(row, "context")
    answers = tuple((whole_of(a, "start"), text_of(a, "text")) for a in _list_of(row, "answers"))
    for start, text in answers:
        check_offset(start, text, context)
    return SpanExample(name, question, context, answers, document or (context if "document" in row else ""))


def _tagging(row: Row, card: TaskCard, number: str) -> TagExample:
    name, document = _marks(row, number)
    words, tags = texts_of(row, "words"), tuple(_label(card, tag) for tag in _list_of(row, "tags"))
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words but {len(tags)} tags")
    return TagExample(name, words, tags, document)


def _list_of(row: Row, field: str) -> list[Any] | tuple[Any, ...]:
    value = row[field]
    if not isinstance(value, list | tuple):
        raise ValueError(f"field {field!r} is {shown(value)}; expected a list")
    return value


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
