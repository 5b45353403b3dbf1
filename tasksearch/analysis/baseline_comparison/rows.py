"""Rows of the baseline comparison: every free baseline and control with its gain, how much better the pick is, and what it
costs to have.

Costs are hours of one training on one seed, of all the trainings that it takes (best single: every single task). What the
segment store spared counts: somebody paid for it. A soup needs the search that found its mixes, which its row does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasksearch.analysis.estimates import CandidateOutcomes
from tasksearch.analysis.evidence import Candidate, Control
from tasksearch.analysis.study_analysis import AnalysisRow, Ranking, StudyAnalysis
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.results.baseline_comparison import BaselineEntry
from tasksearch.results.verdict import Estimate
from tasksearch.search.controls import stretched
from tasksearch.search.design_names import joined
from tasksearch.search.designed_trials import PROPORTIONAL, SINGLE, SIZE_RULE, UNIFORM

WORK = ("intermediate", "target", "evaluation")
"""Parts of a trial's seconds that are training and evaluation."""
_KINDS = (SINGLE, UNIFORM, PROPORTIONAL, SIZE_RULE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """What anyone could have trained, on fresh seeds: the pick has to beat it."""

    name: str
    schedule: Schedule | None
    arm: CandidateOutcomes
    trials: tuple[int, ...]
    note: str = ""


def champion_of(ranking: Ranking) -> Candidate | None:
    """The best free baseline among the candidates, by the rule that chose the pick."""
    return next((candidate for candidate in ranking.candidates if candidate.designed), None)


def is_free(chosen: Candidate, champion: Candidate | None) -> bool:
    """Whether the pick is the champion itself, or the champion at another length: a longer one is found without a search."""
    if champion is None or chosen is champion:
        return champion is not None
    schedule = chosen.first.plan.schedule
    return stretched(champion.first.plan.schedule, schedule.steps) == schedule


def rivals_of(reading: StudyAnalysis, ranking: Ranking) -> tuple[Rival, ...]:
    """The champion, the champion at the pick's length, and the target phases of equal exposure; those that were run."""
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    found = (
        [_rival(reading.designs.name(champion.first.plan.schedule), champion)]
        if champion not in (None, chosen) and champion
        else []
    )
    if (longer := _at_length(reading, ranking)) is not None and champion is not chosen:
        found.append(_rival(longer_name(reading, longer.first.plan.schedule), longer))
    if (exposure := exposure_of(reading, chosen)) is not None:
        note = f"no intermediate phase, every target +{exposure.first.plan.extra_examples} examples"
        found.append(Rival(name="equal exposure", schedule=None, arm=exposure.arm, trials=exposure.trials, note=note))
    return tuple(found)


def exposure_of(reading: StudyAnalysis, chosen: Candidate) -> Control | None:
    """The control whose target phases are longer by what the chosen mix's intermediate phase shows."""
    wanted = chosen.first.plan.intermediate_examples
    return next((c for c in reading.evidence.controls if wanted and c.first.plan.extra_examples == wanted), None)


def longer_name(reading: StudyAnalysis, schedule: Schedule) -> str:
    """`uniform joint, 384 steps`."""
    return f"{reading.designs.name(schedule)}, {schedule.steps} steps"


def _at_length(reading: StudyAnalysis, ranking: Ranking) -> Control | Candidate | None:
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    if champion is None:
        return None
    wanted = stretched(champion.first.plan.schedule, chosen.first.plan.schedule.steps)
    if wanted == champion.first.plan.schedule:
        return None
    among: list[Control | Candidate] = [*ranking.candidates, *reading.evidence.controls]
    return next((each for each in among if each.first.plan.schedule == wanted and each is not chosen), None)


def _rival(name: str, of: Control | Candidate) -> Rival:
    return Rival(name=name, schedule=of.first.plan.schedule, arm=of.arm, trials=of.trials)


def entries_of(
    reading: StudyAnalysis, row: AnalysisRow, ranking: Ranking, records: Sequence[TrialRecord]
) -> Iterator[BaselineEntry]:
    """Every row, the free baselines first."""
    costs = _Costs(records)
    rivals = {rival.name: rival for rival in rivals_of(reading, ranking)}
    yield BaselineEntry(
        name="no intermediate training",
        schedule=Schedule.none(),
        evidence="fresh seeds",
        trainings=1,
        advantage=reading.gain(ranking.candidates[0], row),
        hours=costs.mean(r.number for r in records if r.role == "baseline"),
        rival=True,
    )
    rows = _design_rows(reading)
    for names in rows:
        yield _designed(reading, row, ranking, names, costs, decides=joined(names) in rivals)
    for name, rival in rivals.items():
        if name not in map(joined, rows) and name != "equal exposure":
            yield _fresh(reading, row, ranking, rival, costs)
    yield from _soups(reading, row, ranking, costs)
    if "equal exposure" in rivals:
        yield _fresh(reading, row, ranking, rivals["equal exposure"], costs)
    else:
        note = "no target phases of the pick's exposure were trained"
        yield BaselineEntry(name="equal exposure", schedule=None, evidence="not run", note=note)


def _design_rows(reading: StudyAnalysis) -> list[tuple[str, ...]]:
    """The names of each row: designs that came to one schedule share theirs, and a design that was not run has its own."""
    run = [reading.designs.all_of(f.plan.schedule) for f in reading.evidence.table.firsts if f.role == "design"]
    rows = sorted(dict.fromkeys(run), key=lambda names: _KINDS.index(names[0]))
    there = {name for names in rows for name in names}
    return sorted([*rows, *((kind,) for kind in _KINDS if kind not in there)], key=lambda names: _KINDS.index(names[0]))


def _designed(
    reading: StudyAnalysis,
    row: AnalysisRow,
    ranking: Ranking,
    names: tuple[str, ...],
    costs: _Costs,
    *,
    decides: bool,
) -> BaselineEntry:
    firsts, name = reading.evidence.table.firsts, joined(names)
    members = [
        i for i, first in enumerate(firsts) if first.role == "design" and reading.designs.all_of(first.plan.schedule) == names
    ]
    if not members:
        return BaselineEntry(
            name=name,
            schedule=None,
            evidence="not run",
            note="no such design: not in the space, or the tasks' sizes are not known",
        )
    again = {candidate.row: candidate for candidate in ranking.candidates}
    # One that stands on fresh seeds first: the leaders hold the best of the designed trials, and it is the one compared.
    best = max(members, key=lambda i: (i in again, ranking.mean[i], -i))
    fresh = again.get(best)
    return BaselineEntry(
        name=name,
        schedule=firsts[best].plan.schedule,
        evidence="fresh seeds" if fresh else "one seed, selection examples",
        gain=reading.gain(fresh, row) if fresh else None,
        expected=float(ranking.mean[best]) * ranking.points if reading.learnt else None,
        expected_error=float(ranking.deviation[best]) * ranking.points if reading.learnt else None,
        trainings=len(members),
        advantage=ahead_of(reading, row, ranking.candidates[0], fresh.arm) if fresh else None,
        hours=costs.total(firsts[i].number for i in members),
        rival=decides,
    )


def _fresh(reading: StudyAnalysis, row: AnalysisRow, ranking: Ranking, rival: Rival, costs: _Costs) -> BaselineEntry:
    weights = reading.report_weights(row)
    return BaselineEntry(
        name=rival.name,
        schedule=rival.schedule,
        evidence="fresh seeds",
        gain=reading.estimate(rival.arm, weights, minus=reading.evidence.baseline),
        trainings=1,
        advantage=ahead_of(reading, row, ranking.candidates[0], rival.arm),
        note=rival.note,
        hours=costs.mean(rival.trials),
        rival=True,
    )


def _soups(reading: StudyAnalysis, row: AnalysisRow, ranking: Ranking, costs: _Costs) -> Iterator[BaselineEntry]:
    soups = [control for control in reading.evidence.controls if control.first.plan.soup]
    if not soups:
        yield BaselineEntry(
            name="soup", schedule=None, evidence="not run", note="no average of the leaders' encoders was evaluated"
        )
        return
    soup = soups[-1]  # of the leaders as they are now
    yield BaselineEntry(
        name="soup",
        schedule=None,
        evidence="fresh seeds",
        gain=reading.estimate(soup.arm, reading.report_weights(row), minus=reading.evidence.baseline),
        trainings=len(soup.first.plan.soup),
        advantage=ahead_of(reading, row, ranking.candidates[0], soup.arm),
        note=f"average of {len(soup.first.plan.soup)} leaders' encoders: no trained mix, and the search comes on top",
        hours=costs.mean(soup.trials),
    )


def ahead_of(reading: StudyAnalysis, row: AnalysisRow, chosen: Candidate, other: CandidateOutcomes) -> Estimate | None:
    """How much better the pick is, on the same fresh seeds and examples; None against itself."""
    if chosen.arm is other:
        return None
    return reading.estimate(chosen.arm, reading.report_weights(row), minus=other)


class _Costs:
    """Hours of trials, what the store spared included."""

    def __init__(self, records: Iterable[TrialRecord]) -> None:
        self._hours = {
            r.number: sum(seconds for part, seconds in r.seconds if part in (*WORK, "reused")) / 3600
            for r in records
            if r.status == "done"
        }

    def total(self, numbers: Iterable[int]) -> float:
        return sum(self._hours.get(number, 0.0) for number in numbers)

    def mean(self, numbers: Iterable[int]) -> float:
        found = [self._hours[number] for number in numbers if number in self._hours]
        return sum(found) / len(found) if found else 0.0
