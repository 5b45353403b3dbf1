"""`Transfer`: the mixes that a study takes over from the study of another encoder, and what they scored there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tasksearch.core.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class SharedTarget:
    """A target that both studies score.

    Attributes:
        weight: of the target in the ranking, positive: that of the new study's objective.
        languages: that both studies score it in and that the objective counts, each with the same weight.
    """

    name: str
    weight: float
    languages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TransferredMix:
    """A mix of the earlier study that is trained again.

    Attributes:
        schedule: without a learning rate, which belongs to the encoder and not to the mix.
        role: `design` where the earlier study had it as a designed trial, and `search` where its search found it.
        params: what stands for it in Optuna.
        trial: number of its first trial in the earlier study.
        rank: its place in the earlier study's ranking, from 1, the best.
        gains: per shared target its standardised gain there on selection examples, mean over the shared languages.
    """

    schedule: Schedule
    role: Literal["design", "search"]
    params: tuple[tuple[str, Any], ...]
    trial: int
    rank: int
    gains: tuple[float, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a mix from its plain form."""
        fields = dict(data)
        return cls(
            schedule=Schedule.from_json(fields.pop("schedule")),
            params=tuple((name, value) for name, value in fields.pop("params")),
            gains=tuple(map(float, fields.pop("gains"))),
            **fields,
        )


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a study took over when it was made. The earlier study is not needed afterwards.

    Attributes:
        study: id of the earlier study, or its name where it has no id.
        folder: where it stood.
        suite, model: of the earlier study.
        confirm: number of its best mixes that were asked for; as many at most were added from the rest.
        ranked: number of mixes in its ranking.
        fingerprint: hash of the trials that were read.
        shared: targets and languages by which the mixes were ranked.
        mixes: in the order in which they are trained, the best of the earlier study first.
    """

    study: str
    folder: str = field(compare=False)  # a study that was moved is the same study
    suite: str
    model: str
    confirm: int
    ranked: int
    fingerprint: str
    shared: tuple[SharedTarget, ...]
    mixes: tuple[TransferredMix, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a transfer from its plain form."""
        shared = [SharedTarget(**{**one, "languages": tuple(one["languages"])}) for one in data["shared"]]
        return cls(**{**data, "shared": tuple(shared), "mixes": tuple(map(TransferredMix.from_json, data["mixes"]))})
