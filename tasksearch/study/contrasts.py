"""Comparisons that a report shows beside the verdict: single tasks, matched pairs, best of each kind of schedule, references.

All but one use reporting examples, paired by example, and the verdict's own statistics: its pool of seed variances, languages
that lend each other strength, and no collapsed training. None of them selects: every
single-task mix and every matched pair is shown. The exception is the best trial of each kind of schedule, which is selected by
its objective and shown with it, on selection examples.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate
from tasksearch.analysis.evidence import OutcomesOf, candidate_outcomes_of, incomplete, kept_outcomes_of
from tasksearch.analysis.picking import cell_weights
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import BASELINES, SEARCHED, Guesses, TrialRecord
from tasksearch.reports.data import KindBest, MatchedPair, ReferenceScores, SingleTask
from tasksearch.results.verdict import Estimate
from tasksearch.search.collapse import SEVERAL, collapsed, collapsed_pairs
from tasksearch.search.fidelity import share_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Questions:
    """Weights of cells for the averages that are asked of candidates which share these cells.

    Attributes:
        overall: average over all cells.
        by_language, by_target: averages over the cells of one language or target, sorted by its name.
    """

    overall: Mapping[Cell, float]
    by_language: Mapping[str, Mapping[Cell, float]]
    by_target: Mapping[str, Mapping[Cell, float]]

    @classmethod
    def of(cls, cells: Sequence[Cell], groups: Mapping[str, str]) -> Questions:
        """Build all three kinds of weights."""
        return cls(
            overall=cell_weights(cells, groups),
            by_language={name: cell_weights(members, groups) for name, members in _grouped(cells, 1)},
            by_target={name: cell_weights(members, groups) for name, members in _grouped(cells, 0)},
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrasts:
    """A study's finished trials, with their outcomes.

    Attributes:
        mixes: mix signature → its finished trainings in the order of their numbers, without collapsed ones; the baseline is one
            of the mixes.
        baseline: outcomes of the baseline; None until one of its seeds is done.
        pool: mix signature → outcomes of the baseline and of each finalist on fresh seeds, whose spread the verdict rests on.
        outcomes: reads a trial's outcomes.
        groups: target → kind of target.
        documents: documents of the reporting examples, if the study kept them.
    """

    mixes: Mapping[str, tuple[TrialRecord, ...]]
    baseline: CandidateOutcomes | None
    pool: Mapping[str, CandidateOutcomes]
    outcomes: OutcomesOf
    groups: Mapping[str, str]
    documents: Documents | None = None
    _asked: dict[tuple[Cell, ...], Questions] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        records: Sequence[TrialRecord],
        outcomes: OutcomesOf,
        groups: Mapping[str, str],
        documents: Documents | None = None,
        guesses: Guesses = (),
    ) -> Contrasts:
        """Build from a study's records; reads the outcomes of the baseline and of the finalists on fresh seeds.

        Collapsed trainings are told by the `guesses` of the study's configuration, among others.

        Raises:
            BadInput: the trainings ran different shares of the target steps (`search.fidelity.at_share` chooses those of one).
        """
        share_of(record for record in records if record.status == "done")
        mixes: dict[str, tuple[TrialRecord, ...]] = {}
        fresh: dict[str, list[TrialRecord]] = {}
        done = [record for record in records if record.status == "done" and str(record.role) != "untrained"]
        lost = collapsed(done, guesses) | collapsed_pairs(done) | incomplete(r for r in done if r.role in SEVERAL)
        for record in sorted(done, key=lambda r: r.number):
            if record.number not in lost and not (record.plan.few_shot or record.plan.model_seeds):
                mixes[record.plan.mix_signature] = (*mixes.get(record.plan.mix_signature, ()), record)
            if record.role in (*BASELINES, "finalist"):
                fresh.setdefault(record.plan.mix_signature, []).append(record)
        pool = {mix: kept_outcomes_of(trained, outcomes, documents, lost)[0] for mix, trained in fresh.items()}
        bare = next((mix for mix, trained in fresh.items() if trained[0].role in BASELINES), None)
        return cls(
            mixes=mixes,
            baseline=None if bare is None else pool[bare],
            pool=pool,
            outcomes=outcomes,
            groups=groups,
            documents=documents,
        )

    def singles(self) -> tuple[SingleTask, ...]:
        """Return every mix of one task, sorted by task, length and learning rate."""
        found = [trained for trained in self.mixes.values() if len(trained[0].plan.schedule.tasks) == 1]
        found.sort(key=lambda trained: trained[0].plan.learning_rate or 0.0)
        told = [single for trained in found if (single := self._single(trained)) is not None]
        return tuple(sorted(told, key=lambda single: (single.task, single.steps)))

    def pairs(self) -> tuple[MatchedPair, ...]:
        """Return every joint mix paired with each mix that differs from it only in order, in the order of their trials."""
        twins: dict[Hashable, list[tuple[TrialRecord, ...]]] = {}
        for trained in self.mixes.values():
            if len(trained[0].plan.schedule.tasks) > 1:
                twins.setdefault(_but_for_order(trained[0].plan), []).append(trained)
        return tuple(
            pair
            for members in twins.values()
            for joint in members
            for other in members
            if joint[0].plan.schedule.kind == "joint" and other is not joint and (pair := self._pair(joint, other)) is not None
        )

    def bests(self) -> tuple[KindBest, ...]:
        """Return the trial with the highest objective for each kind of schedule."""
        kinds: dict[str, list[TrialRecord]] = {}
        for trained in self.mixes.values():
            first = next((r for r in trained if r.role in SEARCHED and r.objective is not None), None)
            if first is not None:
                kinds.setdefault(_kind(first.plan.schedule), []).append(first)
        return tuple(_best(kind, tried) for kind, tried in sorted(kinds.items()))

    def references(self, chance: Mapping[str, float | None], untrained: Sequence[TrialRecord]) -> tuple[ReferenceScores, ...]:
        """Return chance, untrained encoder and baseline of every target; empty until one baseline seed is done."""
        if self.baseline is None:
            return ()
        bare = candidate_outcomes_of(untrained, self.outcomes, self.documents) if untrained else None
        bare_records = (r for trained in self.mixes.values() for r in trained[:1] if r.role in BASELINES)
        metrics = {score.target: score.metric for record in bare_records for score in record.scores}
        cells = [cell for cell in _shared(self.baseline) if cell[1] != ENGLISH]
        return tuple(
            self._floor(target, [cell for cell in cells if cell[0] == target], bare, metrics[target], chance.get(target))
            for target in sorted({target for target, _ in cells})
        )

    def _single(self, trained: Sequence[TrialRecord]) -> SingleTask | None:
        arm = candidate_outcomes_of(trained, self.outcomes, self.documents)
        cells = self._cells(arm)
        if not cells:
            return None
        schedule, asked = trained[0].plan.schedule, self._questions(cells)
        pool = self._without(trained)

        def gain(weights: Mapping[Cell, float], alike: Sequence[Mapping[Cell, float]] = ()) -> Estimate:
            return estimate(arm, weights, minus=self.baseline, pool=pool, alike=alike)

        return SingleTask(
            task=schedule.tasks[0],
            steps=schedule.steps,
            words=schedule.rate_words,
            by_language={name: gain(weights, tuple(asked.by_language.values())) for name, weights in asked.by_language.items()},
            by_target={name: gain(weights) for name, weights in asked.by_target.items()},
            overall=gain(asked.overall),
            trials=tuple({record.plan.seed: record.number for record in trained}.values()),
        )

    def _pair(self, joint: Sequence[TrialRecord], other: Sequence[TrialRecord]) -> MatchedPair | None:
        seeds = tuple(sorted({r.plan.seed for r in joint} & {r.plan.seed for r in other}))
        if not seeds:
            return None
        one, two = (
            candidate_outcomes_of([r for r in side if r.plan.seed in seeds], self.outcomes, self.documents)
            for side in (joint, other)
        )
        cells = [cell for cell in _shared(one, two) if cell[1] != ENGLISH]
        if not cells:
            return None

        pool = self._without(joint, other)

        def difference(weights: Mapping[Cell, float]) -> Estimate:
            return estimate(two, weights, minus=one, pool=pool)

        asked = self._questions(cells)
        return MatchedPair(
            joint=joint[0].plan.schedule,
            other=other[0].plan.schedule,
            difference=difference(asked.overall),
            by_target={target: difference(weights) for target, weights in asked.by_target.items()},
            seeds=seeds,
        )

    def _floor(
        self, target: str, cells: Sequence[Cell], bare: CandidateOutcomes | None, metric: str, chance: float | None
    ) -> ReferenceScores:
        assert self.baseline is not None
        known = [cell for cell in cells if bare is not None and cell in bare.cells]
        each = [{cell: 1.0} for cell in cells]
        return ReferenceScores(
            target=target,
            group=self.groups[target],
            metric=metric,
            chance=chance,
            untrained=self._level(bare, cells) if bare is not None and len(known) == len(cells) else None,
            baseline=self._level(self.baseline, cells),
            by_language={
                cell[1]: (
                    self._level(bare, [cell], each) if bare is not None and cell in known else None,
                    self._level(self.baseline, [cell], each),
                )
                for cell in cells
            },
        )

    def _cells(self, arm: CandidateOutcomes) -> list[Cell]:
        """Return the cells, except English ones, that a candidate shares with the baseline."""
        return [c for c in _shared(arm, self.baseline) if c[1] != ENGLISH] if self.baseline is not None else []

    def _questions(self, cells: Sequence[Cell]) -> Questions:
        key = tuple(cells)
        if key not in self._asked:
            self._asked[key] = Questions.of(key, self.groups)
        return self._asked[key]

    def _without(self, *sides: Sequence[TrialRecord]) -> list[CandidateOutcomes]:
        """Return the pool without the mixes in question, whose trainings would count twice."""
        return [arm for mix, arm in self.pool.items() if all(trained[0].plan.mix_signature != mix for trained in sides)]

    def _level(self, arm: CandidateOutcomes, cells: Sequence[Cell], alike: Sequence[Mapping[Cell, float]] = ()) -> Estimate:
        return estimate(arm, cell_weights(cells, self.groups), pool=tuple(self.pool.values()), alike=alike)


def _shared(*arms: CandidateOutcomes) -> list[Cell]:
    return sorted(frozenset.intersection(*(arm.cells for arm in arms)))


def _grouped(cells: Sequence[Cell], place: int) -> list[tuple[str, list[Cell]]]:
    """Group the cells by target (`place` 0) or by language (1), sorted by name."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell[place], []).append(cell)
    return sorted(found.items())


def _best(kind: str, tried: Sequence[TrialRecord]) -> KindBest:
    best = max(tried, key=lambda r: (r.objective or 0.0, -r.number))
    return KindBest(
        kind=kind, schedule=best.plan.schedule, trial=best.number, objective=best.objective or 0.0, tried=len(tried)
    )


def _kind(schedule: Schedule) -> str:
    return "single task" if len(schedule.tasks) == 1 else schedule.kind


def _but_for_order(plan: Plan) -> Hashable:
    """Return what matched pairs have in common: shares, steps, and all of the plan except schedule and seed."""
    return (
        dataclasses.replace(plan, schedule=Schedule.none(), seed=0),
        plan.schedule.mixture(),
        plan.schedule.steps,
        plan.schedule.learning_rate,
        plan.schedule.methods,
    )
