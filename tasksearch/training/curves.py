"""Learning-rate curves, as multiples of the peak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Linear warmup, then linear decay to zero, over `total` steps of which a segment runs those from `begin`.

    Under the `phase` policy the stages of a phase share one curve; under `stage` each begins its own.
    """

    total: int
    begin: int = 0
    warmup: float = 0.1

    def at(self, step: int) -> float:
        """Multiple of the peak rate for step `step` of the segment (from 0); in (0, 1]."""
        position = self.begin + step
        rising = max(1, round(self.total * self.warmup)) if self.warmup else 0
        if position < rising:
            return (position + 1) / rising
        return max(0, self.total - position) / max(1, self.total - rising)
