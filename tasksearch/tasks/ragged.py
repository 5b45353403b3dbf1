"""Rows of different lengths in one flat array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths; row i is `flat[bounds[i]:bounds[i + 1]]`.

    Attributes:
        flat: (total,) int32.
        bounds: (rows + 1,) int64, from 0 to total, non-decreasing.
    """

    flat: npt.NDArray[np.int32]
    bounds: Ints

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Ragged:
        """Build from lists."""
        kept = list(rows)
        bounds = np.zeros(len(kept) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in kept], out=bounds[1:])
        flat = np.fromiter((value for row in kept for value in row), dtype=np.int32, count=int(bounds[-1]))
        return cls(flat=flat, bounds=bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.flat[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> Ints:
        """Length of each row, shape (rows,)."""
        return np.diff(self.bounds)

    def padded(self, rows: Sequence[int] | Ints, fill: int) -> npt.NDArray[np.int64]:
        """Return an array of shape (len(rows), longest) with `fill` after each row's end."""
        wanted = np.asarray(rows, dtype=np.int64)
        starts, lengths = self.bounds[wanted], self.bounds[wanted + 1] - self.bounds[wanted]
        columns = np.arange(int(lengths.max(initial=0)))
        inside = columns[None, :] < lengths[:, None]
        out = np.full(inside.shape, fill, dtype=np.int64)
        out[inside] = self.flat[(starts[:, None] + columns[None, :])[inside]]
        return out

    @staticmethod
    def concatenate(parts: Sequence[Ragged]) -> Ragged:
        """Concatenate the rows of all parts."""
        shifts = np.cumsum([0, *(int(part.bounds[-1]) for part in parts)])
        bounds = np.concatenate([[0], *(part.bounds[1:] + shift for part, shift in zip(parts, shifts, strict=False))])
        return Ragged(flat=np.concatenate([part.flat for part in parts]), bounds=bounds.astype(np.int64))
