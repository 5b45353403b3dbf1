"""Data of the leakage check: training examples of cards, pretraining files, and evaluation splits of the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import overload

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.text_files import BadJson, Broken, lines, parse_json, unencodable
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import Example, RawText
from tasksearch.tasks.leakage import Evaluated, TrainingTexts
from tasksearch.tasks.pools import gold_pairs
from tasksearch.tasks.reading import file_fingerprint
from tasksearch.tasks.selection_split import evaluation_splits
from tasksearch.tasks.source import TaskSource

TRANSLATES = {("xcopa", "dev"): ("copa", 401), ("xcopa", "test"): ("copa", 501)}
"""(target, split) → (data set, its first item): XCOPA's validation items are COPA's 401-500, its test items 501-1000."""

_TEXT_FILES = (".txt", ".jsonl", ".tsv")


def trained_by(source: TaskSource, cards: Sequence[TaskCard]) -> list[TrainingTexts]:
    """Return one training set per card that trains, cards with the same files once; raises as reading does."""
    alike: dict[object, list[TaskCard]] = {}
    for card in cards:
        if card.trained:
            alike.setdefault((card.kind, card.train_parts, card.train_split, _folder(card)), []).append(card)
    return [
        TrainingTexts(
            name=f"the training data of {', '.join(card.name for card in same)}",
            examples=source.stream_training(same[0]),
            fingerprint=source.training_fingerprint(same[0]),
            data=tuple(dict.fromkeys(name for card in same for name in card.trains_on)),
        )
        for same in alike.values()
    ]


def _folder(card: TaskCard) -> str:
    """Return the card's folder if the paths of its training files depend on it, else an empty string."""
    return card.folder if any("{folder}" in str(source) for source in card.train_sources) else ""


def evaluated_by(source: TaskSource, targets: Sequence[TaskCard], languages: Sequence[str]) -> list[Evaluated]:
    """Return every evaluation split of the targets in these languages.

    Examples are read, and reading errors raised, when they are first used.
    """
    return [
        Evaluated(
            task=card.name,
            language=language,
            split=split,
            examples=_Later(partial(_asked, source, card, language, split)),
            fingerprint=source.split_fingerprint(card, language, split),
            translates=TRANSLATES.get((card.name, split)),
        )
        for card in targets
        for language in card.languages
        if language in languages
        for split in evaluation_splits(card, language)
    ]


class _Later(Sequence[Example]):
    """Examples that are read on first use: a check whose result is cached reads none."""

    def __init__(self, read: Callable[[], Sequence[Example]]) -> None:
        self._read = read

    @cached_property
    def _examples(self) -> Sequence[Example]:
        return self._read()

    def __len__(self) -> int:
        return len(self._examples)

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Example]: ...
    def __getitem__(self, at: int | slice) -> Example | Sequence[Example]:
        return self._examples[at]


def _asked(source: TaskSource, card: TaskCard, language: str, split: str) -> Sequence[Example]:
    """Return the scored examples of a split; for mining, the gold pairs."""
    examples = source.split(card, language, split)
    return gold_pairs(examples, f"{card.name} {language} {split}") if card.kind == "mining" else examples


def pretraining(place: Path) -> list[TrainingTexts]:
    """Return one training set for each `.txt`, `.jsonl` or `.tsv` file (also `.gz`) of a file or folder.

    The files are read while they are checked. A text is a line of `.txt`, a cell of `.tsv`, or any string inside an object of
    `.jsonl`.

    Raises:
        DataMissing: there is no such file.
        BadInput: a file has another suffix.
    """
    files = sorted(path for path in place.rglob("*") if path.is_file() and _suffix(path)) if place.is_dir() else [place]
    if not files or not all(path.is_file() for path in files):
        raise DataMissing(f"no pretraining text at {place}; expected {', '.join(_TEXT_FILES)} files, also .gz")
    for path in files:
        if not _suffix(path):
            raise BadInput(f"{path}: expected one of {', '.join(_TEXT_FILES)}, also .gz")
    return [
        TrainingTexts(name=str(path), examples=_texts(path), raw=True, fingerprint=file_fingerprint(path)) for path in files
    ]


def _suffix(path: Path) -> str:
    """Return `.txt`, `.jsonl` or `.tsv`, or an empty string for another file."""
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    return suffix if suffix in _TEXT_FILES else ""


def _texts(path: Path) -> Iterator[RawText]:
    kind = _suffix(path)
    for number, line in lines(path):
        try:
            if isinstance(line, Broken):
                raise ValueError(line.why)
            for part in _strings(parse_json(line)) if kind == ".jsonl" else line.split("\t") if kind == ".tsv" else [line]:
                if fault := unencodable(part):
                    raise ValueError(fault)
                yield RawText(str(number), part, None)
        except BadJson as fault:
            raise BadInput(f"{path}:{number}: not a JSON object ({fault})") from None
        except ValueError as fault:
            raise BadInput(f"{path}:{number}: {fault}") from None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
