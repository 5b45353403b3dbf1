"""How often a task's items of each language are drawn: in proportion to their number to the power of an exponent.

Conneau et al. (2020) pretrain XLM-R with 0.3, Lample and Conneau (2019) XLM with 0.5 to 0.7; 1 is proportional, 0 is even.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tasksearch.core.shares import largest_remainder
from tasksearch.core.signature import seed_from

Items = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LanguageSampling:
    """Languages of a task's items, and how often each is drawn.

    Attributes:
        counts: (language, items) in the order of the items: those of one language stand together.
        exponent: in [0, 1]; None: every item is drawn equally often, as from a task of one language.
    """

    counts: tuple[tuple[str, int], ...]
    exponent: float | None = None

    @property
    def size(self) -> int:
        """Items of all languages."""
        return sum(count for _, count in self.counts)

    def shares(self) -> dict[str, float]:
        """Return language → share of the draws."""
        weights = {
            language: float(count) ** (1.0 if self.exponent is None else self.exponent) for language, count in self.counts
        }
        total = sum(weights.values())
        return {language: weight / total for language, weight in weights.items()}

    def quotas(self) -> dict[str, int]:
        """Return language → draws of an epoch, which has as many draws as there are items; at least one each."""
        wishes = [max(Fraction(0), Fraction(share) * self.size - 1) for share in self.shares().values()]
        more = largest_remainder(wishes, self.size - len(self.counts))
        return {language: 1 + extra for (language, _), extra in zip(self.counts, more, strict=True)}

    def epoch(self, task: str, seed: int, number: int) -> Items:
        """Return the items drawn in epoch `number`, language by language.

        Each language goes on through permutations of its own items, so that none is shown twice before all were shown once.
        """
        quotas, begin, drawn = self.quotas(), 0, []
        for language, count in self.counts:
            first = number * quotas[language]
            places = np.arange(first, first + quotas[language])
            for cycle in range(int(places[0]) // count, int(places[-1]) // count + 1):
                order = np.random.default_rng(seed_from("language", seed, task, language, cycle)).permutation(count)
                drawn.append(begin + order[places[places // count == cycle] % count])
            begin += count
        return np.concatenate(drawn).astype(np.int64)

    def languages_of(self, items: Items) -> dict[str, int]:
        """Return language → how many of these items are in it."""
        ends = np.cumsum([count for _, count in self.counts])
        shown = np.bincount(np.searchsorted(ends, items, side="right"), minlength=len(ends))
        return {language: int(number) for (language, _), number in zip(self.counts, shown, strict=True)}


NO_SAMPLING: Mapping[str, LanguageSampling] = {}
"""Of tasks in one language each."""
