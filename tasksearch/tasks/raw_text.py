"""Raw text for phase 1: folders of files aligned line by line, `<root>/pretrain/<source>/<language>.txt.gz`.

Line n is the same sentence in every file of a folder; an empty line is a missing one. Consecutive lines of one language form
documents for MLM; a line and its English counterpart form a pair for TLM. A folder may instead hold
`en-<language>.<anything>.jsonl.gz` (LAFAND-MT) with both sides in each line, `{"en": …, "<language>": …}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.text_files import Broken, lines, unencodable
from tasksearch.tasks.examples import RawText
from tasksearch.tasks.formats.lines import json_lines
from tasksearch.tasks.languages import canonical

DOCUMENT_CHARACTERS = 400
"""Maximum characters of joined lines: about a hundred tokens."""

ENDING = ".txt.gz"
_BOTH = "en-*.jsonl.gz"
_REGIONS = {"TW": "Hant", "HK": "Hant", "CN": "", "ET": ""}
"""Regions in file names that are read, with the script that they imply. Files of other regions are ignored."""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Licence of a source; the licence of a source not listed here, supplied by the user, is unknown."""

    text: str
    non_commercial: bool = False


LICENCES: dict[str, Licence] = {
    "ntrex": Licence(text="CC BY-SA 4.0 (NTREX-128)"),
    "tico19": Licence(text="CC0 1.0 (TICO-19)"),
    "bible": Licence(text="CC0 1.0 and public domain (christos-c/bible-corpus, King James)"),
    "lafand": Licence(text="CC BY-NC 4.0 (LAFAND-MT)", non_commercial=True),
}


@dataclass(frozen=True, kw_only=True)
class AlignedFile:
    """One language of one source with its English side; read anew at every iteration, so that no text is kept in memory.

    Attributes:
        english: file of the English side; None for English itself, and if the source has none.
        key, english_key: key of each side in a file of JSON lines; empty: plain lines of text.
    """

    source: str
    language: str
    path: Path
    english: Path | None
    key: str = ""
    english_key: str = ""

    def documents(self) -> Iterator[RawText]:
        """Yield runs of consecutive lines as documents."""
        held: list[str] = []
        for number, text in _texts(self.path, self.key):
            if held and sum(map(len, held)) + len(text) > DOCUMENT_CHARACTERS:
                yield RawText(str(number), " ".join(held), None)
                held = []
            if text:
                held.append(text)
        if held:
            yield RawText("end", " ".join(held), None)

    def pairs(self) -> Iterator[RawText]:
        """Yield (sentence, English) where both exist.

        Raises:
            BadInput: the files have different numbers of lines.
        """
        if self.english is None:
            return
        for ours, theirs in zip_longest(_texts(self.path, self.key), _texts(self.english, self.english_key)):
            if ours is None or theirs is None:
                (longer, number) = (self.path, ours[0]) if theirs is None else (self.english, theirs[0])
                shorter = self.english if theirs is None else self.path
                raise BadInput(f"{longer}:{number}: no such line in {shorter}; aligned files have equal lengths")
            if ours[1] and theirs[1]:
                yield RawText(str(ours[0]), ours[1], theirs[1])


def _texts(path: Path, key: str) -> Iterator[tuple[int, str]]:
    for number, record in json_lines(path) if key else lines(path, keep_blank_end=True):
        if isinstance(record, Broken):
            raise BadInput(f"{path}:{number}: {record.why}")
        text = record if isinstance(record, str) else record.get(key)
        if not isinstance(text, str):
            raise BadInput(f"{path}:{number}: no text under {key!r}")
        if fault := unencodable(text):
            raise BadInput(f"{path}:{number}: {fault}")
        yield number, text.strip()


def sources_in(root: Path) -> tuple[str, ...]:
    """Return the names of the folders with aligned text, sorted; raises DataMissing if there is none."""
    found = {path.parent.name for ending in (f"*{ENDING}", _BOTH) for path in (root / "pretrain").glob(f"*/{ending}")}
    if not found:
        raise DataMissing(f"no raw text: expected {root / 'pretrain'}/SOURCE/LANGUAGE{ENDING}, aligned line by line")
    return tuple(sorted(found))


def aligned_files(root: Path, languages: Sequence[str], sources: Sequence[str]) -> tuple[AlignedFile, ...]:
    """Return all files of the languages in the sources; languages are canonical codes.

    Raises:
        DataMissing: a language has no text.
    """
    found: list[AlignedFile] = []
    for source in sources:
        found += _of_both_sides(root / "pretrain" / source, source, languages)
        files = _by_language(root / "pretrain" / source)
        for language in languages:
            if language in files:
                english = files.get("en") if language != "en" else None
                found.append(AlignedFile(source=source, language=language, path=files[language], english=english))
    for language in languages:
        if all(file.language != language for file in found):
            raise DataMissing(f"no raw text of {language!r} under {root / 'pretrain'} in {', '.join(sources)}")
    return tuple(found)


def _of_both_sides(folder: Path, source: str, languages: Sequence[str]) -> Iterator[AlignedFile]:
    """Yield both sides of every `en-xxx` file in a requested language; its English side is not aligned with other files."""
    for path in sorted(folder.glob(_BOTH)):
        code = path.name.removeprefix("en-").partition(".")[0]
        if canonical(code) in languages:
            yield AlignedFile(source=source, language="en", path=path, english=None, key="en")
            yield AlignedFile(source=source, language=canonical(code), path=path, english=path, key=code, english_key="en")


def _by_language(folder: Path) -> dict[str, Path]:
    """Return language → file, preferring a plain name over a regional one."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{ENDING}"), key=lambda path: (len(path.name), path.name)):
        base, _, variant = path.name.removesuffix(ENDING).replace("_", "-").partition("-")
        if variant.isupper() and variant not in _REGIONS:
            continue
        script = _REGIONS.get(variant, variant)
        found.setdefault(canonical(f"{base}_{script}" if script else base), path)
    return found
