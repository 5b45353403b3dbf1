"""BUCC 2018: two comparable corpora to mine for translations.

A folder holds `xx-en.<part>.xx` and `xx-en.<part>.en` (id⇥sentence) and, where known, `xx-en.<part>.gold` (foreign id⇥English
id). `part` is `sample` (XTREME's dev) or `training` (XTREME's test; its gold is left out of XTREME's copy).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.tasks.formats.contract import Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


@dataclass(frozen=True, kw_only=True)
class MiningSet:
    """Two pools of sentences by id, and the pairs to be found: None where the organisers keep them."""

    foreign: dict[str, str]
    english: dict[str, str]
    gold: frozenset[tuple[str, str]] | None


def bucc_files(foreign: Path) -> MiningSet:
    """The set whose foreign side is `xx-en.<part>.xx`; its English side and its gold stand beside it.

    Raises:
        DataMissing: the English side is not there.
        BadInput: a line that is not id⇥text, an id twice, or a gold pair that names an unknown sentence.
    """
    stem = foreign.name.rsplit(".", 1)[0]
    sides = _sentences(foreign), _sentences(foreign.with_name(f"{stem}.en"))
    path = foreign.with_name(f"{stem}.gold")
    return MiningSet(foreign=sides[0], english=sides[1], gold=_gold(path, *sides) if path.is_file() else None)


def _readable(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in lines(path):
        if isinstance(line, Broken):
            raise BadInput(f"{path}:{number}: {line.why}")
        yield number, line


def _sentences(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in _readable(path):
        identity, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise BadInput(f"{path}:{number}: not 'id⇥sentence'; expected BUCC's own format")
        if identity in found:
            raise BadInput(f"{path}:{number}: id {identity!r} stands twice; fetch the file again")
        found[identity] = text.strip()
    if not found:
        raise BadInput(f"{path}: the file holds no sentence")
    return found


def _gold(path: Path, foreign: dict[str, str], english: dict[str, str]) -> frozenset[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for number, line in _readable(path):
        cells = line.split("\t")
        if len(cells) != 2:
            raise BadInput(f"{path}:{number}: {len(cells)} columns; expected 'foreign id⇥English id'")
        unknown = [cell for cell, side in zip(cells, (foreign, english), strict=True) if cell not in side]
        if unknown:
            raise BadInput(f"{path}:{number}: no sentence has the id {unknown[0]!r}; are the three files of one release?")
        pairs.add((cells[0], cells[1]))
    return frozenset(pairs)


def refused(path: Path) -> Iterator[Record]:
    """Reads and checks the set, then says why it yields no pairs: what has no translation is the task's point.

    Raises:
        BadInput: always.
    """
    found = bucc_files(path)
    gold = "no gold" if found.gold is None else f"{len(found.gold)} gold pairs"
    raise BadInput(
        f"{path}: {len(found.foreign)} and {len(found.english)} sentences, {gold}, all well formed; "
        "a search does not mine corpora yet: mine them and use `tasksearch score bucc`"
    )


BUCC = Format(records=refused, row=lambda record, ask: record)
