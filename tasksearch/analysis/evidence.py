"""`Evidence`: the baseline and the candidates of a study, read from its records and per-example outcomes.

Each candidate keeps two kinds of trainings apart: those of the search, on whose selection examples it may be chosen, and
those on fresh seeds, whose reporting examples give its gain.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, Cell
from tasksearch.analysis.run_outcomes import RunOutcomes
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.score import Half
from tasksearch.core.study import SEARCHED, Guesses, Objective, TrialRecord
from tasksearch.search.collapse import collapsed, without_guessing
from tasksearch.search.fidelity import baseline_of_search
from tasksearch.search.gain_table import GainTable
from tasksearch.search.objective import Baseline, counted_targets

OutcomesOf = Callable[[int], Mapping[tuple[str, str, Half], NDArray[np.float32]]]
"""Trial number → its per-example outcomes by (target, language, half), as `Ledger.outcomes` returns them."""

_AGREE = 0.01  # points: outcomes are stored in single precision, score tables in double


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A finalist: a mix that was trained again on fresh seeds.

    Attributes:
        first: its first fresh training.
        trials: numbers of its fresh trainings.
        arm: their outcomes on reporting examples, without collapsed trainings where those explain the spread.
        dev: cell → mean selection score of its trainings in the search.
        row: its row in the table of trained mixes.
        designed: whether it is one of the free baselines.
        every: the outcomes of all trainings; `arm` where none collapsed.
        lost: numbers of those that collapsed (`search.collapse`).
    """

    first: TrialRecord
    trials: tuple[int, ...]
    arm: CandidateOutcomes
    dev: Mapping[Cell, float]
    row: int
    designed: bool
    every: CandidateOutcomes
    lost: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Control:
    """A control (`search.controls`) trained on fresh seeds. It is compared with the candidates and never chosen.

    Attributes:
        first: its first training.
        trials: their numbers.
        arm: their outcomes on reporting examples.
    """

    first: TrialRecord
    trials: tuple[int, ...]
    arm: CandidateOutcomes


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """The baseline and the candidates.

    Attributes:
        baseline: outcomes of the baseline's seeds on reporting examples.
        dev: the baseline's selection scores.
        dev_examples: cell → selection examples.
        candidates: in the order of their trials, at least one.
        table: every mix that the search trained but those in `guessing`, on selection examples, against its own baseline.
        shortlist: selection cells that the search's objective read: they decided which mixes became candidates.
        baseline_every, lost: all seeds of the baseline, and the numbers of those that collapsed.
        controls: those that were scored wherever baseline and candidates were, in the order of their trials.
        few_shot: controls whose target phases were continued on labelled examples of each language; the same holds for them.
        incomplete: numbers of trainings that are left out, since they lack scores which other seeds of their mix have.
        guessing: numbers of trials of the search that are not in `table`, since they ended at a guess in English.
    """

    baseline: CandidateOutcomes
    dev: Baseline
    dev_examples: Mapping[Cell, int]
    candidates: tuple[Candidate, ...]
    table: GainTable
    shortlist: frozenset[Cell]
    baseline_every: CandidateOutcomes
    lost: tuple[int, ...] = ()
    controls: tuple[Control, ...] = ()
    few_shot: tuple[Control, ...] = ()
    incomplete: tuple[int, ...] = ()
    guessing: tuple[int, ...] = ()

    @cached_property
    def arms(self) -> tuple[CandidateOutcomes, ...]:
        """Baseline and candidates: all plans with several seeds, from which the seed variance is estimated."""
        return (self.baseline, *(candidate.arm for candidate in self.candidates))

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Cells that every training of the baseline and of the candidates was scored in, sorted."""
        shared = set.intersection(*(set(outcomes) for arm in self.arms for outcomes in arm.seeds))
        return tuple(sorted(shared))


def gather(
    records: Sequence[TrialRecord],
    outcomes: OutcomesOf,
    objective: Objective,
    documents: Documents | None = None,
    guesses: Guesses = (),
) -> Evidence:
    """Gather the evidence from the finished trials.

    Args:
        records, outcomes: of the study.
        objective: what the search maximised.
        documents: of the reporting examples, where the study kept them.
        guesses: `StudyConfig.guesses`, by which collapsed trainings are told.

    Raises:
        StudyNotReady: no baseline, or no finalist was trained on fresh seeds.
        BadInput: a fresh seed that is not fresh, or outcomes that contradict the score table.
    """
    outcomes = Reader.of(outcomes)
    done = sorted((r for r in records if r.status == "done"), key=lambda r: r.number)
    judged = [r for r in done if r.role in ("baseline", "finalist", "control")]
    gaps = incomplete(judged)
    done = [r for r in done if r.number not in gaps]
    bare = [r for r in done if r.role == "baseline"]
    if not bare:
        raise StudyNotReady("no baseline trial is done; a gain needs one: `tasksearch resume` finishes the study")
    fresh = _by_mix(r for r in done if r.role == "finalist")
    if not fresh:
        raise StudyNotReady("no finalist was trained on fresh seeds yet; `tasksearch resume` finishes the study")
    seen = _by_mix(r for r in done if r.role in SEARCHED)
    dev = Baseline.of(bare)
    searched_against = Baseline.of(baseline_of_search(done))
    known = without_guessing(done, searched_against, guesses, fresh)
    table = GainTable.of(known, searched_against)
    rows = {first.plan.mix_signature: row for row, first in enumerate(table.firsts)} if table is not None else {}
    if table is None or not fresh.keys() & seen.keys() & rows.keys():
        raise StudyNotReady("no finalist has a finished trial of the search to be chosen by")
    named = [(name, mix) for name, mix in fresh.items() if name in seen and name in rows]
    lost = collapsed([*bare, *(r for r in done if r.role in ("finalist", "control"))], guesses)
    candidates = [_candidate(mix, seen[name], rows[name], outcomes, documents, lost) for name, mix in named]
    baseline, every = kept_outcomes_of(bare, outcomes, documents, lost)
    counted = counted_targets(dev, objective)
    evidence = Evidence(
        baseline=baseline,
        baseline_every=every,
        lost=tuple(record.number for record in bare if record.number in lost),
        dev=dev,
        dev_examples={(s.target, s.language): s.examples for s in bare[0].scores if s.half == "select"},
        candidates=tuple(candidates),
        table=table,
        shortlist=frozenset((t, language) for t in counted for language in dev.languages(t, objective.languages)),
        incomplete=tuple(sorted(gaps)),
        guessing=tuple(sorted({record.number for record in done} - {record.number for record in known})),
    )
    controls = [_control(mix, outcomes, documents, lost) for mix in _by_mix(r for r in done if r.role == "control").values()]
    scored = [c for c in controls if all(set(evidence.cells) <= seed.keys() for seed in c.arm.seeds)]
    few_shot = tuple(control for control in scored if control.first.plan.few_shot)
    return dataclasses.replace(evidence, controls=tuple(c for c in scored if c not in few_shot), few_shot=few_shot)


def incomplete(records: Iterable[TrialRecord]) -> frozenset[int]:
    """Return the trainings that lack a reporting score which another seed of their mix has.

    Each of them would take that cell away from every mix, and so change what every row is a mean of.
    """
    gaps = set[int]()
    for mix in _by_mix(records).values():
        cells = {record.number: set(record.scores.values("report")) for record in mix}
        every = set.union(*cells.values())
        whole = any(found == every for found in cells.values())
        gaps |= {number for number, found in cells.items() if whole and found != every}
    return frozenset(gaps)


def _control(
    trained: Sequence[TrialRecord], outcomes: OutcomesOf, documents: Documents | None, lost: frozenset[int]
) -> Control:
    trials = tuple(record.number for record in trained)
    return Control(first=trained[0], trials=trials, arm=kept_outcomes_of(trained, outcomes, documents, lost)[0])


def kept_outcomes_of(
    trained: Sequence[TrialRecord], outcomes: OutcomesOf, documents: Documents | None, lost: frozenset[int]
) -> tuple[CandidateOutcomes, CandidateOutcomes]:
    """Return the outcomes without collapsed trainings, and of all; the same value where none collapsed."""
    every = candidate_outcomes_of(trained, outcomes, documents)
    kept = [record for record in trained if record.number not in lost]
    if len(kept) == len(trained):
        return every, every
    arm = candidate_outcomes_of(kept, outcomes, documents)
    return dataclasses.replace(arm, fixed=arm.fixed | every.fixed), every


def _candidate(
    fresh: Sequence[TrialRecord],
    seen: Sequence[TrialRecord],
    row: int,
    outcomes: OutcomesOf,
    documents: Documents | None,
    lost: frozenset[int],
) -> Candidate:
    again = {r.plan.seed for r in fresh} & {r.plan.seed for r in seen}
    if again:
        raise BadInput(
            f"finalist trial {fresh[0].number} ran on seed {min(again)}, which the search had used; expected fresh seeds"
        )
    columns = [record.scores.values("select") for record in seen]
    cells = set.intersection(*(set(column) for column in columns))
    dev = {cell: statistics.fmean(column[cell] for column in columns) for cell in cells}
    arm, every = kept_outcomes_of(fresh, outcomes, documents, lost)
    return Candidate(
        first=fresh[0],
        trials=tuple(r.number for r in fresh),
        arm=arm,
        every=every,
        lost=tuple(r.number for r in fresh if r.number in lost),
        dev=dev,
        row=row,
        designed=any(record.role == "design" for record in seen),
    )


class Reader:
    """An `OutcomesOf` that checks and keeps each trial's reporting outcomes, so that they are read once."""

    def __init__(self, outcomes: OutcomesOf) -> None:
        self._outcomes = outcomes
        self._reporting: dict[int, RunOutcomes] = {}

    @classmethod
    def of(cls, outcomes: OutcomesOf) -> Reader:
        """Wrap the function; a reader is returned as it is."""
        return outcomes if isinstance(outcomes, Reader) else cls(outcomes)

    def __call__(self, number: int) -> Mapping[tuple[str, str, Half], NDArray[np.float32]]:
        """Return all outcomes of a trial."""
        return self._outcomes(number)

    def reporting(self, record: TrialRecord) -> RunOutcomes:
        """Return a trial's outcomes on reporting examples.

        Raises:
            BadInput: they contradict the score table.
        """
        if record.number not in self._reporting:
            self._reporting[record.number] = _checked(record, self._outcomes(record.number))
        return self._reporting[record.number]


def candidate_outcomes_of(
    records: Sequence[TrialRecord], outcomes: OutcomesOf, documents: Documents | None = None
) -> CandidateOutcomes:
    """Collect the reporting outcomes of trainings of one mix; of a seed that was trained twice, the first training counts."""
    by_seed = {record.plan.seed: record for record in reversed(records)}
    reader = Reader.of(outcomes)
    seeds = [reader.reporting(by_seed[seed]) for seed in sorted(by_seed)]
    bare = not records[0].plan.schedule.stages and len(seeds) > 1
    return CandidateOutcomes(
        seeds=tuple(seeds),
        fixed=_unmoved(seeds) if bare else frozenset(),
        numbers=tuple(sorted(by_seed)),
        dependent=bool(records[0].plan.model_seeds or records[0].plan.soup_seeds),
        documents=documents,
    )


def _checked(record: TrialRecord, outcomes: Mapping[tuple[str, str, Half], NDArray[np.float32]]) -> RunOutcomes:
    table = record.scores.values("report")
    found = RunOutcomes({(target, language): data for (target, language, half), data in outcomes.items() if half == "report"})
    for cell, counted in found.scores().items():
        told = table.get(cell)
        if told is None or abs(told - counted) > _AGREE:
            shown = "none" if told is None else f"{told:.2f}"
            raise BadInput(
                f"trial {record.number}, {'/'.join(cell)}: outcomes say {counted:.2f}, the score table {shown}; expected equal"
            )
    return found


def _unmoved(seeds: Sequence[Mapping[Cell, NDArray[np.floating]]]) -> frozenset[str]:
    """Return targets whose outcomes are bit-equal for every seed in every language: they needed no training."""
    targets = {target for target, _ in seeds[0]}
    moved = {
        cell[0]
        for outcomes in seeds[1:]
        for cell in seeds[0].keys() | outcomes.keys()
        if cell not in outcomes or cell not in seeds[0] or not np.array_equal(seeds[0][cell], outcomes[cell])
    }
    return frozenset(targets - moved)


def _by_mix(records: Iterable[TrialRecord]) -> dict[str, list[TrialRecord]]:
    mixes: dict[str, list[TrialRecord]] = {}
    for record in records:
        mixes.setdefault(record.plan.mix_signature, []).append(record)
    return mixes
