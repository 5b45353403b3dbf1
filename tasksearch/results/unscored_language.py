"""`UnscoredLanguage`: the mix for a language that a study never scored, and how far leaving studied ones out supports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.core.schedule import Schedule
from tasksearch.results.estimate import Finding, finding_of


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A studied language treated as if it had not been scored.

    Attributes:
        language: which.
        schedule: mix chosen from the other languages.
        predicted: its gain in the other languages, points, weighted as they are related.
        gain: what it gained in this one.
    """

    language: str
    schedule: Schedule
    predicted: float
    gain: float


@dataclass(frozen=True, kw_only=True)
class UnscoredLanguage:
    """The mix for a language without a score, chosen and judged by the others.

    Attributes:
        language: its code.
        schedule, mix_signature: one of the finalists, chosen on the other languages' selection examples.
        value: predicted gain over the baseline, points: of that mix in the studied languages, on fresh seeds and reporting
            examples.
        low, high: ends of the prediction interval, from how far the same prediction missed each language that was left out;
            None with fewer than four. It holds as far as the language is one like these.
        level: of the interval.
        left_out: the studied languages, each left out once.
        related: (language, weight) of those that the prediction rests on; weights sum to one.
        distances: whether weights come from given distances; else all languages count alike.
        adaptive: whether the reporting examples had been read by another rule or choice before.
        covered_by: how the language could be scored instead, in one line.
    """

    language: str
    schedule: Schedule
    mix_signature: str
    value: float
    low: float | None
    high: float | None
    level: float
    left_out: tuple[LeftOut, ...]
    related: tuple[tuple[str, float], ...]
    distances: bool = False
    adaptive: bool = False
    covered_by: str = ""

    @property
    def finding(self) -> Finding:
        """What the interval allows."""
        return finding_of(self)

    @property
    def doubt(self) -> str:
        """Why not to trust it, in one sentence; empty where the interval stays on one side of zero."""
        count = len(self.left_out)
        if self.low is None or self.high is None:
            return f"do not trust this: {count} studied languages are too few to say how far such a prediction misses"
        if self.low <= 0.0 <= self.high:
            worst = max(self.left_out, key=lambda one: abs(one.gain - one.predicted))
            return (
                f"do not trust this: left out like {self.language}, {worst.language} gained {worst.gain:+.1f} where "
                f"{worst.predicted:+.1f} was predicted, and the interval includes zero"
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON values."""
        found = plain(self)
        assert isinstance(found, dict)
        return found | {"mix": str(self.schedule), "finding": self.finding, "doubt": self.doubt or None}
