"""`Portfolio`: few mixes that serve all languages, and what they lose against one mix per language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Estimate

Among = Literal["all trained mixes", "mixes re-run on fresh seeds"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One mix of a portfolio.

    Attributes:
        schedule, mix_signature: it was trained.
        languages: that it serves, sorted: those in which the shrunken scores have it first of the portfolio's mixes.
    """

    schedule: Schedule
    mix_signature: str
    languages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The best so many mixes for all languages together.

    Attributes:
        size: mixes allowed; fewer members where more add nothing.
        among: what it was chosen from.
        members: in the order of their trials.
        foreseen: predicted gain over the baseline, points, mean over languages; shrunken, on selection examples. It was
            maximised, so it is biased upwards.
        foreseen_loss: predicted loss against one mix per language from the same choice, points; at least zero.
        gain: the gain from fresh seeds and reporting examples; None where a member has no such trainings.
        loss: lead of one mix per language among the finalists, likewise; None without such evidence, or where both are the
            same.
        same: whether every language has the mix that it would have on its own.
    """

    size: int
    among: Among
    members: tuple[Member, ...]
    foreseen: float
    foreseen_loss: float
    gain: Estimate | None = None
    loss: Estimate | None = None
    same: bool = False


@dataclass(frozen=True, kw_only=True)
class Portfolios:
    """Portfolios of one, two and three mixes.

    Attributes:
        chosen: from all trained mixes, by size, with gains that the surrogate predicts.
        tested: from the finalists, by size, with gains from fresh seeds and reporting examples. Empty where these were not
            read; `untested` says why.
        alone: number of mixes that one mix per language would keep, of all trained ones.
        method: how the subsets were searched.
        languages, mixes: their numbers.
        adaptive: whether the reporting examples had been read under another question before.
    """

    chosen: tuple[Portfolio, ...]
    tested: tuple[Portfolio, ...]
    alone: int
    method: str
    languages: int
    mixes: int
    untested: str = ""
    adaptive: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the portfolios as JSON values."""
        found = plain(self)
        assert isinstance(found, dict)
        return found
