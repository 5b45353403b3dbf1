"""`LanguageDistances`: how far languages are apart, part by part and combined."""

from __future__ import annotations

import contextlib
import importlib.util
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasksearch.analysis.languages.uriel import KINDS, Floats, angular_distances, codes_read, feature_vectors
from tasksearch.core.errors import BadInput
from tasksearch.tasks.languages import Language, UnknownLanguage, language_of

OWN_PARTS = ("script", "family", "size")
"""Parts that follow from the table of languages, without urielplus."""

_SMALLEST_GIB, _LARGEST_GIB = 0.01, 300.8  # an unseen language counts as a hundredth of a GiB; English has the most


@dataclass(frozen=True, kw_only=True)
class LanguageDistances:
    """Distances between languages, each in [0, 1].

    Attributes:
        codes: the languages, in the order of rows and columns.
        read: language → ISO code that URIEL's features were read by; empty where there is none.
        parts: name → (languages, languages); NaN where too little is known.
        shared: name of a URIEL part → number of features behind each distance, known enough or not.
    """

    codes: tuple[str, ...]
    read: Mapping[str, str]
    parts: Mapping[str, Floats]
    shared: Mapping[str, npt.NDArray[np.int64]]

    @property
    def combined(self) -> Floats:
        """Mean of the parts that are known for a pair, all weighing the same: this project's choice."""
        stacked = np.stack(list(self.parts.values()))
        mean: Floats = np.nansum(stacked, axis=0) / np.maximum(self.known, 1)
        np.fill_diagonal(mean, 0.0)
        return mean

    @property
    def known(self) -> npt.NDArray[np.int64]:
        """Number of parts that are known for each pair."""
        return np.asarray((~np.isnan(np.stack(list(self.parts.values())))).sum(axis=0), dtype=np.int64)

    def place(self, code: str) -> int:
        """Return the row of a language."""
        return self.codes.index(code)


def language_distances(languages: Sequence[Language], *, uriel: bool = True) -> LanguageDistances:
    """Return the distances between languages.

    Args:
        uriel: whether URIEL's parts are wanted; False: `OWN_PARTS` alone.

    Raises:
        BadInput: fewer than two languages, or URIEL's parts are wanted and urielplus is not installed.
    """
    if len(languages) < 2:
        raise BadInput(
            f"{len(languages)} language{'s' if not languages else ''}; expected two or more to tell distances between"
        )
    codes = {one.code: _iso(one) for one in languages}
    parts: dict[str, Floats] = {}
    shared: dict[str, npt.NDArray[np.int64]] = {}
    for kind, shape in KINDS.items() if uriel else ():
        found, shared[kind] = angular_distances(feature_vectors(codes, kind))
        parts[kind] = np.where(shared[kind] >= shape.fewest, found, np.nan)
    parts |= {"script": _scripts(languages), "family": _families(languages), "size": _sizes(languages)}
    return LanguageDistances(codes=tuple(codes), read=codes_read(codes) if uriel else {}, parts=parts, shared=shared)


def combined_distances(codes: Iterable[str], *, uriel: bool | None = None) -> dict[tuple[str, str], float]:
    """Return (language, language) → combined distance of every pair that is in the table of languages.

    A language that is in no table, such as the lab's, is in no pair.

    Args:
        codes: of the languages.
        uriel: whether URIEL's parts are among them; None: where urielplus is installed.
    """
    languages = []
    for code in dict.fromkeys(codes):
        with contextlib.suppress(UnknownLanguage):
            languages.append(language_of(code))
    if len(languages) < 2:
        return {}
    wanted = importlib.util.find_spec("urielplus") is not None if uriel is None else uriel
    found = language_distances(languages, uriel=wanted)
    apart = found.combined
    return {(a, b): float(apart[i, j]) for i, a in enumerate(found.codes) for j, b in enumerate(found.codes) if i < j}


def _iso(language: Language) -> tuple[str, ...]:
    base = language.code.partition("_")[0]
    return tuple(code for code in (base, *language.others) if len(code) == 3)


def _scripts(languages: Sequence[Language]) -> Floats:
    """0 for the same script, else 1."""
    names = np.array([one.script for one in languages])
    return np.asarray(names[:, None] != names[None, :], dtype=np.float64)


def _families(languages: Sequence[Language]) -> Floats:
    """Share of the branches that two languages do not have in common: 0 for the same branch, 1 for different families."""
    branches = [[word.strip() for word in one.family.split(",")] for one in languages]

    def apart(a: list[str], b: list[str]) -> float:
        if "unknown" in (a[0], b[0]):
            return math.nan
        alike = sum(1 for _ in _common(a, b))
        return 1 - alike / max(len(a), len(b))

    return np.array([[apart(a, b) for b in branches] for a in branches])


def _common(a: list[str], b: list[str]) -> list[str]:
    found = []
    for x, y in zip(a, b, strict=False):
        if x != y or x == "Isolate":
            break
        found.append(x)
    return found


def _sizes(languages: Sequence[Language]) -> Floats:
    """Difference of the logarithms of the CC-100 sizes, as a share of the widest difference that there is."""
    logs = np.array([math.nan if one.gib is None else math.log(max(one.gib, _SMALLEST_GIB)) for one in languages])
    return np.asarray(np.abs(logs[:, None] - logs[None, :]) / math.log(_LARGEST_GIB / _SMALLEST_GIB), dtype=np.float64)
