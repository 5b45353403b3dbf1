"""Rows of the baseline comparison: every free baseline and control with its gain, the pick's lead over it, and its cost.

The cost is the hours, on one seed, of all the trainings that it takes (best single: every single task). Training that the
segment store spared is included. A soup needs the search that found its mixes, which its row does not count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasksearch.analysis.estimates import CandidateOutcomes
from tasksearch.analysis.evidence import Candidate, Control
from tasksearch.analysis.study_analysis import AnalysisRow, Ranking, StudyAnalysis, cell_weights
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH, Cell
from tasksearch.core.study import FEW_SHOT, TrialRecord
from tasksearch.results.baseline_comparison import BaselineEntry, LanguageGain
from tasksearch.results.verdict import Estimate
from tasksearch.search.controls import alike
from tasksearch.search.design_names import joined
from tasksearch.search.designed_trials import PROPORTIONAL, SINGLE, SIZE_RULE, UNIFORM

WORK = ("intermediate", "target", "evaluation")
"""Parts of a trial's seconds that are training and evaluation."""
AVERAGED = "averaged snapshots"
"""Name of the row without an intermediate phase whose target phases end in the mean of their last snapshots."""
MODELS = "averaged models"
"""Name of the row without an intermediate phase whose target models are the mean over seeds."""
_KINDS = (SINGLE, UNIFORM, PROPORTIONAL, SIZE_RULE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rival:
    """A free baseline or control on fresh seeds that the pick has to beat; `trainings` are those that one model takes."""

    name: str
    schedule: Schedule | None
    arm: CandidateOutcomes
    trials: tuple[int, ...]
    note: str = ""
    trainings: int = 1


def champion_of(ranking: Ranking) -> Candidate | None:
    """Return the best free baseline among the candidates, by the rule that chose the pick."""
    return next((candidate for candidate in ranking.candidates if candidate.designed), None)


def is_free(chosen: Candidate, champion: Candidate | None) -> bool:
    """Return whether the pick is the champion, at any length and rate: a longer one is found without a search."""
    if champion is None or chosen is champion:
        return champion is not None
    schedule = chosen.first.plan.schedule
    return alike(champion.first.plan.schedule, schedule) == schedule


def rivals_of(analysis: StudyAnalysis, ranking: Ranking) -> tuple[Rival, ...]:
    """Return the champion, the champion at the pick's length, target phases of equal exposure, and averaged ones.

    Each as far as it was trained.
    """
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    found = (
        [_rival(analysis.designs.name(champion.first.plan.schedule), champion)]
        if champion not in (None, chosen) and champion
        else []
    )
    if (longer := _at_length(analysis, ranking)) is not None and champion is not chosen:
        found.append(_rival(longer_name(analysis, longer.first.plan.schedule), longer))
    if (exposure := exposure_of(analysis, chosen)) is not None:
        note = f"no intermediate phase, every target +{exposure.first.plan.extra_examples} examples"
        found.append(Rival(name="equal exposure", schedule=None, arm=exposure.arm, trials=exposure.trials, note=note))
    if (mean := next((c for c in analysis.evidence.controls if _is_averaged(c)), None)) is not None:
        count = mean.first.plan.settings.target.average_last
        note = f"no intermediate phase, the last {count} snapshots of every target phase averaged"
        found.append(Rival(name=AVERAGED, schedule=None, arm=mean.arm, trials=mean.trials, note=note))
    if bare := [c for c in _of_models(analysis) if not c.first.plan.schedule.stages]:
        found.append(_of_average(bare[0], MODELS, bare[0].first.plan.words))
    return tuple(found)


def _of_models(analysis: StudyAnalysis) -> list[Control]:
    """Return the controls whose target models are averaged over seeds."""
    return [control for control in analysis.evidence.controls if control.first.plan.model_seeds]


def _of_average(of: Control, name: str, note: str) -> Rival:
    count = len(of.first.plan.model_seeds)
    return Rival(name=name, schedule=None, arm=of.arm, trials=of.trials, note=note, trainings=count)


def _is_averaged(control: Control) -> bool:
    """Whether the control is the baseline with averaged target phases."""
    plan = control.first.plan
    other = plan.schedule.stages or plan.soup or plan.extra_examples or plan.model_seeds
    return plan.settings.target.average_last > 1 and not other


def exposure_of(analysis: StudyAnalysis, chosen: Candidate) -> Control | None:
    """Return the control whose target phases are longer by the examples of the chosen mix's intermediate phase."""
    wanted = chosen.first.plan.intermediate_examples
    return next((c for c in analysis.evidence.controls if wanted and c.first.plan.extra_examples == wanted), None)


def longer_name(analysis: StudyAnalysis, schedule: Schedule) -> str:
    """`uniform joint, 384 steps`, with the learning rate where it is searched."""
    return f"{analysis.designs.name(schedule)}, {schedule.steps} steps{schedule.rate_words}"


def _at_length(analysis: StudyAnalysis, ranking: Ranking) -> Control | Candidate | None:
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    if champion is None:
        return None
    wanted = alike(champion.first.plan.schedule, chosen.first.plan.schedule)
    if wanted == champion.first.plan.schedule:
        return None
    controls = (control for control in analysis.evidence.controls if not control.first.plan.model_seeds)
    among: list[Control | Candidate] = [*ranking.candidates, *controls]
    return next((each for each in among if each.first.plan.schedule == wanted and each is not chosen), None)


def _rival(name: str, of: Control | Candidate) -> Rival:
    return Rival(name=name, schedule=of.first.plan.schedule, arm=of.arm, trials=of.trials)


def entries_of(
    analysis: StudyAnalysis, row: AnalysisRow, ranking: Ranking, records: Sequence[TrialRecord]
) -> Iterator[BaselineEntry]:
    """Yield every row, the free baselines first."""
    costs = _Costs(records)
    rivals = {rival.name: rival for rival in rivals_of(analysis, ranking)}
    yield BaselineEntry(
        name="no intermediate training",
        schedule=Schedule.none(),
        evidence="fresh seeds",
        trainings=1,
        advantage=analysis.gain(ranking.candidates[0], row),
        hours=costs.mean(r.number for r in records if r.role == "baseline"),
        rival=True,
    )
    rows = _design_rows(analysis)
    for names in rows:
        yield _designed(analysis, row, ranking, names, costs, decides=joined(names) in rivals)
    for name, rival in rivals.items():
        if name not in map(joined, rows) and name not in ("equal exposure", AVERAGED, MODELS):
            yield _fresh(analysis, row, ranking, rival, costs)
    yield from _few_shot(analysis, row, ranking, costs)
    yield from _soups(analysis, row, ranking, costs)
    for name in (AVERAGED, MODELS):
        if name in rivals:
            yield _fresh(analysis, row, ranking, rivals[name], costs)
    for control in _of_models(analysis):
        if control.first.plan.schedule.stages:
            note = f"{control.first.plan.words}: no trained mix, and the search comes on top"
            own = _of_average(control, f"{MODELS}, best finalist", note)
            yield dataclasses.replace(_fresh(analysis, row, ranking, own, costs), rival=False)
    if "equal exposure" in rivals:
        yield _fresh(analysis, row, ranking, rivals["equal exposure"], costs)
    else:
        note = "no target phases of the pick's exposure were trained"
        yield BaselineEntry(name="equal exposure", schedule=None, evidence="not run", note=note)


def _design_rows(analysis: StudyAnalysis) -> list[tuple[str, ...]]:
    """The names of each row: designs that came to one schedule share theirs, and a design that was not run has its own."""
    run = [analysis.designs.all_of(f.plan.schedule) for f in analysis.evidence.table.firsts if f.role == "design"]
    there = {name for names in run for name in names}
    rows = dict.fromkeys((*run, *((kind,) for kind in _KINDS if kind not in there)))
    return sorted(rows, key=lambda names: _KINDS.index(names[0]) if names[0] in _KINDS else len(_KINDS))  # a grid names its own


def _designed(
    analysis: StudyAnalysis,
    row: AnalysisRow,
    ranking: Ranking,
    names: tuple[str, ...],
    costs: _Costs,
    *,
    decides: bool,
) -> BaselineEntry:
    firsts, name = analysis.evidence.table.firsts, joined(names)
    members = [
        i for i, first in enumerate(firsts) if first.role == "design" and analysis.designs.all_of(first.plan.schedule) == names
    ]
    if not members:
        return BaselineEntry(
            name=name,
            schedule=None,
            evidence="not run",
            note="no such design: not in the space, the tasks' sizes are not known, or it ended at a guess",
        )
    again = {candidate.row: candidate for candidate in ranking.candidates}
    # A finalist first: the finalists include the best of the designed trials, and that is the one compared.
    best = max(members, key=lambda i: (i in again, ranking.mean[i], -i))
    fresh = again.get(best)
    return BaselineEntry(
        name=name,
        schedule=firsts[best].plan.schedule,
        evidence="fresh seeds" if fresh else "one seed, selection examples",
        gain=analysis.gain(fresh, row) if fresh else None,
        expected=float(ranking.mean[best]) * ranking.points if analysis.has_surrogate else None,
        expected_error=float(ranking.deviation[best]) * ranking.points if analysis.has_surrogate else None,
        trainings=len(members),
        advantage=ahead_of(analysis, row, ranking.candidates[0], fresh.arm) if fresh else None,
        hours=costs.total(firsts[i].number for i in members),
        rival=decides,
    )


def _fresh(analysis: StudyAnalysis, row: AnalysisRow, ranking: Ranking, rival: Rival, costs: _Costs) -> BaselineEntry:
    weights = analysis.report_weights(row)
    return BaselineEntry(
        name=rival.name,
        schedule=rival.schedule,
        evidence="fresh seeds",
        gain=analysis.estimate(rival.arm, weights, minus=analysis.evidence.baseline),
        trainings=rival.trainings,
        advantage=ahead_of(analysis, row, ranking.candidates[0], rival.arm),
        note=rival.note,
        hours=costs.mean(rival.trials),
        rival=True,
    )


def _few_shot(analysis: StudyAnalysis, row: AnalysisRow, ranking: Ranking, costs: _Costs) -> Iterator[BaselineEntry]:
    """Yield the few-shot controls, over the cells that have labelled examples.

    Their trainings differ in which examples are drawn, too; `seed_noise` lets a plan be noisier than the others.
    """
    chosen, base = ranking.candidates[0], analysis.evidence.baseline
    cells = [cell for cell in analysis.evidence.cells if cell[1] in row.languages and _has_labels(analysis, cell)]
    whole = cell_weights(cells, analysis.groups)
    by_language = {spoken: cell_weights([c for c in cells if c[1] == spoken], analysis.groups) for _, spoken in sorted(cells)}
    for control in analysis.evidence.few_shot if cells else ():
        plan, arm = control.first.plan, control.arm
        labels, schedule = plan.settings.few_shot, plan.schedule
        without = sorted({c[0] for c in analysis.evidence.cells} - {c[0] for c in cells})
        apart = f"; without {', '.join(without)}" if without else ""
        yield BaselineEntry(
            name=f"{FEW_SHOT}, best finalist" if schedule.stages else FEW_SHOT,
            schedule=None,
            evidence="fresh seeds",
            gain=analysis.estimate(arm, whole, minus=base),
            trainings=1,
            advantage=analysis.estimate(chosen.arm, whole, minus=arm),
            note=f"takes {labels} labelled examples of each language; {schedule}{apart}",
            hours=costs.mean(control.trials),
            labels=labels,
            by_language=tuple(
                LanguageGain(
                    language=spoken,
                    gain=analysis.estimate(arm, weights, minus=base),
                    advantage=analysis.estimate(chosen.arm, weights, minus=arm),
                )
                for spoken, weights in by_language.items()
            ),
        )


def _has_labels(analysis: StudyAnalysis, cell: Cell) -> bool:
    """Whether examples of the cell are set aside: as `tasks.selection_split` does, from those that select, if it is trained."""
    return cell[1] != ENGLISH and analysis.groups[cell[0]] != "retrieval" and bool(analysis.evidence.dev_examples.get(cell))


def _soups(analysis: StudyAnalysis, row: AnalysisRow, ranking: Ranking, costs: _Costs) -> Iterator[BaselineEntry]:
    all_of_them = [control for control in analysis.evidence.controls if control.first.plan.soup]
    over_seeds = [control for control in all_of_them if control.first.plan.soup_seeds]
    soups = [control for control in all_of_them if control not in over_seeds]
    if over_seeds:
        yield _soup(analysis, row, ranking, costs, over_seeds[-1])
    if not soups:
        yield BaselineEntry(
            name="soup", schedule=None, evidence="not run", note="no average of the finalists' encoders was evaluated"
        )
        return
    yield _soup(analysis, row, ranking, costs, soups[-1])  # of the finalists as they are now


def _soup(analysis: StudyAnalysis, row: AnalysisRow, ranking: Ranking, costs: _Costs, soup: Control) -> BaselineEntry:
    plan = soup.first.plan
    what = plan.words if plan.soup_seeds else f"average of {len(plan.soup)} finalists' encoders"
    return BaselineEntry(
        name="soup over seeds" if plan.soup_seeds else "soup",
        schedule=None,
        evidence="fresh seeds",
        gain=analysis.estimate(soup.arm, analysis.report_weights(row), minus=analysis.evidence.baseline),
        trainings=len(plan.soup) * max(1, len(plan.soup_seeds)),
        advantage=ahead_of(analysis, row, ranking.candidates[0], soup.arm),
        note=f"{what}: no trained mix, and the search comes on top",
        hours=costs.mean(soup.trials),
    )


def ahead_of(analysis: StudyAnalysis, row: AnalysisRow, chosen: Candidate, other: CandidateOutcomes) -> Estimate | None:
    """Estimate the pick's lead on the same fresh seeds and examples; None against itself."""
    if chosen.arm is other:
        return None
    return analysis.estimate(chosen.arm, analysis.report_weights(row), minus=other)


class _Costs:
    """Hours of trials, including training that the store spared."""

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
