"""`MixtureRule`: how a mixture's shares follow from the sizes of its tasks.

A rule is resolved where the sizes are known, before anything trains: what trains, and what a signature is made of, are shares.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Self

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture

RULES = ("uniform", "proportional", "capped", "temperature")
_FORM = re.compile(r"\s*([a-z_]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*")
_LEAST = Fraction(1, 1_000_000)  # of the largest weight: a share that no phase is long enough to show, but positive


@dataclass(frozen=True, kw_only=True)
class MixtureRule:
    """A rule for the shares of tasks of which task i has n_i training examples.

    Attributes:
        name: `uniform`: equal shares. `proportional`: share ∝ n_i. `capped`: share ∝ min(n_i, cap), the examples-proportional
            mixing of T5 (Raffel et al., JMLR 2020, section 3.5.2). `temperature`: share ∝ n_i^(1/temperature), which is
            proportional at 1 and tends to uniform (as in multilingual BERT and XLM-R, where 1/temperature is called α).
        cap: number of examples, at least 1; of `capped` alone.
        temperature: positive and finite; of `temperature` alone.
    """

    name: str
    cap: int | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise _unknown(self.name)
        if (self.cap is not None) is not (self.name == "capped"):
            raise BadInput(f"mixture rule {self.name!r} with cap {self.cap}; expected such as capped(131072), or no cap")
        if (self.temperature is not None) is not (self.name == "temperature"):
            raise BadInput(
                f"mixture rule {self.name!r} with temperature {self.temperature}; expected such as temperature(2), or none"
            )
        if self.cap is not None:
            check_cap(self.cap)
        if self.temperature is not None:
            check_temperature(self.temperature)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `uniform`, `proportional`, `capped(131072)` or `temperature(2)`.

        Raises:
            BadInput: there is no such rule; or a cap or temperature is missing, malformed or out of range.
        """
        form = _FORM.fullmatch(text)
        if form is None or form[1] not in RULES:
            raise _unknown(text)
        name, value = form[1], form[2] or None
        try:
            cap = None if value is None or name != "capped" else int(value)
            temperature = None if value is None or name == "capped" else float(value)
        except ValueError:
            raise BadInput(f"mixture rule {text!r}; expected a number in brackets, such as capped(131072)") from None
        return cls(name=name, cap=cap, temperature=temperature)

    def mixture(self, sizes: Mapping[str, int]) -> Mixture:
        """Return the mixture of these tasks; it remembers the rule.

        Args:
            sizes: task → number of training examples, for the tasks of the mixture and no others.

        Raises:
            BadInput: a task without a training example, unless the rule is `uniform`.
        """
        largest = max(sizes.values(), default=1)
        weights = {task: self._weight(task, size, largest) for task, size in sizes.items()}
        return Mixture(shares=tuple(weights.items()), rule=str(self) if len(weights) > 1 else "")

    def _weight(self, task: str, size: int, largest: int) -> Fraction:
        if self.name == "uniform":
            return Fraction(1)
        if size < 1:
            raise BadInput(f"{size} training examples of {task!r} under rule {self}; expected at least 1")
        if self.cap is not None:
            return Fraction(min(size, self.cap))
        if self.temperature is None or self.temperature == 1:
            return Fraction(size)
        weight = (size / largest) ** (1 / self.temperature)
        return max(_LEAST, Fraction(weight).limit_denominator(_LEAST.denominator))

    def __str__(self) -> str:
        if self.cap is not None:
            return f"{self.name}({self.cap})"
        if self.temperature is None:
            return self.name
        short = f"{self.temperature:g}"
        return f"{self.name}({short if float(short) == self.temperature else self.temperature})"


def _unknown(text: str) -> BadInput:
    near = get_close_matches(text, RULES, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return BadInput(f"no mixture rule {text!r}{hint} expected uniform, proportional, capped(131072) or temperature(2)")


def check_cap(cap: int) -> None:
    """Raise BadInput for a cap below one example."""
    if cap < 1:
        raise BadInput(f"mixture rule capped({cap}); expected a cap K at least 1 example, such as capped(131072)")


def check_temperature(temperature: float) -> None:
    """Raise BadInput for a temperature that is not positive and finite."""
    if not 0 < temperature < math.inf:
        raise BadInput(
            f"mixture rule temperature({temperature:g}); expected a positive number: 1 is proportional, a large one nearly "
            "uniform"
        )
