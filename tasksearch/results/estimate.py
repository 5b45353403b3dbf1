"""`Estimate`: a score or a difference of scores with its interval, and the finding that the interval allows."""

from __future__ import annotations

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
