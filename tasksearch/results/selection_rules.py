"""`RuleTable`: what each selection rule would have chosen, side by side with the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate

ORACLE = "oracle"
MIN_SELECT = 100
"""Selection examples under which a set is too small to select on (Keung et al. 2020; the project's own splits keep to it)."""


@dataclass(frozen=True, kw_only=True)
class RulePick:
    """One rule's choice for one row.

    Attributes:
        rule: as asked for, or `oracle`: the candidate with the largest gain on the reporting examples, which no honest rule sees.
        applied: the rule that was applied in the end; `none` where the rule found nothing to read.
        schedule: the choice; None where there is none.
        gain: points over no intermediate training, fresh seeds and reporting examples. The oracle's is a maximum: flattered.
        regret: the oracle's gain less this one's, points; at least zero by construction, and too large on average.
    """

    rule: str
    applied: str
    schedule: Schedule | None
    gain: Estimate | None
    regret: float | None


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One language or group under every rule, the oracle last."""

    name: str
    is_group: bool
    picks: tuple[RulePick, ...]


@dataclass(frozen=True, kw_only=True)
class RuleTable:
    """Every row.

    Attributes:
        rows: languages, then groups.
        regrets: rule → mean regret over the languages, points.
        small: "target/language" of selection sets under `least` examples.
        least: examples that a set should have to be selected on.
    """

    rows: tuple[RuleRow, ...]
    regrets: tuple[tuple[str, float], ...]
    small: tuple[str, ...]
    least: int

    def to_json(self) -> dict[str, Any]:
        """Plain form."""
        found = plain(self)
        assert isinstance(found, dict)
        return found
