"""`check_data`: compare a suite's data with what its cards state. It only reads; nothing is trained."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from tasksearch.core.errors import DataMissing, TasksearchError, Unreachable
from tasksearch.core.score import ENGLISH, Half
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, Tokenizer, encode
from tasksearch.tasks.examples import Example, LabelSetExample, PoolSentence, TagExample
from tasksearch.tasks.selection_split import evaluation_splits, is_cut, scored_rows, text_key
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """Result of the check for one card, language and split.

    Attributes:
        training: whether the split is trained on; False: it is scored.
        found, expected: number of examples (for two pools to be mined: of pairs to be found); None: absent, or not known.
        max_length: maximum sequence length in tokens.
        labels: label → share of the examples, or of the tags, in [0, 1]; for kinds of tasks with labels.
        truncated: share of the examples whose text is longer than `max_length`; None without a tokenizer. Sentences and
            questions on long text are cut into windows and lose nothing: for them it is the share that needs several windows.
        selects, reports: number of selection and of reporting examples.
        repeats: number of examples that do not select, since their text also stands among the reporting examples.
        reported_elsewhere: other target of the check → number of selection examples whose text it reports in this language.
        chance: score of random guessing, percent.
        problem: why the study cannot run on this data; empty if it can.
        absent: whether the problem is that the data is not there.
        skipped, left_out: number of bad records skipped; number of records that the authors leave out.
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
    repeats: int = 0
    reported_elsewhere: dict[str, int] = field(default_factory=dict)
    chance: float | None = None
    problem: str = ""
    absent: bool = False
    skipped: int = 0
    left_out: int = 0


def longest_of(suite: Suite, model: str | None, asked: int | None) -> Callable[[TaskCard], int]:
    """Return a function card → maximum sequence length in tokens.

    The length is `asked` if given, else the suite's setting, but at most what the model allows.
    """
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
    """Return a row for each training set, and one for each split of each target in each language.

    Args:
        source: reads the suite's data.
        cards: tasks to check.
        languages: of targets; empty: all.
        tokenizer: the model's; None: lengths are not checked.
        longest: card → maximum sequence length in tokens.
    """
    rows, texts = list[CheckRow](), _Texts()
    for card in cards:
        max_length = longest(card)
        if card.trained:
            rows.append(_row(source, card, ENGLISH, card.train_split, tokenizer, max_length, texts, training=True))
        if card.role == "target":
            for language in card.languages:
                if not languages or language in languages:
                    rows += [
                        _row(source, card, language, split, tokenizer, max_length, texts, training=False)
                        for split in evaluation_splits(card, language)
                    ]
    return [dataclasses.replace(row, reported_elsewhere=texts.elsewhere(row)) if row.selects else row for row in rows]


class _Texts:
    """Hashes of the texts that each target selects by and reports, by language."""

    def __init__(self) -> None:
        self._held: dict[Half, dict[str, dict[str, frozenset[int]]]] = {"select": {}, "report": {}}

    def add(self, half: Half, task: str, language: str, examples: Iterable[Example]) -> None:
        """Add a half of one target and language."""
        self._held[half].setdefault(language, {})[task] = frozenset(hash(text_key(example)) for example in examples)

    def elsewhere(self, row: CheckRow) -> dict[str, int]:
        """Return other target → number of texts that the row's target selects by and the other one reports."""
        own = self._held["select"].get(row.language, {}).get(row.task, frozenset())
        reported = self._held["report"].get(row.language, {})
        shared = {task: len(own & texts) for task, texts in reported.items() if task != row.task}
        return {task: count for task, count in shared.items() if count}


def _row(
    source: TaskSource,
    card: TaskCard,
    language: str,
    split: str,
    tokenizer: Tokenizer | None,
    max_length: int,
    texts: _Texts,
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
        halves = {} if training else _halves(source, card, language, split, texts)
    except TasksearchError as fault:
        problem = f"needs {card.needs}" if card.needs and training else str(fault)
        absent = isinstance(fault, DataMissing | Unreachable)
        return CheckRow(**common, expected=known[0] if known else None, found=None, problem=problem, absent=absent)
    place = f"{card.name} {language} {split}"
    skipped = len(source.skipped.get(place, ()))
    held = {seen.count, seen.count + skipped}  # some authors' published counts include their bad lines
    expected = next((n for n in known if n in held), known[0] if known else None)
    return CheckRow(
        **common,
        found=seen.count,
        expected=expected,
        labels=seen.balance(card),
        truncated=None if tokenizer is None else seen.long / max(1, seen.read),
        selects=halves.get("select", 0),
        reports=halves.get("report", 0),
        repeats=seen.scored - sum(halves.values()) if halves.get("select") else 0,
        chance=None if training else card.chance_over([language]),
        problem="" if expected is None or expected in held else f"{seen.count} examples, {expected} expected",
        skipped=skipped,
        left_out=sum(count for _, count in source.left_out.get(place, ())),
    )


@dataclass(kw_only=True)
class _Seen:
    """Counts from one pass over a split, which holds only a block of it in memory.

    Attributes:
        read, count: number of examples read, and of those that count (for two pools to be mined: pairs to be found).
        scored: number of examples that could select or report (of two pools: sentences with a translation).
        long: number of examples that are longer than the maximum sequence length.
    """

    read: int = 0
    count: int = 0
    scored: int = 0
    long: int = 0
    labels: Counter[int] = field(default_factory=Counter)

    @staticmethod
    def of(card: TaskCard, examples: Iterable[Example], tokenizer: Tokenizer | None, max_length: int) -> _Seen:
        seen, left = _Seen(), iter(examples)
        while block := list(islice(left, 10_000)):
            seen.read += len(block)
            seen.scored += len(scored_rows(block))
            seen.count += sum(len(e.translations) if isinstance(e, PoolSentence) else 1 for e in block)
            if card.labels:
                for example in block:
                    seen.labels.update(_labels_of(example))
            if tokenizer is not None:
                seen.long += _too_long(card, block, tokenizer, max_length)
        return seen

    def balance(self, card: TaskCard) -> dict[str, float]:
        """Return label → share of the examples, or of the tags, in [0, 1]."""
        total = sum(self.labels.values())
        return {label: self.labels[index] / total for index, label in enumerate(card.labels)} if total else {}


def _labels_of(example: Example) -> Sequence[int]:
    if isinstance(example, TagExample):
        return example.tags
    return example.labels if isinstance(example, LabelSetExample) else [getattr(example, "label", 0)]


def _halves(source: TaskSource, card: TaskCard, language: str, split: str, texts: _Texts) -> dict[str, int]:
    """Return how many examples of this split are selection and how many are reporting examples; note their texts."""
    found: Counter[str] = Counter()
    for portion in source.portions(card, language):
        for half, rows in portion.rows.items():
            if is_cut(card, language) or (half == "select") == (split == card.select_split):
                found[half] += len(rows)
                texts.add(half, card.name, language, (portion.examples[int(row)] for row in rows))
    return dict(found)


def _too_long(card: TaskCard, examples: Sequence[Example], tokenizer: Tokenizer, max_length: int) -> int:
    """Return the number of examples that do not fit into `max_length` tokens."""
    whole = encode(examples, card, tokenizer, 100_000)
    return int(np.count_nonzero(_longest(whole, len(examples)) > max_length))


def _longest(encoded: Encoded, count: int) -> Any:
    lengths = np.zeros(count, dtype=np.int64)
    np.maximum.at(lengths, encoded.owner, encoded.lengths)
    return lengths
