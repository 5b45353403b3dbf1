"""Effects of each task, of order and of pairs of tasks in a language, from all trained mixes together.

Everything is read from the surrogate over the search's trials on selection examples; no reporting example is read and nothing
is chosen. So effects hold for these selection examples, for mixes like those that this study trained, and as far as the
surrogate's features go. Intervals are the surrogate's: covariances of languages and noise are estimated and taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.study_analysis import ALL, cell_weights
from tasksearch.analysis.task_effects.contrasts import estimate_contrasts
from tasksearch.analysis.task_effects.questions import EffectQuestion, effect_questions, usual_steps
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.score import ENGLISH
from tasksearch.results.task_effects import Effect, TaskEffects, TaskEffectsRow
from tasksearch.search.gain_table import MIN_MIXES, GainTable
from tasksearch.search.surrogate.multitask_gp import Posterior

Array = NDArray[np.float64]
STRONGEST = 3
"""Pairs that are reported."""


def task_effects(
    table: GainTable, groups: Mapping[str, str], language_groups: Mapping[str, Sequence[str]], *, level: float = 0.95
) -> TaskEffects:
    """Estimate the effects in every language but English, then in their mean and in the means of groups.

    Args:
        table: every mix that the search trained.
        groups: target → kind of target.
        language_groups: name → languages.
        level: of the intervals.

    Raises:
        StudyNotReady: too few mixes, or no language but English with selection examples.
    """
    if table.surrogate is None:
        raise StudyNotReady(f"{len(table.firsts)} mixes were trained; effects of tasks need at least {MIN_MIXES}")
    languages = sorted({language for _, language in table.cells if language != ENGLISH})
    if not languages:
        raise StudyNotReady("no language but English has selection examples; task effects need one")
    columns = [cell_weights([cell for cell in table.cells if cell[1] == language], groups) for language in languages]
    weights = np.array([[column.get(cell, 0.0) for cell in table.cells] for column in columns]).T
    rows = _rows(languages, language_groups)
    points = np.array([table.points(column) for column in columns])
    outputs = np.array(
        [[points[i] * (x in members) / len(members) for i, x in enumerate(languages)] for members in rows.values()]
    )
    asked = effect_questions(table.surrogate)
    found = estimate_contrasts(
        table.surrogate, [q.contrast for q in asked], table.gains @ weights, table.seeds @ weights, outputs
    )
    reach = NormalDist().inv_cdf(0.5 + level / 2)
    return TaskEffects(
        rows=tuple(_row(name, tuple(rows[name]), asked, found.posterior, place, reach) for place, name in enumerate(rows)),
        tasks=table.surrogate.tasks,
        mixes=len(table.firsts),
        steps=usual_steps(table.surrogate),
        pairs_tried=sum(q.kind == "pair" for q in asked),
        level=level,
        additive=found.additive,
    )


def _rows(languages: Sequence[str], language_groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    rows = {language: [language] for language in languages} | {ALL: list(languages)}
    rows |= {name: [x for x in members if x in languages] for name, members in language_groups.items()}
    return {name: members for name, members in rows.items() if members}


def _row(
    name: str, languages: tuple[str, ...], asked: Sequence[EffectQuestion], posterior: Posterior, place: int, reach: float
) -> TaskEffectsRow:
    effects = [
        Effect(
            kind=question.kind,
            about=question.about,
            value=float(mean),
            low=float(mean - reach * error),
            high=float(mean + reach * error),
            mixes=question.mixes,
        )
        for question, mean, error in zip(asked, posterior.mean[:, place], posterior.deviation[:, place], strict=True)
    ]

    def of(*kinds: str) -> tuple[Effect, ...]:
        return tuple(effect for kind in kinds for effect in effects if effect.kind == kind)

    strongest = sorted(of("pair"), key=lambda effect: -abs(effect.value) / max(effect.reach, 1e-12))
    return TaskEffectsRow(
        name=name,
        languages=languages,
        drops=of("drop"),
        shapley=of("shapley"),
        order=of("rate", "kind", "last"),
        pairs=tuple(strongest[:STRONGEST]),
    )
