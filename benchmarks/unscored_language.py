"""A language that was never scored: does the interval hold what the mix gains there, and what does the choice lose?

    python benchmarks/unscored_language.py --worlds 10             # planted worlds: the truth is known
    python benchmarks/unscored_language.py --grid --worlds 12      # the recorded lab grid: two fresh seeds stand for it
    python benchmarks/unscored_language.py --study FOLDER          # a study's languages: its own estimates stand for it

In each world, order or turn one language is taken out of every record before anything is chosen. `flagged`: the answer says not
to trust it. `wrong`: it is not flagged, and the mix does not gain there.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tasksearch.analysis.estimates import score_of
from tasksearch.analysis.languages.distances import combined_distances
from tasksearch.analysis.study_analysis import analyse_study, cell_weights
from tasksearch.analysis.unscored_language import predict_unscored
from tasksearch.bench.campaign import GRID_FILE
from tasksearch.bench.grid import read_grid
from tasksearch.bench.grid_replay import BASELINE_SEEDS, Replay, complete_mixes
from tasksearch.bench.planted_world import HELD, TUNE, draw_world
from tasksearch.bench.results import mean_and_error
from tasksearch.bench.samplers import judged, planted_config, random_search
from tasksearch.bench.simulate import GROUPS
from tasksearch.bench.skill_worlds import TUNED
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH, ScoreTable
from tasksearch.records.ledger import Ledger
from tasksearch.results.unscored_language import UnscoredLanguage
from tasksearch.search.proposals import Proposal, propose
from tasksearch.study.best import read_study

FAMILIES = {family.name: family for family in (TUNE, HELD, *TUNED.values())}
MIXES = 40


def without(records: list[Any], outcomes: Callable[[int], Mapping[Any, Any]], language: str, groups: Mapping[str, str]) -> Any:
    kept = [dataclasses.replace(r, scores=ScoreTable.of(s for s in r.scores if s.language != language)) for r in records]
    return analyse_study(kept, lambda n: {cell: data for cell, data in outcomes(n).items() if cell[1] != language}, groups)


def planted(family: str, seed: int) -> tuple[UnscoredLanguage, float, float]:
    """Return the answer, the true gain of its mix in the language, and that of the best finalist there."""
    world = draw_world(FAMILIES[family], seed)
    study = random_search(world, MIXES, seed, 5)
    study.records[:] = judged(study.records)
    config = planted_config(world, trials=len(study.records), leaders=3, leader_seeds=2, most_seeds=2)
    while isinstance(found := propose(config, {}, study.plan_of, len(study.records), study.records, GROUPS), Proposal):
        study.train(found.plan.schedule, found.plan.seed, found.role, params=found.params, objective=0.0)
    language = world.languages[1 + seed % (len(world.languages) - 1)]
    analysis = without(study.records, study.outcomes, language, GROUPS)
    answer, place = predict_unscored(analysis, language), world.languages.index(language)

    def real(mix: Schedule) -> float:
        return float((world.scores(world.gains([mix])) - world.scores(np.zeros((1, len(world.languages)))))[0, place])

    return answer, real(answer.schedule), max(real(one.first.plan.schedule) for one in analysis.evidence.candidates)


def recorded(order: int) -> tuple[UnscoredLanguage, float, float]:
    """Return the same from the lab grid: searched on one seed, finalists on the two others."""
    grid = read_grid(GRID_FILE)
    groups, rng = dict(grid.note["groups"]), random.Random(order)
    search, *fresh = (int((order + k) % 3) for k in range(3))
    study, none = Replay(grid=grid, seed=search), Schedule.none()
    for seed in grid.seeds(none)[:BASELINE_SEEDS]:
        study.train(none, seed, "baseline")
    mixes = rng.sample(complete_mixes(grid), MIXES)
    for mix in mixes:
        study.train(mix, search, "search")
    gain = {mix: np.mean([row.value for row in study.records[BASELINE_SEEDS + i].scores]) for i, mix in enumerate(mixes)}
    for mix in sorted(mixes, key=lambda mix: -gain[mix])[:3]:
        for seed in fresh:
            record = study.train(mix, seed, "search")
            study.records[-1] = dataclasses.replace(record, role="finalist")
    spoken = sorted({cell[1] for cell in grid.codes} - {ENGLISH})
    language = spoken[order % len(spoken)]

    def outcomes(number: int) -> Mapping[Any, Any]:
        plan = study.records[number].plan
        return {cell: data for cell, data in grid.outcomes(plan.schedule, plan.seed).items() if cell[2] == "report"}

    records = [_reported(record, outcomes(record.number), grid) for record in study.records]
    analysis = without(records, outcomes, language, groups)
    cells = cell_weights({c[:2] for c in grid.codes if c[2] == "report" and c[1] == language}, groups)
    bare = [grid.outcomes(none, seed) for seed in grid.seeds(none)[:BASELINE_SEEDS]]

    def score(runs: list[Any], cell: Any) -> float:
        return float(np.mean([score_of(run[*cell, "report"]) for run in runs]))

    def real(mix: Schedule) -> float:
        own = [grid.outcomes(mix, seed) for seed in fresh]
        return sum(weight * (score(own, cell) - score(bare, cell)) for cell, weight in cells.items())

    answer = predict_unscored(analysis, language)
    return answer, real(answer.schedule), max(real(one.first.plan.schedule) for one in analysis.evidence.candidates)


def studied(folder: Path) -> list[tuple[UnscoredLanguage, float, float]]:
    """Return the same for each language of a study in turn; its fresh seeds and reporting examples are all that is known."""
    outcomes, found = cache(Ledger(folder).outcomes), []
    reading, records = read_study(folder, outcomes=outcomes)
    rows = [row for row in reading.rows() if not row.is_group]
    for row in rows:
        left = [dataclasses.replace(r, scores=ScoreTable.of(s for s in r.scores if s.language != row.name)) for r in records]

        def others(number: int, language: str = row.name) -> Mapping[Any, Any]:
            return {cell: data for cell, data in outcomes(number).items() if cell[1] != language}

        analysis, _ = read_study(folder, records=left, outcomes=others)
        answer = predict_unscored(analysis, row.name, combined_distances([one.name for one in rows]))
        gains = {one.first.plan.schedule: reading.gain(one, row).value for one in reading.evidence.candidates}
        print(
            f"{row.name}: {answer.low:+.2f} to {answer.high:+.2f} predicted, {gains[answer.schedule]:+.2f} gained", flush=True
        )
        found.append((answer, gains[answer.schedule], max(gains.values())))
    return found


def _reported(record: Any, outcomes: Mapping[Any, Any], grid: Any) -> Any:
    rows = list(record.scores)
    sample = rows[0]
    rows += [
        dataclasses.replace(sample, target=t, language=code, half="report", value=score_of(data), examples=len(data),
                            metric=str(grid.note["metrics"][t]))
        for (t, code, _), data in outcomes.items()
    ]  # fmt: skip
    return dataclasses.replace(record, scores=ScoreTable.of(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", action="store_true")
    parser.add_argument("--study", type=Path)
    parser.add_argument("--family", nargs="+", default=list(FAMILIES))
    parser.add_argument("--worlds", type=int, default=10, help="of each family, or orders of the grid")
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.worlds)
    print(
        "| worlds | covered | half-width | flagged | wrong | lost against the best finalist |\n|---|---:|---:|---:|---:|---:|"
    )
    for name in [options.study.name] if options.study else ["lab-grid"] if options.grid else options.family:
        if options.study:
            found = studied(options.study)
        else:
            found = [recorded(seed) if options.grid else planted(name, seed) for seed in seeds]
        held = [float(one.low <= real <= one.high) for one, real, _ in found]  # type: ignore[operator]
        half = [(one.high - one.low) / 2 for one, _, _ in found]  # type: ignore[operator]
        flagged = [float(bool(one.doubt)) for one, _, _ in found]
        wrong = [float(not one.doubt and (real <= 0) == (one.value > 0)) for one, real, _ in found]
        lost = [best - real for _, real, best in found]
        cells = (f"{mean:.2f} ± {error:.2f}" for mean, error in map(mean_and_error, (held, half, flagged, wrong, lost)))
        print(f"| {name}, {len(found)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
