"""Read the examples of one card, language and split from a file; a record that does not fit raises a one-line error."""

from __future__ import annotations

import hashlib
import marshal
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import merge
from itertools import chain
from operator import itemgetter
from pathlib import Path
from stat import S_ISREG
from typing import Any

from tasksearch.core.errors import BadInput, DataMissing, UnknownName
from tasksearch.core.text_files import has_byte_order_mark
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import ChoiceExample, Example
from tasksearch.tasks.fields import FAULTS, build, label_name, named, why
from tasksearch.tasks.formats import FORMATS, Ask, Broken, Format, LeftOut, Record
from tasksearch.tasks.source_spec import Files

READER = 1
"""Raised by hand whenever a change of reading changes examples; part of every segment's signature."""


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """Content of a file.

    Attributes:
        examples: examples in file order.
        skipped: one line per bad record that was skipped.
        left_out: (reason, number of records that the authors themselves exclude).
    """

    examples: tuple[Example, ...]
    skipped: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def joined(parts: Sequence[FileReading]) -> FileReading:
        """Concatenate readings."""
        left = Counter[str]()
        for part in parts:
            left.update(dict(part.left_out))
        return FileReading(
            examples=tuple(example for part in parts for example in part.examples),
            skipped=tuple(line for part in parts for line in part.skipped),
            left_out=tuple(sorted(left.items())),
        )


@dataclass(kw_only=True)
class Tally:
    """Records that a reader skips: one line per bad record, and counts per reason of those that the authors exclude."""

    skipped: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def path_of(root: Path, card: TaskCard, files: Files, language: str, split: str) -> Path:
    """Return the path of the file of one language and split.

    Raises:
        BadInput: the path would leave the data folder.
    """
    relative = files.relative(card.folder, language, split)
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise BadInput(f"card {card.name!r}: path {relative!r} leaves the data folder")
    return root / relative


def root_of(root: Path, card: TaskCard, files: Files, language: str, split: str) -> Path:
    """Return the folder that the source's paths are relative to.

    It is that of the user's suite file if the file exists there, else the data folder.
    """
    if not files.home:
        return root
    relative = files.relative(card.folder, language, split)
    path_of(root, card, files, language, split)  # refuse a path that leaves its folder
    return home if any((home := Path(files.home)).glob(relative)) or str(root) in ("", ".") else root


def read_file(path: Path, card: TaskCard, files: Files, language: str, split: str, *, skip_bad: int = 0) -> FileReading:
    """Read one file according to its card.

    Args:
        skip_bad: maximum number of bad records to skip; skipped ones are listed in the result.

    Raises:
        DataMissing: the file is missing.
        BadInput: the file is damaged, holds no example of the language, or more bad records than allowed; names file and line.
    """
    return read_records(records_of(path, files, language), path, card, files, language, split, skip_bad=skip_bad)


def read_records(
    records: Iterable[Record], place: Path | str, card: TaskCard, files: Files, language: str, split: str, *, skip_bad: int = 0
) -> FileReading:
    """Read records from any origin as `read_file` does; `place` is put before the record number in messages."""
    tally = Tally()
    examples = tuple(examples_of(records, place, card, files, language, split, tally, skip_bad=skip_bad))
    return FileReading(examples=examples, skipped=tuple(tally.skipped), left_out=tuple(sorted(tally.left_out.items())))


def examples_of(
    records: Iterable[Record],
    place: Path | str,
    card: TaskCard,
    files: Files,
    language: str,
    split: str,
    tally: Tally,
    *,
    skip_bad: int = 0,
) -> Iterator[Example]:
    """Yield the examples of `read_records` one by one, for sets too large for memory; skipped records are added to `tally`."""
    form = _format(files.format)
    ask = Ask(card=card, language=language, split=split, columns=dict(files.columns))
    seen: set[str] = set()
    empty = True
    first = (0, 0)
    labels, documents = dict(files.labels), _document_pattern(files, language)
    for number, content in records:
        try:
            row = _row(form, content, ask)
            if row is None:
                continue
            if isinstance(row, LeftOut):
                tally.left_out[row.why] += 1
                continue
            example = _with_document(build(_relabelled(row, labels), card, number), documents)
            if named(row, "id"):
                _check_new(example.id, seen)
            first = first if first[0] else (number, _choices(example))
            if _choices(example) != first[1]:
                raise ValueError(
                    f"{_choices(example)} choices where line {first[0]} has {first[1]}; expected one number in a file"
                )
        except FAULTS as fault:
            line = f"{place}:{number}: {why(fault)} (task {card.name!r}, kind {card.kind})"
            tally.skipped.append(line)
            if len(tally.skipped) > skip_bad:
                raise BadInput(_too_many(tally.skipped, skip_bad)) from None
        else:
            empty = False
            yield example
    if empty:
        raise BadInput(f"{place}: the file holds no example" + (f" of {language!r}" if files.language_column else ""))


def _too_many(skipped: list[str], allowed: int) -> str:
    return skipped[-1] if not allowed else f"{skipped[-1]}; {len(skipped)} bad records, {allowed} allowed by --skip-bad"


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise UnknownName("file format", name, FORMATS)
    return FORMATS[name]


def _row(form: Format, content: Any, ask: Ask) -> Mapping[str, Any] | LeftOut | None:
    if isinstance(content, Broken):
        raise ValueError(content.why)
    if isinstance(content, LeftOut):
        return content
    return form.row(content, ask)


def _relabelled(row: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    if not labels:
        return row
    changed = dict(row)
    if "label" in row:
        changed["label"] = _mapped(row["label"], labels)
    for field_of_many in ("tags", "labels"):
        if isinstance(row.get(field_of_many), list | tuple):
            changed[field_of_many] = [_mapped(tag, labels) for tag in row[field_of_many]]
    return changed


def _mapped(value: Any, labels: Mapping[str, str]) -> Any:
    name = label_name(value)
    return labels.get(name, name) if isinstance(name, str) else value


def _check_new(name: str, seen: set[str]) -> None:
    if name in seen:
        raise ValueError(f"a second example with id {name!r}")
    seen.add(name)


def _choices(example: Example) -> int:
    """Return the number of choices, which must be equal within a file since a batch is a rectangular array."""
    return len(example.choices) if isinstance(example, ChoiceExample) else 0


def _document_pattern(files: Files, language: str) -> re.Pattern[str] | None:
    patterns = dict(files.documents)
    pattern = patterns.get(language, patterns.get("*"))
    return re.compile(pattern) if pattern else None


def _with_document(example: Example, pattern: re.Pattern[str] | None) -> Example:
    if pattern is None:
        return example
    found = pattern.match(example.document)
    return replace(example, document=found.group(1) or "" if found else "")


def records_of(path: Path, files: Files, language: str) -> Iterable[Record]:
    """Return the records of one language in a file; raises as `read_file` does."""
    form = _format(files.format)
    if not files.language_column:
        return form.records(path)
    return _by_language(path, files, stamp_of(path)).get(files.code(language), ())


@lru_cache(maxsize=6)
def _by_language(path: Path, files: Files, stamp: tuple[int, int]) -> dict[str, _Packed]:
    """Read a file of several languages once. A record without a language is added to every language, as a bad record."""
    groups: dict[str, _Packed] = {}
    lost: list[Record] = []
    for number, content in _format(files.format).records(path):
        named = content.get(files.language_column) if isinstance(content, Mapping) else None
        if isinstance(named, str):
            groups.setdefault(named, _Packed(lost)).add((number, content))
        else:
            lost.append((number, content if isinstance(content, Broken) else Broken(f"no {files.language_column!r} column")))
    return groups


class _Packed:
    """Records of one language, by `_PACK` as one string: as objects those of 200 languages take 0.2 GB of every process.

    Args:
        lost: records that belong to every language; read when iterated, in their places by number.
    """

    def __init__(self, lost: Sequence[Record]) -> None:
        self._lost = lost
        self._packs: list[bytes | list[Record]] = []
        self._loose: list[Record] = []

    def add(self, record: Record) -> None:
        """Append a record; numbers ascend."""
        self._loose.append(record)
        if len(self._loose) == _PACK:
            self._packs.append(_pack(self._loose))
            self._loose = []

    def __iter__(self) -> Iterator[Record]:
        packs = (marshal.loads(pack) if isinstance(pack, bytes) else pack for pack in (*self._packs, self._loose))
        return merge(chain.from_iterable(packs), self._lost, key=itemgetter(0))


_PACK = 32


def _pack(records: list[Record]) -> bytes | list[Record]:
    """Return the records as one string; as they are if one holds more than plain values."""
    try:
        return marshal.dumps(records)
    except ValueError:
        return records


def stamp_of(path: Path) -> tuple[int, int]:
    """Return (size, modification time) of a file; raises DataMissing if it is missing."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    if not S_ISREG(stat.st_mode):
        raise BadInput(f"{path} is no regular file; expected one that ends and can be read again")
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=4096)
def _digest(path: str, stamp: tuple[int, int]) -> str:
    digest = hashlib.sha256()
    if has_byte_order_mark(Path(path)):
        digest.update(b"read without its byte-order mark")  # earlier versions read the mark as part of the first line
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except OSError as fault:
        raise BadInput(f"{path}: cannot be read ({fault.strerror or fault})") from None
    return digest.hexdigest()[:24]


def file_fingerprint(path: Path) -> str:
    """Return a hash of a file's bytes; cached while its size and modification time stay the same.

    Raises:
        DataMissing: the file is missing.
        BadInput: the file cannot be read.
    """
    return _digest(str(path), stamp_of(path))


def ids_of(examples: Iterable[Example]) -> Iterator[str]:
    """Yield a name for each example: its document and its id."""
    return (f"{example.document}\n{example.id}" for example in examples)
