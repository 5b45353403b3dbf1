"""Find evaluation items in the training data of a study: exact matches and 8-gram overlap, in bounded memory.

Texts are compared by their letters and digits alone (NFKC, lower case). A text is *found* if its whole string of letters and
digits equals that of a training text, or if at least 70 % of its word 8-grams occur in the training texts (the rule of
Chowdhery et al. 2022, PaLM, section 8); below eight words only the first test applies. A labelled training example contains an
item if it holds all its texts; raw text contains it if it holds the main one: the context of a question, both sides of a
bitext, else the longest text.

Items with fewer than eight words in total may recur by chance ("Thank you .", "1 ."): 6 % of the English UD test sentences
occur in its training set. Such short items are counted and named, but only longer ones lead to refusal of a study.

Comparing texts cannot find translations of training items. If a card's items are known to be translations of numbered items
(XCOPA's of COPA's), the numbers are compared.

Only hashes of the evaluation texts are kept in memory. Training texts are processed in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput
from tasksearch.tasks.examples import (
    BitextExample,
    ChoiceExample,
    Example,
    LabelSetExample,
    PoolSentence,
    RawText,
    SpanExample,
    TagExample,
    TextExample,
)
from tasksearch.tasks.ngrams import GRAM, Hashes, hashed

OVERLAP = 0.7
REFUSED = 0.005
"""Share of a split's items above which a study is refused unless leakage is allowed."""
_BLOCK = 20_000
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluated:
    """Evaluation items of one task, language and split."""

    task: str
    language: str
    split: str
    examples: Sequence[Example]
    fingerprint: str = ""
    """Identifies the examples; empty if results cannot be cached."""
    translates: tuple[str, int] | None = None
    """(data set, first): the item of document d is a translation of that data set's item first + d."""

    def origins(self) -> list[str]:
        """Return the item that each item translates; "" if unknown."""
        if self.translates is None:
            return [""] * len(self.examples)
        data, first = self.translates
        return [f"{data}/{first + int(e.document)}" if e.document.isdecimal() else "" for e in self.examples]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingTexts:
    """Texts of one training set.

    Attributes:
        data: names of the data sets that they come from, as on a card.
        raw: whether they are unlabelled pretraining text.
        fingerprint: identifies the texts; empty if results cannot be cached.
    """

    name: str
    examples: Iterable[Example]
    data: tuple[str, ...] = ()
    raw: bool = False
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Items of one split that occur in one training set.

    Attributes:
        items: number of items in the split.
        exact: items found by exact match, or by their number.
        overlapping: items found by 8-grams only.
        short: found items with fewer than eight words.
        shown: the first few, as (id, beginning of the text).
    """

    trained: str
    task: str
    language: str
    split: str
    items: int
    exact: int
    overlapping: int
    short: int
    shown: tuple[tuple[str, str], ...]

    @property
    def found(self) -> int:
        """Number of items found either way."""
        return self.exact + self.overlapping

    @property
    def share(self) -> float:
        """Share of the split's items that were found and are not short, in [0, 1]; decides whether a study is refused."""
        return (self.found - self.short) / self.items

    def __str__(self) -> str:
        shown = "; ".join(f"{name}: {text!r}" for name, text in self.shown)
        short = f", {self.short} of under {GRAM} words" if self.short else ""
        return (
            f"{self.task} {self.language} {self.split}: {self.found} of {self.items} items stand in {self.trained}, "
            f"{self.exact} letter by letter{short}; {100 * self.share:.2f} % without the short ones ({shown})"
        )


def find_leaks(trained: Iterable[TrainingTexts], evaluated: Sequence[Evaluated]) -> tuple[Leak, ...]:
    """Return every (training set, split) with at least one item found, the largest share first."""
    index = _Index(evaluated)
    return worst_first(leak for one in trained for leak in index.leaks(one))


def worst_first(leaks: Iterable[Leak]) -> tuple[Leak, ...]:
    """Sort leaks for display, the largest share first."""
    return tuple(sorted(leaks, key=lambda leak: (-leak.share, -leak.found, leak.task, leak.language, leak.split, leak.trained)))


def refuse_leaks(leaks: Sequence[Leak], limit: float = REFUSED) -> None:
    """Refuse a study with too much leakage.

    Raises:
        BadInput: more than the share `limit`, and more than one item, of a split occurs in a training set; names the worst
            split and its first items.
    """
    above = above_limit(leaks, limit)
    if above:
        more = f"; {len(above) - 1} more: `tasksearch data leakage` lists them" if len(above) > 1 else ""
        raise BadInput(f"leakage: {above[0]}{more}; expected at most {100 * limit:g} %, or --allow-leakage")


def above_limit(leaks: Iterable[Leak], limit: float = REFUSED) -> list[Leak]:
    """Return the leaks for which a study is refused, in their order."""
    return [leak for leak in leaks if leak.share > limit and leak.found - leak.short > 1]


def texts_of(example: Example) -> tuple[str, ...]:
    """Return the texts of an example, its main text first."""
    if isinstance(example, SpanExample):
        return (example.context, example.question)
    if isinstance(example, TagExample):
        return (" ".join(example.words),)
    if isinstance(example, BitextExample):
        return (example.text, example.english)
    if isinstance(example, PoolSentence | LabelSetExample):
        return (example.text,)
    if isinstance(example, ChoiceExample):
        return _longest_first(example.prompt, *example.choices)
    assert isinstance(example, TextExample | RawText), "every kind of example is listed here"
    return (example.text_a,) if example.text_b is None else _longest_first(example.text_a, example.text_b)


def _longest_first(*texts: str) -> tuple[str, ...]:
    return tuple(sorted(texts, key=len, reverse=True))


class _Index:
    """Hashes of all evaluation texts, to be matched with training sets."""

    def __init__(self, evaluated: Sequence[Evaluated]) -> None:
        self.evaluated = evaluated
        items = [texts_of(example) for part in evaluated for example in part.examples]
        self.first = np.concatenate([[0], np.cumsum([len(texts) for texts in items])]).astype(np.int64)
        self.bitext = np.array([isinstance(e, BitextExample) for part in evaluated for e in part.examples], dtype=np.bool_)
        texts = hashed([text for item in items for text in item])
        self.whole, self.whole_at = np.unique(texts.whole, return_inverse=True)
        self.grams, self.grams_at = np.unique(texts.grams, return_inverse=True)
        self.bounds, self.empty = texts.bounds, texts.words == 0
        self.short = np.add.reduceat(texts.words, self.first[:-1]) < GRAM if items else np.empty(0, dtype=np.bool_)
        self.origins = [origin for part in evaluated for origin in part.origins()]
        self.translated = {origin.partition("/")[0] for origin in self.origins if origin}

    def leaks(self, trained: TrainingTexts) -> Iterator[Leak]:
        """Yield one leak for each split of which an item is found."""
        exact, overlapping, origins = self._found(trained)
        same = np.array([origin in origins for origin in self.origins], dtype=np.bool_)
        exact_items, found_items = (self._items(texts, raw=trained.raw) | same for texts in (exact, exact | overlapping))
        begin = 0
        for part in self.evaluated:
            rows = slice(begin, begin + len(part.examples))
            begin = rows.stop
            hits = np.flatnonzero(found_items[rows])
            if not len(hits):
                continue
            letter_by_letter = int(exact_items[rows].sum())
            is_short = self.short[rows][hits]
            telling = [*hits[~is_short], *hits[is_short]]
            yield Leak(
                trained=trained.name,
                task=part.task,
                language=part.language,
                split=part.split,
                items=len(part.examples),
                exact=letter_by_letter,
                overlapping=len(hits) - letter_by_letter,
                short=int((is_short & ~same[rows][hits]).sum()),
                shown=tuple(_shown(part.examples[int(hit)]) for hit in telling[:_SHOWN]),
            )

    def _found(self, trained: TrainingTexts) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], set[str]]:
        """Return which evaluation texts were found exactly, which by 8-grams, and which numbered items were seen."""
        whole, grams = np.zeros(len(self.whole), dtype=np.bool_), np.zeros(len(self.grams), dtype=np.bool_)
        data = [name for name in trained.data if name in self.translated]
        origins: set[str] = set()
        examples = iter(trained.examples)
        while block := list(islice(examples, _BLOCK)):
            seen = hashed([text for example in block for text in texts_of(example)])
            _mark(whole, self.whole, seen.whole)
            _mark(grams, self.grams, seen.grams)
            origins.update(f"{name}/{example.document or example.id}" for name in data for example in block)
        exact = whole[self.whole_at] & ~self.empty
        return exact, _share(grams[self.grams_at], self.bounds) >= OVERLAP, origins

    def _items(self, texts: npt.NDArray[np.bool_], *, raw: bool) -> npt.NDArray[np.bool_]:
        if not len(self.bitext):
            return np.empty(0, dtype=np.bool_)
        every = np.logical_and.reduceat(texts | self.empty, self.first[:-1]) & texts[self.first[:-1]]
        return np.where(self.bitext, every, texts[self.first[:-1]]) if raw else every


def _mark(found: npt.NDArray[np.bool_], known: Hashes, seen: Hashes) -> None:
    """Set `found` for each of the sorted `known` hashes that is among `seen`."""
    if len(known) and len(seen):
        at = np.minimum(np.searchsorted(known, seen), len(known) - 1)
        found[at[known[at] == seen]] = True


def _share(found: npt.NDArray[np.bool_], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return for each text the share of its 8-grams that were found; 0 for a text without any."""
    sums = np.concatenate([[0], np.cumsum(found)])
    counts = np.diff(bounds)
    return np.asarray((sums[bounds[1:]] - sums[bounds[:-1]]) / np.maximum(counts, 1), dtype=np.float64)


def _shown(example: Example) -> tuple[str, str]:
    text = texts_of(example)[0]
    return example.id, text if len(text) <= 60 else f"{text[:57]}…"
