"""Portfolios: the best one, two or three mixes for all languages together, since few users keep a model per language.

A portfolio is chosen on selection examples by the surrogate's shrunken gains of trained mixes, in points, each language with
equal weight; a language takes its best mix of the portfolio by the same gains (so its own selection labels count, as in
target-dev). For mixes that were trained on one seed the result can only be *predicted*. A second portfolio is therefore chosen
among the finalists: fresh seeds and reporting examples give its gain and its loss with intervals. Where a language would take
another mix on its own, that mix is not in the portfolio (else the language would take it there too): so both sides of the loss
are trainings of different mixes, and languages in which they agree cancel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.estimates import CandidateOutcomes, Cell
from tasksearch.analysis.evidence import Candidate
from tasksearch.analysis.portfolio.subsets import best_rows
from tasksearch.analysis.study_analysis import StudyAnalysis, cell_weights
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.plan import Plan
from tasksearch.results.portfolio import Member, Portfolio, Portfolios
from tasksearch.results.verdict import Estimate

Array = NDArray[np.float64]
SIZES = (1, 2, 3)


def portfolios(analysis: StudyAnalysis, *, untested: str = "") -> Portfolios:
    """Choose portfolios of the sizes in `SIZES`.

    Args:
        analysis: of the study.
        untested: why the finalists are not to be compared on their reporting examples; empty: they are.

    Raises:
        StudyNotReady: no language but English has selection examples.
    """
    names, worth = _worth(analysis)
    plans = [first.plan for first in analysis.evidence.table.firsts]
    found = [best_rows(worth, size) for size in SIZES]
    return Portfolios(
        chosen=tuple(
            _foreseen(size, "all trained mixes", names, worth, rows, plans)
            for size, (rows, _) in zip(SIZES, found, strict=True)
        ),
        tested=() if untested else tuple(_tested(analysis, names, worth)),
        untested=untested,
        alone=len(set(worth.argmax(axis=0).tolist())),
        method="; ".join(dict.fromkeys(how for _, how in found)),
        languages=len(names),
        mixes=len(worth),
    )


def _worth(analysis: StudyAnalysis) -> tuple[list[str], Array]:
    """Return the languages, and the shrunken gain of every trained mix in each, in points, shape (mixes, languages)."""
    names, posterior = analysis.pooled
    if not names:
        raise StudyNotReady("no language but English has selection examples; a portfolio needs one")
    cells = analysis.evidence.table.cells
    points = [
        analysis.evidence.table.points(cell_weights([c for c in cells if c[1] == name], analysis.groups)) for name in names
    ]
    return names, posterior.mean * np.array(points)


def _foreseen(
    size: int, among: str, names: Sequence[str], worth: Array, rows: Sequence[int], plans: Sequence[Plan]
) -> Portfolio:
    chosen = worth[list(rows)]
    first = chosen.argmax(axis=0)
    members = tuple(
        Member(
            schedule=plans[row].schedule,
            mix_signature=plans[row].mix_signature,
            languages=tuple(name for name, place in zip(names, first, strict=True) if place == i),
        )
        for i, row in enumerate(rows)
    )
    loss = worth.max(axis=0) - chosen.max(axis=0)
    return Portfolio(
        size=size,
        among=among,  # type: ignore[arg-type]
        members=members,
        foreseen=float(chosen.max(axis=0).mean()),
        foreseen_loss=float(loss.mean()),
        same=bool((loss <= 1e-12).all()),
    )


def _tested(analysis: StudyAnalysis, names: Sequence[str], worth: Array) -> list[Portfolio]:
    candidates = analysis.evidence.candidates
    rows = [candidate.row for candidate in candidates]
    ours = worth[rows]
    plans = [candidate.first.plan for candidate in candidates]
    alone = dict(zip(names, (candidates[i] for i in ours.argmax(axis=0)), strict=True))
    made = []
    for size in SIZES[: len(candidates)]:
        places, _ = best_rows(ours, size)
        served = dict(zip(names, (candidates[places[i]] for i in ours[list(places)].argmax(axis=0)), strict=True))
        found = _foreseen(size, "mixes re-run on fresh seeds", names, ours, places, plans)
        differs = {name: alone[name] for name in names if alone[name] is not served[name]}
        made.append(
            dataclasses.replace(
                found,
                gain=_compared(analysis, served, None, len(names)),
                loss=_compared(analysis, differs, served, len(names)) if differs else None,
                same=not differs,
            )
        )
    return made


def _compared(
    analysis: StudyAnalysis, served: Mapping[str, Candidate], others: Mapping[str, Candidate] | None, count: int
) -> Estimate | None:
    """Estimate the gain of a mix per language over the baseline, or over the other mixes; mean over `count` languages."""
    weights: dict[Cell, float] = {}
    for name in served:
        own = cell_weights([cell for cell in analysis.evidence.cells if cell[1] == name], analysis.groups)
        weights |= {cell: weight / count for cell, weight in own.items()}
    if not weights:
        return None
    used = {id(candidate) for side in (served, others or {}) for candidate in (side[name] for name in served if name in side)}
    pool = [analysis.evidence.baseline, *(c.arm for c in analysis.evidence.candidates if id(c) not in used)]
    minus = analysis.evidence.baseline if others is None else _patched(others, weights)
    return analysis.estimate(_patched(served, weights), weights, minus=minus, pool=pool)


def _patched(served: Mapping[str, Candidate], weights: Mapping[Cell, float]) -> CandidateOutcomes:
    """Join several mixes into one arm: in each language the trainings of the mix that serves it, on seeds that all have."""
    used = [served[cell[1]].arm for cell in weights]
    seeds = min(len(arm.seeds) for arm in used)
    if len({id(arm) for arm in used}) == 1:
        return used[0]
    outcomes = [{cell: served[cell[1]].arm.seeds[seed][cell] for cell in weights} for seed in range(seeds)]
    numbers = {arm.numbers[:seeds] for arm in used}
    same = numbers.pop() if len(numbers) == 1 else ()
    return dataclasses.replace(used[0], seeds=tuple(outcomes), fixed=frozenset(), numbers=same)
