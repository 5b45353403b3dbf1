"""`RuleTable`: the choice of each selection rule, beside that of an oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate

ORACLE = "oracle"
MIN_SELECT = 100
"""A set with fewer selection examples is too small to select on (Keung et al. 2020); splits are cut accordingly."""


@dataclass(frozen=True, kw_only=True)
class RulePick:
    """One rule's choice for one row.

    Attributes:
        rule: as asked for, or `oracle`: the candidate with the largest gain on the reporting examples, which no valid rule
            reads.
        applied: the rule that was applied in the end; `none` where the rule had no cell to read.
        schedule: the choice; None where there is none.
        gain: points over no intermediate training, fresh seeds and reporting examples. The oracle's is a maximum, so biased
            upwards.
        regret: the oracle's gain less this one's, points; at least zero by construction and biased upwards.
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
    """The choices of all rules in all rows.

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
        """Return the table as JSON values."""
        found = plain(self)
        assert isinstance(found, dict)
        return found
