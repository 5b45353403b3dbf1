"""`MatchedComparison`: joint or sequential, as frozen values.

Two effects are kept apart. The *effect of order* comes from matched pairs: equal mixtures, examples and seeds, only the order
of examples differs. The *effect of being allowed to choose* compares the best of n joint mixes with the best of n sequential
ones: it contains the effects of order and of the mixtures and the luck of the search, so it is not an effect of order.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate, finding_of, interval_text

QUESTION = "joint-vs-sequential"
RowKind = Literal["language", "group", "target", "kind", "contrast"]
MARGIN = 1.0
"""Points within which two schedules count as equivalent, unless another margin is given."""
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
        mixtures, seeds, examples: their numbers; each example counts once per language. Seeds are those of each mixture: three
            or more that all share, or one of its own.
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

    def reach(self, level: float) -> float:
        """Return half the width of the interval at that level, points."""
        from scipy import special

        return self.error * float(
            special.stdtrit(self.df, 0.5 + level / 2) if math.isfinite(self.df) else special.ndtri(0.5 + level / 2)
        )

    def finding(self, other: str = "sequential") -> str:
        """Return `joint`, the other schedule's name, `no difference seen` or `no interval`."""
        found = finding_of(self)
        return {"better": "joint", "worse": other}.get(found, found)


@dataclass(frozen=True, kw_only=True)
class MatchedRow:
    """One row, over languages but English.

    Attributes:
        name: of a language, a group of languages, a target, a kind of target; or what the contrast subtracts.
        kind: of row. A `contrast` is the difference of two rows' differences: how much more joint training gives the first.
        difference: of the schedules.
    """

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
class Equivalence:
    """Whether the schedules are equivalent: two one-sided tests (Schuirmann 1987), by the interval at 1 - 2 (1 - level).

    Attributes:
        margin: points; smaller differences count as none.
        low, high: ends of that interval (90 % where the others have 95 %); None without an interval.
        shown: whether it lies within the margin on both sides.
    """

    margin: float
    low: float | None
    high: float | None
    shown: bool

    @property
    def words(self) -> str:
        """The statement, without a full stop."""
        if self.low is None or self.high is None:
            return f"equivalence within ±{self.margin:g} points cannot be tested yet"
        at_most = max(abs(self.low), abs(self.high))
        if self.shown:
            return f"equivalent within ±{self.margin:g} points"
        return f"not shown to be equivalent within ±{self.margin:g} points: the difference may be {at_most:.1f}"


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
        phase, stage, choosing: trainings of matched sets under each policy, and of fresh seeds for `BestOfComparison`.
        hours: of phase, stage and choosing.
        pairs, pair_hours: trainings of matched pairs, which are trials of the search and serve it too.
        unit: `CPU-hours` or `GPU-hours`.
    """

    phase: int
    stage: int
    choosing: int
    hours: tuple[float, float, float]
    unit: str
    pairs: int = 0
    pair_hours: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MatchedComparison:
    """The answer to joint or sequential.

    Attributes:
        studies: names of the studies compared.
        level: of every interval.
        contrasts: joint - sequential under `phase` first: the verdict is read from it.
        choosing: one per study in which the search trained both kinds.
        size_rule: None where it gives no advice; `size_note` says why.
        joint_ahead: number of mixtures in which joint training had the higher mean over all languages, out of `main.mixtures`.
        collapsed: (kind of schedule, trial) of matched pairs' trainings that collapsed; their pairs are left out.
        of_all_runs: joint - sequential over all languages with them; None where none collapsed.
        margin: of equivalence, points.
        own_rates: kind of schedule → the learning rates of its arms (None: the study's own), where matched pairs were trained
            each at its own rate; empty where both arms of every pair share theirs.
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
    joint_ahead: int
    collapsed: tuple[tuple[str, int], ...] = ()
    of_all_runs: Difference | None = None
    margin: float = MARGIN
    own_rates: tuple[tuple[str, tuple[float | None, ...]], ...] = ()
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
    def equivalence(self) -> Equivalence:
        """Whether both schedules are equivalent over all languages."""
        main, reach = self.main, self.main.reach(2 * self.level - 1)
        if main.low is None:
            return Equivalence(margin=self.margin, low=None, high=None, shown=False)
        low, high = main.value - reach, main.value + reach
        return Equivalence(margin=self.margin, low=low, high=high, shown=-self.margin < low and high < self.margin)

    @property
    def answer(self) -> str:
        """The answer in one sentence, for the top of a page, and a second one while pairs are still being trained."""
        main, early = self.main, self._early
        if main.low is None or main.high is None:
            return f"Joint or sequential: not enough to say from {main.mixtures} mixtures.{early}"
        seen = f"joint - sequential {main.value:+.1f} points {interval_text(main.low, main.high)}"
        over = f"on average over {self._mixtures} as drawn from the space{self.rate_words}"
        if main.finding() in ("joint", "sequential"):
            found = f"{main.finding()}, {seen} {over}, joint ahead in {self.joint_ahead}"
        else:
            found = f"no difference seen, {seen} {over}; {self.equivalence.words}"
        return f"Joint or sequential: {found}.{self._left_out}{early}"

    @property
    def _early(self) -> str:
        return "" if self.complete else " Matched pairs are still being trained: this is an early look."

    @property
    def _left_out(self) -> str:
        """How many trainings of each kind collapsed, as a sentence: where one kind fails more, that is a finding too."""
        if not self.collapsed:
            return ""
        counts = Counter(kind for kind, _ in self.collapsed)
        told = " and ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        return f" Pairs with a collapsed training are left out ({told})."

    @property
    def _mixtures(self) -> str:
        main = self.main
        return f"{main.mixtures} mixtures" + (f" × {main.seeds} seeds" if main.seeds > 1 else "")

    @property
    def rate_words(self) -> str:
        """Return `, each schedule at its own learning rate (joint 2e-05, sequential 1e-05)`; empty where they share it."""
        told = (
            f"{kind} {' or '.join('the usual one' if rate is None else f'{rate:.4g}' for rate in rates)}"
            for kind, rates in self.own_rates
        )
        return f", each schedule at its own learning rate ({', '.join(told)})" if self.own_rates else ""

    @property
    def sentence(self) -> str:
        """The verdict with its evidence."""
        main = self.main
        seen = f"joint - sequential {main.value:+.2f} points"
        if main.low is not None and main.high is not None and main.detectable is not None:
            seen += (
                f" [{main.low:+.2f}, {main.high:+.2f}] over all languages, an average over {self._mixtures} as drawn from the "
                f"space, {' or '.join(map(str, self.steps))} steps{self.rate_words}; the smallest difference that so many show "
                f"with 80 % probability is {main.detectable:.1f}; {self.equivalence.words}"
            )
        return f"Verdict: {self.verdict} ({seen}).{self._early}"

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values, with the verdict and every row's finding in words."""
        found = plain(self)
        assert isinstance(found, dict)
        for contrast, data in zip(self.contrasts, found["contrasts"], strict=True):
            for row, shown in zip(contrast.rows, data["rows"], strict=True):
                shown["finding"] = row.difference.finding(contrast.other)
        words = {"question": QUESTION, "verdict": self.verdict, "answer": self.answer, "sentence": self.sentence}
        return words | {"equivalence": plain(self.equivalence)} | found
