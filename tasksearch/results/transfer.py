"""`RankTransfer`: how far two studies of different encoders rank the mixes that both trained alike, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.core.transfer import SharedTarget


@dataclass(frozen=True, kw_only=True)
class RankCorrelation:
    """Spearman's rank correlation of the gains of the same mixes in two studies.

    Attributes:
        name: `all`, or a kind of target.
        value: in [-1, 1]; None where there are fewer than three mixes, or all have one gain.
        low, high: 95 % interval; None with fewer than five mixes.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class RankTransfer:
    """Two studies' rankings of the mixes that both trained, by standardised gains on selection examples.

    Attributes:
        first, second: names of the studies.
        first_model, second_model: their encoders.
        mixes: number of mixes that both trained.
        ranked: number of mixes in the first study's ranking.
        confirm: number of the first study's best mixes that the second took over, with as many of the rest at most; None where
            the second study took none over from the first.
        rows: all targets together, then each kind of target where there are several.
        shared: targets and languages that both studies score.
        best_rank: place in the first study's ranking of the mix that is best in the second; None where none is shared.
    """

    first: str
    second: str
    first_model: str
    second_model: str
    mixes: int
    ranked: int
    rows: tuple[RankCorrelation, ...]
    shared: tuple[SharedTarget, ...]
    best_rank: int | None = None
    confirm: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        found: dict[str, Any] = plain(self)
        return found
