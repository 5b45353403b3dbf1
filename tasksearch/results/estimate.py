"""`Estimate`: a score or a difference of scores with its interval, and the finding that the interval allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

Finding = Literal["better", "worse", "no difference seen", "no interval"]


class Interval(Protocol):
    """A number in points and its interval; the ends are None where no interval can be claimed."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def low(self) -> float | None:
        """Lower end."""

    @property
    def high(self) -> float | None:
        """Upper end."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A score or a difference of scores, in points of percent.

    Attributes:
        value: the estimate.
        low, high: ends of the interval; None with too few seeds or examples to estimate the noise.
        seed_error, example_error: standard errors from seeds alone and from examples alone.
        df: Satterthwaite's degrees of freedom; infinite where no variance was estimated.
        noise_df: degrees of freedom behind the seed variance, over the plans it came from; 0 where nothing depends on a seed.
        seeds: number of seeds of the first plan.
        examples: number of examples, each counted once per language.
        documents: number of their documents, over which the interval is clustered; None where some are not known: examples then
            count as independent.
    """

    value: float
    low: float | None
    high: float | None
    seed_error: float
    example_error: float
    df: float
    noise_df: int
    seeds: int
    examples: int
    documents: int | None = None


def finding_of(gain: Interval) -> Finding:
    """Return the finding that the interval allows."""
    if gain.low is None or gain.high is None:
        return "no interval"
    if gain.low <= 0.0 <= gain.high:
        return "no difference seen"
    return "better" if gain.value > 0 else "worse"


def gain_text(gain: Interval) -> str:
    """Return `+2.1 [+0.4, +3.8]`, points; without an interval the value alone."""
    value = f"{gain.value:+.1f}"
    return value if gain.low is None or gain.high is None else f"{value} {interval_text(gain.low, gain.high)}"


def interval_text(low: float, high: float) -> str:
    """Return `[+0.3, +4.6]`, rounded outward."""
    return f"[{_outward(low, -1)}, {_outward(high, +1)}]"


def _outward(end: float, side: int) -> str:
    """Round an end of an interval away from its middle: to one decimal, or to more where one would move zero in or out."""
    for digits in range(1, 7):
        scale = 10**digits
        rounded = (math.ceil(end * scale - 1e-9) if side > 0 else math.floor(end * scale + 1e-9)) / scale
        if (rounded > 0) == (end > 0) and (rounded < 0) == (end < 0):
            break
    return f"{rounded:+.{digits}f}"
