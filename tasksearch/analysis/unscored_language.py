"""A mix for a language that was never scored: chosen by related languages, judged by leaving each studied one out.

The finalists' shrunken gains on selection examples, which the learned covariance of languages pools, choose the mix; its gains
on fresh seeds and reporting examples predict what it will do. Where distances between languages are given, nearer ones count
more, by exp(-distance / width); the width, or none, is the one that misses least when each studied language is left out. The
interval is t times the root mean square of those misses: they hold the spread between languages, and the luck of the estimate.
No score of a language that is left out chooses its mix among the finalists; which mixes became finalists did depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tasksearch.analysis.study_analysis import StudyAnalysis, cell_weights
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.score import ENGLISH, Cell
from tasksearch.results.unscored_language import LeftOut, UnscoredLanguage
from tasksearch.search.gain_table import language_columns

Array = NDArray[np.float64]
Distances = Mapping[tuple[str, str], float]
"""(language, language) → distance, at least 0; in either order."""

LEAST_LANGUAGES = 4
"""With fewer studied languages there is no interval."""
_WIDTHS = (np.inf, 2.0, 1.0, 0.5)  # of the median distance between studied languages


def predict_unscored(analysis: StudyAnalysis, language: str, distances: Distances | None = None) -> UnscoredLanguage:
    """Choose and judge a mix for a language that the study did not score.

    Args:
        analysis: of the study; the selection rule is always other languages' examples.
        language: its code.
        distances: between the language and the studied ones, and among these; one that is missing counts as the largest.
            None: all studied languages count alike.

    Raises:
        StudyNotReady: fewer than two languages beside English were scored on selection examples.
    """
    columns = _columns(analysis)
    rows = [row for row in analysis.rows() if row.name in columns]
    studied, finalists = [row.name for row in rows], analysis.evidence.candidates
    if len(studied) < 2:
        raise StudyNotReady(f"{len(studied)} studied languages; expected at least two to choose a mix for {language!r} by")
    gains = np.array([[analysis.gain(one, row).value for row in rows] for one in finalists])
    without = [_worth(analysis, [columns[name] for name in studied if name != left]) for left in studied]
    tables = _tables([*studied, language], distances)
    whole = _worth(analysis, [columns[name] for name in studied])
    # How fast a language counts less with its distance is chosen on selection examples; reporting ones only judge.
    best = int(np.argmin([_miss([_left_out(w, whole, table, i) for i, w in enumerate(without)]) for table in tables]))
    left = [_left_out(worth, gains, tables[best], place) for place, worth in enumerate(without)]
    weights = tables[best][-1, :-1] / tables[best][-1, :-1].sum()
    chosen = int(np.argmax(whole @ weights))
    value, half = float(gains[chosen] @ weights), None
    if len(studied) >= LEAST_LANGUAGES:
        half = float(special.stdtrit(len(studied) - 1, (1 + analysis.level) / 2)) * _miss(left) ** 0.5
    return UnscoredLanguage(
        language=language,
        schedule=finalists[chosen].first.plan.schedule,
        mix_signature=finalists[chosen].first.plan.mix_signature,
        value=value,
        low=None if half is None else value - half,
        high=None if half is None else value + half,
        level=analysis.level,
        left_out=tuple(
            LeftOut(language=name, schedule=finalists[mix].first.plan.schedule, predicted=predicted, gain=gain)
            for name, (mix, predicted, gain) in zip(studied, left, strict=True)
        ),
        related=tuple(sorted(zip(studied, map(float, weights), strict=True), key=lambda one: (-one[1], one[0]))),
        distances=best > 0,
    )


def _columns(analysis: StudyAnalysis) -> dict[str, dict[Cell, float]]:
    """Return language but English → its selection cells, weighted."""
    cells = [cell for cell in analysis.evidence.table.cells if cell[1] != ENGLISH]
    together = language_columns(cells, cell_weights(cells, analysis.groups))
    return {name: cell_weights(members, analysis.groups) for name, members in together.items()}


def _worth(analysis: StudyAnalysis, columns: Sequence[Mapping[Cell, float]]) -> Array:
    """Return the finalists' shrunken gains from these languages' selection examples alone, shape (finalists, languages)."""
    together: dict[Cell, float] = {}
    for column in columns:
        together |= {cell: weight / len(columns) for cell, weight in column.items()}
    posterior = analysis.evidence.table.by_language(columns, together)
    return posterior.mean[[one.row for one in analysis.evidence.candidates]]


def _left_out(worth: Array, gains: Array, weights: Array, place: int) -> tuple[int, float, float]:
    """Return the finalist that the others choose for one language, its gain in them and its gain there."""
    others = np.delete(np.arange(gains.shape[1]), place)
    on = weights[place, others] / weights[place, others].sum()
    mix = int(np.argmax(worth @ on))
    return mix, float(gains[mix, others] @ on), float(gains[mix, place])


def _miss(left: Sequence[tuple[int, float, float]]) -> float:
    """Return the mean square of what was predicted, less what there was."""
    return float(np.mean([(predicted - gain) ** 2 for _, predicted, gain in left]))


def _tables(names: Sequence[str], distances: Distances | None) -> list[Array]:
    """Return, per width, how much each language counts for each other, shape (languages, languages); first all alike."""
    even = np.ones((len(names), len(names)))
    if not distances:
        return [even]
    far = max(distances.values())
    table = np.array([[distances.get((a, b), distances.get((b, a), far)) for b in names] for a in names])
    np.fill_diagonal(table, 0.0)
    inside = table[:-1, :-1][~np.eye(len(names) - 1, dtype=bool)]
    typical = float(np.median(inside)) if len(inside) else 0.0
    return [even, *(np.exp(-table / (width * typical)) for width in _WIDTHS[1:])] if typical > 0 else [even]
