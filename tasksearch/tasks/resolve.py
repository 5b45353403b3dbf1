"""Open a card's source: choose among copies, read examples, and compute fingerprints of the content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tasksearch.core.errors import DataMissing, TasksearchError
from tasksearch.core.signature import signature_of
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import Example
from tasksearch.tasks.formats import FORMATS, Record
from tasksearch.tasks.hub import Pin, load_table, pin
from tasksearch.tasks.hub_rows import hub_records
from tasksearch.tasks.reading import (
    READER,
    FileReading,
    Tally,
    examples_of,
    file_fingerprint,
    path_of,
    read_records,
    records_of,
    root_of,
    stamp_of,
)
from tasksearch.tasks.source_spec import PACKED, ByPart, Files, FirstOf, Hub, Source
from tasksearch.tasks.unnamed_documents import leaves_documents_unnamed

_GLOB = frozenset("*?[")
_OTHERS = "files of other languages"


def paths_of(root: Path, card: TaskCard, files: Files, language: str, split: str) -> list[Path]:
    """Return the files of one language and split, sorted by name, whether they exist or not.

    Accompanying files are not included.
    """
    root = root_of(root, card, files, language, split)
    path = path_of(root, card, files, language, split)
    relative = str(path.relative_to(root))
    if not _GLOB & set(relative):
        return [path]
    return sorted(root.glob(relative)) or [path]


def choose(root: Path, card: TaskCard, source: Source, language: str, split: str) -> Files | Hub:
    """Return the copy to read: the first of several that is available.

    A hub table is available if its commit can be determined.

    Raises:
        DataMissing: none of several copies is available.
    """
    if isinstance(source, ByPart):
        return choose(root, card, _part(card, source, language, split), language, split)
    if not isinstance(source, FirstOf):
        return source
    for copy in source.sources:
        if not absent(root, card, copy, language, split):
            return choose(root, card, copy, language, split)
    raise DataMissing(absent(root, card, source, language, split))


def _part(card: TaskCard, source: ByPart, language: str, split: str) -> Source:
    found = source.of(language, split)
    if found is None:
        raise DataMissing(_unnamed(card, language, split))
    return found


def _unnamed(card: TaskCard, language: str, split: str) -> str:
    return f"card {card.name!r} names no file for language {language!r}, split {split!r}"


def absent(root: Path, card: TaskCard, source: Source, language: str, split: str) -> str:
    """Return a description of what is missing; empty if the data are available."""
    if isinstance(source, ByPart):
        found = source.of(language, split)
        return _unnamed(card, language, split) if found is None else absent(root, card, found, language, split)
    if isinstance(source, FirstOf):
        gone = [absent(root, card, copy, language, split) for copy in source.sources]
        return _nowhere([why for why in gone if why != _OTHERS]) if all(gone) else ""
    if isinstance(source, Hub):
        try:
            pin(source.id, source.revision)
        except TasksearchError as fault:
            return str(fault)
        return ""
    if not source.holds(language):
        return _OTHERS
    wanted = [file for path in paths_of(root, card, source, language, split) for file in (path, *_beside(source, path))]
    return next((str(path) for path in wanted if not path.is_file()), "")


def _nowhere(gone: list[str]) -> str:
    return ", nor ".join(gone)


def _beside(files: Files, path: Path) -> tuple[Path, ...]:
    form = FORMATS.get(files.format)
    return form.beside(path) if form else ()


def read_source(
    root: Path,
    card: TaskCard,
    source: Source,
    language: str,
    split: str,
    *,
    skip_bad: int = 0,
    on_pin: Callable[[Pin], None] | None = None,
) -> FileReading:
    """Read the examples of one language and split; raises as `read_file` and `load_table` do.

    Args:
        on_pin: called with the commit of a hub table that is read.
    """
    parts = []
    for part in _parts(root, card, source, language, split, on_pin):
        parts.append(read_records(part.records, part.place, card, part.files, language, split, skip_bad=skip_bad))
    return FileReading.joined(parts)


def stream_source(
    root: Path,
    card: TaskCard,
    source: Source,
    language: str,
    split: str,
    tally: Tally,
    *,
    skip_bad: int = 0,
) -> Iterator[Example]:
    """Yield the examples of `read_source` one by one without keeping them."""
    for part in _parts(root, card, source, language, split, None):
        own = Tally()
        yield from examples_of(part.records, part.place, card, part.files, language, split, own, skip_bad=skip_bad)
        tally.skipped += own.skipped
        tally.left_out.update(own.left_out)


@dataclass(frozen=True, kw_only=True)
class _Part:
    records: Iterable[Record]
    place: str
    files: Files


def _parts(
    root: Path, card: TaskCard, source: Source, language: str, split: str, on_pin: Callable[[Pin], None] | None
) -> Iterator[_Part]:
    """Yield what a split is read from: one file after another, or a hub table."""
    copy = choose(root, card, source, language, split)
    if isinstance(copy, Files):
        for path in paths_of(root, card, copy, language, split):
            yield _Part(records=records_of(path, copy, language), place=str(path), files=copy)
        return
    found = pin(copy.id, copy.revision)
    if on_pin:
        on_pin(found)
    config, part = copy.named(language, split)
    records = hub_records(load_table(found, config, part), copy, card.kind, language)
    yield _Part(records=records, place=f"{found.id} ({config}, {part}) at {found.commit[:12]}", files=PACKED)


def pin_of(root: Path, card: TaskCard, source: Source, language: str, split: str) -> Pin | None:
    """Return the commit of the hub table that would be read; None for files. Raises as `choose` and `pin` do."""
    copy = choose(root, card, source, language, split)
    return pin(copy.id, copy.revision) if isinstance(copy, Hub) else None


def serves_several(root: Path, card: TaskCard, source: Source, language: str, split: str) -> bool:
    """Whether `fingerprint` may not tell the language from another: a hub table, or files that are not its own alone."""
    copy = choose(root, card, source, language, split)
    return isinstance(copy, Hub) or not copy.alone(language, card.languages)


def sharing(source: Source, languages: Collection[str], splits: Collection[str]) -> frozenset[str]:
    """Return those of these languages that some copy of the data holds in one place with another of them."""
    match source:
        case Hub():
            return frozenset(languages) if len(languages) > 1 else frozenset()
        case Files():
            held = [language for language in languages if source.holds(language)]
            places = Counter(source.relative("", language, "") for language in held)
            return frozenset(language for language in held if places[source.relative("", language, "")] > 1)
        case FirstOf(sources=copies):
            return frozenset[str]().union(*(sharing(copy, languages, splits) for copy in copies))
        case ByPart():
            found = frozenset[str]()
            for split in splits:
                parts: dict[Source, list[str]] = {}
                for language in languages:
                    if (part := source.of(language, split)) is not None:
                        parts.setdefault(part, []).append(language)
                found = found.union(*(sharing(part, held, splits) for part, held in parts.items()))
            return found


def serves_splits(root: Path, card: TaskCard, source: Source, language: str, split: str) -> bool:
    """Whether `fingerprint` does not tell splits apart: a hub table, or files of several splits."""
    copy = choose(root, card, source, language, split)
    return isinstance(copy, Hub) or ((form := FORMATS.get(copy.format)) is not None and form.by_split)


def fingerprint(root: Path, card: TaskCard, source: Source, language: str, split: str) -> str:
    """Return a hash of the data's content (for a hub table, its commit) and of how it is read.

    Languages of one file or hub data set have the same, and so have splits of a hub data set or of a file of several: what
    names data by it names language and split too.
    """
    copy = choose(root, card, source, language, split)
    if isinstance(copy, Hub):
        found = pin(copy.id, copy.revision)
        return f"{found.id}@{found.commit}/{_reading(copy)}"
    paths = paths_of(root, card, copy, language, split)
    hashes = [file_fingerprint(file) for path in paths for file in (path, *_beside(copy, path))]
    if any(leaves_documents_unnamed(path, copy, card.kind, stamp_of(path)) for path in paths):
        hashes.append("documents without a name")
    content = hashes[0] if len(hashes) == 1 else signature_of("files", hashes)
    return f"{content}/{_reading(copy)}"


@lru_cache(maxsize=1024)
def _reading(copy: Files | Hub) -> str:
    """Return a hash of how a copy is read."""
    return signature_of(READER, copy)
