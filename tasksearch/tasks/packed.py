"""The packed layout: `<root>/<folder>/<language>.<split>.jsonl.gz`, one JSON object per line, the same fields for every task
of a kind.

Fields: pair `a b label` · sentence `a label` · choice `prompt choices label` · span `question context answers[{start, text}]` ·
tagging `words tags` · retrieval `text english`; every line may carry `id` and `document`. Labels and tags are names, a
choice's label
is an index.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import BitextExample, ChoiceExample, Example, RawText, SpanExample, TagExample, TextExample

Row = Mapping[str, Any]


def packed_path(root: Path, card: TaskCard, language: str, split: str) -> Path:
    """Where the file of one card, language and split stands."""
    return root / card.folder / f"{language}.{split}.jsonl.gz"


def read_packed(path: Path, card: TaskCard) -> list[Example]:
    """All examples of one file, checked against the card.

    Raises:
        DataMissing: no such file.
        BadInput: a damaged file, or a line that does not fit the card; names file and line.
    """
    parse = _PARSERS[card.kind]
    examples: list[Example] = []
    for number, row in enumerate(_rows(path), start=1):
        try:
            examples.append(parse(row, card, f"{number}"))
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BadInput(f"{path}:{number}: {_why(fault)} (task {card.name!r}, kind {card.kind})") from None
    if not examples:
        raise BadInput(f"{path}: the file holds no example")
    _check_choices(path, examples)
    return examples


def _check_choices(path: Path, examples: list[Example]) -> None:
    """A batch is a rectangle of choices, so a file has one number of them."""
    counts = [len(e.choices) for e in examples if isinstance(e, ChoiceExample)]
    for number, count in enumerate(counts, start=1):
        if count != counts[0]:
            raise BadInput(f"{path}:{number}: {count} choices where line 1 has {counts[0]}; expected one number in a file")


def read_raw_text(path: Path) -> list[RawText]:
    """Lines `{"a": …, "b": … or absent}` of a pretraining corpus; raises as `read_packed` does."""
    texts: list[RawText] = []
    for number, row in enumerate(_rows(path), start=1):
        try:
            texts.append(RawText(str(number), _text_of(row, "a"), _text_of(row, "b") if row.get("b") is not None else None))
        except (KeyError, TypeError, ValueError) as fault:
            raise BadInput(f"{path}:{number}: {_why(fault)} (raw text)") from None
    return texts


@lru_cache(maxsize=4096)
def _digest(path: str, size: int, modified: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:24]


def file_fingerprint(path: Path) -> str:
    """Hash of a file's bytes; remembered while its size and time of change stay.

    Raises:
        DataMissing: no such file.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    return _digest(str(path), stat.st_size, stat.st_mtime_ns)


def _rows(path: Path) -> Iterator[Row]:
    try:
        with gzip.open(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield _row(line, f"{path}:{number}")
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput(f"{path}: damaged gzip file ({fault}); fetch it again") from None


def _row(line: bytes, place: str) -> Row:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as fault:
        raise BadInput(f"{place}: not UTF-8 at byte {fault.start} of the line; convert the file") from None
    except json.JSONDecodeError as fault:
        raise BadInput(f"{place}: not a JSON object ({fault.msg})") from None
    if not isinstance(row, dict):
        raise BadInput(f"{place}: not a JSON object (a {type(row).__name__})")
    return row


def _why(fault: Exception) -> str:
    return f"field {fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)


def _text_of(row: Row, field: str) -> str:
    value = row[field]
    if not isinstance(value, str):
        raise ValueError(f"field {field!r} is {value!r}; expected text")
    return value


def _texts_of(row: Row, field: str) -> tuple[str, ...]:
    value = row[field]
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"field {field!r} is {value!r}; expected a list of texts")
    return tuple(value)


def _whole(row: Row, field: str) -> int:
    """A whole number; `int()` would take 0.9 for 0."""
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"field {field!r} is {value!r}; expected a whole number")
    return value


def _label(card: TaskCard, name: object) -> int:
    if name not in card.labels:
        raise ValueError(f"unknown label {name!r}; expected one of {', '.join(card.labels)}")
    return card.labels.index(str(name))


def _text(row: Row, card: TaskCard, number: str) -> TextExample:
    pair = _text_of(row, "b") if card.kind == "pair" else None
    return TextExample(
        str(row.get("id", number)), _text_of(row, "a"), pair, _label(card, row["label"]), row.get("document", "")
    )


def _choice(row: Row, card: TaskCard, number: str) -> ChoiceExample:
    choices, label = _texts_of(row, "choices"), _whole(row, "label")
    if not 0 <= label < len(choices):
        raise ValueError(f"label {label} of {len(choices)} choices")
    return ChoiceExample(str(row.get("id", number)), _text_of(row, "prompt"), choices, label, row.get("document", ""))


def _span(row: Row, card: TaskCard, number: str) -> SpanExample:
    question, context = _text_of(row, "question"), _text_of(row, "context")
    answers = tuple((_whole(a, "start"), _text_of(a, "text")) for a in row["answers"])
    for start, text in answers:
        if context[start : start + len(text)] != text:
            raise ValueError(f"the context does not hold the answer {text!r} at character {start}")
    return SpanExample(str(row.get("id", number)), question, context, answers, row.get("document", ""))


def _tagging(row: Row, card: TaskCard, number: str) -> TagExample:
    words, tags = _texts_of(row, "words"), tuple(_label(card, tag) for tag in row["tags"])
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words but {len(tags)} tags")
    return TagExample(str(row.get("id", number)), words, tags, row.get("document", ""))


def _retrieval(row: Row, card: TaskCard, number: str) -> BitextExample:
    return BitextExample(str(row.get("id", number)), _text_of(row, "text"), _text_of(row, "english"), row.get("document", ""))


def _raw(row: Row, card: TaskCard, number: str) -> RawText:
    return RawText(str(row.get("id", number)), _text_of(row, "a"), row.get("b"), row.get("document", ""))


_PARSERS: dict[str, Callable[[Row, TaskCard, str], Example]] = {
    "pair": _text,
    "sentence": _text,
    "choice": _choice,
    "span": _span,
    "tagging": _tagging,
    "retrieval": _retrieval,
    "mlm": _raw,
}
