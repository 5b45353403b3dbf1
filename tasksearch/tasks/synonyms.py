"""Substitution of words by synonyms from a user's table (the data augmentation of Huang et al. 2021, arXiv 2104.08645).

Their rule: a word that has synonyms is replaced by one drawn uniformly from itself and its synonyms; the label is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import BadJson, Broken, lines, parse_json, whole_text
from tasksearch.tasks.examples import ChoiceExample, Example, LabelSetExample, TagExample, TextExample

Synonyms = Mapping[str, tuple[str, ...]]
"""Word in lower case → its synonyms, without itself."""
E = TypeVar("E", bound=Example)

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


def read_synonyms(path: Path) -> Synonyms:
    """Read a table of synonyms: a JSON object of lists (`.json`), or lines of a word and its synonyms separated by tabs.

    Raises:
        DataMissing: the file is missing.
        BadInput: the file cannot be read, a line has a word without synonyms, or there is no line.
    """
    rows = _from_json(path) if ".json" in path.suffixes else _from_lines(path)
    table: dict[str, tuple[str, ...]] = {}
    for word, found in rows:
        known = (*table.get(word.lower(), ()), *found)
        table[word.lower()] = tuple(one for one in dict.fromkeys(known) if one.lower() != word.lower())
    if not any(table.values()):
        raise BadInput(f"{path} has no synonyms; expected lines of a word and its synonyms, separated by tabs")
    return table


def _from_lines(path: Path) -> list[tuple[str, list[str]]]:
    rows = []
    for number, line in lines(path):
        wish = "expected a word and its synonyms, separated by tabs"
        if isinstance(line, Broken):
            raise BadInput(f"{path}:{number}: {line.why}")
        if not line.strip():
            continue
        word, *found = (cell.strip() for cell in line.split("\t"))
        if not (word and any(found)):
            raise BadInput(f"{path}:{number}: {line[:60]!r}; {wish}")
        rows.append((word, [one for one in found if one]))
    return rows


def _from_json(path: Path) -> list[tuple[str, list[str]]]:
    try:
        held = parse_json(whole_text(path))
    except BadJson as fault:
        raise BadInput(f"{path}:{fault.line}: not JSON: {fault}") from None
    if not isinstance(held, dict) or not all(
        isinstance(found, list) and all(isinstance(one, str) for one in found) for found in held.values()
    ):
        raise BadInput(f"{path} is not a table of synonyms; expected an object such as {{'big': ['large', 'great']}}")
    return list(held.items())


def substituted(example: E, table: Synonyms, rate: float, draw: np.random.Generator) -> E:
    """Return the example with words replaced; tags, labels and choices keep their places.

    Args:
        rate: share of the words with synonyms that are drawn anew. A word may draw itself.

    Kinds without a rule here (questions on a context, whose answers have positions; raw text) are returned unchanged.
    """

    def text(words: str) -> str:
        return _WORD.sub(lambda found: _drawn(found[0], table, rate, draw), words)

    one: Example = example
    if isinstance(one, TextExample):
        one = replace(one, text_a=text(one.text_a), text_b=None if one.text_b is None else text(one.text_b))
    elif isinstance(one, LabelSetExample):
        one = replace(one, text=text(one.text))
    elif isinstance(one, ChoiceExample):
        one = replace(one, prompt=text(one.prompt), choices=tuple(text(choice) for choice in one.choices))
    elif isinstance(one, TagExample):
        one = replace(one, words=tuple(_drawn(word, table, rate, draw) for word in one.words))
    return one  # type: ignore[return-value]


def _drawn(word: str, table: Synonyms, rate: float, draw: np.random.Generator) -> str:
    found = table.get(word.lower(), ())
    if not found or (rate < 1 and draw.random() >= rate):
        return word
    number = int(draw.integers(0, len(found) + 1))
    return word if number == len(found) else _cased(found[number], word)


def _cased(synonym: str, word: str) -> str:
    if len(word) > 1 and word.isupper():
        return synonym.upper()
    return synonym[:1].upper() + synonym[1:] if word[:1].isupper() else synonym
