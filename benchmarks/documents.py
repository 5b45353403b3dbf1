"""Coverage of nominal 95 % intervals where examples of one document resemble each other: clustered by document and not.

Two plans of equal true score on three and five seeds; each spread over examples (of the items, of plan × item, of what is left)
is in part the document's. Sizes of documents are those of a real set, repeated: 1 to 9 questions an article.

    python benchmarks/documents.py [--studies 2000]
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, estimate

CELL = ("qa", "sw")
SIZES = np.array([1, 8, 3, 5, 2, 7, 4, 6, 2, 9, 3, 1, 5, 6, 4, 2, 8, 3, 1, 7, 4, 5, 2, 6])


def covered(rng: np.random.Generator, sizes: np.ndarray, alike: float) -> tuple[bool, bool]:
    """Whether the clustered and the plain interval of one study hold the truth, zero."""
    index = np.repeat(np.arange(len(sizes)), sizes)
    n = len(index)

    def pull(scale: float) -> np.ndarray:
        return scale * (math.sqrt(alike) * rng.normal(size=len(sizes))[index] + math.sqrt(1 - alike) * rng.normal(size=n))

    items = pull(0.3)
    plans = []
    for count in (3, 5):
        own = items + pull(0.2)
        plans.append([np.stack([0.5 + 0.02 * rng.normal() + own + pull(0.15), np.ones(n)], axis=1) for _ in range(count)])
    found = []
    for documents in (Documents({CELL: index}), None):
        one, two = (CandidateOutcomes(seeds=tuple({CELL: seed} for seed in seeds), documents=documents) for seeds in plans)
        gain = estimate(one, {CELL: 1.0}, minus=two)
        assert gain.low is not None and gain.high is not None
        found.append(gain.low <= 0 <= gain.high)
    return found[0], found[1]


def main() -> None:
    """Prints one row per number of documents and likeness."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    studies = parser.parse_args().studies
    print("documents  examples  alike  clustered  not clustered")
    for documents in (10, 24, 48):
        sizes = np.resize(SIZES, documents)
        for alike in (0.0, 0.2, 0.4, 1.0):
            rng = np.random.default_rng(documents)
            hits = np.mean([covered(rng, sizes, alike) for _ in range(studies)], axis=0)
            print(f"{documents:9}  {sizes.sum():8}  {alike:5.1f}  {100 * hits[0]:8.1f}%  {100 * hits[1]:12.1f}%", flush=True)
    print(f"standard error of a coverage of 95 %: {100 * math.sqrt(0.95 * 0.05 / studies):.2f} points")


if __name__ == "__main__":
    main()
