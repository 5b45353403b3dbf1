"""Clusters of languages, and which languages to label so that every language has a labelled one nearby."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.analysis.languages.distances import LanguageDistances
from tasksearch.core.errors import BadInput


def clusters_of(distances: LanguageDistances, count: int) -> tuple[tuple[str, ...], ...]:
    """Return the languages in at most `count` clusters, the largest first: average linkage on the combined distance.

    Raises:
        BadInput: `count` is not between 1 and the number of languages.
    """
    if not 1 <= count <= len(distances.codes):
        raise BadInput(f"--clusters {count}; expected 1 to {len(distances.codes)}, the number of languages")
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    tree = linkage(squareform(distances.combined, checks=False), method="average")
    numbers = fcluster(tree, count, criterion="maxclust")
    groups = [tuple(c for c, n in zip(distances.codes, numbers, strict=True) if n == number) for number in sorted(set(numbers))]
    return tuple(sorted(groups, key=lambda group: (-len(group), group)))


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A language to label.

    Attributes:
        cost: what it costs.
        apart: mean distance of all languages to their nearest labelled one, once this one and those before it are labelled.
    """

    code: str
    cost: float
    apart: float


def to_label(
    distances: LanguageDistances, budget: float, *, costs: Mapping[str, float] | None = None, given: Sequence[str] = ("en",)
) -> tuple[Labelled, ...]:
    """Return the languages to label for at most `budget`, in the order in which they are worth it.

    The worth of a set is how much nearer, on average over all languages, the nearest labelled language is. It is submodular, so
    the better of two greedy choices, by worth and by worth per cost, has at least (1 - 1/e) / 2 of the best set's worth
    (Leskovec et al. 2007).

    Args:
        costs: language → cost of labelling it; 1 for the others.
        given: languages that are labelled already, at no cost; those that are not among the languages are ignored.

    Raises:
        BadInput: a cost is not positive, or the budget buys no language.
    """
    known = dict.fromkeys(distances.codes, 1.0) | dict(costs or {})
    for code, cost in known.items():
        if code not in distances.codes:
            raise BadInput(f"--cost of {code!r}, which is not among the languages")
        if not cost > 0:
            raise BadInput(f"--cost {code}={cost:g}; expected a positive number")
    begun = [distances.place(code) for code in given if code in distances.codes]
    cheapest = min((known[code] for code in distances.codes if code not in given), default=0.0)
    if budget < cheapest or not budget > 0:
        raise BadInput(f"--label {budget:g} buys no language; expected at least {cheapest:g}, the cost of the cheapest")
    chosen = [_greedy(distances, budget, known, begun, per_cost=per_cost) for per_cost in (True, False)]
    return min(chosen, key=lambda found: (found[-1].apart if found else np.inf, sum(one.cost for one in found)))


def _greedy(
    distances: LanguageDistances, budget: float, costs: Mapping[str, float], begun: Sequence[int], *, per_cost: bool
) -> tuple[Labelled, ...]:
    apart = distances.combined
    nearest = apart[list(begun)].min(axis=0) if begun else np.ones(len(apart))  # 1 is the farthest that languages can be apart
    free, left, found = [place for place in range(len(apart)) if place not in begun], budget, list[Labelled]()
    while True:
        offers = []
        for place in free:
            if (cost := costs[distances.codes[place]]) <= left:
                worth = float((nearest - np.minimum(nearest, apart[place])).mean())
                offers.append((worth / cost if per_cost else worth, -place))
        if not offers or max(offers)[0] <= 0:
            return tuple(found)
        place = -max(offers)[1]
        nearest, code = np.minimum(nearest, apart[place]), distances.codes[place]
        left -= costs[code]
        free.remove(place)
        found.append(Labelled(code=code, cost=costs[code], apart=float(nearest.mean())))
