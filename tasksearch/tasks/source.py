"""`TaskSource`: examples, encoded items and fingerprints of a suite's tasks, each read once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tasksearch.core.errors import DataMissing
from tasksearch.core.score import HALVES, Half
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded, Tokenizer, encode
from tasksearch.tasks.examples import Example
from tasksearch.tasks.packed import file_fingerprint, packed_path, read_packed


class TaskSource:
    """The files of a suite under one root, encoded by one tokenizer."""

    def __init__(self, root: Path, tokenizer: Tokenizer) -> None:
        self.root, self.tokenizer = root, tokenizer
        self._encoded = lru_cache(maxsize=1024)(self._encode)
        self._examples = lru_cache(maxsize=1024)(self._read)

    def _read(self, card: TaskCard, language: str, split: str) -> list[Example]:
        return read_packed(packed_path(self.root, card, language, split), card)

    def _encode(self, card: TaskCard, language: str, split: str, max_length: int) -> Encoded:
        return encode(self._examples(card, language, split), card, self.tokenizer, max_length)

    def examples(self, card: TaskCard, language: str, half: Half) -> list[Example]:
        """Evaluation examples of one half; raises DataMissing or BadInput."""
        return self._examples(card, language, split_of(card, half))

    def evaluation(self, card: TaskCard, language: str, half: Half, max_length: int) -> Encoded:
        """Encoded evaluation items of one half."""
        return self._encoded(card, language, split_of(card, half), max_length)

    def training(self, card: TaskCard, max_length: int) -> Encoded:
        """Encoded English training items."""
        return self._encoded(card, "en", "train", max_length)

    def training_size(self, card: TaskCard) -> int:
        """English training examples."""
        return len(self._examples(card, "en", "train"))

    def training_fingerprint(self, card: TaskCard) -> str:
        """Hash of the training file."""
        return file_fingerprint(packed_path(self.root, card, "en", "train"))

    def evaluation_fingerprint(self, card: TaskCard, language: str) -> tuple[str, ...]:
        """Hashes of the evaluation files of a language, one per half."""
        return tuple(file_fingerprint(packed_path(self.root, card, language, split_of(card, half))) for half in HALVES)

    def missing(self, card: TaskCard, languages: tuple[str, ...]) -> list[Path]:
        """Files that the card needs for these languages and that are not there."""
        wanted = [] if card.role == "target" and not card.trained else [packed_path(self.root, card, "en", "train")]
        if card.role == "target":
            scored = [language for language in languages if language in card.languages]
            wanted += [packed_path(self.root, card, language, split_of(card, half)) for language in scored for half in HALVES]
        return [path for path in wanted if not path.is_file()]


def split_of(card: TaskCard, half: Half) -> str:
    """The file split that serves a half.

    Raises:
        DataMissing: the card has one split only, whose cut by document is not made by this reader.
    """
    if card.select_split == card.report_split:
        raise DataMissing(f"task {card.name!r} has one evaluation split; the packed reader needs one per half")
    return card.select_split if half == "select" else card.report_split
