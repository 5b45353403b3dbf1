"""Plan what to download for a suite from its cards and the facts in `published`, without network access.

A card's source already says where its files are read. What is published for that place is what must be downloaded, so there is
no second table of tasks, and downloads are found where they are expected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.download.published import ARCHIVES, Archive, licences_beside, matching
from tasksearch.tasks.download.transfer import Download
from tasksearch.tasks.formats import FORMATS
from tasksearch.tasks.resolve import absent
from tasksearch.tasks.source import wanted
from tasksearch.tasks.source_spec import ByPart, Files, FirstOf, Hub, Source


@dataclass(frozen=True, kw_only=True)
class Table:
    """One split of a hub data set."""

    source: Hub
    config: str
    split: str


Item = Download | Archive | Table
"""What one download step fetches."""


def address_of(item: Item) -> str:
    """Return where an item comes from, as text for users."""
    if isinstance(item, Table):
        return f"hub: {item.source.id} ({item.config}, {item.split})"
    return (item.file if isinstance(item, Archive) else item).url


@dataclass(frozen=True, kw_only=True)
class DownloadPlan:
    """What to download, and for which tasks.

    Attributes:
        items: each item once, in the order of the cards.
        tasks: item → tasks that read it.
        by_hand: task → languages and splits without a known download, such as `en train`.
        there: number of data files (task, language and split) that are already available.
    """

    items: tuple[Item, ...]
    tasks: dict[Item, tuple[str, ...]] = field(default_factory=dict)
    by_hand: dict[str, tuple[str, ...]] = field(default_factory=dict)
    there: int = 0

    def of_task(self, task: str) -> tuple[Item, ...]:
        """Return the items that a task reads."""
        return tuple(item for item in self.items if task in self.tasks[item])


def plan_download(
    root: Path, cards: Sequence[TaskCard], languages: Sequence[str], failed: Collection[Item] = ()
) -> DownloadPlan:
    """Plan what is missing below `root` and how to get it.

    Args:
        languages: languages whose evaluation data are needed; empty: all of each card's. English training data are always
            included.
        failed: items that could not be downloaded; another copy replaces them if there is one.
    """
    items: dict[Item, dict[str, None]] = {}
    by_hand: dict[str, list[str]] = {}
    there = 0
    for card in cards:
        for source, language, split in wanted(card, tuple(languages) or card.languages):
            if is_there(root, card, source, language, split):
                there += 1
                continue
            copies = [copy for copy in copies_of(card, source, language, split) if not set(copy) & set(failed)]
            if not copies:
                by_hand.setdefault(card.name, []).append(f"{language} {split}")
                continue
            for item in copies[0]:
                items.setdefault(item, {})[card.name] = None
    singles = [item.place for item in items if isinstance(item, Download)]
    for licence in licences_beside(singles):
        folder = licence.place.rpartition("/")[0]
        beside = [item for item in items if isinstance(item, Download) and item.place.rpartition("/")[0] == folder]
        if licence not in failed and not (root / licence.place).is_file():
            items.setdefault(licence, {}).update(items[beside[0]])
    return DownloadPlan(
        items=tuple(items),
        tasks={item: tuple(tasks) for item, tasks in items.items()},
        by_hand={task: tuple(dict.fromkeys(lines)) for task, lines in by_hand.items()},
        there=there,
    )


def is_there(root: Path, card: TaskCard, source: Source, language: str, split: str) -> bool:
    """Whether the data files are where they are read. Always False for a hub table, since only the hub's own cache knows."""
    return any(
        isinstance(copy, Files)
        and not absent(root, card, copy, language, split)
        and not _half_unpacked(root, copy.relative(card.folder, language, split))
        for copy in _copies(source)
    )


def _half_unpacked(root: Path, place: str) -> bool:
    """Whether unpacking of an archive that contains the place was interrupted: the archive is deleted only after unpacking."""
    return any(archive.gives(place) and (root / archive.file.place).is_file() for archive in ARCHIVES)


def copies_of(card: TaskCard, source: Source, language: str, split: str) -> Iterator[tuple[Item, ...]]:
    """Yield the ways to get the data of one language and split, in the order that its source prefers."""
    for copy in _copies(source):
        if isinstance(copy, Hub):
            config, part = copy.named(language, split)
            yield (Table(source=copy, config=config, split=part),)
            continue
        places = _places(copy, copy.relative(card.folder, language, split))
        found = [_at(place) for place in places]
        if all(found):
            yield tuple(dict.fromkeys(item for items in found for item in items))


def _places(files: Files, place: str) -> tuple[str, ...]:
    form = FORMATS.get(files.format)
    return (place, *(str(path) for path in (form.beside(Path(place)) if form else ())))


def _at(place: str) -> tuple[Item, ...]:
    """Return what provides a place: single files if there are any, else the archive, else nothing."""
    if singles := matching(place):
        return singles
    return tuple(archive for archive in ARCHIVES if archive.gives(place))[:1]


def _copies(source: Source) -> Iterator[Files | Hub]:
    if isinstance(source, FirstOf):
        for copy in source.sources:
            yield from _copies(copy)
    elif isinstance(source, ByPart):  # of a user's own suite
        for _, _, part in source.parts:
            yield from _copies(part)
        if source.rest is not None:
            yield from _copies(source.rest)
    else:
        yield source
