"""The two sides of a bitext as files: sentences, one a line, or their vectors; and gold pairs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.text_files import Broken, lines, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """One side's text.

    Attributes:
        place: the file, for messages.
        ids: of each sentence: its line number from 1, or what stands before the tab.
        texts: as many.
    """

    place: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]


def read_sentences(path: Path, *, with_ids: bool = False) -> Sentences:
    """Read a sentence per line, also from .gz.

    Args:
        with_ids: lines are `id⇥sentence`, as BUCC's files are.

    Raises:
        DataMissing: there is no such file.
        BadInput: an empty line, an id that stands there twice, or text that is not UTF-8; the message names the line.
    """
    found: dict[str, str] = {}
    for number, line in lines(path):
        place = f"{path}:{number}"
        if isinstance(line, Broken):
            raise BadInput(f"{place}: {line.why}")
        name, tab, text = line.partition("\t") if with_ids else (str(number), "\t", line)
        if not tab:
            raise BadInput(f"{place}: {shown(line)} holds no tab; expected an id, a tab and a sentence, or leave --ids out")
        if not text.strip():
            raise BadInput(f"{place}: an empty line; expected a sentence in every line")
        if name in found:
            raise BadInput(f"{place}: id {shown(name)} stands there twice; expected every id once")
        found[name] = text
    if not found:
        raise BadInput(f"{path}: the file is empty; expected a sentence per line")
    return Sentences(place=str(path), ids=tuple(found), texts=tuple(found.values()))


def is_vectors(path: Path) -> bool:
    """Whether a file holds vectors, by its name."""
    return path.suffix == ".npy"


def read_vectors(path: Path) -> npt.NDArray[np.float32]:
    """Open a .npy of shape (sentences, width) without reading it all.

    Raises:
        DataMissing: there is no such file.
        BadInput: another shape or type of number, or no .npy.
    """
    import numpy as np

    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataMissing(f"{path} is missing") from None
    except (OSError, ValueError, EOFError) as fault:
        raise BadInput(f"{path}: not a .npy of numbers ({str(fault).splitlines()[0] if str(fault) else 'cut short'})") from None
    if array.ndim != 2 or not len(array) or array.dtype.kind != "f":
        raise BadInput(f"{path}: {array.dtype} of shape {array.shape}; expected floating-point numbers (sentences, width)")
    return array  # type: ignore[no-any-return]


def check_vectors(array: npt.NDArray[np.float32], place: str, *, scaled: bool) -> None:
    """Refuse vectors that have no similarity.

    Args:
        scaled: they will be scaled to length one.

    Raises:
        BadInput: NaN, infinity, numbers too large for an fp32 product, or a zero vector that is to be scaled.
    """
    import numpy as np

    for begin in range(0, len(array), 16_384):
        part = np.asarray(array[begin : begin + 16_384], dtype=np.float64)
        length = np.sqrt(np.einsum("ij,ij->i", part, part))
        if not np.isfinite(length).all():
            row = begin + int(np.flatnonzero(~np.isfinite(length))[0])
            raise BadInput(f"{place}: vector {row + 1} holds NaN or infinity; expected finite numbers")
        if length.max() > 1e18:
            raise BadInput(
                f"{place}: vector {begin + int(length.argmax()) + 1} is {length.max():.2g} long; expected at most 1e18"
            )
        if scaled and length.min() < 1e-12:
            row = begin + int(length.argmin())
            raise BadInput(
                f"{place}: vector {row + 1} is zero and has no cosine; expected another, or --similarity inner or l2"
            )


def read_gold(path: Path, a: Sequence[str], b: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Read gold pairs `id of A⇥id of B`.

    Args:
        a, b: ids of the two sides.

    Raises:
        DataMissing: there is no such file.
        BadInput: no pair, or ids that a side does not have: a gold file of other texts.
    """
    from tasksearch.metrics.files import read_pairs

    pairs = frozenset(read_pairs(path))
    if not pairs:
        raise BadInput(f"{path}: the file has no pair; expected two ids separated by a tab in every line")
    known = set(a), set(b)
    for pair in sorted(pairs):
        for side, name, ids in zip("AB", pair, known, strict=True):
            if name not in ids:
                first = (a if side == "A" else b)[0]
                raise BadInput(
                    f"{path}: {shown(name)} is no id of {side}, whose first is {shown(first)}; a gold of other texts?"
                )
    return pairs
