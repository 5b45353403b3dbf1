"""Typological features of URIEL, read from the arrays in the wheel of urielplus (extra `distances`; CC BY-SA 4.0).

The package itself is never imported: at import it sets up the root logger, and its constructor writes into its own folder.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Codes = Mapping[str, Sequence[str]]
"""Language → its ISO 639-3 codes, of which the one with the most known features is read."""


@dataclass(frozen=True, kw_only=True)
class FeatureKind:
    """Kind of URIEL features.

    Attributes:
        file, prefix: where they are, and how their names begin.
        fewest: shared features below which a distance says nothing; this project's choice.
        mean: whether the sources of a feature are averaged; else a feature holds if any source says so.
    """

    file: str
    prefix: str
    fewest: int
    mean: bool = False


KINDS: dict[str, FeatureKind] = {
    "syntactic": FeatureKind(file="features.npz", prefix="S_", fewest=20),
    "phonological": FeatureKind(file="features.npz", prefix="P_", fewest=10),
    "inventory": FeatureKind(file="features.npz", prefix="INV_", fewest=20),
    "geographic": FeatureKind(file="geocoord_features.npz", prefix="", fewest=1, mean=True),
}
"""`genetic`, `script` and `morphological` are left out: outside Indo-European nearly all genetic distances are 1, `script`
counts every script that was ever used, and `morphological` is not in the arrays as shipped.
"""

COLLECTIVE = {"nah": ("nci",), "oto": ("ote",)}
"""Collective codes, which URIEL lacks → the best documented variety."""


def uriel_folder() -> Path:
    """Return the folder of URIEL's arrays.

    Raises:
        BadInput: urielplus is not installed.
    """
    spec = importlib.util.find_spec("urielplus")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place) / "database" / "original_uriel"
        if folder.is_dir():
            return folder
    raise BadInput("linguistic distances need the package urielplus; install it: pip install 'tasksearch[distances]'")


def feature_vectors(codes: Codes, kind: str) -> Floats:
    """Return features of shape (languages, features), NaN where URIEL does not know one."""
    shape = KINDS[kind]
    data, place, names = _array(uriel_folder() / shape.file)
    wanted = np.array([name.startswith(shape.prefix) for name in names])
    rows = np.full((len(codes), int(wanted.sum())), np.nan)
    for number, read in enumerate(codes_read(codes).values()):
        if read in place:
            rows[number] = _joined(data[place[read]][wanted].astype(np.float64), mean=shape.mean)
    return rows


def codes_read(codes: Codes) -> dict[str, str]:
    """Return language → the code that its features are read by; empty where URIEL has none of its codes."""
    data, place, _ = _array(uriel_folder() / KINDS["syntactic"].file)

    def best(known: Sequence[str]) -> str:
        there = [code for code in known if code in place]
        return max(there, key=lambda code: int((data[place[code]] != -1).any(axis=1).sum()), default="")

    return {language: best((*known, *COLLECTIVE.get(language, ()))) for language, known in codes.items()}


def angular_distances(vectors: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return distances in [0, 1] between all pairs of rows, and on how many features each rests; NaN where nothing is shared.

    The distance is 2/π · arccos(cosine) over the features that both rows know, as in urielplus. However few
    those are: of one shared feature it is 0 or 1.
    """
    known = ~np.isnan(vectors)
    filled, mask = np.where(known, vectors, 0.0), known.astype(np.float64)
    squares = filled**2 @ mask.T  # squared norm of row i over the features that row j knows too
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = filled @ filled.T / np.sqrt(squares * squares.T)
    return 2 / np.pi * np.arccos(np.clip(cosine, -1, 1)), (mask @ mask.T).astype(np.int64)


def _joined(sources: Floats, *, mean: bool) -> Floats:
    """Join the sources of each feature, (features, sources), -1 where a source says nothing."""
    known = sources != -1
    value = np.where(known, sources, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1) if mean else sources.max(axis=1)
    return np.asarray(np.where(known.any(axis=1), value, np.nan), dtype=np.float64)


@lru_cache(maxsize=2)
def _array(path: Path) -> tuple[npt.NDArray[np.float32], dict[str, int], tuple[str, ...]]:
    with np.load(path, allow_pickle=False) as held:
        languages, names = held["langs"], held["feats"]
        return held["data"], {str(code): row for row, code in enumerate(languages)}, tuple(map(str, names))
