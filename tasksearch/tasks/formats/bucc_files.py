"""BUCC 2018: two comparable corpora to be mined for translations.

A folder holds `xx-en.<part>.xx` and `xx-en.<part>.en` (id⇥sentence) and `xx-en.<part>.gold` (foreign id⇥English id). `part` is
`sample` (XTREME's dev) or `training` (XTREME's test, whose gold pairs are missing from XTREME's copy).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


@dataclass(frozen=True, kw_only=True)
class MiningSet:
    """Two pools of sentences by id, the gold pairs, and all lines that do not fit.

    Attributes:
        foreign, english: id → (line, sentence).
        gold: foreign id → English ids; empty if the organisers withhold them.
        broken: (line, error); the message names the file unless it is the foreign side's.
    """

    foreign: Mapping[str, tuple[int, str]]
    english: Mapping[str, tuple[int, str]]
    gold: Mapping[str, tuple[str, ...]]
    broken: tuple[tuple[int, Broken], ...]


def beside(foreign: Path) -> tuple[Path, Path]:
    """Return the paths of the English side and of the gold pairs."""
    stem = foreign.name.rsplit(".", 1)[0]
    return foreign.with_name(f"{stem}.en"), foreign.with_name(f"{stem}.gold")


def bucc_files(path: Path) -> MiningSet:
    """Read the set whose foreign side is `xx-en.<part>.xx`; its English side, and the gold pairs if any, are beside it.

    Raises:
        DataMissing: one of the two sides is missing.
    """
    english_path, gold_path = beside(path)
    broken: list[tuple[int, Broken]] = []
    foreign, english = _sentences(path, "", broken), _sentences(english_path, english_path.name, broken)
    gold = _gold(gold_path, foreign, english, broken) if gold_path.is_file() else {}
    return MiningSet(foreign=foreign, english=english, gold=gold, broken=tuple(broken))


def pool_records(path: Path) -> Iterator[Record]:
    """Yield (line, fields of the kind `mining`) of the foreign side, then of the English one.

    The document of a pair is its English sentence, so that a text is on the same side of the split in all languages.
    """
    found = bucc_files(path)
    yield from found.broken
    for name, (line, text) in found.foreign.items():
        translations = found.gold.get(name, ())
        document = found.english[translations[0]][1] if translations else ""
        yield line, _row(name, text, english=False) | {"translations": list(translations), "document": document}
    for name, (line, text) in found.english.items():
        yield line, _row(name, text, english=True)


def _row(name: str, text: str, *, english: bool) -> dict[str, Any]:
    return {"id": name, "text": text, "english": english}


def _sentences(path: Path, named: str, broken: list[tuple[int, Broken]]) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for number, line in lines(path):
        identity, tab, text = ("", "", "") if isinstance(line, Broken) else line.partition("\t")
        if isinstance(line, Broken):
            why = line.why
        elif not tab or not text.strip():
            why = "not 'id⇥sentence'; expected BUCC's own format"
        elif identity in found:
            why = f"id {identity!r} stands twice; fetch the file again"
        else:
            found[identity] = (number, text.strip())
            continue
        broken.append((number, Broken(_of_file(named, number) + why)))
    return found


def _of_file(named: str, number: int) -> str:
    return f"line {number} of {named}: " if named else ""


def _gold(
    path: Path, foreign: Mapping[str, Any], english: Mapping[str, Any], broken: list[tuple[int, Broken]]
) -> dict[str, tuple[str, ...]]:
    pairs: dict[str, tuple[str, ...]] = {}
    for number, line in lines(path):
        fault = line.why if isinstance(line, Broken) else _unfit(line.split("\t"), foreign, english)
        if fault or isinstance(line, Broken):
            broken.append((number, Broken(f"{_of_file(path.name, number)}{fault}")))
            continue
        ours, theirs = line.split("\t")
        pairs[ours] = tuple(dict.fromkeys((*pairs.get(ours, ()), theirs)))
    return pairs


def _unfit(cells: list[str], foreign: Mapping[str, Any], english: Mapping[str, Any]) -> str:
    if len(cells) != 2:
        return f"{len(cells)} columns; expected 'foreign id⇥English id'"
    unknown = [cell for cell, side in zip(cells, (foreign, english), strict=True) if cell not in side]
    return f"no sentence has the id {unknown[0]!r}; are the three files of one release?" if unknown else ""


def as_is(record: Mapping[str, Any], ask: Ask) -> Mapping[str, Any]:
    """Return the fields under their own names."""
    return record


BUCC = Format(records=pool_records, row=as_is, beside=beside)
