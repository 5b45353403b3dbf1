"""Measure a picker where the truth is known: regret, optimism, coverage and verdicts, world by world.

For every world and number of trials the product's own functions are called as a study calls them: `propose` for fresh seeds,
`choose`, `compare_with_baselines`. Regrets are of latent gain, in task effects, per language, against the best mix that exists
in the world, trained or not: a sampler that finds worse mixes has the larger regret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.baseline_comparison.comparison import compare_with_baselines
from tasksearch.analysis.picker import Picker, Shown, worth_of
from tasksearch.analysis.picking import choose
from tasksearch.analysis.study_analysis import analyse_study
from tasksearch.bench.best_mix import best_gains
from tasksearch.bench.planted_world import Family, PlantedWorld, draw_world
from tasksearch.bench.results import holds, mean_and_error
from tasksearch.bench.samplers import Search, judged, planted_config, random_search
from tasksearch.bench.simulate import GROUPS, GUESSES, Simulation
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import Guesses, StudyConfig
from tasksearch.results.estimate import Estimate
from tasksearch.search.collapse import without_guessing
from tasksearch.search.gain_table import GainTable, language_columns
from tasksearch.search.objective import Baseline
from tasksearch.search.proposals import Proposal
from tasksearch.search.proposals import propose as propose_next

Array = NDArray[np.float64]
__all__ = ["GROUPS", "Setting", "SizeResults", "mean_and_error", "measure"]

LARGE = 2.0
"""Points of true gain from which `power` counts a language."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Settings of the simulated studies, by the names of `StudyConfig`; without `regrets` no best mix is searched for."""

    leaders: int = 3
    leader_seeds: int = 3
    most_seeds: int = 3
    baseline_seeds: int = 5
    rule: str = "target-dev"
    half_width: float | None = None
    max_trainings: int | None = None
    guesses: Guesses = GUESSES
    regrets: bool = True


@dataclass(kw_only=True)
class SizeResults:
    """Results at one number of trials; each list has an entry per world.

    Attributes:
        bare, pooled: mean regret over languages of picking the largest raw or the largest shrunken score, among all mixes.
        single: regret of the one mix with the largest shrunken mean over languages.
        asked: regret of the picker under test.
        missed: the best mix that exists per language, less the best trained one: what the sampler missed.
        final: regret of the verdict's pick among the finalists.
        flattery: raw score of the largest raw score less its truth, task effects.
        foreseen: shrunken score of the pick less its truth.
        corrected: printed gain less its truth.
        covered: share of languages whose interval contains the truth; for the row `all` in `covered_all`.
        claims, false_claims: share of languages called better, and of those called so where the truth is not above zero.
        worth, gained: whether the search was called worth its cost; whether `all` was called better.
        spent: number of trainings on fresh seeds, the baseline's further ones included.
        half_width, half_width_all: of the gain's interval, points: mean over languages; of the row `all`.
        power: share called better of the languages whose true gain is at least two points.
        false_worse: share of languages called worse whose true gain is not below zero.
    """

    bare: list[float] = field(default_factory=list)
    pooled: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    flattery: list[float] = field(default_factory=list)
    foreseen: list[float] = field(default_factory=list)
    corrected: list[float] = field(default_factory=list)
    covered: list[float] = field(default_factory=list)
    covered_all: list[float] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    false_claims: list[float] = field(default_factory=list)
    worth: list[float] = field(default_factory=list)
    gained: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    half_width: list[float] = field(default_factory=list)
    half_width_all: list[float] = field(default_factory=list)
    power: list[float] = field(default_factory=list)
    false_worse: list[float] = field(default_factory=list)


def measure(
    family: Family,
    worlds: Sequence[int],
    trials: Sequence[int],
    *,
    setting: Setting | None = None,
    search: Search = random_search,
    picker: Picker | None = None,
) -> dict[int, SizeResults]:
    """Return number of trials → results over the worlds.

    Args:
        family, worlds, trials: which worlds, and after how many trials to measure.
        setting, search, picker: what is measured.
    """
    setting = setting or Setting()
    cells = {count: SizeResults() for count in trials}
    for number in worlds:
        world = draw_world(family, number)
        whole = search(world, max(trials), number, setting.baseline_seeds)
        best = best_gains(world) if setting.regrets else np.full(len(world.languages), np.nan)
        for count in trials:
            records = judged(whole.records[: setting.baseline_seeds + count])
            _one(world, Simulation(world=world, records=records), setting, cells[count], picker, best)
    return cells


def _one(
    world: PlantedWorld, study: Simulation, setting: Setting, into: SizeResults, picker: Picker | None, best: Array
) -> None:
    baseline = Baseline.of(study.records)
    table = GainTable.of(without_guessing(study.records, baseline, setting.guesses), baseline)
    assert table is not None
    truth = _truth(world, [first.plan.schedule for first in table.firsts], best)
    _whole_search(table, truth, into, picker)
    into.missed.append(float((truth.best - truth.gains.max(axis=0)).mean()))
    before = len(study.records)
    config = _config(world, setting, before)
    while isinstance(found := propose_next(config, {}, study.plan_of, len(study.records), study.records, GROUPS), Proposal):
        study.train(found.plan.schedule, found.plan.seed, found.role, params=found.params, objective=0.0)
    into.spent.append(float(len(study.records) - before))
    analysis = analyse_study(study.records, study.outcomes, GROUPS, guesses=setting.guesses)
    verdict = choose(analysis, "target-dev" if setting.rule == "target-dev" else "pivot-dev")
    place = {first.plan.schedule: row for row, first in enumerate(table.firsts)}
    regrets, errors, hits = [], [], []
    for choice in verdict.choices:
        row = place[choice.schedule]
        if choice.is_group:
            real = float(truth.points[row].mean())
            into.covered_all.append(float(holds(choice.gain, real)))
            into.gained.append(float(choice.finding == "better"))
            into.half_width_all.append(_half_width(choice.gain))
            continue
        column = truth.languages.index(choice.name)
        real = float(truth.points[row, column])
        regrets.append(float(truth.best[column] - truth.gains[row, column]))
        errors.append((choice.gain.value - real) / truth.unit)
        hits.append(float(holds(choice.gain, real)))
    singles = [c for c in verdict.choices if not c.is_group]
    better = [c for c in singles if c.finding == "better"]
    wrong = [c for c in better if truth.points[place[c.schedule], truth.languages.index(c.name)] <= 1e-9]
    into.claims.append(len(better) / len(singles))
    into.false_claims.append(len(wrong) / len(singles))
    true = {c.name: truth.points[place[c.schedule], truth.languages.index(c.name)] for c in singles}
    large = [c.finding == "better" for c in singles if true[c.name] >= LARGE]
    into.power += [float(np.mean(large))] if large else []
    into.false_worse.append(float(np.mean([c.finding == "worse" and true[c.name] >= -1e-9 for c in singles])))
    into.half_width.append(float(np.mean([_half_width(c.gain) for c in singles])))
    into.final.append(float(np.mean(regrets)))
    into.corrected.append(float(np.mean(errors)))
    into.covered.append(float(np.mean(hits)))
    into.worth.append(float(compare_with_baselines(analysis, study.records, verdict.rule).worth == "worth it"))


def _half_width(gain: Estimate) -> float:
    return np.nan if gain.low is None or gain.high is None else (gain.high - gain.low) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Truth:
    """True gains of every trained mix per zero-shot language, in task effects and in points.

    `best` are those of the best mix that exists, in task effects; `unit` is points per effect.
    """

    languages: list[str]
    gains: Array
    points: Array
    best: Array
    unit: float


def _truth(world: PlantedWorld, mixes: Sequence[Schedule], best: Array) -> _Truth:
    languages = sorted(world.languages[1:])
    order = [world.languages.index(language) for language in languages]
    gains = world.gains(mixes)
    points = world.scores(gains) - world.scores(np.zeros((1, len(world.languages))))
    unit = 1.0 / float(world.effects(np.array(1.0)))
    return _Truth(languages=languages, gains=gains[:, order], points=points[:, order], best=best[order], unit=unit)


def _whole_search(table: GainTable, truth: _Truth, into: SizeResults, picker: Picker | None) -> None:
    """Measure picks among all mixes of the search."""
    cells = [cell for cell in table.cells if cell[1] in truth.languages]
    columns = language_columns(cells, dict.fromkeys(cells, 1.0))
    assert list(columns) == truth.languages
    points = np.array([table.points(column) for column in columns.values()])
    raw = np.array([table.gains[:, table.cells.index(next(iter(column)))] for column in columns.values()]).T
    shrunken = table.by_language(list(columns.values()), dict.fromkeys(cells, 1 / len(cells))).mean
    across = np.arange(len(points))
    bare, pooled = raw.argmax(axis=0), shrunken.argmax(axis=0)
    single = np.full(len(points), shrunken.mean(axis=1).argmax())
    best = truth.best
    for into_list, chosen in ((into.bare, bare), (into.pooled, pooled), (into.single, single)):
        into_list.append(float((best - truth.gains[chosen, across]).mean()))
    if picker is not None:
        mixes = tuple(first.plan.schedule for first in table.firsts)
        seeds = table.seeds[:, [table.cells.index(next(iter(column))) for column in columns.values()]]
        asked = worth_of(picker, Shown(schedules=mixes, gains=raw, seeds=seeds)).argmax(axis=0)
        into.asked.append(float((best - truth.gains[asked, across]).mean()))
    for into_list, values, chosen in ((into.flattery, raw, bare), (into.foreseen, shrunken, pooled)):
        error = values[chosen, across] * points - truth.points[chosen, across]
        into_list.append(float(error.mean() / truth.unit))


def _config(world: PlantedWorld, setting: Setting, trials: int) -> StudyConfig:
    return planted_config(
        world,
        trials=trials,
        baseline_seeds=setting.baseline_seeds,
        leaders=setting.leaders,
        leader_seeds=setting.leader_seeds,
        most_seeds=setting.most_seeds,
        half_width=setting.half_width,
        max_trainings=setting.max_trainings,
        guesses=setting.guesses,
    )
