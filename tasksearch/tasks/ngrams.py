"""Hashes of texts: of all letters and digits, and of every run of eight words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

GRAM = 8
"""Words per run, as in PaLM's check."""

Hashes = npt.NDArray[np.uint64]

_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, from the golden ratio: its powers mix all 64 bits
_UNSPACED = (
    (0x0E00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
"""Thai, Lao, Tibetan, Burmese, Khmer, kana and Han are written without spaces: each letter, with the marks (vowels, tones) on
it, counts as a word. A mark alone is not a word: eight characters of Burmese are two syllables, which would recur often.
"""


_JOIN = "\x08"


@dataclass(frozen=True, kw_only=True, eq=False)
class Hashed:
    """Hashes of a list of texts. They are valid within one process only, since Python salts its string hash.

    Attributes:
        whole: (texts,) hash of all letters and digits, without spaces.
        words: (texts,) number of words; 0 without a letter or digit.
        grams: (runs,) hash of each run of eight words, text by text.
        bounds: (texts + 1,); text t has the runs bounds[t] … bounds[t + 1] - 1, none below eight words.
    """

    whole: Hashes
    words: npt.NDArray[np.int64]
    grams: Hashes
    bounds: npt.NDArray[np.int64]


def words_of(text: str) -> list[str]:
    """Split text into words of letters, digits and marks, after NFKC and lower-casing."""
    spaced = unicodedata.normalize("NFKC", text).lower().translate(_LETTERS)
    return spaced.replace(f" {_JOIN}", "").replace(_JOIN, "").split()


def hashed(texts: Sequence[str]) -> Hashed:
    """Hash each text and its runs of eight words."""
    whole, words, lengths = [], [], []
    for text in texts:
        found = words_of(text)
        whole.append(hash("".join(found)))
        words += found
        lengths.append(len(found))
    counts = np.asarray(lengths, dtype=np.int64)
    runs = np.maximum(counts - GRAM + 1, 0)
    return Hashed(
        whole=_unsigned(whole),
        words=counts,
        grams=_runs(_unsigned([hash(word) for word in words]), counts, runs),
        bounds=np.concatenate([[0], np.cumsum(runs)]).astype(np.int64),
    )


def _runs(words: Hashes, counts: npt.NDArray[np.int64], runs: npt.NDArray[np.int64]) -> Hashes:
    """Return polynomial hashes of the runs that lie within one text."""
    if not runs.any():
        return np.empty(0, dtype=np.uint64)
    total = len(words) - GRAM + 1
    mixed = np.zeros(total, dtype=np.uint64)
    for place in range(GRAM):
        mixed *= np.uint64(_MULTIPLIER)
        mixed += words[place : place + total]
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    inside = np.zeros(total + 1, dtype=np.int64)
    held = runs > 0
    np.add.at(inside, first[held], 1)
    np.add.at(inside, first[held] + runs[held], -1)
    return mixed[np.cumsum(inside[:-1]) > 0]


def _unsigned(values: Sequence[int]) -> Hashes:
    return np.asarray(values, dtype=np.int64).view(np.uint64)


class _Letters(dict[int, str]):
    """Translation table, filled on demand: maps a character to itself, surrounded by spaces in unspaced scripts, or to a space.

    A mark of such a script is preceded by `_JOIN`, which removes the space after the letter before it.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        sort = unicodedata.category(character)[0]
        spaced = any(low <= code <= high for low, high in _UNSPACED)
        around = f" {character} " if sort in "LN" else f"{_JOIN}{character} "
        self[code] = (around if spaced else character) if sort in "LNM" else " "
        return self[code]


_LETTERS = _Letters()
