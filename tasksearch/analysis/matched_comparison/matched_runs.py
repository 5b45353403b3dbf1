"""`Mix`: a mixture with the outcomes of its matched trainings, and the tables of differences for `random_effects`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import MIN_DOCUMENTS, MIN_EXAMPLES, CandidateOutcomes, Cell
from tasksearch.analysis.evidence import OutcomesOf, candidate_outcomes_of
from tasksearch.analysis.influence import Block, Influence
from tasksearch.analysis.matched_comparison.random_effects import DifferenceTable, Items
from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.results.matched_comparison import Policy
from tasksearch.search.collapse import collapsed_pairs

Array = NDArray[np.float64]
Variant = tuple[Schedule, Policy]


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchedStudy:
    """What the matched comparison reads of one study.

    Attributes:
        name: of the study.
        records: all of its records.
        outcomes: trial number → outcomes.
        sizes: intermediate task → training examples; empty where they are not known.
        per_mixture: matched trainings of each mixture. A mixture with fewer is not proposed in full yet and is left out.
        documents: of the reporting examples; None where the study kept none.
    """

    name: str
    records: Sequence[TrialRecord]
    outcomes: OutcomesOf
    sizes: Mapping[str, int]
    per_mixture: int
    documents: Documents | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """A mixture with its matched trainings.

    Attributes:
        steps: length of the intermediate phase, equal for all of them.
        asked: (schedule, learning-rate policy) of each, in the order of the trials.
        arms: outcomes of those that are finished on every seed.
        seeds: on which they are trained, in the order of the arms' seeds.
        sizes: intermediate task → training examples.
    """

    steps: int
    asked: tuple[Variant, ...]
    arms: Mapping[Variant, CandidateOutcomes]
    seeds: tuple[int, ...]
    sizes: Mapping[str, int]

    def of(self, kind: str, policy: Policy = "phase") -> list[Variant]:
        """Return its variants of that kind and policy, in the order of the trials."""
        return [variant for variant in self.asked if (variant[0].kind, variant[1]) == (kind, policy)]

    def whole(self, variants: Iterable[Variant]) -> bool:
        """Return whether all of these are finished on every seed."""
        return all(variant in self.arms for variant in variants)


Coefficients = Callable[[Mix], Mapping[Variant, float] | None]
"""Mixture → weight of each of its variants in a difference; None where it lacks one of them."""


ARMS = 2
"""Trainings of a matched pair."""


def mixes_of(studies: Sequence[MatchedStudy], *, every: bool = False) -> list[Mix]:
    """Return every mixture of the studies: those of matched sets, then those of pairs.

    One that several studies drew, on the same seeds, counts once; so does one that a set and a pair hold. Collapsed trainings
    of pairs count as not finished, unless `every` training is asked for.
    """
    found: dict[tuple[_Same, int, tuple[int, ...]], Mix] = {}
    for role in ("twin", "pair"):
        in_sets = {(same, steps) for same, steps, _ in found}
        for study in studies:
            whole = study.per_mixture if role == "twin" else ARMS
            lost = frozenset() if every or role == "twin" else collapsed_pairs(study.records)
            for same, steps, members in _trained(study, role):
                seeds = tuple(sorted({record.plan.seed for record in members}))
                key = (same, steps, seeds)
                if len(members) == whole and key not in found and (same, steps) not in in_sets:
                    asked, arms = _arms(study, members, seeds, lost)
                    found[key] = Mix(steps=steps, asked=asked, arms=arms, seeds=seeds, sizes=study.sizes)
    return list(found.values())


_Rate = float | None
_Same = tuple[Mixture, tuple[_Rate, ...], tuple[str, ...]]
"""Mixture, its learning rate, or each arm's where these differ, and training methods."""


def _trained(study: MatchedStudy, role: str) -> list[tuple[_Same, int, list[TrialRecord]]]:
    """Return (mixture with rates and methods, steps, its records of that role), in the order of the trials.

    Pairs are told apart by their seeds, sets by their rates, which all trainings of a set share.
    """
    found: dict[tuple[Mixture, tuple[str, ...], int, int, _Rate], list[TrialRecord]] = {}
    for record in sorted((r for r in study.records if r.role == role), key=lambda r: r.number):
        mixture = record.plan.schedule.mixture()
        assert mixture is not None, "a matched training has an intermediate phase"
        schedule = record.plan.schedule
        own = (record.plan.seed, None) if role == "pair" else (0, schedule.learning_rate)
        found.setdefault((mixture, schedule.methods, schedule.steps, *own), []).append(record)
    return [
        ((mixture, tuple(dict.fromkeys(r.plan.schedule.learning_rate for r in members)), methods), steps, members)
        for (mixture, methods, steps, *_), members in found.items()
    ]


def own_rates(mixes: Sequence[Mix]) -> tuple[tuple[str, tuple[_Rate, ...]], ...]:
    """Return kind → the rates of its arms (None: the study's own), where the arms of some mixture differ in it; else empty."""
    if all(len({schedule.learning_rate for schedule, _ in mix.asked}) == 1 for mix in mixes):
        return ()
    arms: dict[str, set[_Rate]] = {}
    for schedule in (schedule for mix in mixes for schedule, _ in mix.asked):
        arms.setdefault(schedule.kind, set()).add(schedule.learning_rate)
    return tuple((kind, tuple(sorted(rates, key=lambda rate: rate or 0.0))) for kind, rates in sorted(arms.items()))


def _arms(
    study: MatchedStudy, members: Sequence[TrialRecord], seeds: Sequence[int], lost: Container[int]
) -> tuple[tuple[Variant, ...], dict[Variant, CandidateOutcomes]]:
    asked: dict[Variant, list[TrialRecord]] = {}
    for record in members:
        asked.setdefault((record.plan.schedule, record.plan.settings.intermediate.lr_policy), []).append(record)
    done = {variant: [r for r in records if r.status == "done" and r.number not in lost] for variant, records in asked.items()}
    whole = {variant: records for variant, records in done.items() if len(records) == len(seeds)}
    return tuple(asked), {
        variant: candidate_outcomes_of(records, study.outcomes, study.documents) for variant, records in whole.items()
    }


def against(other: str, policy: Policy) -> Coefficients:
    """Return the coefficients of joint minus the mean of the mixture's variants of the other kind."""

    def coefficients(mix: Mix) -> Mapping[Variant, float] | None:
        joint, others = mix.of("joint"), mix.of(other, policy)
        if not joint or not others or not mix.whole([*joint, *others]):
            return None
        return {joint[0]: 1.0} | {variant: -1 / len(others) for variant in others}

    return coefficients


def difference_tables(mixes: Sequence[Mix], coefficients: Coefficients, weights: Mapping[Cell, float]) -> list[DifferenceTable]:
    """Return the mixtures' differences over the weighted cells; mixtures that lack a training are left out.

    There is one table per set of seeds that mixtures share, and one of shape (mixtures, 1) for those with a seed of their own.
    """
    by_seeds: dict[tuple[int, ...], list[tuple[Array, Mapping[Block, Array]]]] = {}
    for mix in mixes:
        signs = coefficients(mix)
        if signs is not None:
            by_seeds.setdefault(mix.seeds if len(mix.seeds) > 1 else (), []).append(_row(mix, signs, weights))
    return [_table(rows) for rows in by_seeds.values()]


def _table(rows: Sequence[tuple[Array, Mapping[Block, Array]]]) -> DifferenceTable:
    blocks = rows[0][1].keys()
    if any(influence.keys() != blocks for _, influence in rows):
        raise BadInput("matched pairs were scored on different numbers of examples or documents; expected the same ones")
    influence = {block: np.stack([influence[block] for _, influence in rows]) for block in blocks}
    return DifferenceTable(scores=np.stack([scores for scores, _ in rows]), influence=influence)


def _row(mix: Mix, signs: Mapping[Variant, float], weights: Mapping[Cell, float]) -> tuple[Array, Mapping[Block, Array]]:
    """Return one mixture's difference: scores, shape (seeds,), and influence per block, shape (seeds, documents)."""
    sides = [(sign, Influence.of(mix.arms[variant], weights)) for variant, sign in signs.items()]
    each = [(sign, influence.blocks) for sign, influence in sides]
    blocks = {block: np.asarray(sum(sign * influence[block] for sign, influence in each)) for block in each[0][1]}
    return np.asarray(sum(sign * influence.scores for sign, influence in sides)), blocks


def items_of(arm: CandidateOutcomes, weights: Mapping[Cell, float]) -> Items:
    """Return what a row's cells were scored on."""
    found = Influence.of(arm, weights)
    documents = found.documents
    return Items(
        examples=sum(found.examples),
        documents=sum(documents.values()) if len(documents) == len(found.names) else None,
        freedom=found.freedom,
        enough=min(found.examples) >= MIN_EXAMPLES and min(documents.values(), default=MIN_DOCUMENTS) >= MIN_DOCUMENTS,
    )
