"""Regret of a sampler on planted worlds: what the pooled pick among its trials loses against the best mix that exists.

Every sampler starts from the same designed trials, and the same picker chooses; no finalist is trained. Units are task effects,
mean over languages but English.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasksearch.bench.best_mix import best_gains
from tasksearch.bench.planted_world import Family, draw_world
from tasksearch.bench.samplers import Search, judged
from tasksearch.bench.simulate import GUESSES
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import Guesses
from tasksearch.search.collapse import without_guessing
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline

BASELINE_SEEDS = 5


@dataclass(frozen=True, kw_only=True)
class Regret:
    """One world after one number of trials.

    Attributes:
        picked: mean over languages of the best gain that exists, less that of the mix picked for the language.
        single: the same where one mix is picked for all languages.
        trained: the same of the best mix that was trained, had it been known.
    """

    picked: float
    single: float
    trained: float


def regrets(
    family: Family, number: int, search: Search, trials: Sequence[int], guesses: Guesses = GUESSES
) -> dict[int, Regret]:
    """Run one search and return number of trials → regret; picks rest on no trial that ended at a guess, if any are given."""
    world = draw_world(family, number)
    study = search(world, max(trials), number, BASELINE_SEEDS)
    best = best_gains(world)
    found = {}
    for count in trials:
        records = judged(study.records[: BASELINE_SEEDS + count])
        baseline = Baseline.of(records)
        table = GainTable.of(without_guessing(records, baseline, guesses), baseline)
        assert table is not None
        cells = [cell for cell in table.cells if cell[1] != ENGLISH]
        columns = language_columns(cells, dict.fromkeys(cells, 1.0))
        worth = table.by_language(list(columns.values()), dict.fromkeys(cells, 1 / len(cells))).mean
        place = [world.languages.index(language) for language in columns]
        true, goal = world.gains([first.plan.schedule for first in table.firsts])[:, place], best[place]
        across = np.arange(len(place))
        one = worth.mean(axis=1).argmax()
        found[count] = Regret(
            picked=float((goal - true[worth.argmax(axis=0), across]).mean()),
            single=float((goal - true[one]).mean()),
            trained=float((goal - true.max(axis=0)).mean()),
        )
    return found
