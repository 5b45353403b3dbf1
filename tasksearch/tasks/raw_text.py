"""Raw text for phase 1: folders of files that are aligned line by line, `<root>/pretrain/<source>/<language>.txt.gz`.

Line n is the same sentence in every file of a folder; an empty line is a missing one. Runs of lines of one language are
documents for MLM; lines beside their English side are pairs for TLM. A folder may hold `en-<language>.<anything>.jsonl.gz`
instead (LAFAND-MT): both sides in each line, `{"en": …, "<language>": …}`.
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
"""Consecutive lines are joined up to so many characters: a sequence of about a hundred pieces."""

ENDING = ".txt.gz"
_BOTH = "en-*.jsonl.gz"
_REGIONS = {"TW": "Hant", "HK": "Hant", "CN": "", "ET": ""}
"""Regions in file names that are read: the script they mean. Other regional variants are passed over."""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Of a source; a source that is not here is the user's own, its licence unknown to us."""

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
    """One language of one source, with its English side; iterated anew at every pass, so that no text is held.

    Attributes:
        english: file of the English side; None for English itself, and where the source has none.
        key, english_key: of each side in the objects of a file of JSON lines; empty: lines of text.
    """

    source: str
    language: str
    path: Path
    english: Path | None
    key: str = ""
    english_key: str = ""

    def documents(self) -> Iterator[RawText]:
        """Runs of consecutive lines."""
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
        """(sentence, English), where both are there.

        Raises:
            BadInput: the files are of unequal lengths.
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
    """Names of the folders with aligned text, sorted; DataMissing where there is none."""
    found = {path.parent.name for ending in (f"*{ENDING}", _BOTH) for path in (root / "pretrain").glob(f"*/{ending}")}
    if not found:
        raise DataMissing(f"no raw text: expected {root / 'pretrain'}/SOURCE/LANGUAGE{ENDING}, aligned line by line")
    return tuple(sorted(found))


def aligned_files(root: Path, languages: Sequence[str], sources: Sequence[str]) -> tuple[AlignedFile, ...]:
    """Every file of the languages in the sources, languages in canonical codes.

    Raises:
        DataMissing: a language without any text, or without its English side anywhere.
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
    """Each side of every `en-xxx` file whose language is wanted; its English is not that of another file."""
    for path in sorted(folder.glob(_BOTH)):
        code = path.name.removeprefix("en-").partition(".")[0]
        if canonical(code) in languages:
            yield AlignedFile(source=source, language="en", path=path, english=None, key="en")
            yield AlignedFile(source=source, language=canonical(code), path=path, english=path, key=code, english_key="en")


def _by_language(folder: Path) -> dict[str, Path]:
    """Language → its file; a plain name before a regional one."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{ENDING}"), key=lambda path: (len(path.name), path.name)):
        base, _, variant = path.name.removesuffix(ENDING).replace("_", "-").partition("-")
        if variant.isupper() and variant not in _REGIONS:
            continue
        script = _REGIONS.get(variant, variant)
        found.setdefault(canonical(f"{base}_{script}" if script else base), path)
    return found
