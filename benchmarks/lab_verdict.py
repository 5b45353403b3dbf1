"""Whole studies drawn from the recorded lab grid, judged as a study is, against what the grid holds of every mix.

    chrt -i 0 nice -n 19 python benchmarks/lab_verdict.py --keep FILE     # a few minutes of one core; goes on where FILE ends

*Generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages.*

The grid has three seeds of each of 300 mixes and eight of the baseline. One of the three is a study's search seed, the two
others are its finalists' fresh seeds; its baseline has all three and two more. The truth of a gain is the mean over the mix's
three seeds less that over the baseline's eight (`all seeds`), or less that over the baseline's same three, in which luck that
all plans share on a seed cancels (`same seeds`), on the reporting examples. Neither is independent: two of three seeds, and all
examples, are those of the estimate, and the third is the seed that chose the mix. Of the error that an interval speaks of
(seeds and examples drawn again) a part alone can show. `left` is that part, computed from the grid's own variances, and
*narrowed* intervals are shortened to it.

The placebo has an exact truth. Two of the baseline's three left-over seeds pose as a mix: its gain is zero.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from tasksearch.analysis.estimates import CandidateOutcomes, estimate
from tasksearch.analysis.picking import choose
from tasksearch.analysis.study_analysis import StudyAnalysis, analyse_study
from tasksearch.bench.grid import Grid, Outcomes, read_grid
from tasksearch.bench.grid_replay import (
    BASELINE_SEEDS,
    SEEDS,
    Replay,
    _space,
    complete_mixes,
    judged_record,
    search_recorded,
)
from tasksearch.bench.kept_worlds import kept_rows
from tasksearch.bench.results import mean_and_error
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import HALVES, Half
from tasksearch.core.study import Role, StudyConfig
from tasksearch.results.verdict import finding_of
from tasksearch.search.objective import Baseline
from tasksearch.search.proposals import Proposal, propose

GRID = Path(__file__).parent / "data" / "lab_grid.npz"
MIX_LEFT = 2 * (1 / 2 - 1 / 3) ** 2 + 1 / 9
"""Squares of a mix's two seeds in the estimate less its three in the truth; the baseline's are added."""
LARGE = 2.0
"""Points of true gain from which power counts a language."""


@dataclass(kw_only=True)
class Drawn(Replay):
    """A study on the grid: seeds of the study are the grid's under other numbers."""

    seeds: tuple[int, ...] = ()

    def grid_seed(self, seed: int) -> int:
        """Return the grid's number of a seed of the study."""
        return self.seeds[seed]

    def halves(self, role: Role) -> tuple[Half, ...]:
        """Return the halves that a training of the role is scored on: fresh ones on the reporting examples too."""
        return HALVES if role in ("baseline", "finalist") else ("select",)

    def outcomes(self, number: int) -> Outcomes:
        """Return a trial's outcomes on reporting examples."""
        plan = self.records[number].plan
        told = self.grid.outcomes(plan.schedule, self.grid_seed(plan.seed))
        return {cell: data for cell, data in told.items() if cell[2] == "report"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=150)
    parser.add_argument("--trials", type=int, nargs="+", default=[24, 48])
    parser.add_argument("--sampler", default="tpe")
    parser.add_argument("--keep", type=Path, help="append every study's results to this file, and go on where it ends")
    options = parser.parse_args()
    grid, started = read_grid(GRID), time.process_time()
    asked = {"trials": options.trials, "sampler": options.sampler}
    orders = range(options.orders)
    found = list(kept_rows(options.keep, asked, orders, lambda order: studies(grid, order, options.trials, options.sampler)))
    spent = time.process_time() - started
    print(f"## {options.orders} studies, sampler {options.sampler}, {date.today()}, {spent:.0f} s of one core\n")
    print("| mean over studies ± standard error | " + " | ".join(f"{n} trials" for n in options.trials) + " |")
    print("|---|" + "---:|" * len(options.trials))
    for name in found[0][str(options.trials[0])]:
        cells = [mean_and_error([v for each in found for v in each[str(n)][name]]) for n in options.trials]
        print(f"| {name} | " + " | ".join(f"{mean:.2f} ± {error:.2f}" for mean, error in cells) + " |")


def studies(grid: Grid, order: int, trials: list[int], sampler: str) -> dict[str, dict[str, list[float]]]:
    """Number of trials → measure → its value in this study, none where the study has no such row."""
    rng = random.Random(f"verdict {order}")
    fresh, further = rng.sample(range(SEEDS), SEEDS), rng.sample(grid.seeds(Schedule.none())[SEEDS:], BASELINE_SEEDS)
    study = Drawn(grid=grid, seed=0, seeds=(*fresh, *further[: BASELINE_SEEDS - SEEDS]))
    for seed in range(BASELINE_SEEDS):
        study.train(Schedule.none(), seed, "baseline")
    baseline, mixes = Baseline.of(study.records), complete_mixes(grid)
    study.records[:] = [judged_record(record, baseline, study.groups) for record in study.records]
    search_recorded(study, mixes, _space(mixes), max(trials), order, sampler, baseline)
    placebo = further[BASELINE_SEEDS - SEEDS :][:2]
    whole, found = list(study.records), {}
    for count in trials:
        study.records[:] = whole[: BASELINE_SEEDS + count]
        plan = study.plan_of(Schedule.none(), 0)
        config = StudyConfig(
            name="lab", space=_space(mixes), suite="lab", model="lab", targets=plan.targets, languages=plan.languages,
            trials=len(study.records), baseline_seeds=BASELINE_SEEDS, leaders=3, leader_seeds=2, most_seeds=2,
        )  # fmt: skip
        while isinstance(
            asked := propose(config, {}, study.plan_of, len(study.records), study.records, study.groups), Proposal
        ):
            if asked.plan.seed >= len(study.seeds):
                break  # a collapsed training's new seed, which the grid lacks
            study.train(asked.plan.schedule, asked.plan.seed, asked.role, params=asked.params, objective=0.0)
        analysis = analyse_study(study.records, study.outcomes, study.groups)
        found[str(count)] = judged(grid, analysis, placebo)
    return found


def judged(grid: Grid, analysis: StudyAnalysis, placebo: list[int]) -> dict[str, list[float]]:
    """Measures of one study's verdict; rows over several languages are `all`."""
    kinds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    none = Schedule.none()
    fake = arm(grid, none, placebo)
    pool = [*analysis.evidence.arms, fake]
    for choice, row in zip(choose(analysis, "pivot-dev").choices, analysis.rows(), strict=True):
        weights = analysis.report_weights(row)
        bare = arm(grid, none, grid.seeds(none)).scores(weights)  # seeds 0, 1, 2 come first
        own, gain = arm(grid, choice.schedule, range(SEEDS)).scores(weights).mean(), choice.gain
        zero = estimate(fake, weights, minus=analysis.evidence.baseline, pool=pool, alike=analysis._alike(weights))
        half, half_zero = reach(gain.low, gain.high), reach(zero.low, zero.high)
        claimed, one = float(np.hypot(gain.seed_error, gain.example_error)), variance_of(grid, row.name, weights)
        found: dict[str, float] = {"half-width, points": half}
        for name, truth, squares in (
            ("all seeds", float(own - bare.mean()), MIX_LEFT + 5 * (1 / 5 - 1 / 8) ** 2 + 3 / 64),
            ("same seeds", float(own - bare[:SEEDS].mean()), MIX_LEFT + 3 * (1 / 3 - 1 / 5) ** 2 + 2 / 25),
        ):
            miss, left = gain.value - truth, one * squares
            better, worse = (finding_of(gain) == word for word in ("better", "worse"))
            told = {
                "true gain, points": truth,
                "printed - truth, points": miss,
                "coverage, %": 100 * (abs(miss) <= half),
                "coverage, narrowed, %": 100 * (abs(miss) <= half * min(1.0, np.sqrt(left) / claimed)),
                "left / claimed error": float(np.sqrt(left) / claimed),
                "squared error / left": miss**2 / left,
                "called better where 2 points or more, %": 100 * better if truth >= LARGE else np.nan,
                "called better where 0 or less, % of all": 100 * (better and truth <= 0),
                "called worse where 0 or more, % of all": 100 * (worse and truth >= 0),
            }
            found |= {f"{name}: {what}": value for what, value in told.items()}
        found |= {
            "placebo: coverage of zero, %": 100 * (abs(zero.value) <= half_zero),
            "placebo: called better, %": 100 * (zero.value > half_zero),
            "placebo: half-width, points": half_zero,
        }
        kinds[choice.is_group].append(found)
    told = {}
    for is_group, rows in kinds.items():
        for name in rows[0]:
            values = [row[name] for row in rows if not np.isnan(row[name])]
            told[f"{'all' if is_group else 'languages'}, {name}"] = [float(np.mean(values))] if values else []
    return told


def reach(low: float | None, high: float | None) -> float:
    return float("nan") if low is None or high is None else (high - low) / 2


def arm(grid: Grid, mix: Schedule, seeds: list[int] | range | tuple[int, ...]) -> CandidateOutcomes:
    """Reporting outcomes of a mix on those seeds of the grid."""
    return CandidateOutcomes(
        seeds=tuple(
            {(t, language): data for (t, language, half), data in grid.outcomes(mix, seed).items() if half == "report"}
            for seed in seeds
        )
    )


_VARIANCES: dict[str, float] = {}


def variance_of(grid: Grid, name: str, weights: object) -> float:
    """Variance of one training in a row about its plan's mean, over all mixes of the grid."""
    if name not in _VARIANCES:
        found = [
            np.var(arm(grid, mix, range(SEEDS)).scores(weights), ddof=1)  # type: ignore[arg-type]
            for mix in complete_mixes(grid)[::3]
        ]
        _VARIANCES[name] = float(np.mean(found))
    return _VARIANCES[name]


if __name__ == "__main__":
    main()
