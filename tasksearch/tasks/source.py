"""`TaskSource`: examples, encoded items and fingerprints of a suite's tasks; encoded items are kept, examples are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.crossed import Seconds, crossed, seconds
from tasksearch.tasks.encode import CASTS, Encoded, Tokenizer, encode
from tasksearch.tasks.encoded_cache import cached_encoding
from tasksearch.tasks.examples import Example
from tasksearch.tasks.passages import passages
from tasksearch.tasks.pools import pools_of
from tasksearch.tasks.reading import FileReading, Tally
from tasksearch.tasks.resolve import absent, fingerprint, pin_of, read_source, serves_several, serves_splits, stream_source
from tasksearch.tasks.selection_split import SPLIT_RULE, Portion, evaluation_splits, few_shot_draws, portions
from tasksearch.tasks.source_spec import Source

TRAIN = "train"
"""Split that a training fingerprint does not name: the usual one."""
LEAST_CACHED = 1_000
"""Minimum number of evaluation examples for which a cache file is faster than encoding again."""
_FEW = 500
"""Maximum number of selection and of reporting examples for which a language's examples stay in memory."""
_WORTH_A_NOTE = 10_000
"""Minimum number of training examples for which a cached count is worthwhile."""


class TaskSource:
    """The data of a suite's cards, encoded by one tokenizer.

    Args:
        root: folder of the suite's files.
        tokenizer: the model's tokenizer; None if nothing is to be encoded.
        skip_bad: maximum number of bad records to skip in each file; they are listed in `skipped`.
    """

    def __init__(self, root: Path, tokenizer: Tokenizer | None, *, skip_bad: int = 0) -> None:
        self.root, self.tokenizer, self.skip_bad = root, tokenizer, skip_bad
        self.skipped: dict[str, tuple[str, ...]] = {}
        """Task, language and split → one line per bad record that was skipped."""
        self.left_out: dict[str, tuple[tuple[str, int], ...]] = {}
        """Task, language and split → number of records that the authors themselves exclude, by reason."""
        self._data: dict[tuple[TaskCard, Source, str, str], str] = {}  # fingerprints of what the caches below were read from
        # examples are objects of a kilobyte or two: those of all languages would take more memory than a small model
        self._read = lru_cache(maxsize=4)(self._read_now)
        # every language of a mixed task is read beside all others: without it a file is read once for each of them
        self._seconds = lru_cache(maxsize=64)(self._read_seconds)
        self._portions = lru_cache(maxsize=4)(self._portions_now)
        self._small_portions = lru_cache(maxsize=1024)(self._portions_now)
        self._scored = lru_cache(maxsize=4096)(self._count_scored)
        self._encoded = lru_cache(maxsize=1024)(self._encode_portions)
        self._trained = lru_cache(maxsize=256)(self._encode_training)
        self._drawn = lru_cache(maxsize=64)(self._draw_now)
        self._pinned = lru_cache(maxsize=8192)(partial(pin_of, root))
        self._sizes = lru_cache(maxsize=256)(self._count_training)
        self._mistaken = lru_cache(maxsize=4096)(self._was_mistaken)
        self._kept: tuple[Any, ...] = (
            self._read, self._seconds, self._portions, self._small_portions, self._scored, self._encoded, self._trained,
            self._drawn, self._sizes, self._mistaken,
        )  # fmt: skip

    # ---- examples

    def split(self, card: TaskCard, language: str, split: str) -> tuple[Example, ...]:
        """Return all evaluation examples of one of the authors' splits; raises DataMissing or BadInput."""
        for spoken in (language, *card.languages_beside(language)):
            self._fingerprint(card, card.source, spoken, split)
        if card.second_language:
            read = lambda one: self._read(card, card.source, one, split).examples  # noqa: E731
            return crossed(card, language, split, read, lambda one: self._seconds(card, one, split))
        return self._read(card, card.source, language, split).examples

    def portions(self, card: TaskCard, language: str, cap: int | None = None, few_shot: int = 0) -> tuple[Portion, ...]:
        """Return the scored examples of a language, with their division into selection and reporting examples.

        Args:
            cap: maximum number of selection and of reporting examples.
            few_shot: labelled examples of a draw; the draws are not among them.
        """
        self.evaluation_fingerprint(card, language)  # what was read before a file changed is forgotten
        found = self._small_portions if cap is not None and cap <= _FEW else self._portions
        return found(card, language, cap, few_shot)

    def few_shot(self, card: TaskCard, language: str, few_shot: int) -> tuple[tuple[Example, ...], ...]:
        """Return the draws of `few_shot` labelled examples of a language; none where it selects nothing, or for no examples."""
        if not few_shot:
            return ()
        self.evaluation_fingerprint(card, language)
        return self._drawn(card, language, few_shot)

    def scored_examples(self, card: TaskCard, language: str, cap: int | None = None) -> int:
        """Return how many examples `portions` holds."""
        self.evaluation_fingerprint(card, language)
        return self._scored(card, language, cap)

    def evaluation(
        self,
        card: TaskCard,
        language: str,
        max_length: int,
        cap: int | None = None,
        few_shot: int = 0,
        prefix: str = "",
    ) -> tuple[Encoded, ...]:
        """Return the encoded items of each portion; `prefix` as in `encode`."""
        self.evaluation_fingerprint(card, language)
        return self._encoded(card, language, max_length, cap, few_shot, prefix)

    def training_examples(self, card: TaskCard) -> tuple[Example, ...]:
        """Return the training examples of all the card's training sources, English ones unless it trains in other languages."""
        if card.trains_in:
            return tuple(self.stream_training(card))
        self.training_fingerprint(card)
        found = [self._read(card, source, ENGLISH, card.train_split).examples for source in card.train_sources]
        return tuple(example for examples in found for example in examples)

    def stream_training(self, card: TaskCard) -> Iterator[Example]:
        """Yield the examples of `training_examples` one by one without keeping them.

        A training set may be much larger than memory.
        """
        tally = Tally()
        for language in card.trains_in or (ENGLISH,):
            yield from self._stream_language(card, language, tally)
        self._note(f"{card.name} {ENGLISH} {card.train_split}", tally.skipped, sorted(tally.left_out.items()))

    def _stream_language(self, card: TaskCard, language: str, tally: Tally) -> Iterator[Example]:
        asked = (card.train_split, tally)
        found = (
            example
            for spoken, source in card.train_parts
            if spoken == language
            for example in stream_source(self.root, card, source, language, *asked, skip_bad=self.skip_bad)
        )
        if card.kind == "mlm" and card.trains_in:
            return islice(passages(found), card.most or None)
        return found

    def training_counts(self, card: TaskCard) -> tuple[tuple[str, int], ...]:
        """Return (language, examples) of a card that trains in named languages, in the order of its examples."""
        alone = {language: dataclasses.replace(card, trains_in=(language,)) for language in card.trains_in}
        return tuple((language, self.training_size(one)) for language, one in alone.items())

    def check_translations(self, card: TaskCard) -> None:
        """Check that every translation of a labelled card's training data is as long as the English original.

        Raises:
            BadInput: one is not; the message names the language and both counts.
            DataMissing: a file of one is missing.
        """
        if card.kind == "mlm" or not card.trains_in:
            return
        whole = self.training_size(dataclasses.replace(card, trains_in=()))
        for language, count in self.training_counts(card):
            if count != whole:
                raise BadInput(
                    f"task {card.name!r}: its translation into {language!r} holds {count} examples and the English original "
                    f"{whole}; expected one for one, in the same order"
                )

    def training(self, card: TaskCard, max_length: int) -> Encoded:
        """Return the encoded training items."""
        self.training_fingerprint(card)
        return self._trained(card, max_length)

    def training_size(self, card: TaskCard) -> int:
        """Return the number of English training examples."""
        self.training_fingerprint(card)
        return self._sizes(card)

    def _read_now(self, card: TaskCard, source: Source, language: str, split: str) -> FileReading:
        reading = read_source(self.root, card, source, language, split, skip_bad=self.skip_bad)
        self._note(f"{card.name} {language} {split}", reading.skipped, reading.left_out)
        return reading

    def _read_seconds(self, card: TaskCard, language: str, split: str) -> Seconds:
        return seconds(self._read(card, card.source, language, split).examples)

    def _count_training(self, card: TaskCard) -> int:
        """Count once per content: resuming a study does not read its training data again."""
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

    def _draw_now(self, card: TaskCard, language: str, few_shot: int) -> tuple[tuple[Example, ...], ...]:
        return few_shot_draws(card, language, self._splits(card, language), few_shot)

    def _splits(self, card: TaskCard, language: str) -> dict[str, tuple[Example, ...]]:
        return {split: self.split(card, language, split) for split in evaluation_splits(card, language)}

    def _portions_now(self, card: TaskCard, language: str, cap: int | None, few_shot: int) -> tuple[Portion, ...]:
        splits = self._splits(card, language)
        if card.kind == "mining":
            for split, examples in splits.items():
                pools_of(examples, f"{card.name} {language} {split}")
        return portions(card, language, splits, cap, few_shot)

    def _count_scored(self, card: TaskCard, language: str, cap: int | None) -> int:
        return sum(len(portion.examples) for portion in self.portions(card, language, cap))

    def _encode_portions(
        self, card: TaskCard, language: str, max_length: int, cap: int | None, few_shot: int, prefix: str
    ) -> tuple[Encoded, ...]:
        assert self.tokenizer is not None, "a source that encodes has a tokenizer"
        made = range(len(self.portions(card, language, cap, few_shot)))
        return tuple(self._encode_portion(card, language, max_length, cap, few_shot, prefix, number) for number in made)

    def _encode_portion(
        self, card: TaskCard, language: str, max_length: int, cap: int | None, few_shot: int, prefix: str, number: int
    ) -> Encoded:
        """Encode a portion, or load it from the cache if it is large enough.

        The cache key covers data, language, encoding and split rules.
        """
        tokenizer, portion = self.tokenizer, self.portions(card, language, cap, few_shot)[number]
        assert tokenizer is not None, "a source that encodes has a tokenizer"
        if len(portion.examples) < LEAST_CACHED or not self._tokenizer_name:
            return encode(portion.examples, card, tokenizer, max_length, prefix)
        split = (card.select_split, card.report_split, language in card.one_split, card.fewest, card.keep_repeats)
        rule = (*split, cap, number, *([few_shot, *(["by number"] if card.parallel else [])] if few_shot else []))
        reading = (card.kind, card.labels, language, self.evaluation_fingerprint(card, language), self.skip_bad)
        before = [prefix] if prefix else []
        name = signature_of("encoded portion", CASTS, self._tokenizer_name, max_length, reading, rule, *before)
        parts = (encode(list(chunk), card, tokenizer, max_length, prefix) for chunk in _chunks(iter(portion.examples)))
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
        """Hash of the tokenizer and of its library's version; empty if the tokenizer cannot be serialised."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is None:
            return ""
        from tokenizers import __version__

        return signature_of("tokenizer", __version__, backend.to_str())

    # ---- fingerprints of the data

    def training_fingerprint(self, card: TaskCard) -> str:
        """Return hashes of the training data and of how its sources are read, and the split where the hashes do not tell it."""
        split, parts = card.train_split, card.train_parts
        unnamed = split != TRAIN and any(serves_splits(self.root, card, source, language, split) for language, source in parts)
        return (
            " ".join(
                (f"{language} " if card.trains_in else "") + self._fingerprint(card, source, language, split)
                for language, source in parts
            )
            + (f" at most {card.most}" if card.most else "")
            + (f" of {split}" if unnamed else "")
        )

    def evaluation_fingerprint(self, card: TaskCard, language: str) -> tuple[str, ...]:
        """Return hashes of a language's evaluation data and of how it is read, with the split rule's version."""
        splits, others = evaluation_splits(card, language), card.languages_beside(language)
        own = [f"{s} {self._fingerprint(card, card.source, language, s)}" for s in splits]
        beside = [f"{s} beside {one} {self._fingerprint(card, card.source, one, s)}" for s in splits for one in others]
        return (f"split rule {SPLIT_RULE}", *own, *beside)

    def was_mistaken(self, card: TaskCard, language: str, cap: int | None = None) -> bool:
        """Whether earlier versions may have scored the language on the encoded text of another one.

        They named cached items by the fingerprint of the data, which languages of one file or hub data set share. Portions of
        fewer than 1,000 examples were not cached.

        Args:
            cap: maximum number of selection and of reporting examples.
        """
        self.evaluation_fingerprint(card, language)
        return self._mistaken(card, language, cap)

    def _was_mistaken(self, card: TaskCard, language: str, cap: int | None) -> bool:
        asked = [(card, card.source, language, split) for split in evaluation_splits(card, language)]
        return any(serves_several(self.root, *one) for one in asked) and any(
            len(portion.examples) >= LEAST_CACHED for portion in self.portions(card, language, cap)
        )

    def split_fingerprint(self, card: TaskCard, language: str, split: str) -> str:
        """Return a hash that identifies the examples of `split`: the data, how it is read, and the card."""
        data = self._fingerprint(card, card.source, language, split)
        beside = [(one, self._fingerprint(card, card.source, one, split)) for one in card.languages_beside(language)]
        return signature_of(data, card.kind, card.labels, language, self.skip_bad, *([beside] if beside else []))

    def _fingerprint(self, card: TaskCard, source: Source, language: str, split: str) -> str:
        """Return what `resolve.fingerprint` does.

        Where a file has changed since it was read, everything that was read is forgotten: else what is encoded or scored next
        would be kept on disk under the name of the new content.
        """
        asked, found = (card, source, language, split), fingerprint(self.root, card, source, language, split)
        if self._data.setdefault(asked, found) != found:
            for kept in self._kept:
                kept.cache_clear()
            self._data = {asked: found}
        return found

    def hub_commits(self, cards: Iterable[TaskCard], languages: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return hub data set → commit for all that the cards read; empty if all data are files.

        Args:
            cards: cards whose training data count.
            languages: target → languages whose evaluation data count.
        """
        cards = tuple(cards)
        asked = [(card, source, language, card.train_split) for card in cards for language, source in card.train_parts]
        for card in cards:
            for language in languages.get(card.name, ()):
                asked += [(card, card.source, language, split) for split in evaluation_splits(card, language)]
        return {found.id: found.commit for one in asked if (found := self._pinned(*one)) is not None}

    def missing(self, card: TaskCard, languages: tuple[str, ...]) -> list[str]:
        """Return what the card needs for these languages and is not available: paths of files, or what to get from the hub."""
        gone = [absent(self.root, card, *asked) for asked in wanted(card, languages)]
        return [thing for thing in dict.fromkeys(gone) if thing]


def wanted(card: TaskCard, languages: Iterable[str]) -> list[tuple[Source, str, str]]:
    """Return (source, language, split) of everything that the card reads for these languages.

    Its training data come first.
    """
    asked = [(source, language, card.train_split) for language, source in card.train_parts]
    if card.role == "target":
        scored = [language for language in languages if language in card.languages]
        beside = [one for language in scored for one in card.languages_beside(language)]
        scored = list(dict.fromkeys((*scored, *beside)))
        asked += [(card.source, language, split) for language in scored for split in evaluation_splits(card, language)]
    return asked


def _chunks(examples: Iterator[Example], size: int = 10_000) -> Iterator[tuple[Example, ...]]:
    while chunk := tuple(islice(examples, size)):
        yield chunk
