"""Casts: examples of each kind → token ids with what their head needs, in the tokenizer's own template.

As in the paper's code (jiant), each choice is encoded separately with the *front* of the prompt truncated, long contexts of
spans are divided into overlapping windows, and a tag is predicted at the first sub-token of its word. A long tagged sentence is
divided between words so that every word is scored: XTREME divides such sentences when preparing its files; jiant truncates them
and scores only the words that remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput
from tasksearch.tasks.card import TaskCard
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
from tasksearch.tasks.pieces import Tokenizer, pieces, pieces_with_offsets
from tasksearch.tasks.ragged import Ints, Ragged
from tasksearch.tasks.template import Template, template_of

__all__ = ["CASTS", "DOC_STRIDE", "MAX_QUERY", "Encoded", "Tokenizer", "check_prefix", "encode", "encode_raw", "select"]

CASTS = 3
"""Raised by hand whenever a cast gives other items: encoded files on disk are named by it."""

DOC_STRIDE, MAX_QUERY = 128, 64  # as in jiant and SQuAD's own script


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Items ready for batching. An item is what a training step counts: an example, or one window of a long one.

    Attributes:
        kind: the card's kind.
        tokens: token ids, one row per sequence.
        first: (items + 1,); item i owns the sequences first[i] … first[i + 1] - 1, more than one only for choices.
        owner: (items,) index of the example that each item came from.
        labels: (items,) class or choice; (0,) for kinds without one.
        positions: one row per item: token indices that carry a tag (tagging) or belong to the context (span).
        tags: tagging: one row per item, the tag at each of `positions`; multilabel: the labels of each item.
        spans: span: (items, 2) indices into `positions` of the answer's first and last token; -1 for an answer outside the
            window.
        offsets: span: one row per item, first and end character of each of `positions`, interleaved.
    """

    kind: str
    tokens: Ragged
    first: Ints
    owner: Ints
    labels: Ints
    positions: Ragged
    tags: Ragged
    spans: Ints
    offsets: Ragged

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def lengths(self) -> Ints:
        """Tokens of each item's longest sequence, shape (items,)."""
        return np.asarray(np.maximum.reduceat(self.tokens.lengths, self.first[:-1]), dtype=np.int64)

    @property
    def places(self) -> Ints:
        """Place of each item among those of its example, shape (items,): a long sentence has several. Items are in order."""
        return np.asarray(np.arange(len(self.owner)) - np.searchsorted(self.owner, self.owner, side="left"), dtype=np.int64)


def encode(examples: Sequence[Example], card: TaskCard, tokenizer: Tokenizer, max_length: int, prefix: str = "") -> Encoded:
    """Encode examples of the card's kind.

    A retrieval example gives two items, the sentence and then its English translation; a sentence of a mining pool gives one.

    Args:
        prefix: text before every sentence of retrieval and mining; the other kinds have none.

    Raises:
        BadInput: the prefix leaves no room for a sentence.
    """
    if card.kind in ("pair", "sentence"):
        return _texts([e for e in examples if isinstance(e, TextExample)], tokenizer, max_length, card.kind)
    if card.kind == "multilabel":
        return _label_sets([e for e in examples if isinstance(e, LabelSetExample)], tokenizer, max_length)
    if card.kind == "choice":
        return _choices([e for e in examples if isinstance(e, ChoiceExample)], tokenizer, max_length)
    if card.kind == "tagging":
        return _taggings([e for e in examples if isinstance(e, TagExample)], tokenizer, max_length)
    if card.kind == "span":
        return _spans([e for e in examples if isinstance(e, SpanExample)], tokenizer, max_length)
    if card.kind == "retrieval":
        return _bitexts([e for e in examples if isinstance(e, BitextExample)], tokenizer, max_length, prefix)
    if card.kind == "mining":
        pool = [e.text for e in examples if isinstance(e, PoolSentence)]
        return _encoded("mining", _sentences(pool, tokenizer, max_length, prefix))
    return encode_raw([e for e in examples if isinstance(e, RawText)], tokenizer, max_length)


def encode_raw(texts: Sequence[RawText], tokenizer: Tokenizer, max_length: int) -> Encoded:
    """Encode text for MLM and TLM, truncated to `max_length` tokens."""
    rows = _pair_rows([t.text_a for t in texts], [t.text_b for t in texts], tokenizer, max_length)
    return _encoded("mlm", rows)


def _encoded(
    kind: str,
    rows: Sequence[Sequence[int]],
    *,
    per_item: Sequence[int] | None = None,
    owner: Sequence[int] | None = None,
    labels: Sequence[int] = (),
    positions: Sequence[Sequence[int]] = (),
    tags: Sequence[Sequence[int]] = (),
    spans: Sequence[tuple[int, int]] = (),
    offsets: Sequence[Sequence[int]] = (),
) -> Encoded:
    counts = np.ones(len(rows), dtype=np.int64) if per_item is None else np.asarray(per_item, dtype=np.int64)
    return Encoded(
        kind=kind,
        tokens=Ragged.of(rows),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        owner=np.arange(len(counts), dtype=np.int64) if owner is None else np.asarray(owner, dtype=np.int64),
        labels=np.asarray(labels, dtype=np.int64),
        positions=Ragged.of(positions),
        tags=Ragged.of(tags),
        spans=np.asarray(spans, dtype=np.int64).reshape(-1, 2),
        offsets=Ragged.of(offsets),
    )


def _pair_rows(first: Sequence[str], second: Sequence[str | None], tokenizer: Tokenizer, max_length: int) -> list[list[int]]:
    left, template = pieces(first, tokenizer), template_of(tokenizer)
    given = [text for text in second if text is not None]
    right = iter(pieces(given, tokenizer))
    return [
        _single(a, template, max_length) if text is None else _double(a, next(right), template, max_length)
        for a, text in zip(left, second, strict=True)
    ]


def _single(a: list[int], template: Template, max_length: int) -> list[int]:
    return template.single(a[: max_length - template.single_room])


def _double(a: list[int], b: list[int], template: Template, max_length: int) -> list[int]:
    return template.pair(*_longest_first(a, b, max_length - template.pair_room))


def _longest_first(a: list[int], b: list[int], room: int) -> tuple[list[int], list[int]]:
    """Truncate the end of the longer side until both fit: the result of `truncation=True`, without its loop."""
    if len(a) + len(b) <= room:
        return a, b
    shorter = min(len(a), len(b), room // 2)
    return (a[: room - shorter], b[:shorter]) if len(a) > len(b) else (a[:shorter], b[: room - shorter])


def _texts(examples: Sequence[TextExample], tokenizer: Tokenizer, max_length: int, kind: str) -> Encoded:
    rows = _pair_rows([e.text_a for e in examples], [e.text_b for e in examples], tokenizer, max_length)
    return _encoded(kind, rows, labels=[e.label for e in examples])


def _label_sets(examples: Sequence[LabelSetExample], tokenizer: Tokenizer, max_length: int) -> Encoded:
    template = template_of(tokenizer)
    rows = [_single(ids, template, max_length) for ids in pieces([e.text for e in examples], tokenizer)]
    return _encoded("multilabel", rows, tags=[e.labels for e in examples])


def _choices(examples: Sequence[ChoiceExample], tokenizer: Tokenizer, max_length: int) -> Encoded:
    prompts = pieces([e.prompt for e in examples], tokenizer)
    endings = iter(pieces([choice for e in examples for choice in e.choices], tokenizer))
    template, rows = template_of(tokenizer), []
    most = max_length - template.pair_room
    for example, prompt in zip(examples, prompts, strict=True):
        for _ in example.choices:
            ending = next(endings)[:most]
            room = most - len(ending)
            rows.append(template.pair(prompt[len(prompt) - room :] if len(prompt) > room else prompt, ending))
    return _encoded("choice", rows, per_item=[len(e.choices) for e in examples], labels=[e.label for e in examples])


def _taggings(examples: Sequence[TagExample], tokenizer: Tokenizer, max_length: int) -> Encoded:
    rows, owner, positions, tags = [], [], [], []
    template = template_of(tokenizer)
    room = max_length - template.single_room
    words = iter(pieces([word for e in examples for word in e.words], tokenizer))
    for index, example in enumerate(examples):
        row: list[int] = []
        places: list[int] = []
        marks: list[int] = []
        for tag in example.tags:
            # A word of which no piece is left (a lone control character) is <unk>, as in XTREME and jiant.
            word = next(words)[:room] or [tokenizer.unk_token_id]
            if len(row) + len(word) > room:
                rows.append(template.single(row))
                owner.append(index)
                positions.append(places)
                tags.append(marks)
                row, places, marks = [], [], []
            places.append(len(template.before) + len(row))
            marks.append(tag)
            row.extend(word)
        rows.append(template.single(row))
        owner.append(index)
        positions.append(places)
        tags.append(marks)
    return _encoded("tagging", rows, owner=owner, positions=positions, tags=tags)


def _spans(examples: Sequence[SpanExample], tokenizer: Tokenizer, max_length: int) -> Encoded:
    questions = pieces([e.question for e in examples], tokenizer)
    contexts, characters = pieces_with_offsets([e.context for e in examples], tokenizer)
    rows, owner, positions, spans, offsets = [], [], [], [], []
    template = template_of(tokenizer)
    for index, example in enumerate(examples):
        question = questions[index][: min(MAX_QUERY, max_length // 2)]  # a short sequence must still have room for context
        ids, places = contexts[index], characters[index]
        answer = _token_span(example, places)
        room = max(1, max_length - template.pair_room - len(question))
        begin = len(template.before) + len(question) + len(template.between)
        for start in _windows(len(ids), room):
            window = ids[start : start + room]
            rows.append(template.pair(question, window))
            owner.append(index)
            positions.append(list(range(begin, begin + len(window))))
            inside = answer is not None and start <= answer[0] and answer[1] < start + len(window)
            spans.append((answer[0] - start, answer[1] - start) if answer is not None and inside else (-1, -1))
            offsets.append([edge for place in places[start : start + room] for edge in place])
    return _encoded("span", rows, owner=owner, positions=positions, spans=spans, offsets=offsets)


def _windows(length: int, room: int) -> list[int]:
    """Return the starts of windows of `room` tokens that cover `length` tokens.

    They are DOC_STRIDE apart, or less if the window is shorter.
    """
    stride = min(DOC_STRIDE, room)
    starts = [0]
    while starts[-1] + room < length:
        starts.append(starts[-1] + stride)
    return starts


def _token_span(example: SpanExample, places: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the first and last context token that overlap the first answer; None if there is no answer or no such token."""
    if not example.answers:
        return None
    begin, text = example.answers[0]
    touching = [i for i, (lo, hi) in enumerate(places) if lo < begin + len(text) and hi > begin]
    return (touching[0], touching[-1]) if touching else None


def _bitexts(examples: Sequence[BitextExample], tokenizer: Tokenizer, max_length: int, prefix: str) -> Encoded:
    rows = _sentences([text for e in examples for text in (e.text, e.english)], tokenizer, max_length, prefix)
    return _encoded("retrieval", rows, owner=[i // 2 for i in range(len(rows))])


def select(encoded: Encoded, items: npt.NDArray[np.int64]) -> Encoded:
    """Return the given items in the given order, for instance a target's training set reduced in size."""
    rows: list[Any] = [encoded.tokens[s] for i in items for s in range(int(encoded.first[i]), int(encoded.first[i + 1]))]

    def picked(ragged: Ragged) -> list[Any]:
        return [ragged[int(i)] for i in items] if len(ragged) else []

    return _encoded(
        encoded.kind,
        rows,
        per_item=[int(encoded.first[i + 1] - encoded.first[i]) for i in items],
        owner=[int(encoded.owner[i]) for i in items],
        labels=[int(v) for v in encoded.labels[items]] if len(encoded.labels) else (),
        positions=picked(encoded.positions),
        tags=picked(encoded.tags),
        spans=[(int(a), int(b)) for a, b in encoded.spans[items]] if len(encoded.spans) else (),
        offsets=picked(encoded.offsets),
    )


def _sentences(texts: Sequence[str], tokenizer: Tokenizer, max_length: int, prefix: str) -> list[list[int]]:
    """Rows of single texts. A prefix is a part of the text when it is cut into pieces, as in sentence-transformers."""
    template = template_of(tokenizer)
    if prefix:
        check_prefix(prefix, tokenizer, max_length)
    return [_single(ids, template, max_length) for ids in pieces([prefix + text for text in texts], tokenizer)]


def check_prefix(prefix: str, tokenizer: Tokenizer, max_length: int) -> None:
    """Raise BadInput if no piece of a sentence fits behind the prefix."""
    [ids] = pieces([prefix], tokenizer)
    if len(ids) >= (room := max_length - template_of(tokenizer).single_room):
        raise BadInput(f"the prefix {prefix!r} has {len(ids)} pieces, a sentence of retrieval at most {room}; expected fewer")
