"""The best mix per language: chosen on one set of trainings and examples, reported on another.

Winner's curse enters by two doors, and both are shut. Selection halves choose, reporting halves report, no example does both;
and a model that is lucky on one half is lucky on the other too, since both see the same seed: so the choice reads the search's
trainings alone, and the report reads the leaders' fresh seeds alone. The price is a choice from fewer seeds, so
sometimes a good mix instead of the best one; the number printed beside it stays free of selection either way.

Candidates are the mixes that were re-run on fresh seeds (role `finalist`). A mix that was never trained is never proposed. The
choice among them reads shrunken scores: all mixes of the search say together how much of a mix's score was luck (`surrogate`).
By pivot-dev and english-dev the surrogate sees the cells that the rule allows and no other; by target-dev a language's own
cells, which borrow strength from the other languages'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.core.errors import BadInput, StudyNotReady, UnknownName
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import Objective, TrialRecord
from tasksearch.core.verdict import RULES, Choice, Estimate, Rule, TargetResult, Verdict, finding_of
from tasksearch.search.evidence import Candidate, Evidence, OutcomesOf, gather
from tasksearch.search.statistics import Arm, Cell, estimate, probability_positive
from tasksearch.search.surrogate import Posterior
from tasksearch.search.trained import MIN_MIXES, language_columns


@dataclass(frozen=True, kw_only=True, eq=False)
class _Study:
    """The evidence, and how it is to be read."""

    evidence: Evidence
    groups: Mapping[str, str]
    same_data: frozenset[tuple[str, str]]
    level: float

    def estimate(self, arm: Arm, weights: Mapping[Cell, float], minus: Arm | None = None) -> Estimate:
        return estimate(arm, weights, minus=minus, pool=self.evidence.arms, level=self.level)

    def shrunken(self, on: Mapping[Cell, float], language: str | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and deviation of every trained mix on those cells, each of shape (mixes,), in baseline deviations.

        With a language it is read from the pooled posterior of all languages; else from these cells alone.
        """
        if language is not None and language in self._pooled[0]:
            column, posterior = self._pooled[0].index(language), self._pooled[1]
            return posterior.mean[:, column], posterior.deviation[:, column]
        found = self.evidence.table.shrunken([on])
        return found.mean[:, 0], found.deviation[:, 0]

    @cached_property
    def _pooled(self) -> tuple[list[str], Posterior]:
        """Languages but English, and the posterior of their columns."""
        cells = [cell for cell in self.evidence.table.cells if cell[1] != ENGLISH]
        together = cell_weights(cells, self.groups)
        columns = {
            language: cell_weights(members, self.groups) for language, members in language_columns(cells, together).items()
        }
        return list(columns), self.evidence.table.by_language(list(columns.values()), together)


def pick(
    records: Sequence[TrialRecord],
    outcomes: OutcomesOf,
    groups: Mapping[str, str],
    *,
    rule: str = "pivot-dev",
    languages: Sequence[str] | None = None,
    language_groups: Mapping[str, Sequence[str]] | None = None,
    objective: Objective | None = None,
    same_data: Iterable[tuple[str, str]] = (),
    level: float = 0.95,
) -> Verdict:
    """The best mix per language, by the rule, with honest numbers.

    Args:
        records: of the whole study, in any order.
        outcomes: per-example outcomes of a trial; read for the baseline and the finalists.
        groups: target → group of targets (classification, tagging, qa, retrieval).
        rule: one of `RULES`.
        languages: rows wanted; None: every language but English, then `all` and the language groups.
        language_groups: name → languages, such as `low-resource`; names may be asked for in `languages` too.
        objective: what the search maximised: it decides which labels made the list of leaders.
        same_data: (intermediate task, target) pairs that share training data.
        level: of the intervals.

    Raises:
        UnknownName: no such rule, language or group.
        StudyNotReady: no baseline, no finalist, or nothing to choose on.
    """
    if rule not in RULES:
        raise UnknownName("selection rule", rule, RULES)
    study = _Study(
        evidence=gather(records, outcomes, objective or Objective()),
        groups=groups,
        same_data=frozenset(same_data),
        level=level,
    )
    spoken = sorted({language for _, language in study.evidence.cells})
    zero_shot = tuple(language for language in spoken if language != ENGLISH)
    named = {"all": zero_shot} | {name: tuple(wanted) for name, wanted in (language_groups or {}).items()}
    named = {name: tuple(language for language in wanted if language in spoken) for name, wanted in named.items()}
    named = {name: wanted for name, wanted in named.items() if wanted}
    wanted_rows = [*zero_shot, *named] if languages is None else list(dict.fromkeys(languages))
    for row in wanted_rows:
        if row not in spoken and row not in named:
            raise UnknownName("language", row, [*spoken, *named])
    choices = [
        _choose(study, _as_rule(rule), row, (row,) if row in spoken else named[row], is_group=row not in spoken)
        for row in wanted_rows
    ]
    return Verdict(rule=_as_rule(rule), level=level, choices=tuple(choices), candidates=len(study.evidence.candidates))


def cell_weights(cells: Iterable[Cell], groups: Mapping[str, str]) -> dict[Cell, float]:
    """Equal weight to languages within a target, targets within a group, and groups; sums to one.

    Raises:
        BadInput: a target has no group.
    """
    tree: dict[str, dict[str, list[Cell]]] = {}
    for target, language in sorted(set(cells)):
        if target not in groups:
            raise BadInput(f"target {target!r} has no group; known: {', '.join(sorted(groups)) or 'none'}")
        tree.setdefault(groups[target], {}).setdefault(target, []).append((target, language))
    return {
        cell: 1 / (len(tree) * len(targets) * len(members))
        for targets in tree.values()
        for members in targets.values()
        for cell in members
    }


def _choose(study: _Study, rule: Rule, name: str, languages: tuple[str, ...], *, is_group: bool) -> Choice:
    report = [cell for cell in study.evidence.cells if cell[1] in languages]
    rule, basis = _basis(study, rule, name, languages)
    on = cell_weights(basis, study.groups)
    own_labels = languages[0] if rule == "target-dev" and len(languages) == 1 else None
    mean, deviation = study.shrunken(on, own_labels)
    # The first of equals is the one that was proposed first: candidates stand in the order of their trials.
    ranked = sorted(study.evidence.candidates, key=lambda candidate: -mean[candidate.row])
    chosen, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    weights = cell_weights(report, study.groups)
    gain = study.estimate(chosen.arm, weights, minus=study.evidence.baseline)
    own = [cell for cell in study.evidence.dev_examples if cell[1] in languages]
    lead = study.estimate(chosen.arm, weights, minus=second.arm) if second else None
    known = len(study.evidence.table.firsts) >= MIN_MIXES
    points = study.evidence.table.points(on)
    return Choice(
        name=name,
        is_group=is_group,
        languages=languages,
        rule=rule,
        schedule=chosen.first.plan.schedule,
        mix_signature=chosen.first.plan.mix_signature,
        score=study.estimate(chosen.arm, weights),
        baseline=study.estimate(study.evidence.baseline, weights),
        gain=gain,
        finding=finding_of(gain),
        targets=tuple(_target(study, chosen, target, report) for target in sorted({t for t, _ in report})),
        seeds=len(chosen.arm.seeds),
        baseline_seeds=len(study.evidence.baseline.seeds),
        labels=sum(study.evidence.dev_examples[cell] for cell in own if cell in basis),
        shortlist_labels=sum(study.evidence.dev_examples[cell] for cell in own if cell in study.evidence.shortlist),
        trials=chosen.trials,
        better=probability_positive(gain, study.level),
        expected=float(mean[chosen.row]) * points if known else None,
        expected_error=float(deviation[chosen.row]) * points if known else None,
        runner_up=second.first.plan.schedule if second else None,
        lead=lead,
        ahead=probability_positive(lead, study.level) if lead else None,
    )


def _target(study: _Study, chosen: Candidate, target: str, report: Sequence[Cell]) -> TargetResult:
    cells = [cell for cell in report if cell[0] == target]
    weights = dict.fromkeys(cells, 1 / len(cells))
    gain = study.estimate(chosen.arm, weights, minus=study.evidence.baseline)
    return TargetResult(
        target=target,
        group=study.groups[target],
        languages=tuple(language for _, language in cells),
        score=study.estimate(chosen.arm, weights),
        baseline=study.estimate(study.evidence.baseline, weights),
        gain=gain,
        finding=finding_of(gain),
        same_data=any((task, target) in study.same_data for task in chosen.first.plan.schedule.tasks),
    )


def _basis(study: _Study, rule: Rule, name: str, languages: tuple[str, ...]) -> tuple[Rule, tuple[Cell, ...]]:
    """The selection cells that the rule reads, and the rule that was applied in the end."""
    targets = {target for target, language in study.evidence.cells if language in languages}
    usable = study.evidence.table.cells
    here = [cell for cell in usable if cell[0] in targets] or list(usable)
    english = tuple(cell for cell in here if cell[1] == ENGLISH)
    own = tuple(cell for cell in here if cell[1] in languages)
    others = tuple(cell for cell in here if cell[1] not in languages and cell[1] != ENGLISH)
    order: dict[Rule, tuple[tuple[Rule, tuple[Cell, ...]], ...]] = {
        "english-dev": (("english-dev", english),),
        "pivot-dev": (("pivot-dev", others), ("target-dev", own if len(languages) > 1 else ())),
        # A language too small to be cut in two is only reported: it takes the choice of the others.
        "target-dev": (("target-dev", own), ("pivot-dev", others)),
    }
    for applied, cells in order[rule]:
        if cells:
            return applied, cells
    raise StudyNotReady(
        f"nothing to choose on for {name!r} by {rule}; try --select {'english-dev' if english else 'target-dev'}"
    )


def _as_rule(rule: str) -> Rule:
    known: dict[str, Rule] = {"pivot-dev": "pivot-dev", "english-dev": "english-dev", "target-dev": "target-dev"}
    return known[rule]
