"""`Mixture`: intermediate tasks and each one's share of the training examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Self

from tasksearch.core.errors import BadInput

# Floats are rounded to a denominator of six digits, so that 0.1 becomes 1/10. Fractions and text stay exact: shares computed
# from two floats have denominators of twelve digits and must be restored unchanged from JSON.
_LARGEST_DENOMINATOR = 1_000_000


def as_fraction(value: object) -> Fraction:
    """Convert an int, a float, a fraction or text such as `"3/8"` to an exact fraction.

    Raises:
        BadInput: the value is not a finite number.
    """
    try:
        share: Fraction = Fraction(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise BadInput(f"{value!r} is not a weight; expected a positive number such as 0.25 or '1/4'") from None
    return share.limit_denominator(_LARGEST_DENOMINATOR) if isinstance(value, float) else share


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Task → share. Shares are positive, sum to exactly one, and are sorted by task name.

    Attributes:
        rule: the rule that the shares follow (`core.mixture_rule`), as text; empty where they were given one by one. A label:
            equal shares are equal mixtures whatever rule they come from, and train alike.
    """

    shares: tuple[tuple[str, Fraction], ...]
    rule: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        names = [name for name, _ in self.shares]
        if not names:
            raise BadInput("a mixture needs at least one task")
        if len(set(names)) != len(names):
            raise BadInput(f"a task stands twice in the mixture: {', '.join(names)}")
        weights = {name: as_fraction(weight) for name, weight in self.shares}
        for name, weight in weights.items():
            if weight <= 0:
                raise BadInput(f"the weight of {name!r} is {weight}; expected a positive number (leave the task out instead)")
        total = sum(weights.values())
        object.__setattr__(self, "shares", tuple(sorted((name, weight / total) for name, weight in weights.items())))

    @classmethod
    def of(cls, weights: Mapping[str, object]) -> Self:
        """Build a mixture from weights in any unit: `Mixture.of({"squad": 3, "mnli": 1})`."""
        return cls(shares=tuple((name, as_fraction(weight)) for name, weight in weights.items()))

    @classmethod
    def uniform(cls, *tasks: str) -> Self:
        """Build a mixture with equal shares."""
        return cls.of(dict.fromkeys(tasks, 1))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, sorted."""
        return tuple(name for name, _ in self.shares)

    def share(self, task: str) -> Fraction:
        """Return the task's share; 0 if it is not in the mixture."""
        return next((share for name, share in self.shares if name == task), Fraction(0))

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the mixture with tasks under other names; those without an entry keep theirs."""
        return replace(self, shares=tuple((names.get(name, name), share) for name, share in self.shares))

    def __iter__(self) -> Iterator[tuple[str, Fraction]]:
        return iter(self.shares)

    def __str__(self) -> str:
        if len(self.shares) == 1:
            return self.tasks[0]
        return " + ".join(
            f"{name} {share}" if share.denominator <= 1000 else f"{name} {float(share):.3f}" for name, share in self
        )

    def to_json(self) -> dict[str, str]:
        """Return shares as text: `{"mnli": "1/4", "squad": "3/4"}`."""
        return {name: str(share) for name, share in self.shares}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Restore a mixture from the output of `to_json`."""
        return cls.of(data)


def base_task(ingredient: str) -> str:
    """Return the task of an ingredient, whatever languages it is trained in: `mnli` of `mnli:sw+ur`."""
    return ingredient.partition(":")[0]
