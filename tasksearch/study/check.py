"""`check_data`: what of a suite's data is there, against what its cards say; pure reading, nothing is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from tasksearch.core.errors import DataMissing, TasksearchError, Unreachable
from tasksearch.core.score import ENGLISH
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, Tokenizer, encode
from tasksearch.tasks.examples import Example, LabelSetExample, PoolSentence, TagExample
from tasksearch.tasks.selection_split import evaluation_splits, is_cut
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One card, language and split.

    Attributes:
        training: whether it trains, or is scored.
        found, expected: examples (of two pools to be mined, pairs to be found); None: not there, or not known.
        max_length: tokens of its longest sequence.
        labels: label → share of the examples (of the tags), for kinds with labels.
        truncated: share of the examples whose text the longest sequence does not hold; None without a tokenizer. Sentences and
            questions on long text are cut into windows, so theirs lose nothing: it is the share that needs more than one.
        selects, reports: examples of each half.
        chance: percent of a guess.
        problem: why the study cannot run on it; empty where it can.
        absent: whether the problem is that the data is not there.
        skipped, left_out: bad records passed over; records that the authors leave out.
    """

    task: str
    role: str
    training: bool
    language: str
    split: str
    found: int | None
    expected: int | None
    max_length: int
    labels: dict[str, float] = field(default_factory=dict)
    truncated: float | None = None
    selects: int = 0
    reports: int = 0
    chance: float | None = None
    problem: str = ""
    absent: bool = False
    skipped: int = 0
    left_out: int = 0


def longest_of(suite: Suite, model: str | None, asked: int | None) -> Callable[[TaskCard], int]:
    """Tokens of a card's longest sequence: the number asked for, else the suite's setting, at most what the model holds."""
    from tasksearch.models.encoder import shape_of

    room = shape_of(model).tokens if model else None

    def longest(card: TaskCard) -> int:
        if card.role == "intermediate":
            own = suite.settings.length_of(card.name)
        else:
            own = (suite.settings.for_target(card.name) if card.trained else suite.settings.untrained).max_length
        return own if room is None else min(own, room)

    return longest if asked is None else lambda _: asked


def check_data(
    source: TaskSource,
    cards: Sequence[TaskCard],
    languages: Sequence[str],
    tokenizer: Tokenizer | None,
    longest: Callable[[TaskCard], int],
) -> list[CheckRow]:
    """A row for each training set, and for each split of each target's languages.

    Args:
        longest: card → tokens of its longest sequence.
    """
    rows = []
    for card in cards:
        max_length = longest(card)
        if card.trained:
            rows.append(_row(source, card, ENGLISH, card.train_split, tokenizer, max_length, training=True))
        if card.role == "target":
            for language in card.languages:
                if not languages or language in languages:
                    rows += [
                        _row(source, card, language, split, tokenizer, max_length, training=False)
                        for split in evaluation_splits(card, language)
                    ]
    return rows


def _row(
    source: TaskSource,
    card: TaskCard,
    language: str,
    split: str,
    tokenizer: Tokenizer | None,
    max_length: int,
    *,
    training: bool,
) -> CheckRow:
    known = [n for lang, name, n in card.expected if (lang, name) == (language, split)]
    common: dict[str, Any] = {
        "task": card.name, "role": card.role, "training": training, "language": language, "split": split,
        "max_length": max_length,
    }  # fmt: skip
    try:
        examples = source.stream_training(card) if training else source.split(card, language, split)
        seen = _Seen.of(card, examples, tokenizer, max_length)
        halves = {} if training else _halves(source, card, language, split)
    except TasksearchError as fault:
        problem = f"needs {card.needs}" if card.needs and training else str(fault)
        absent = isinstance(fault, DataMissing | Unreachable)
        return CheckRow(**common, expected=known[0] if known else None, found=None, problem=problem, absent=absent)
    place = f"{card.name} {language} {split}"
    skipped = len(source.skipped.get(place, ()))
    held = {seen.count, seen.count + skipped}  # some authors count their bad lines, some do not
    expected = next((n for n in known if n in held), known[0] if known else None)
    return CheckRow(
        **common,
        found=seen.count,
        expected=expected,
        labels=seen.balance(card),
        truncated=None if tokenizer is None else seen.long / max(1, seen.read),
        selects=halves.get("select", 0),
        reports=halves.get("report", 0),
        chance=None if training else card.chance_over([language]),
        problem="" if expected is None or expected in held else f"{seen.count} examples, {expected} expected",
        skipped=skipped,
        left_out=sum(count for _, count in source.left_out.get(place, ())),
    )


@dataclass(kw_only=True)
class _Seen:
    """What a pass over a split counts; of a training set no more than a block stands in memory.

    Attributes:
        read, count: examples, and those that count (of two pools to be mined, the pairs to be found).
        long: examples that the longest sequence does not hold whole.
    """

    read: int = 0
    count: int = 0
    long: int = 0
    labels: Counter[int] = field(default_factory=Counter)

    @staticmethod
    def of(card: TaskCard, examples: Iterable[Example], tokenizer: Tokenizer | None, max_length: int) -> _Seen:
        seen, left = _Seen(), iter(examples)
        while block := list(islice(left, 10_000)):
            seen.read += len(block)
            seen.count += sum(len(e.translations) if isinstance(e, PoolSentence) else 1 for e in block)
            if card.labels:
                for example in block:
                    seen.labels.update(_labels_of(example))
            if tokenizer is not None:
                seen.long += _too_long(card, block, tokenizer, max_length)
        return seen

    def balance(self, card: TaskCard) -> dict[str, float]:
        """Label → share of the examples (of the tags)."""
        total = sum(self.labels.values())
        return {label: self.labels[index] / total for index, label in enumerate(card.labels)} if total else {}


def _labels_of(example: Example) -> Sequence[int]:
    if isinstance(example, TagExample):
        return example.tags
    return example.labels if isinstance(example, LabelSetExample) else [getattr(example, "label", 0)]


def _halves(source: TaskSource, card: TaskCard, language: str, split: str) -> dict[str, int]:
    """Half → examples of this split."""
    found: Counter[str] = Counter()
    for portion in source.portions(card, language):
        for half, rows in portion.rows.items():
            if is_cut(card, language) or (half == "select") == (split == card.select_split):
                found[half] += len(rows)
    return dict(found)


def _too_long(card: TaskCard, examples: Sequence[Example], tokenizer: Tokenizer, max_length: int) -> int:
    """How many examples `max_length` tokens do not hold whole."""
    whole = encode(examples, card, tokenizer, 100_000)
    return int(np.count_nonzero(_longest(whole, len(examples)) > max_length))


def _longest(encoded: Encoded, count: int) -> Any:
    lengths = np.zeros(count, dtype=np.int64)
    np.maximum.at(lengths, encoded.owner, encoded.lengths)
    return lengths
