"""LASER's Tatoeba: `tatoeba.xxx-eng.xxx` and `tatoeba.xxx-eng.eng`; line N of both files is one pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


def english_side(path: Path) -> tuple[Path, ...]:
    """Return the English file that belongs to a foreign one."""
    return (path.with_suffix(".eng"),)


def sentence_pairs(path: Path) -> Iterator[Record]:
    """Yield (line, {idx, text, english}).

    Raises:
        BadInput: the two sides have different numbers of lines.
    """
    (english,) = english_side(path)
    for left, right in zip_longest(lines(path), lines(english)):
        if left is None or right is None:
            short, number = (path, right[0]) if left is None else (english, left[0])
            raise BadInput(f"{short}:{number}: the file ends here and its other side does not; line N of both must be one pair")
        yield left[0], _pair(left[0] - 1, left[1], right[1])


def _pair(place: int, text: str | Broken, english: str | Broken) -> dict[str, Any] | Broken:
    if isinstance(text, Broken):
        return text
    return english if isinstance(english, Broken) else {"idx": place, "text": text.strip(), "english": english.strip()}


def pair_row(record: Mapping[str, Any], ask: Ask) -> Mapping[str, Any]:
    """Return a pair with text on both sides; its line number from 0 is its id if the card requests one."""
    if not record["text"] or not record["english"]:
        raise ValueError("an empty sentence; both sides need text")
    named = {"id": record["idx"]} if "id" in ask.columns else {}
    return {"text": record["text"], "english": record["english"]} | named


LASER_TATOEBA = Format(records=sentence_pairs, row=pair_row, beside=english_side)
