"""`Verdict`: the best mix per language and group, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.errors import UnknownName
from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import SelectionRule as Rule
from tasksearch.results.baseline_comparison import BaselineComparison
from tasksearch.results.estimate import Estimate, Finding, finding_of

__all__ = ["RULES", "Choice", "Estimate", "Finding", "Rule", "TargetResult", "Verdict", "finding_of"]

RULES: dict[str, str] = {
    "pivot-dev": "chosen on other languages' selection examples; no label of the language used in the choice",
    "english-dev": "chosen on English selection examples",
    "target-dev": "zero-shot training, labelled selection: chosen on the language's own selection examples",
}
"""Selection rule → what it means, as printed below tables."""


@dataclass(frozen=True, kw_only=True)
class TargetResult:
    """One target under the chosen mix, over the row's languages, on the reporting examples.

    Attributes:
        target, group: task and its kind (classification, tagging, qa, retrieval).
        languages: the row's languages that this target is scored in.
        score, baseline: with and without the intermediate phase, percent, each with its own interval.
        gain: paired difference, points.
        finding: as the gain's interval allows.
        same_data: the mix trains on data that the target's own training data is drawn from.
        over_exposure: points of the mix over target phases that are longer by as many examples as its intermediate phase shows;
            None where no such control was trained.
        stands_after_correction, corrected_low, corrected_high: as those of `Choice`, over the targets of the row.
    """

    target: str
    group: str
    languages: tuple[str, ...]
    score: Estimate
    baseline: Estimate
    gain: Estimate
    finding: Finding
    same_data: bool
    over_exposure: Estimate | None = None
    stands_after_correction: bool = False
    corrected_low: float | None = None
    corrected_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The chosen mix of one language, or of one group of languages, with its gain.

    Attributes:
        name: language code, or the group's name.
        is_group: whether `name` is a group.
        languages: that the numbers are over.
        rule: the selection rule that was applied: `target-dev` for a group that leaves no other language to choose on,
            `pivot-dev` for a language without selection examples of its own.
        schedule, mix_signature: the chosen mix.
        score, baseline: percent, mean over targets within a group of targets, then over those groups.
        gain: paired difference, points, from fresh seeds and reporting examples alone.
        finding: only `better` makes it a best mix.
        targets: results, one per target.
        seeds, baseline_seeds: fresh seeds of the mix; seeds of the baseline; collapsed ones are not counted.
        labels: labelled selection examples of these languages that the choice among the finalists read.
        shortlist_labels: labelled selection examples of these languages that the objective read which chose the finalists.
        trials: numbers of the trials behind the reported score.
        better: probability that the mix is better than the baseline, from the gain's estimate; None without an interval.
        expected, expected_error: the gain that the surrogate predicted, in points, from the selection examples that the rule
            reads: trainings and examples that the reported gain does not use. None where too few mixes were trained.
        runner_up: the mix that the rule ranked second; None with one candidate.
        lead: the choice minus the runner-up, points; from fresh seeds and reporting examples alone.
        ahead: probability that it is better than the runner-up.
        collapsed: numbers of the mix's trainings that collapsed (far below its other seeds on English selection examples) and
            are left out of every other number.
        gain_of_all_runs: the gain with every plan's collapsed trainings; None where no training collapsed.
        stands_after_correction: whether the gain or loss stands after a false-discovery correction over the verdict's languages
            at 1 - level (Benjamini and Hochberg 1995). Groups of languages are not corrected: each is a question of its own.
        corrected_low, corrected_high: interval for which, over all rows that stand, at most a share of 1 - level is expected to
            miss (Benjamini and Yekutieli 2005); None for other rows.
    """

    name: str
    is_group: bool
    languages: tuple[str, ...]
    rule: Rule
    schedule: Schedule
    mix_signature: str
    score: Estimate
    baseline: Estimate
    gain: Estimate
    finding: Finding
    targets: tuple[TargetResult, ...]
    seeds: int
    baseline_seeds: int
    labels: int
    shortlist_labels: int
    trials: tuple[int, ...]
    better: float | None = None
    expected: float | None = None
    expected_error: float | None = None
    runner_up: Schedule | None = None
    lead: Estimate | None = None
    ahead: float | None = None
    collapsed: tuple[int, ...] = ()
    gain_of_all_runs: Estimate | None = None
    stands_after_correction: bool = False
    corrected_low: float | None = None
    corrected_high: float | None = None

    @property
    def best_mix(self) -> Schedule | None:
        """The mix where it was seen to be better than the baseline, else None."""
        return self.schedule if self.finding == "better" else None

    @property
    def examples(self) -> int:
        """Reporting examples behind the gain, each counted once per language."""
        return self.gain.examples

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON values; infinite degrees of freedom become null."""
        found = plain(self)
        assert isinstance(found, dict)
        words = {"mix": str(self.schedule), "kind": self.schedule.kind, "examples": self.examples}
        return found | words | {"best_mix": str(self.schedule) if self.best_mix else None}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of a study: one choice per language, then one per group.

    Attributes:
        rule: as asked for; each choice names the one it was made by.
        level: of every interval.
        choices: languages sorted, then groups.
        candidates: number of finalists, which could be chosen.
        baseline_comparison: the free baselines, and whether the search was worth its cost; None where it was not computed.
        adaptive: whether the reporting examples had been read under another rule or choice before: the numbers are then not
            free of selection.
        collapsed_baseline: numbers of the baseline's trainings that collapsed and are left out.
        collapse_rates: (mix, collapsed, trained) of the baseline and of every finalist that had collapsed trainings.
        incomplete: numbers of trainings that are left out, since they lack scores which other seeds of their mix have.
        guessing: numbers of trials of the search that no choice rests on, since they ended at a guess in English.
        not_trained: targets in which the baseline is no better than a guess in English: their phase has learned nothing.
        small: "target/language" of selection sets too small to select on, by which no choice should be made alone.
        target: the one target that choices and numbers are about; empty: all targets of the study.
    """

    rule: Rule
    level: float
    choices: tuple[Choice, ...]
    candidates: int
    baseline_comparison: BaselineComparison | None = None
    adaptive: bool = False
    small: tuple[str, ...] = ()
    collapsed_baseline: tuple[int, ...] = ()
    collapse_rates: tuple[tuple[str, int, int], ...] = ()
    incomplete: tuple[int, ...] = ()
    guessing: tuple[int, ...] = ()
    not_trained: tuple[str, ...] = ()
    target: str = ""

    @property
    def clustered(self) -> bool:
        """Whether every interval counts the examples of a document as one draw."""
        return all(choice.gain.documents is not None for choice in self.choices)

    def __getitem__(self, name: str) -> Choice:
        """Return the choice of a language or group.

        Raises:
            UnknownName: it has none.
        """
        for choice in self.choices:
            if choice.name == name:
                return choice
        raise UnknownName("language", name, [choice.name for choice in self.choices])

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values, as `--json` prints it."""
        return {
            "rule": self.rule,
            "rule_means": RULES[self.rule],
            "target": self.target or None,
            "level": self.level,
            "candidates": self.candidates,
            "adaptive": self.adaptive,
            "clustered_by_document": self.clustered,
            "small_selection_sets": list(self.small),
            "collapsed_baseline": list(self.collapsed_baseline),
            "collapse_rates": [{"mix": m, "collapsed": n, "trained": of} for m, n, of in self.collapse_rates],
            "incomplete_trainings": list(self.incomplete),
            "guessing_trials": list(self.guessing),
            "not_trained_targets": list(self.not_trained),
            "baseline_comparison": self.baseline_comparison.to_json() if self.baseline_comparison else None,
            "choices": [choice.to_json() for choice in self.choices],
        }
