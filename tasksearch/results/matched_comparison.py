"""`MatchedComparison`: joint or sequential, as frozen values.

Two effects are kept apart. The *effect of order* comes from matched pairs: equal mixtures, examples and seeds, only the order
of examples differs. The *effect of being allowed to choose* compares the best of n joint mixes with the best of n sequential
ones: it contains the effects of order and of the mixtures and the luck of the search, so it is not an effect of order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate, finding_of

QUESTION = "joint-vs-sequential"
RowKind = Literal["language", "group", "target"]
Policy = Literal["phase", "stage"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A paired mean difference over mixtures, seeds and examples, in points of percent.

    Attributes:
        value: the mean over mixtures, each with equal weight.
        low, high: ends of the interval; None where fewer than three mixtures or seeds, or too few examples, stand behind it.
        error: its standard error.
        df: Satterthwaite's degrees of freedom.
        mixture_error, seed_error, example_error: parts of the standard error: from mixtures (with their interactions), and what
            the seeds and examples that all mixtures share add to it.
        detectable: the smallest true difference, of either sign, that such a study finds with 80 % probability; None without an
            interval.
        mixtures, seeds, examples: their numbers; each example counts once per language.
        documents: number of their documents, over which the interval is clustered; None where some are not known.
    """

    value: float
    low: float | None
    high: float | None
    error: float
    df: float
    mixture_error: float
    seed_error: float
    example_error: float
    detectable: float | None
    mixtures: int
    seeds: int
    examples: int
    documents: int | None

    def finding(self, other: str = "sequential") -> str:
        """Return `joint`, the other schedule's name, `no difference seen` or `no interval`."""
        found = finding_of(self)
        return {"better": "joint", "worse": other}.get(found, found)


@dataclass(frozen=True, kw_only=True)
class MatchedRow:
    """One language, group of languages, or target over all languages but English."""

    name: str
    kind: RowKind
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class ScheduleContrast:
    """Joint minus one other schedule, on matched pairs.

    Attributes:
        other: `sequential` (the mean of a mixture's two orders) or `annealed`.
        lr_policy: under which the other was trained; joint training has one stage, for which both policies are equal.
        rows: languages, then groups, then targets.
        left_out: number of mixtures that lack a finished training.
    """

    other: str
    lr_policy: Policy
    rows: tuple[MatchedRow, ...]
    left_out: int

    def row(self, name: str, kind: RowKind = "group") -> Difference:
        """Return the difference of a row.

        Raises:
            StopIteration: there is no such row.
        """
        return next(row.difference for row in self.rows if (row.name, row.kind) == (name, kind))


@dataclass(frozen=True, kw_only=True)
class BestOfRow:
    """One row of `BestOfComparison`."""

    name: str
    kind: RowKind
    difference: Estimate


@dataclass(frozen=True, kw_only=True)
class BestOfComparison:
    """Best of n joint mixes against best of n sequential ones, in one study, both on the same fresh seeds.

    Attributes:
        study: its name.
        tried: n, the mixes of each kind.
        joint, sequential: the mixes that had the best objectives on selection examples.
        rows: joint - sequential, points on reporting examples, in the order of the contrasts' rows; an interval over seeds and
            examples, for this one search.
        seeds: fresh seeds that both were trained on.
    """

    study: str
    tried: int
    joint: Schedule
    sequential: Schedule
    rows: tuple[BestOfRow, ...]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """The size rule (Weller, Seppi, Gardner, ACL 2022) on the matched pairs under the phase policy, over all languages.

    For two tasks it advises joint training where the later task's training set is smaller than the other's, else sequential
    training. For more tasks the last of the order is compared with the largest before it. Equal sizes give no advice and no
    pair.

    Attributes:
        pairs: (mixture, order) pairs.
        hits: pairs in which what the rule advises had the higher mean score over the seeds.
        joint, sequential: pairs in which always advising that would have been right.
        advised_joint: pairs for which the rule advises joint.
        advantage: the advised schedule minus the other, points; chance gives zero.
    """

    pairs: int
    hits: int
    joint: int
    sequential: int
    advised_joint: int
    advantage: Difference


@dataclass(frozen=True, kw_only=True)
class MatchedPairsCost:
    """Number of trainings and their hours.

    Attributes:
        phase, stage, choosing: trainings of matched pairs under each policy, and of fresh seeds for `BestOfComparison`.
        hours: of phase, stage and choosing.
        unit: `CPU-hours` or `GPU-hours`.
    """

    phase: int
    stage: int
    choosing: int
    hours: tuple[float, float, float]
    unit: str


@dataclass(frozen=True, kw_only=True)
class MatchedComparison:
    """The answer to joint or sequential.

    Attributes:
        studies: names of the studies compared.
        level: of every interval.
        contrasts: joint - sequential under `phase` first: the verdict is read from it.
        choosing: one per study in which the search trained both kinds.
        size_rule: None where it gives no advice; `size_note` says why.
        steps: lengths of the intermediate phase among the matched pairs.
        cost: trainings and hours that the answer took.
        complete: whether every matched training is finished.
        adaptive: whether another set of matched pairs, or of best mixes, had been read on these examples before.
        warning: the suite's sentence.
    """

    studies: tuple[str, ...]
    level: float
    contrasts: tuple[ScheduleContrast, ...]
    choosing: tuple[BestOfComparison, ...]
    size_rule: SizeRule | None
    size_note: str
    steps: tuple[int, ...]
    cost: MatchedPairsCost
    complete: bool = True
    adaptive: bool = False
    warning: str = ""

    @property
    def main(self) -> Difference:
        """Joint - sequential over all languages, under one learning-rate curve."""
        return self.contrasts[0].row("all")

    @property
    def verdict(self) -> str:
        """`joint`, `sequential`, `no difference at this budget`, or `not enough to say`."""
        found = self.main.finding()
        return {"no difference seen": "no difference at this budget", "no interval": "not enough to say"}.get(found, found)

    @property
    def sentence(self) -> str:
        """The verdict with its evidence."""
        main = self.main
        seen = f"joint - sequential {main.value:+.2f} points"
        if main.low is not None and main.high is not None and main.detectable is not None:
            seen += (
                f" [{main.low:+.2f}, {main.high:+.2f}] over all languages, {main.mixtures} mixtures × {main.seeds} seeds, "
                f"{' or '.join(map(str, self.steps))} steps; the smallest difference that so many show with 80 % "
                f"probability is {main.detectable:.1f}"
            )
        early = "" if self.complete else " Matched pairs are still being trained: this is an early look."
        return f"Verdict: {self.verdict} ({seen}).{early}"

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, with the verdict and every row's finding in words."""
        found = plain(self)
        assert isinstance(found, dict)
        for contrast, data in zip(self.contrasts, found["contrasts"], strict=True):
            for row, shown in zip(contrast.rows, data["rows"], strict=True):
                shown["finding"] = row.difference.finding(contrast.other)
        return {"question": QUESTION, "verdict": self.verdict, "sentence": self.sentence} | found
