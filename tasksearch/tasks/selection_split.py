"""Division of evaluation examples into selection and reporting examples, which are always disjoint.

The split rule, by card and language:

- With dev and test splits by the authors, dev selects and test reports.
- A single split is divided once into about equal parts, by a hash of the document (article, paragraph, source sentence).
  A document is in the same part in every language and every card, so that translations of one text are never on both sides.
- An example whose text also occurs among the reporting examples is not used for selection.
- A language with fewer than 100 evaluation examples (the card's `fewest`) is only reported.
- For few-shot controls three draws of N labelled examples are taken from the selection examples of every language but English,
  by a hash; they select nothing. Of a parallel target they are the same numbers in every language, and in English too they
  select nothing: a sentence that is labelled in one language would otherwise choose in another. Where a language lacks one of
  them (its text is also among its reporting examples), the next number takes its place, in that language alone.
- Retrieval is divided by query, mining by foreign sentences that have a translation; the pools stay whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import FEW_SHOT_DRAWS
from tasksearch.core.score import ENGLISH, HALVES, Half
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
    card: TaskCard, language: str, splits: Mapping[str, Sequence[Example]], cap: int | None = None, few_shot: int = 0
) -> tuple[Portion, ...]:
    """Divide the evaluation examples of one card and language into portions.

    Args:
        splits: split → examples, for each of `evaluation_splits`.
        cap: maximum number of selection and of reporting examples, those with the smallest hash; pools stay whole.
        few_shot: examples of each of the draws that are taken from the selection examples first (`few_shot_draws`).

    Raises:
        BadInput: there are too few selection examples for `few_shot`.
    """
    made = []
    for split, rows in _scored(card, language, splits):
        examples = splits[split]
        if few_shot and "select" in rows and sets_aside(card, language):
            taken = np.concatenate(_draws(card, language, examples, rows["select"], few_shot))
            rows["select"] = np.setdiff1d(rows["select"], taken)
        kept = {half: _capped(examples, indices, cap) for half, indices in rows.items() if len(indices)}
        if kept:
            made.append(_whole_pool(examples, kept) if card.kind in POOLED else _scored_only(examples, kept))
    return tuple(made)


def few_shot_draws(
    card: TaskCard, language: str, splits: Mapping[str, Sequence[Example]], few_shot: int
) -> tuple[tuple[Example, ...], ...]:
    """Return the draws of `few_shot` labelled examples, which share none; empty for a language that selects nothing.

    Raises:
        BadInput: there are too few selection examples.
    """
    if not has_few_shot(card, language):
        return ()
    for split, rows in _scored(card, language, splits):
        if len(rows.get("select", ())):
            drawn = _draws(card, language, splits[split], rows["select"], few_shot)
            return tuple(tuple(splits[split][int(row)] for row in one) for one in drawn)
    return ()


def has_few_shot(card: TaskCard, language: str) -> bool:
    """Whether labelled examples of the language could continue the target's phase, which is trained in English."""
    return card.trained and language != ENGLISH


def sets_aside(card: TaskCard, language: str) -> bool:
    """Whether few-shot draws leave the language's selection examples: its own, or those of a parallel target in English."""
    return has_few_shot(card, language) or (card.trained and card.parallel)


def _draws(card: TaskCard, language: str, examples: Sequence[Example], rows: Ints, few_shot: int) -> tuple[Ints, ...]:
    """Return the rows of each draw, ascending; as many examples as one draw holds must be left to select."""
    if len(rows) < (FEW_SHOT_DRAWS + 1) * few_shot:
        most = len(rows) // (FEW_SHOT_DRAWS + 1)
        wish = f"at most {most}" if most else f"the study without language {language!r}, or 0"
        raise BadInput(
            f"--few-shot {few_shot}: target {card.name!r} has {len(rows)} selection examples in {language!r}, of which "
            f"{FEW_SHOT_DRAWS} draws are taken and as many as a draw go on selecting; expected {wish}"
        )
    order = _by_hash("few-shot", map(str, rows) if card.parallel else ids_of(examples[int(row)] for row in rows))
    return tuple(np.sort(rows[order[first : first + few_shot]]) for first in range(0, FEW_SHOT_DRAWS * few_shot, few_shot))


def _scored(card: TaskCard, language: str, splits: Mapping[str, Sequence[Example]]) -> Iterator[tuple[str, dict[Half, Ints]]]:
    """Yield each split that is scored with its selection and reporting rows."""
    total = sum(len(scored_rows(examples)) for examples in splits.values())
    for split in evaluation_splits(card, language):
        examples = splits[split]
        rows = _rows(card, language, split, examples, selects=total >= card.fewest)
        if "select" in rows and not card.keep_repeats:
            reporting = splits[card.report_split]
            others = [reporting[int(row)] for row in rows["report"]] if "report" in rows else reporting
            rows["select"] = rows["select"][~_repeated(examples, rows["select"], others)]
        yield split, rows


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
    return np.sort(rows[_by_hash("cap", ids_of(examples[int(row)] for row in rows))[:cap]])


def _by_hash(purpose: str, names: Iterable[str]) -> list[int]:
    """Return the places of the names in an order that they and the purpose decide."""
    keys = [hashlib.sha256(f"{purpose}\n{name}".encode()).digest() for name in names]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _whole_pool(examples: Sequence[Example], rows: Mapping[Half, Ints]) -> Portion:
    return Portion(examples=tuple(examples), rows=rows)


def _scored_only(examples: Sequence[Example], rows: Mapping[Half, Ints]) -> Portion:
    scored = np.unique(np.concatenate(list(rows.values())))
    return Portion(
        examples=tuple(examples[int(row)] for row in scored),
        rows={half: np.searchsorted(scored, indices).astype(np.int64) for half, indices in rows.items()},
    )
