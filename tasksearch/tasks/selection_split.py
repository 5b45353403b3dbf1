"""Division of evaluation examples into selection and reporting examples, which are always disjoint.

The split rule, by card and language:

- With dev and test splits by the authors, dev selects and test reports.
- A single split is divided once into about equal parts, by a hash of the document (article, paragraph, source sentence).
  A document is in the same part in every language and every card, so that translations of one text are never on both sides.
- An example whose text also occurs among the reporting examples is not used for selection.
- A language with fewer than 100 evaluation examples (the card's `fewest`) is only reported.
- Retrieval is divided by query, mining by foreign sentences that have a translation; the pools stay whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasksearch.core.score import HALVES, Half
from tasksearch.tasks.card import POOLED, TaskCard
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
from tasksearch.tasks.reading import ids_of

SPLIT_RULE = 1
"""Raised by hand whenever the rule changes which examples are scored; part of every segment's signature."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Portion:
    """Examples that are scored together.

    Attributes:
        examples: examples in file order; for retrieval and mining the whole pool.
        rows: `select` and `report` → ascending indices into `examples`; a key without indices is left out.
    """

    examples: tuple[Example, ...]
    rows: Mapping[Half, Ints]


def portions(
    card: TaskCard, language: str, splits: Mapping[str, Sequence[Example]], cap: int | None = None
) -> tuple[Portion, ...]:
    """Divide the evaluation examples of one card and language into portions.

    Args:
        splits: split → examples, for each of `evaluation_splits`.
        cap: maximum number of selection and of reporting examples, those with the smallest hash; pools stay whole.
    """
    total = sum(len(scored_rows(examples)) for examples in splits.values())
    made = []
    for split in evaluation_splits(card, language):
        examples = splits[split]
        rows = _rows(card, language, split, examples, selects=total >= card.fewest)
        if "select" in rows and not card.keep_repeats:
            reporting = splits[card.report_split]
            others = [reporting[int(row)] for row in rows["report"]] if "report" in rows else reporting
            rows["select"] = rows["select"][~_repeated(examples, rows["select"], others)]
        kept = {half: _capped(examples, indices, cap) for half, indices in rows.items() if len(indices)}
        if kept:
            made.append(_whole_pool(examples, kept) if card.kind in POOLED else _scored_only(examples, kept))
    return tuple(made)


def evaluation_splits(card: TaskCard, language: str) -> tuple[str, ...]:
    """Return the splits that a language is scored on.

    It is one split if that is divided, else the authors' selection and reporting splits.
    """
    return (card.report_split,) if is_cut(card, language) else (card.select_split, card.report_split)


def scored_rows(examples: Sequence[Example]) -> Ints:
    """Return the indices of the examples that count: for mining the foreign sentences with a translation, otherwise all."""
    if examples and isinstance(examples[0], PoolSentence):
        counted = [isinstance(e, PoolSentence) and bool(e.translations) for e in examples]
        return np.flatnonzero(counted).astype(np.int64)
    return np.arange(len(examples), dtype=np.int64)


def is_cut(card: TaskCard, language: str) -> bool:
    """Whether the language has a single split, which is divided."""
    return card.select_split == card.report_split or language in card.one_split


def half_of(document: str) -> Half:
    """Return the side of a document, `select` or `report`, determined by its hash alone."""
    return HALVES[hashlib.sha256(f"half {SPLIT_RULE}\n{document}".encode()).digest()[0] % 2]


def document_of(example: Example) -> str:
    """Return the name of the example's document.

    Without one it is the English sentence of a retrieval query, the text of a mined sentence, or the example's id.
    """
    if isinstance(example, BitextExample):
        return example.document or example.english
    if isinstance(example, PoolSentence):
        return example.document or example.text
    return example.document or example.id


def document_number(example: Example) -> int:
    """Return a number in [0, 2**63) derived from the document's name alone: equal in every language and study."""
    return int.from_bytes(hashlib.sha256(document_of(example).encode()).digest()[:8], "big") >> 1


def document_numbers(made: Sequence[Portion]) -> dict[Half, Ints]:
    """Return for `select` and `report` the document number of each scored example, in the order of the outcomes."""
    return {
        half: np.array([document_number(portion.examples[int(row)]) for row in rows], dtype=np.int64)
        for portion in made
        for half, rows in portion.rows.items()
    }


def _rows(card: TaskCard, language: str, split: str, examples: Sequence[Example], *, selects: bool) -> dict[Half, Ints]:
    everything = scored_rows(examples)
    if not is_cut(card, language):
        if split == card.report_split:
            return {"report": everything}
        return {"select": everything} if selects else {}
    halves = np.array([half_of(document_of(examples[int(row)])) == "select" for row in everything], dtype=bool)
    if not selects or halves.all() or not halves.any():
        return {"report": everything}
    return {"select": everything[halves], "report": everything[~halves]}


def _repeated(examples: Sequence[Example], rows: Ints, others: Sequence[Example]) -> npt.NDArray[np.bool_]:
    """Return shape (rows,): whether the same text occurs among the others, regardless of ids, documents and labels."""
    there = {text_key(example) for example in others}
    return np.array([text_key(examples[int(row)]) in there for row in rows], dtype=bool)


def text_key(example: Example) -> tuple[object, ...]:
    """Return everything that a model reads of an example."""
    match example:
        case TextExample(text_a=a, text_b=b) | RawText(text_a=a, text_b=b):
            return (a, b)
        case LabelSetExample(text=text):
            return (text, None)
        case ChoiceExample(prompt=prompt, choices=choices):
            return (prompt, choices)
        case SpanExample(question=question, context=context):
            return (question, context)
        case TagExample(words=words):
            return words
        case BitextExample(text=text, english=english):
            return (text, english)
        case PoolSentence(text=text):
            return (text,)


def _capped(examples: Sequence[Example], rows: Ints, cap: int | None) -> Ints:
    if cap is None or len(rows) <= cap:
        return rows
    names = list(ids_of(examples[int(row)] for row in rows))
    order = sorted(range(len(rows)), key=lambda i: hashlib.sha256(f"cap\n{names[i]}".encode()).digest())
    return np.sort(rows[order[:cap]])


def _whole_pool(examples: Sequence[Example], rows: Mapping[Half, Ints]) -> Portion:
    return Portion(examples=tuple(examples), rows=rows)


def _scored_only(examples: Sequence[Example], rows: Mapping[Half, Ints]) -> Portion:
    scored = np.unique(np.concatenate(list(rows.values())))
    return Portion(
        examples=tuple(examples[int(row)] for row in scored),
        rows={half: np.searchsorted(scored, indices).astype(np.int64) for half, indices in rows.items()},
    )
