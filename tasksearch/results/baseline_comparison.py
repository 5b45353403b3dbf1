"""`BaselineComparison`: the search's pick beside free baselines, and whether the search was worth its cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate

Evidence = Literal["fresh seeds", "one seed, selection examples", "not run"]
Worth = Literal["worth it", "not worth it", "undecided"]


@dataclass(frozen=True, kw_only=True)
class LanguageGain:
    """The gain of a row in one language, and the lead of the search's mix over it there."""

    language: str
    gain: Estimate
    advantage: Estimate


@dataclass(frozen=True, kw_only=True)
class BaselineEntry:
    """One free baseline (a mix that needs no search) or control.

    Attributes:
        name: `no intermediate training`, `best single`, `uniform joint`, `proportional joint`, `size rule`, `soup`,
            `soup over seeds`, `averaged snapshots`, `averaged models`, `averaged models, best finalist`,
            `equal exposure`, `few-shot`, `few-shot, best finalist`, or a free baseline at the pick's length (`uniform joint,
            384 steps`).
        schedule: None where it was not run, or is no schedule.
        evidence: where its gain comes from. Only entries on fresh seeds are comparable with the search's pick.
        gain: over no intermediate training, reporting examples, fresh seeds; None for other evidence.
        expected, expected_error: shrunken gain on selection examples, points, from the search's one seed; None where not known.
        trainings: how many trainings it takes (best single: every single task).
        advantage: the pick's lead over it, on the same fresh seeds and examples; None without fresh seeds, or against itself.
        note: why it was not run, or what else must be known.
        hours: of these trainings on one seed, including what the segment store spared; None where not run.
        rival: whether the pick has to beat it for the search to be worth its cost.
        labels: labelled examples of each language that it takes, of every target; 0: none.
        by_language: language → gain and the pick's lead in it; of rows that take labels alone, in languages that have some.
    """

    name: str
    schedule: Schedule | None
    evidence: Evidence
    gain: Estimate | None = None
    expected: float | None = None
    expected_error: float | None = None
    trainings: int = 0
    advantage: Estimate | None = None
    note: str = ""
    hours: float | None = None
    rival: bool = False
    labels: int = 0
    by_language: tuple[LanguageGain, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Hours that the study spent.

    Attributes:
        search, fresh, baseline, design, controls: hours of training and evaluation of the trials by role.
        unit: `GPU-hours` or `CPU-hours`.
    """

    search: float
    fresh: float
    baseline: float
    design: float
    unit: str
    controls: float = 0.0

    @property
    def total(self) -> float:
        """Sum over the roles."""
        return self.search + self.fresh + self.baseline + self.design + self.controls


@dataclass(frozen=True, kw_only=True)
class BaselineComparison:
    """The verdict on the search itself, over all languages.

    Attributes:
        row: name of the row compared, `all`.
        pick: the search's mix for that row.
        gain: of the pick over no intermediate training.
        entries: the free baselines.
        champion: name of the best free baseline on fresh seeds, by the rule that chose the pick; None: none was re-run.
        advantage: of the pick over the rival with the lowest lower end of the lead; None where the pick is the champion, or
            there is none.
        rival: that rival's name.
        languages: languages in which the pick beats baseline and rivals after Bonferroni over the languages.
        worth: the verdict; `undecided` where no interval can be claimed or no free baseline stands on fresh seeds.
        reason: why, as a clause of `sentence`.
        hours: what was spent.
        earlier: study of another encoder whose mixes were taken over; its cost is not among the hours. Empty: none.
    """

    row: str
    pick: Schedule
    gain: Estimate
    entries: tuple[BaselineEntry, ...]
    champion: str | None
    advantage: Estimate | None
    rival: str | None
    languages: tuple[str, ...]
    worth: Worth
    reason: str
    hours: Hours
    earlier: str = ""

    @property
    def sentence(self) -> str:
        """The verdict on the search, which is printed below every table of best mixes."""
        beside = f", {_hours(self.hours.controls)} the controls" if self.hours.controls else ""
        searched = f"trials of the search, without what study {self.earlier} cost" if self.earlier else "the sampler's trials"
        of_them = f"({_hours(self.hours.search)} of them {searched}{beside})"
        spent = f"{_hours(self.hours.total)} {self.hours.unit} {of_them}"
        words = {
            "worth it": f"The search was worth its cost of {spent}: {self.reason}.",
            "not worth it": f"The search was not worth its cost of {spent}: {self.reason}.",
            "undecided": f"Whether the search was worth its cost of {spent} cannot be said: {self.reason}.",
        }
        return words[self.worth]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        found = plain(self)
        assert isinstance(found, dict)
        return found | {"sentence": self.sentence, "total_hours": self.hours.total}


def _hours(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"
