"""Label sets too long to write on a card: read from the training files once, when a suite is opened with its data."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.formats import FORMATS, Ask, Broken, LeftOut
from tasksearch.tasks.reading import READER
from tasksearch.tasks.resolve import choose, fingerprint, paths_of
from tasksearch.tasks.source_spec import Files, Source
from tasksearch.tasks.suite import Suite


def suite_with_labels(name: str, data: str | Path | None) -> Suite:
    """Load a suite with labels read from a data folder; raises UnknownName with the nearest name."""
    suite = load_suite(name)
    folder = suite.home if data is None else data
    return with_labels(suite, Path(folder)) if folder else suite


def with_labels(suite: Suite, root: Path) -> Suite:
    """Return the suite with all labels that can be read; a card whose files are missing is left unchanged."""
    cards = tuple(_read(card, root) if card.labels_from and not card.labels else card for card in suite.cards)
    return suite if cards == suite.cards else dataclasses.replace(suite, cards=cards)


def _read(card: TaskCard, root: Path) -> TaskCard:
    try:
        data = [fingerprint(root, card, source, ENGLISH, card.labels_from) for source in card.train_sources]
        name = signature_of("labels", READER, card.kind, data)
        found = read_cached("labels", name)
        if found is None:
            found = sorted({tag for source in card.train_sources for tag in _tags(root, card, source)})
            write_cached("labels", name, found)
    except DataMissing:
        return card
    return dataclasses.replace(card, labels=tuple(map(str, found)))


def _tags(root: Path, card: TaskCard, source: Source) -> set[str]:
    copy = choose(root, card, source, ENGLISH, card.labels_from)
    if not isinstance(copy, Files):
        raise BadInput(f"card {card.name!r}: labels are read off files, not off a hub table")
    form = FORMATS[copy.format]
    ask = Ask(card=card, language=ENGLISH, split=card.labels_from, columns=dict(copy.columns))
    tags: set[str] = set()
    renamed = dict(copy.labels)
    for path in paths_of(root, card, copy, ENGLISH, card.labels_from):
        for _, content in form.records(path):
            row = None if isinstance(content, Broken) else form.row(content, ask)  # broken lines are reported later, on reading
            if row is not None and not isinstance(row, LeftOut):
                named = row.get("tags", row.get("labels")) if "label" not in row else [row["label"]]
                tags.update(renamed.get(tag, tag) for tag in named)
    return tags
