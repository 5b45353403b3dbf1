"""Padded tensors of item indices, one batch per task of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.tasks.encode import Encoded

MASK_SHARE, KEEP_SHARE, RANDOM_SHARE = 0.15, 0.1, 0.1


@dataclass(frozen=True, kw_only=True)
class Specials:
    """Ids of the tokenizer's special tokens, and the size of its vocabulary."""

    bos: int
    eos: int
    pad: int
    mask: int
    vocabulary: int

    @classmethod
    def of(cls, tokenizer: Any) -> Specials:
        """Read them from a Hugging Face tokenizer."""
        bos, eos, pad, mask = (int(getattr(tokenizer, f"{name}_token_id")) for name in ("bos", "eos", "pad", "mask"))
        return cls(bos=bos, eos=eos, pad=pad, mask=mask, vocabulary=len(tokenizer))

    @property
    def template(self) -> dict[str, int]:
        """What poolers and heads need."""
        return {"bos": self.bos, "eos": self.eos, "pad": self.pad}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A padded batch of one kind.

    Attributes:
        ids: (sequences, tokens) padded with <pad>.
        rows, columns: where labels sit: token labels and masked positions; of label sets sequence and label; empty where a
            sequence has one label.
        labels: (units,) class, choice, tag, or original piece; empty for label sets.
        choices: sequences per item where the kind is choice, else 1.
        spans: (sequences, 2) token columns of an answer's ends; column 0 (`<s>`) where the window has no answer.
        allowed: for spans: (sequences, tokens) columns that an end may be in.
        units: number of losses that are averaged.
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

    def to(self, device: torch.device) -> Batch:
        """Move the batch to another device."""
        if device.type == "cpu":
            return self
        moved = {
            name: getattr(self, name).to(device, non_blocking=True) for name in ("ids", "rows", "columns", "labels", "spans")
        }
        allowed = None if self.allowed is None else self.allowed.to(device, non_blocking=True)
        return Batch(kind=self.kind, choices=self.choices, units=self.units, allowed=allowed, **moved)

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
    content = (ids != specials.bos) & (ids != specials.eos) & (ids != specials.pad)
    chosen = content & (draw.random(ids.shape) < share)
    if not chosen.any() and content.any():
        chosen.flat[int(np.flatnonzero(content)[0])] = True
    fate = draw.random(ids.shape)
    masked = ids.copy()
    masked[chosen & (fate >= KEEP_SHARE + RANDOM_SHARE)] = specials.mask
    scrambled = chosen & (fate >= KEEP_SHARE) & (fate < KEEP_SHARE + RANDOM_SHARE)
    masked[scrambled] = draw.integers(_first_piece(specials), specials.vocabulary, size=int(scrambled.sum()))
    rows, columns = np.nonzero(chosen)
    return masked, rows.astype(np.int64), columns.astype(np.int64), ids[chosen]


def _first_piece(specials: Specials) -> int:
    """Return the lowest id behind the special tokens, which are the first ones of XLM-R's vocabulary."""
    front = {specials.bos, specials.eos, specials.pad}
    return max(i for i in front if i < 16) + 1
