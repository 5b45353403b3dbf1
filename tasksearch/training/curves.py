"""Learning-rate curves, as multiples of the peak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Linear warmup, then linear decay to zero, over `total` steps of which a segment runs those from `begin` on.

    Under the `phase` policy the stages of a phase share one curve; under `stage` each has its own.
    """

    total: int
    begin: int = 0
    warmup: float = 0.1

    def at(self, step: int) -> float:
        """Return the multiple of the peak rate, in (0, 1], at step `step` of the segment, counted from 0."""
        position = self.begin + step
        rising = max(1, round(self.total * self.warmup)) if self.warmup else 0
        if position < rising:
            return (position + 1) / rising
        return max(0, self.total - position) / max(1, self.total - rising)


@dataclass(frozen=True, kw_only=True)
class StableCurve:
    """Warmup, constant peak, then linear decay to zero (warmup-stable-decay: Hu et al. 2024, MiniCPM; Hägele et al. 2024).

    Up to `stable` nothing depends on `total`: a longer phase starts with the same steps as a shorter one.

    Attributes:
        rising: steps of warmup, at most `stable`.
        stable: first step of the decay.
        total: steps of the phase.
        begin: first step that the segment runs.
    """

    rising: int
    stable: int
    total: int
    begin: int = 0

    def at(self, step: int) -> float:
        """Return the multiple of the peak rate, in (0, 1], at step `step` of the segment, counted from 0."""
        position = self.begin + step
        if position < self.rising:
            return (position + 1) / self.rising
        if position < self.stable:
            return 1.0
        return max(0, self.total - position) / max(1, self.total - self.stable)
