"""What each rate of the intermediate phase did to each target, by a recorded study: means over its mixes, with t intervals.

    python benchmarks/real_rates.py benchmarks/data/real_study

Every mix of the search counts once (designed trials and arms of pairs), chosen or not, so that nothing was selected by these
scores. Gains are on reporting examples over the mean of the baseline's seeds, whose own error is added.
"""

import argparse
import statistics
from pathlib import Path

from scipy.stats import t

from tasksearch.core.score import ENGLISH
from tasksearch.core.study import SEARCHED, TrialRecord
from tasksearch.records.ledger import Ledger


def means_of(record: TrialRecord) -> dict[str, float]:
    """Return target → mean over languages but English, on reporting examples."""
    by_target: dict[str, list[float]] = {}
    for (target, language), value in record.scores.values("report").items():
        if language != ENGLISH:
            by_target.setdefault(target, []).append(value)
    return {target: statistics.fmean(values) for target, values in by_target.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    records = [record for record in Ledger(parser.parse_args().study).records() if record.status == "done"]
    baseline = [means_of(record) for record in records if record.role == "baseline"]
    groups: dict[str, list[dict[str, float]]] = {}
    for record in records:
        if record.role in SEARCHED:
            kind = record.plan.schedule.kind if len(record.plan.schedule.tasks) > 1 else "single task"
            for name in (f"{record.plan.learning_rate:g}", f"{record.plan.learning_rate:g} {kind}"):
                groups.setdefault(name, []).append(means_of(record))
        elif record.role in ("finalist", "control"):
            name = "equal exposure" if record.plan.extra_examples else f"finalist: {record.plan.words}"
            groups.setdefault(name, []).append(means_of(record))
    targets = sorted(baseline[0])
    print(f"{'':40}{'n':>3}", *(f"{target:>24}" for target in targets))
    rows = [f"{statistics.fmean(one[target] for one in baseline):24.1f}" for target in targets]
    print(f"{'baseline, percent':40}{len(baseline):3}", *rows)
    for name, found in sorted(groups.items()):
        cells = []
        for target in targets:
            values, start = [one[target] for one in found], [one[target] for one in baseline]
            gain = statistics.fmean(values) - statistics.fmean(start)
            if len(values) < 3:
                cells.append(f"{gain:+.1f}")
                continue
            # Welch: the spread over mixes (or seeds) and that of the baseline's seeds
            parts = [statistics.variance(values) / len(values), statistics.variance(start) / len(start)]
            if not any(parts):  # retrieval without an intermediate phase: nothing is trained
                cells.append(f"{gain:+.1f}")
                continue
            freedom = sum(parts) ** 2 / sum(
                part**2 / (n - 1) for part, n in zip(parts, (len(values), len(start)), strict=True) if part
            )
            half = float(t.ppf(0.975, freedom)) * sum(parts) ** 0.5
            cells.append(f"{gain:+.1f} [{gain - half:+.1f}, {gain + half:+.1f}]")
        print(f"{name[:40]:40}{len(found):3}", *(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
