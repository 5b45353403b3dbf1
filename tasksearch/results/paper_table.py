"""`PaperTable`: a study in the layout of a paper: rows intermediate tasks, columns targets, gains over the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.results.estimate import Estimate

PAPERS = ("phang2020",)
"""Papers whose layout there is."""
AVERAGE = "average"
"""Column of the unweighted mean over the targets, as XTREME averages."""


@dataclass(frozen=True, kw_only=True)
class PaperRow:
    """One plan of the grid.

    Attributes:
        name: the intermediate task, or the name of a joint plan.
        seeds: trainings of the plan, of every role.
        gains: target or `AVERAGE` → gain over the baseline in points, over all languages of the target, English included.
        same_data: targets whose own training data the plan's intermediate phase holds.
        over_exposure: of those, target → gain over target phases that are longer by as many examples; without the targets for
            which no such control was trained.
    """

    name: str
    seeds: int
    gains: Mapping[str, Estimate]
    same_data: tuple[str, ...] = ()
    over_exposure: Mapping[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """Published scores that stand below the study's own; targets that nobody read are absent."""

    name: str
    cells: Mapping[str, float]
    source: str


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """The table.

    Attributes:
        baseline: target or `AVERAGE` → score without an intermediate phase, percent.
        baseline_seeds: its trainings.
        missing: names of plans that the study has not finished.
        published_average: name of a row → published average gain, and its source.
        published: published rows of scores; empty where the study's targets are not the paper's.
        claims: published statements without a cell, each with its source.
    """

    study: str
    targets: tuple[str, ...]
    baseline: Mapping[str, Estimate]
    baseline_seeds: int
    rows: tuple[PaperRow, ...]
    missing: tuple[str, ...] = ()
    published_average: Mapping[str, tuple[float, str]]
    published: tuple[PublishedRow, ...] = ()
    claims: tuple[str, ...] = ()
    warning: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return dict(plain(self))
