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
    return examples


def read_raw_text(path: Path) -> list[RawText]:
    """Lines `{"a": …, "b": … or absent}` of a pretraining corpus; raises as `read_packed` does."""
    rows = enumerate(_rows(path), start=1)
    try:
        return [RawText(str(number), row["a"], row.get("b")) for number, row in rows]
    except (KeyError, AttributeError) as fault:
        raise BadInput(f"{path}: {_why(fault)} (raw text)") from None


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
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as fault:
                    raise BadInput(f"{path}:{number}: not a JSON object ({fault.msg})") from None
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise BadInput(f"{path}: damaged gzip file ({fault}); fetch it again") from None
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path}: not UTF-8 at byte {fault.start}; convert the file") from None


def _why(fault: Exception) -> str:
    return f"field {fault.args[0]!r} is missing" if isinstance(fault, KeyError) else str(fault)


def _label(card: TaskCard, name: object) -> int:
    if name not in card.labels:
        raise ValueError(f"unknown label {name!r}; expected one of {', '.join(card.labels)}")
    return card.labels.index(str(name))


def _text(row: Row, card: TaskCard, number: str) -> TextExample:
    pair = row["b"] if card.kind == "pair" else None
    return TextExample(str(row.get("id", number)), row["a"], pair, _label(card, row["label"]), row.get("document", ""))


def _choice(row: Row, card: TaskCard, number: str) -> ChoiceExample:
    choices, label = tuple(row["choices"]), int(row["label"])
    if not 0 <= label < len(choices):
        raise ValueError(f"label {label} of {len(choices)} choices")
    return ChoiceExample(str(row.get("id", number)), row["prompt"], choices, label, row.get("document", ""))


def _span(row: Row, card: TaskCard, number: str) -> SpanExample:
    answers = tuple((int(a["start"]), str(a["text"])) for a in row["answers"])
    for start, text in answers:
        if row["context"][start : start + len(text)] != text:
            raise ValueError(f"the context does not hold the answer {text!r} at character {start}")
    return SpanExample(str(row.get("id", number)), row["question"], row["context"], answers, row.get("document", ""))


def _tagging(row: Row, card: TaskCard, number: str) -> TagExample:
    words, tags = tuple(row["words"]), tuple(_label(card, tag) for tag in row["tags"])
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words but {len(tags)} tags")
    return TagExample(str(row.get("id", number)), words, tags, row.get("document", ""))


def _retrieval(row: Row, card: TaskCard, number: str) -> BitextExample:
    return BitextExample(str(row.get("id", number)), row["text"], row["english"], row.get("document", ""))


def _raw(row: Row, card: TaskCard, number: str) -> RawText:
    return RawText(str(row.get("id", number)), row["a"], row.get("b"), row.get("document", ""))


_PARSERS: dict[str, Callable[[Row, TaskCard, str], Example]] = {
    "pair": _text,
    "sentence": _text,
    "choice": _choice,
    "span": _span,
    "tagging": _tagging,
    "retrieval": _retrieval,
    "mlm": _raw,
}
