"""Padded tensors of item indices, one batch per task of a step."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.models.pooling import Marks
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.template import Template, template_of

_RESERVED = re.compile(r"[<\[]\|?(unused|reserved)[\w ]*\|?[>\]]")
"""Added pieces that no text has and no training moved: Llama's `<|reserved_special_token_7|>`, Gemma's `<unused7>`."""

MASK_SHARE, KEEP_SHARE, RANDOM_SHARE = 0.15, 0.1, 0.1


@dataclass(frozen=True, kw_only=True)
class Specials:
    """The tokenizer's special pieces, and its size.

    Attributes:
        pad, mask: ids; mask is -1 where the tokenizer has none: such a model trains no MLM.
        vocabulary: pieces of the tokenizer; a model may have more.
        never_drawn: ids that MLM never puts in place of another.
    """

    template: Template
    pad: int
    mask: int
    vocabulary: int
    never_drawn: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Any) -> Specials:
        """Read off a Hugging Face tokenizer."""
        template, pad = template_of(tokenizer), int(tokenizer.pad_token_id)
        own = tuple(sorted({*template.ids, pad}))
        added = getattr(tokenizer, "added_tokens_decoder", {}).items()
        own = tuple(sorted({*own, *(number for number, token in added if _RESERVED.fullmatch(token.content))}))
        # XLM-R's `<unk>` and `<mask>` have always been drawn here: leaving them out would change every number trained by MLM.
        special = {*tokenizer.all_special_ids, *(number for number, token in added if token.special)}
        never = own if own == (0, 1, 2) else tuple(sorted({*own, *special}))
        mask = -1 if tokenizer.mask_token_id is None else int(tokenizer.mask_token_id)
        return cls(template=template, pad=pad, mask=mask, vocabulary=len(tokenizer), never_drawn=never)

    @property
    def marks(self) -> Marks:
        """What poolers and heads need."""
        return Marks(ids=self.template.ids, before=len(self.template.before), pad=self.pad)

    @cached_property
    def drawable(self) -> npt.NDArray[np.int64]:
        """Ids that MLM may put in place of another, ascending."""
        return np.setdiff1d(np.arange(self.vocabulary, dtype=np.int64), np.array(self.never_drawn))

    def type_ids(self, ids: torch.Tensor) -> torch.Tensor | None:
        """Token types of padded rows, (batch, tokens); None where all are 0."""
        if not self.template.typed:
            return None
        special = self.marks.special(ids)
        count = special.cumsum(1)
        until = len(self.template.before) + len(self.template.between)
        of_text = [self.template.text_types[int(seen >= until)] for seen in range(self.template.pair_room + 1)]
        of_special = [0, *self.template.special_types]
        text, specials = (torch.tensor(table, device=ids.device) for table in (of_text, of_special))
        return torch.where(special, specials[count], text[count]).masked_fill(ids == self.pad, 0)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A padded batch of one kind.

    Attributes:
        ids: (sequences, tokens) padded with the padding piece.
        rows, columns: where labels sit: token labels and masked positions; of label sets sequence and label; empty where a
            sequence has one label.
        labels: (units,) class, choice, tag, or original piece; empty for label sets.
        choices: sequences per item where the kind is choice, else 1.
        spans: (sequences, 2) token columns of an answer's ends; column 0 (`<s>`, `[CLS]`) where the window holds none.
        allowed: span: (sequences, tokens) columns an end may fall on.
        units: how many losses are averaged.
        padded: whether any row of the whole step is padded, known here since a GPU would have to be asked.
    """

    kind: str
    ids: torch.Tensor
    rows: torch.Tensor
    columns: torch.Tensor
    labels: torch.Tensor
    choices: int
    spans: torch.Tensor
    allowed: torch.Tensor | None
    units: int
    padded: bool = True

    def to(self, device: torch.device) -> Batch:
        """Move the batch to another device."""
        if device.type == "cpu":
            return self
        found = {name: getattr(self, name) for name in ("ids", "rows", "columns", "labels", "spans", "allowed")}
        # only a copy from pinned memory does not stop the process until it is done
        pinned = {name: one if one is None or device.type != "cuda" else one.pin_memory() for name, one in found.items()}
        moved: dict[str, Any] = {
            name: one if one is None else one.to(device, non_blocking=True) for name, one in pinned.items()
        }
        return dataclasses.replace(self, **moved)

    def part(self, first: int, last: int) -> Batch:
        """Return items `first` … `last - 1`; padding and masked positions stay those of the whole batch."""
        a, b = first * self.choices, last * self.choices
        kept = (self.rows >= a) & (self.rows < b)
        by_token = self.kind in ("tagging", "mlm")
        labels = self.labels[kept] if by_token else self.labels[first:last]
        return Batch(
            kind=self.kind,
            ids=self.ids[a:b],
            rows=self.rows[kept] - a,
            columns=self.columns[kept],
            labels=labels,
            choices=self.choices,
            spans=self.spans[a:b],
            allowed=None if self.allowed is None else self.allowed[a:b],
            units=len(labels) if by_token else last - first,
            padded=self.padded,
        )


def collate(
    encoded: Encoded, items: npt.NDArray[np.int64], specials: Specials, *, mask_seed: int = 0, mask_share: float = MASK_SHARE
) -> Batch:
    """Pad the items of one task. An MLM batch is masked here, from `mask_seed` alone."""
    sequences = _sequences(encoded, items)
    ids = encoded.tokens.padded(sequences, specials.pad)
    none = np.empty(0, dtype=np.int64)
    rows, columns, labels, spans, allowed, choices = none, none, none, none.reshape(0, 2), None, 1
    if encoded.kind == "tagging":
        rows, columns = _flat(encoded, items)
        labels = _gather(encoded.tags.flat, encoded.tags.bounds, items)
    elif encoded.kind == "span":
        rows, columns = _flat(encoded, items)
        allowed_np = np.zeros(ids.shape, dtype=bool)
        allowed_np[rows, columns] = True
        allowed_np[:, 0] = True
        allowed = torch.from_numpy(allowed_np)
        ends = encoded.spans[items]
        base = encoded.positions.flat[np.minimum(encoded.positions.bounds[items], len(encoded.positions.flat) - 1)]
        spans = np.where(ends < 0, 0, ends + base[:, None])
    elif encoded.kind == "multilabel":
        rows = np.repeat(np.arange(len(items), dtype=np.int64), encoded.tags.lengths[items])
        columns = _gather(encoded.tags.flat, encoded.tags.bounds, items)
    elif encoded.kind == "mlm":
        ids, rows, columns, labels = mask_tokens(ids, specials, mask_seed, mask_share)
    else:
        labels = encoded.labels[items] if len(encoded.labels) else none
        if encoded.kind == "choice":
            choices = len(sequences) // max(1, len(items))
    units = len(labels) if encoded.kind in ("tagging", "mlm") else len(items)
    return Batch(
        kind=encoded.kind,
        ids=torch.from_numpy(ids),
        rows=torch.from_numpy(rows),
        columns=torch.from_numpy(columns),
        labels=torch.from_numpy(np.ascontiguousarray(labels, dtype=np.int64)),
        choices=choices,
        spans=torch.from_numpy(np.ascontiguousarray(spans, dtype=np.int64)),
        allowed=allowed,
        units=units,
        padded=bool((ids == specials.pad).any()),
    )


def _sequences(encoded: Encoded, items: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if len(encoded.first) - 1 == len(encoded.tokens):
        return items
    counts = encoded.first[items + 1] - encoded.first[items]
    if len(set(counts.tolist())) > 1:
        raise AssertionError("items of one batch must have the same number of choices")
    return np.asarray((encoded.first[items][:, None] + np.arange(counts[0])[None, :]).reshape(-1), dtype=np.int64)


def _flat(encoded: Encoded, items: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    counts = encoded.positions.lengths[items]
    rows = np.repeat(np.arange(len(items), dtype=np.int64), counts)
    return rows, _gather(encoded.positions.flat, encoded.positions.bounds, items)


def _gather(flat: npt.NDArray[np.int32], bounds: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    parts = [flat[bounds[i] : bounds[i + 1]] for i in items]
    return np.concatenate(parts).astype(np.int64) if parts else np.empty(0, dtype=np.int64)


def mask_tokens(
    ids: npt.NDArray[np.int64], specials: Specials, seed: int, share: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Mask as BERT does: of the chosen positions 80 % become <mask>, 10 % a random token, 10 % stay.

    Returns:
        The masked ids, and rows, columns and original tokens of the chosen positions, at least one.
    """
    draw = np.random.default_rng(seed)
    content = ~np.isin(ids, (*specials.template.ids, specials.pad))
    chosen = content & (draw.random(ids.shape) < share)
    if not chosen.any() and content.any():
        chosen.flat[int(np.flatnonzero(content)[0])] = True
    fate = draw.random(ids.shape)
    masked = ids.copy()
    masked[chosen & (fate >= KEEP_SHARE + RANDOM_SHARE)] = specials.mask
    scrambled = chosen & (fate >= KEEP_SHARE) & (fate < KEEP_SHARE + RANDOM_SHARE)
    masked[scrambled] = specials.drawable[draw.integers(0, len(specials.drawable), size=int(scrambled.sum()))]
    rows, columns = np.nonzero(chosen)
    return masked, rows.astype(np.int64), columns.astype(np.int64), ids[chosen]
