"""`ReportData`: everything that a report shows of a study, as one frozen value. Equal data give an equal page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.results.matched_comparison import MatchedComparison
from tasksearch.results.portfolio import Portfolios
from tasksearch.results.task_effects import TaskEffects
from tasksearch.results.transfer import RankTransfer
from tasksearch.results.verdict import Estimate, Verdict


@dataclass(frozen=True, kw_only=True)
class SingleTask:
    """Gains of training one intermediate task alone, in points over the baseline on reporting examples.

    Attributes:
        task, steps: the mix: all examples of one task, for so many optimiser steps.
        words: learning rate and training methods of the phase where the search chose them, as in ` at 2e-05`.
        by_language: language → mean over targets, then over kinds of target.
        by_target: target → mean over languages but English.
        overall: mean over both.
        trials: numbers of its trials, one per seed.
    """

    task: str
    steps: int
    words: str
    by_language: Mapping[str, Estimate]
    by_target: Mapping[str, Estimate]
    overall: Estimate
    trials: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class MatchedPair:
    """Two mixes of equal tasks, shares, steps and seeds, of which only the order of examples differs.

    Attributes:
        joint, other: the schedules; `other` is sequential, annealed or staged.
        difference: other - joint, points on reporting examples, paired by seed and example, over all languages but English.
        by_target: the same, target by target.
        seeds: that both were trained on.
    """

    joint: Schedule
    other: Schedule
    difference: Estimate
    by_target: Mapping[str, Estimate]
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class KindBest:
    """The trial with the highest objective of one kind of schedule: a best of n, not an effect of the kind.

    Attributes:
        tried: mixes of this kind with an objective.
        objective: on selection examples. Reporting examples are read for the verdict's mixes alone.
    """

    kind: str
    schedule: Schedule
    trial: int
    objective: float
    tried: int


@dataclass(frozen=True, kw_only=True)
class RuleShare:
    """What a task got in a mix by a mixture rule, beside what the rule asks for.

    Attributes:
        schedule: the mix.
        size: training examples of the task.
        asked: its share of the phase by the rule, times the phase's examples.
        obtained: examples that training draws, repetitions included.
    """

    schedule: Schedule
    task: str
    size: int
    asked: float
    obtained: int


@dataclass(frozen=True, kw_only=True)
class ReferenceScores:
    """Reference scores of one target over its languages but English, on reporting examples.

    Attributes:
        chance: percent of a guess; None where the data decides.
        untrained: percent with an encoder that was never pretrained; None where the study has none.
        baseline: percent without an intermediate phase.
        by_language: language → (untrained or None, baseline).
    """

    target: str
    group: str
    metric: str
    chance: float | None
    untrained: Estimate | None
    baseline: Estimate
    by_language: Mapping[str, tuple[Estimate | None, Estimate]]


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """A study as its report shows it.

    Attributes:
        config, records: configuration and records of the study.
        verdict: None while there is none; `pending` says why.
        portfolios: few mixes for all languages; None while there is no verdict, or no language to serve.
        why: task effects; None while too few mixes are trained.
        warning: the suite's sentence.
        same_data: (intermediate task, target) pairs that train on one data set.
        language_groups: name → languages reported together.
        singles, pairs, bests, rule_shares, references: see their classes; empty where the study has none.
        order: the answer to joint or sequential; None where the study has no matched pairs, or where `order_pending` says why.
        transfer: how far the mixes of another encoder's study rank alike; None where none was taken over.
        planned: the most trainings that the complete study will have, finalists included.
        command: command line that runs the same study.
        versions: name → versions and devices that the trials ran on.
        made: when the report was made, ISO date and time.
        run_links: number of a trial → address of its MLflow run; empty where the runs are not known.
    """

    config: StudyConfig
    records: tuple[TrialRecord, ...]
    verdict: Verdict | None
    pending: str = ""
    portfolios: Portfolios | None = None
    why: TaskEffects | None = None
    warning: str = ""
    same_data: tuple[tuple[str, str], ...] = ()
    language_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    singles: tuple[SingleTask, ...] = ()
    pairs: tuple[MatchedPair, ...] = ()
    bests: tuple[KindBest, ...] = ()
    rule_shares: tuple[RuleShare, ...] = ()
    references: tuple[ReferenceScores, ...] = ()
    order: MatchedComparison | None = None
    order_pending: str = ""
    transfer: RankTransfer | None = None
    planned: int = 0
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    made: str = ""
    run_links: Mapping[str, str] = field(default_factory=dict)

    @property
    def partial(self) -> bool:
        """Whether the study still runs, or was stopped before its end."""
        finished = sum(record.status != "running" for record in self.records)
        return finished < len(self.records) or len(self.records) < self.planned

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the study but English."""
        return tuple(language for language in self.config.languages if language != ENGLISH)

    def role(self, name: str) -> tuple[TrialRecord, ...]:
        """Return the finished trials of that role."""
        return tuple(record for record in self.records if str(record.role) == name and record.status == "done")
