"""What each rate of the intermediate phase did to each target, by a recorded study: means over its mixes, with t intervals.

    python benchmarks/real_rates.py benchmarks/data/real_study

Every mix of the search is in it (designed and proposed trials, arms of pairs), chosen or not, so that nothing was selected by
these scores. Gains are on reporting examples over the mean of the baseline's seeds, whose own error is added. Trainings of one
seed share its luck (designed and proposed trials seed 0, the arms of a pair a seed and a mixture), so that a seed counts once,
with the mean of its trainings.

Below the table stands each training's change in retrieval with a 95 % interval over queries. Retrieval is not trained in the
baseline, so it has no seeds there: what is left out is the luck of that one training alone.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.stats import t

from tasksearch.core.score import ENGLISH, Half, ScoreTable
from tasksearch.core.study import SEARCHED
from tasksearch.records.ledger import Ledger


def means_of(table: ScoreTable, half: Half = "report") -> dict[str, float]:
    """Return target → mean over languages but English, percent."""
    by_target: dict[str, list[float]] = {}
    for (target, language), value in table.values(half).items():
        if language != ENGLISH:
            by_target.setdefault(target, []).append(value)
    return {target: statistics.fmean(values) for target, values in by_target.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    asked = parser.parse_args()
    records = [record for record in Ledger(asked.study).records() if record.status == "done"]
    baseline = [means_of(record.scores) for record in records if record.role == "baseline"]
    groups: dict[str, dict[int, list[dict[str, float]]]] = {}  # name → seed → its trainings
    for record in records:
        if record.role in SEARCHED:
            kind = record.plan.schedule.kind if len(record.plan.schedule.tasks) > 1 else "single task"
            for name in (f"{record.plan.learning_rate:g}", f"{record.plan.learning_rate:g} {kind}"):
                groups.setdefault(name, {}).setdefault(record.plan.seed, []).append(means_of(record.scores))
        elif record.role in ("finalist", "control"):
            name = "equal exposure" if record.plan.extra_examples else f"finalist: {record.plan.words}"
            groups.setdefault(name, {}).setdefault(record.plan.seed, []).append(means_of(record.scores))
    targets = sorted(baseline[0])
    print(f"{'':40}{'n':>3}{'seeds':>6}", *(f"{target:>24}" for target in targets))
    rows = [f"{statistics.fmean(one[target] for one in baseline):24.1f}" for target in targets]
    print(f"{'baseline, percent':40}{len(baseline):3}{len(baseline):6}", *rows)
    for name, found in sorted(groups.items()):
        cells = []
        for target in targets:
            values = [statistics.fmean(one[target] for one in own) for own in found.values()]
            start = [one[target] for one in baseline]
            gain = statistics.fmean(values) - statistics.fmean(start)
            if len(values) < 3:
                cells.append(f"{gain:+.1f}")
                continue
            # Welch: the spread over seeds and that of the baseline's seeds
            parts = [statistics.variance(values) / len(values), statistics.variance(start) / len(start)]
            if not any(parts):  # retrieval without an intermediate phase: nothing is trained
                cells.append(f"{gain:+.1f}")
                continue
            freedom = sum(parts) ** 2 / sum(
                part**2 / (n - 1) for part, n in zip(parts, (len(values), len(start)), strict=True) if part
            )
            half = float(t.ppf(0.975, freedom)) * sum(parts) ** 0.5
            cells.append(f"{gain:+.1f} [{gain - half:+.1f}, {gain + half:+.1f}]")
        print(f"{name[:40]:40}{sum(map(len, found.values())):3}{len(found):6}", *(f"{cell:>24}" for cell in cells))
    print()
    folder = asked.study / "trials"
    start = correct_of(folder, next(record.number for record in records if record.role == "baseline"))
    for record in records:
        if record.plan.schedule.stages:
            change = 100 * (correct_of(folder, record.number) - start)
            half = 1.96 * change.std(ddof=1) / len(change) ** 0.5
            print(f"trial {record.number:2} tatoeba {change.mean():+6.1f} ± {half:.1f}  {record.plan.words}")


def correct_of(folder: Path, number: int) -> np.ndarray:
    """Return whether each reporting query of Tatoeba found its translation, all languages one after the other."""
    outcomes = load_file(folder / f"{number:04d}.outcomes.safetensors")
    return np.concatenate(
        [outcomes[name][:, 0] for name in sorted(outcomes) if name.startswith("tatoeba/") and "report" in name]
    )


if __name__ == "__main__":
    main()
