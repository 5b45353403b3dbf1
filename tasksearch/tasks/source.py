"""`TaskSource`: examples, encoded items and fingerprints of a suite's tasks, each read once per process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from itertools import islice
from pathlib import Path

from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import CASTS, Encoded, Tokenizer, encode
from tasksearch.tasks.encoded_cache import cached_encoding
from tasksearch.tasks.examples import Example
from tasksearch.tasks.pools import pools_of
from tasksearch.tasks.reading import FileReading, Tally
from tasksearch.tasks.resolve import absent, fingerprint, pin_of, read_source, stream_source
from tasksearch.tasks.selection_split import SPLIT_RULE, Portion, evaluation_splits, portions
from tasksearch.tasks.source_spec import Source

_WORTH_A_FILE = 1_000
"""Evaluation examples from which encoding them again takes longer than opening a file."""
_WORTH_A_NOTE = 10_000
"""Training examples from which counting them again takes longer than a note is worth."""


class TaskSource:
    """The data of a suite's cards, encoded by one tokenizer.

    Args:
        root: folder of the suite's files.
        tokenizer: of the model; None where nothing will be encoded.
        skip_bad: bad records that are passed over in each file; `skipped` tells them.
    """

    def __init__(self, root: Path, tokenizer: Tokenizer | None, *, skip_bad: int = 0) -> None:
        self.root, self.tokenizer, self.skip_bad = root, tokenizer, skip_bad
        self.skipped: dict[str, tuple[str, ...]] = {}
        """Task, language and split → a line for each record that was passed over."""
        self.left_out: dict[str, tuple[tuple[str, int], ...]] = {}
        """Task, language and split → how many records the authors leave out themselves, by reason."""
        self._read = lru_cache(maxsize=2048)(self._read_now)
        self._portions = lru_cache(maxsize=1024)(self._portions_now)
        self._encoded = lru_cache(maxsize=1024)(self._encode_portions)
        self._trained = lru_cache(maxsize=256)(self._encode_training)
        self._pinned = lru_cache(maxsize=8192)(partial(pin_of, root))
        self._sizes = lru_cache(maxsize=256)(self._count_training)

    # ---- examples

    def split(self, card: TaskCard, language: str, split: str) -> tuple[Example, ...]:
        """All evaluation examples of one split of the authors'; raises DataMissing or BadInput."""
        return self._read(card, card.source, language, split).examples

    def portions(self, card: TaskCard, language: str, cap: int | None = None) -> tuple[Portion, ...]:
        """What is scored of a language, and which of it selects and reports.

        Args:
            cap: at most so many examples a half.
        """
        return self._portions(card, language, cap)

    def evaluation(self, card: TaskCard, language: str, max_length: int, cap: int | None = None) -> tuple[Encoded, ...]:
        """Encoded items of each portion."""
        return self._encoded(card, language, max_length, cap)

    def training_examples(self, card: TaskCard) -> tuple[Example, ...]:
        """English training examples of all the card's training sources."""
        found = [self._read(card, source, ENGLISH, card.train_split).examples for source in card.train_sources]
        return tuple(example for examples in found for example in examples)

    def stream_training(self, card: TaskCard) -> Iterator[Example]:
        """The same one by one, none is kept: a training set may be far larger than memory should be."""
        tally = Tally()
        for source in card.train_sources:
            yield from stream_source(self.root, card, source, ENGLISH, card.train_split, tally, skip_bad=self.skip_bad)
        self._note(f"{card.name} {ENGLISH} {card.train_split}", tally.skipped, sorted(tally.left_out.items()))

    def training(self, card: TaskCard, max_length: int) -> Encoded:
        """Encoded English training items."""
        return self._trained(card, max_length)

    def training_size(self, card: TaskCard) -> int:
        """English training examples."""
        return self._sizes(card)

    def _read_now(self, card: TaskCard, source: Source, language: str, split: str) -> FileReading:
        reading = read_source(self.root, card, source, language, split, skip_bad=self.skip_bad)
        self._note(f"{card.name} {language} {split}", reading.skipped, reading.left_out)
        return reading

    def _count_training(self, card: TaskCard) -> int:
        """Counted once for each content: a resume of a study does not read its training data again."""
        place = f"{card.name} {ENGLISH} {card.train_split}"
        name = signature_of("count", self.training_fingerprint(card), card.kind, card.labels, self.skip_bad)
        with suppress(TypeError, KeyError, ValueError):
            kept = read_cached("counts", name)
            self._note(place, kept["skipped"], [(why, count) for why, count in kept["left_out"]])
            return int(kept["examples"])
        count = sum(1 for _ in self.stream_training(card))
        told = {"skipped": self.skipped.get(place, ()), "left_out": self.left_out.get(place, ())}
        if count >= _WORTH_A_NOTE:
            write_cached("counts", name, {"examples": count} | told)
        return count

    def _note(self, place: str, skipped: Sequence[str], left_out: Sequence[tuple[str, int]]) -> None:
        if skipped:
            self.skipped[place] = tuple(skipped)
        if left_out:
            self.left_out[place] = tuple(left_out)

    def _portions_now(self, card: TaskCard, language: str, cap: int | None) -> tuple[Portion, ...]:
        splits = {split: self.split(card, language, split) for split in evaluation_splits(card, language)}
        if card.kind == "mining":
            for split, examples in splits.items():
                pools_of(examples, f"{card.name} {language} {split}")
        return portions(card, language, splits, cap)

    def _encode_portions(self, card: TaskCard, language: str, max_length: int, cap: int | None) -> tuple[Encoded, ...]:
        assert self.tokenizer is not None, "a source that encodes has a tokenizer"
        made = self.portions(card, language, cap)
        return tuple(self._encode_portion(card, language, max_length, cap, number) for number in range(len(made)))

    def _encode_portion(self, card: TaskCard, language: str, max_length: int, cap: int | None, number: int) -> Encoded:
        """From the cache where it is worth a file: the name holds the data, the cast, and the rules that make the portion."""
        tokenizer, portion = self.tokenizer, self.portions(card, language, cap)[number]
        assert tokenizer is not None, "a source that encodes has a tokenizer"
        if len(portion.examples) < _WORTH_A_FILE or not self._tokenizer_name:
            return encode(portion.examples, card, tokenizer, max_length)
        rule = (card.select_split, card.report_split, language in card.one_split, card.fewest, card.keep_repeats, cap, number)
        reading = (card.kind, card.labels, self.evaluation_fingerprint(card, language), self.skip_bad)
        name = signature_of("encoded portion", CASTS, self._tokenizer_name, max_length, reading, rule)
        parts = (encode(list(chunk), card, tokenizer, max_length) for chunk in _chunks(iter(portion.examples)))
        return cached_encoding(name, card.kind, parts)

    def _encode_training(self, card: TaskCard, max_length: int) -> Encoded:
        tokenizer = self.tokenizer
        assert tokenizer is not None, "a source that encodes has a tokenizer"
        parts = (encode(list(chunk), card, tokenizer, max_length) for chunk in _chunks(self.stream_training(card)))
        named = self._tokenizer_name
        if not named:
            return encode(self.training_examples(card), card, tokenizer, max_length)
        reading = (card.kind, card.labels, self.training_fingerprint(card), self.skip_bad)
        name = signature_of("encoded", CASTS, named, max_length, reading)
        return cached_encoding(name, card.kind, parts)

    @cached_property
    def _tokenizer_name(self) -> str:
        """Hash of the tokenizer and of its library's version; empty for one that cannot be written down."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is None:
            return ""
        from tokenizers import __version__

        return signature_of("tokenizer", __version__, backend.to_str())

    # ---- what names the data

    def training_fingerprint(self, card: TaskCard) -> str:
        """Hashes of the training data and of how its sources read it."""
        return " ".join(self._fingerprint(card, source, ENGLISH, card.train_split) for source in card.train_sources)

    def evaluation_fingerprint(self, card: TaskCard, language: str) -> tuple[str, ...]:
        """Hashes of a language's evaluation data, how it is read, and the split rule's version."""
        splits = evaluation_splits(card, language)
        return (f"split rule {SPLIT_RULE}", *(f"{s} {self._fingerprint(card, card.source, language, s)}" for s in splits))

    def split_fingerprint(self, card: TaskCard, language: str, split: str) -> str:
        """Names the examples that `split` gives: the data, how it is read, and by which card."""
        data = self._fingerprint(card, card.source, language, split)
        return signature_of(data, card.kind, card.labels, language, self.skip_bad)

    def _fingerprint(self, card: TaskCard, source: Source, language: str, split: str) -> str:
        return fingerprint(self.root, card, source, language, split)

    def hub_commits(self, cards: Iterable[TaskCard], languages: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Hub data set → its commit, of those that the cards are read from; empty where all of it is files.

        Args:
            cards: whose training data is meant.
            languages: target → languages whose evaluation data is meant.
        """
        cards = tuple(cards)
        asked = [(card, source, ENGLISH, card.train_split) for card in cards for source in card.train_sources]
        for card in cards:
            for language in languages.get(card.name, ()):
                asked += [(card, card.source, language, split) for split in evaluation_splits(card, language)]
        return {found.id: found.commit for one in asked if (found := self._pinned(*one)) is not None}

    def missing(self, card: TaskCard, languages: tuple[str, ...]) -> list[str]:
        """What the card needs for these languages and is not there: a file's path, or what to get from the hub."""
        gone = [absent(self.root, card, *asked) for asked in wanted(card, languages)]
        return [thing for thing in dict.fromkeys(gone) if thing]


def wanted(card: TaskCard, languages: Iterable[str]) -> list[tuple[Source, str, str]]:
    """(source, language, split) of everything that the card reads for these languages, its English training data first."""
    asked = [(source, ENGLISH, card.train_split) for source in card.train_sources]
    if card.role == "target":
        scored = [language for language in languages if language in card.languages]
        asked += [(card.source, language, split) for language in scored for split in evaluation_splits(card, language)]
    return asked


def _chunks(examples: Iterator[Example], size: int = 10_000) -> Iterator[tuple[Example, ...]]:
    while chunk := tuple(islice(examples, size)):
        yield chunk
