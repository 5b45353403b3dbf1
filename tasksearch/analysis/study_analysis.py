"""`StudyAnalysis`: which cells a selection rule reads, how it ranks the candidates, and what a gain is.

Selecting and reporting stay apart: `rank` reads only selection examples of the search's trials, `estimate` only reporting
examples of trainings on fresh seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate
from tasksearch.analysis.evidence import Candidate, Evidence, OutcomesOf, gather
from tasksearch.analysis.picker import Picker, Shown, worth_of
from tasksearch.core.errors import BadInput, StudyNotReady, UnknownName
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import Guesses, Objective, TrialRecord
from tasksearch.results.verdict import RULES, Estimate, Rule
from tasksearch.search.design_names import DesignNames
from tasksearch.search.gain_table import MIN_MIXES, language_columns
from tasksearch.search.surrogate.multitask_gp import Posterior

Array = NDArray[np.float64]

ALL = "all"
"""The row over every language but English."""


@dataclass(frozen=True, kw_only=True)
class AnalysisRow:
    """One row of a verdict: a language, or a group of languages."""

    name: str
    languages: tuple[str, ...]
    is_group: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranking:
    """Candidates as a selection rule ranks them.

    Attributes:
        rule: the rule that was applied in the end.
        basis: selection cells that it read.
        candidates: best first; of equals the one that was proposed first.
        mean, deviation: shrunken gain of every trained mix on those cells and its error, in baseline deviations, shape
            (mixes,).
        points: points of percent per baseline deviation.
    """

    rule: Rule
    basis: tuple[Cell, ...]
    candidates: tuple[Candidate, ...]
    mean: Array
    deviation: Array
    points: float

    def expected(self, candidate: Candidate) -> tuple[float, float]:
        """Return the gain that the search predicted for it, and its error, in points."""
        return float(self.mean[candidate.row]) * self.points, float(self.deviation[candidate.row]) * self.points


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyAnalysis:
    """The evidence, and how it is to be read. `analyse_study` makes one.

    Attributes:
        evidence: the baseline, the candidates, the search's mixes.
        groups: target → group of targets.
        language_groups: name → languages that were scored; includes `all`.
        same_data: (intermediate task, target) pairs that share training data.
        level: of every interval.
        picker: the user's own, which ranks the candidates in place of the shrunken scores.
        designs: what the designed trials are called.
        chance: target → score of a guess in English, percent; None where it is not known.
    """

    evidence: Evidence
    groups: Mapping[str, str]
    language_groups: Mapping[str, tuple[str, ...]]
    same_data: frozenset[tuple[str, str]]
    level: float
    picker: Picker | None = None
    designs: DesignNames = field(default_factory=DesignNames)
    chance: Mapping[str, float | None] = field(default_factory=dict)
    _ranked: dict[tuple[AnalysisRow, Rule], Ranking] = field(default_factory=dict, init=False, repr=False)
    _weighed: dict[AnalysisRow, Mapping[Cell, float]] = field(default_factory=dict, init=False, repr=False)
    _alone: dict[tuple[Cell, ...], tuple[Array, Array]] = field(default_factory=dict, init=False, repr=False)
    _kinds: dict[frozenset[str] | None, tuple[Mapping[Cell, float], ...]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def scored_languages(self) -> tuple[str, ...]:
        """Languages that were scored, English among them, sorted."""
        return tuple(sorted({language for _, language in self.evidence.cells}))

    @property
    def has_surrogate(self) -> bool:
        """Whether enough mixes were trained for shrunken scores; a picker of the user's own promises no gain in points."""
        return self.picker is None and len(self.evidence.table.firsts) >= MIN_MIXES

    def rows(self, wanted: Sequence[str] | None = None) -> list[AnalysisRow]:
        """Return the rows wanted; by default every language but English, then the groups.

        Raises:
            UnknownName: no such language or group.
        """
        every = [*(language for language in self.scored_languages if language != ENGLISH), *self.language_groups]
        names = every if wanted is None else list(dict.fromkeys(wanted))
        for name in names:
            if name not in self.scored_languages and name not in self.language_groups:
                raise UnknownName("language", name, [*self.scored_languages, *self.language_groups])
        return [
            AnalysisRow(name=name, languages=(name,), is_group=False)
            if name in self.scored_languages
            else AnalysisRow(name=name, languages=self.language_groups[name], is_group=True)
            for name in names
        ]

    def estimate(
        self,
        arm: CandidateOutcomes,
        weights: Mapping[Cell, float],
        minus: CandidateOutcomes | None = None,
        pool: Sequence[CandidateOutcomes] | None = None,
    ) -> Estimate:
        """Call `estimates.estimate` with the seed variance pooled over all arms, or over those of `pool`.

        A row of a single language is lent strength by the same targets in the other languages; rows over several have no others
        of their kind.
        """
        arms = self.evidence.arms if pool is None else pool
        return estimate(arm, weights, minus=minus, pool=arms, alike=self._alike(weights), level=self.level)

    def _alike(self, weights: Mapping[Cell, float]) -> tuple[Mapping[Cell, float], ...]:
        languages = {language for _, language in weights}
        targets = frozenset(target for target, _ in weights)
        if len(languages) > 1:
            return ()
        whole = targets == {target for target, language in self.evidence.cells if language in languages}
        key = None if whole else targets
        if key not in self._kinds:
            rows = (
                cell_weights(
                    [(t, spoken) for t, at in self.evidence.cells if at == spoken and (whole or t in targets)], self.groups
                )
                for spoken in self.scored_languages
                if spoken != ENGLISH
            )
            self._kinds[key] = tuple(row for row in rows if row)
        return self._kinds[key]

    def report_weights(self, row: AnalysisRow) -> Mapping[Cell, float]:
        """Return the reporting cells of a row with their weights."""
        if row not in self._weighed:
            self._weighed[row] = cell_weights([c for c in self.evidence.cells if c[1] in row.languages], self.groups)
        return self._weighed[row]

    def gain(self, candidate: Candidate, row: AnalysisRow) -> Estimate:
        """Estimate the gain over the baseline, from fresh seeds and reporting examples."""
        return self.estimate(candidate.arm, self.report_weights(row), minus=self.evidence.baseline)

    def gain_of_all_runs(self, candidate: Candidate, row: AnalysisRow) -> Estimate | None:
        """Estimate the same with the collapsed trainings of any plan; None where none collapsed."""
        evidence = self.evidence
        every = (evidence.baseline_every, *(one.every for one in evidence.candidates))
        if not evidence.lost and not any(one.lost for one in evidence.candidates):
            return None
        return self.estimate(candidate.every, self.report_weights(row), minus=evidence.baseline_every, pool=every)

    def rank(self, row: AnalysisRow, rule: Rule) -> Ranking:
        """Rank the candidates by the rule; results are cached.

        Raises:
            StudyNotReady: the rule has no cell to read.
        """
        if (row, rule) not in self._ranked:
            self._ranked[row, rule] = self._rank(row, rule)
        return self._ranked[row, rule]

    def _rank(self, row: AnalysisRow, rule: Rule) -> Ranking:
        applied, basis = self._basis(row, rule)
        on = cell_weights(basis, self.groups)
        own_labels = row.languages[0] if applied == "target-dev" and len(row.languages) == 1 else None
        mean, deviation = self._shrunken(rule, basis, own_labels)
        return Ranking(
            rule=applied,
            basis=basis,
            candidates=tuple(sorted(self.evidence.candidates, key=lambda candidate: -mean[candidate.row])),
            mean=mean,
            deviation=deviation,
            points=self.evidence.table.points(on),
        )

    def _shrunken(self, rule: Rule, basis: tuple[Cell, ...], language: str | None) -> tuple[Array, Array]:
        """With a language it is read from the pooled posterior of all languages; else from these cells alone."""
        if self.picker is not None:
            return self._picked(self.picker, basis, language)
        if language is not None and language in self._pooled[0]:
            column, posterior = self._pooled[0].index(language), self._pooled[1]
            return posterior.mean[:, column], posterior.deviation[:, column]
        if basis not in self._alone and rule != "target-dev":  # one pass for all rows: the others will be asked for next
            every = [self._found_basis(row, rule) for row in self.rows()]
            self._read_alone(dict.fromkeys(cells for applied, cells in filter(None, every) if applied == rule))
        if basis not in self._alone:
            self._read_alone([basis])
        return self._alone[basis]

    def _picked(self, picker: Picker, basis: tuple[Cell, ...], language: str | None) -> tuple[Array, Array]:
        """What the user's picker says of every mix: in the language by its own labels, else over the languages of the cells."""
        table = self.evidence.table
        cells = [cell for cell in table.cells if cell[1] != ENGLISH] if language else list(basis)
        columns = language_columns(cells, cell_weights(cells, self.groups))
        gains, seeds = table.weighted(list(columns.values()))
        schedules = tuple(first.plan.schedule for first in table.firsts)
        worth = worth_of(picker, Shown(schedules=schedules, gains=gains, seeds=seeds, languages=tuple(columns)))
        mean = worth[:, list(columns).index(language)] if language else worth.mean(axis=1)
        return mean, np.zeros_like(mean)

    def _read_alone(self, bases: Iterable[tuple[Cell, ...]]) -> None:
        """Compute the shrunken gain of every trained mix on each of these sets of cells, all sets at once."""
        new = [basis for basis in bases if basis not in self._alone]
        if not new:
            return
        found = self.evidence.table.shrunken_each([cell_weights(basis, self.groups) for basis in new])
        for column, basis in enumerate(new):
            self._alone[basis] = found.mean[:, column], found.deviation[:, column]

    @property
    def pooled(self) -> tuple[list[str], Posterior]:
        """Languages but English, and the posterior of every trained mix in each, from all languages' selection cells."""
        return self._pooled

    @cached_property
    def _pooled(self) -> tuple[list[str], Posterior]:
        cells = [cell for cell in self.evidence.table.cells if cell[1] != ENGLISH]
        together = cell_weights(cells, self.groups)
        columns = {name: cell_weights(members, self.groups) for name, members in language_columns(cells, together).items()}
        if not columns:
            return [], Posterior(mean=np.zeros((0, 0)), deviation=np.zeros((0, 0)))
        return list(columns), self.evidence.table.by_language(list(columns.values()), together)

    def _basis(self, row: AnalysisRow, rule: Rule) -> tuple[Rule, tuple[Cell, ...]]:
        """Return the rule that is applied in the end, and the selection cells that it reads."""
        if (found := self._found_basis(row, rule)) is not None:
            return found
        english = any(cell[1] == ENGLISH for cell in self._usable(row))
        raise StudyNotReady(
            f"no selection examples for {row.name!r} by {rule}; try --select {'english-dev' if english else 'target-dev'}"
        )

    def _usable(self, row: AnalysisRow) -> list[Cell]:
        """Return the selection cells of the row's targets; all where there are none."""
        targets = {target for target, language in self.evidence.cells if language in row.languages}
        usable = self.evidence.table.cells
        return [cell for cell in usable if cell[0] in targets] or list(usable)

    def _found_basis(self, row: AnalysisRow, rule: Rule) -> tuple[Rule, tuple[Cell, ...]] | None:
        here = self._usable(row)
        english = tuple(cell for cell in here if cell[1] == ENGLISH)
        own = tuple(cell for cell in here if cell[1] in row.languages)
        elsewhere = [cell for cell in self.evidence.table.cells if cell[1] not in row.languages and cell[1] != ENGLISH]
        # of the row's targets; where they have no other language, of any: no label of the language is used either way
        others = tuple(cell for cell in elsewhere if cell in here) or tuple(elsewhere)
        order: dict[Rule, tuple[tuple[Rule, tuple[Cell, ...]], ...]] = {
            "english-dev": (("english-dev", english),),
            "pivot-dev": (("pivot-dev", others), ("target-dev", own if len(row.languages) > 1 else ())),
            # A language too small to be cut in two is only reported: it takes the choice of the others.
            "target-dev": (("target-dev", own), ("pivot-dev", others)),
        }
        return next(((applied, cells) for applied, cells in order[rule] if cells), None)


def analyse_study(
    records: Sequence[TrialRecord],
    outcomes: OutcomesOf,
    groups: Mapping[str, str],
    *,
    language_groups: Mapping[str, Sequence[str]] | None = None,
    objective: Objective | None = None,
    same_data: Iterable[tuple[str, str]] = (),
    level: float = 0.95,
    documents: Documents | None = None,
    picker: Picker | None = None,
    designs: DesignNames | None = None,
    chance: Mapping[str, float | None] | None = None,
    guesses: Guesses = (),
) -> StudyAnalysis:
    """Gathers the evidence of a study; the arguments are those of `picking.pick` and fields of `StudyAnalysis`.

    Raises:
        StudyNotReady: no baseline or no finalist.
    """
    evidence = gather(records, outcomes, objective or Objective(), documents, guesses)
    scored_languages = sorted({language for _, language in evidence.cells})
    named = {ALL: tuple(language for language in scored_languages if language != ENGLISH)}
    for name, wanted in (language_groups or {}).items():
        named[name] = tuple(language for language in wanted if language in scored_languages)
    return StudyAnalysis(
        evidence=evidence,
        groups=groups,
        language_groups={name: languages for name, languages in named.items() if languages},
        same_data=frozenset(same_data),
        level=level,
        picker=picker,
        designs=designs or DesignNames(),
        chance=chance or {},
    )


def cell_weights(cells: Iterable[Cell], groups: Mapping[str, str]) -> dict[Cell, float]:
    """Weight cells equally by language within a target, target within a group, and group; the weights sum to one.

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


def as_rule(rule: str) -> Rule:
    """Return the rule of that name.

    Raises:
        UnknownName: there is none.
    """
    known: dict[str, Rule] = {"pivot-dev": "pivot-dev", "english-dev": "english-dev", "target-dev": "target-dev"}
    if rule not in known:
        raise UnknownName("selection rule", rule, RULES)
    return known[rule]
