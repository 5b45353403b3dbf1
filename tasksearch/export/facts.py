"""Facts about an exported model: scores with intervals, origin of the mix, and licences."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasksearch.core.plan import Plan
from tasksearch.core.signature import to_plain
from tasksearch.results.verdict import Estimate
from tasksearch.tasks.card import TaskCard

_NON_COMMERCIAL = re.compile(r"\bNC\b|non-?\s?commercial", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FactRow:
    """One score, or one gain, on the reporting examples of a target in a language."""

    target: str
    language: str
    metric: str
    estimate: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        e = self.estimate
        return {"target": self.target, "language": self.language, "half": "report", "metric": self.metric} | {
            "value": e.value, "low": e.low, "high": e.high, "examples": e.examples, "seeds": e.seeds
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The study that the mix was found in.

    Attributes:
        study: its name.
        trial, role: the study's own training of this plan; None where there is none (another seed or other features).
        differing: examples on which the exported model's outcome differs from that trial's; None without such a trial.
        scores, gains: of the mix over fresh seeds, gains against no intermediate phase; empty where it was no finalist.
        seeds, baseline_seeds: numbers of their seeds.
        chosen: sentences on how it was chosen.
    """

    study: str
    trial: int | None
    role: str | None
    differing: int | None
    scores: tuple[FactRow, ...] = ()
    gains: tuple[FactRow, ...] = ()
    seeds: int = 0
    baseline_seeds: int = 0
    chosen: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        rows = {"scores": [row.to_json() for row in self.scores], "gains": [row.to_json() for row in self.gains]}
        return {f.name: rows.get(f.name, to_plain(getattr(self, f.name))) for f in dataclasses.fields(self)}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the model card and the notes contain.

    Attributes:
        target: its card; None for an encoder alone.
        architecture: transformers class that loads the folder.
        plan: what was trained.
        mix: the schedule as TOML.
        data: cards of all its training data.
        base: the pretrained checkpoint, a hub id or a folder's name; `fingerprint` is its hash.
        warning: the suite's sentence.
        same_data: intermediate tasks that train on the target's own data.
        scores: of this model, with intervals over examples alone.
        chance: target → score of a guess, percent.
        command, versions: with which it was made.
    """

    target: TaskCard | None
    architecture: str
    plan: Plan
    mix: str
    data: tuple[TaskCard, ...]
    base: str
    fingerprint: str
    warning: str
    same_data: tuple[str, ...]
    scores: tuple[FactRow, ...]
    chance: Mapping[str, float | None]
    origin: Origin | None
    command: str
    versions: Mapping[str, str]

    @property
    def title(self) -> str:
        """The heading of the card."""
        what = f"{self.target.name}: {self.target.kind} head" if self.target else "encoder"
        return f"{what}, after {self.plan.schedule}"

    @property
    def non_commercial(self) -> tuple[TaskCard, ...]:
        """Data sets whose licence forbids commercial use."""
        return tuple(card for card in self.data if is_non_commercial(card))

    @property
    def precision(self) -> str:
        """Precision in which the scores were computed: `fp32` or `bf16`."""
        settings = self.plan.settings
        return settings.for_target(self.target.name).precision if self.target else settings.intermediate.precision

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings that are printed with every score and with the model."""
        said = [self.warning] if self.warning else []
        if self.non_commercial:
            names = ", ".join(card.name for card in self.non_commercial)
            said.append(f"trained on non-commercial data ({names}): their authors allow no commercial use")
        if self.same_data:
            said.append(f"same data: {', '.join(self.same_data)} trains on data that the target's own is drawn from")
        if self.precision == "bf16":
            said.append("scores were computed under bf16 autocast; in fp32 single examples may have other outcomes")
        if self.target and self.target.note:
            said.append(self.target.note)
        if self.target and self.target.metric == "squad_v2":
            said.append(
                "scores used a no-answer threshold per language, from its selection examples; the example script always answers"
            )
        if (cap := self.plan.settings.evaluation_examples) is not None:
            said.append(f"scored on at most {cap} examples of each language: no published number")
        if self.origin and self.origin.differing:
            said.append(f"{self.origin.differing} examples have other outcomes than in trial {self.origin.trial} of the study")
        return tuple(said)


def is_non_commercial(card: TaskCard) -> bool:
    """Decide by the card's flag where it has one, else by its licence's words (`CC BY-NC`, `non-commercial`)."""
    return bool(getattr(card, "non_commercial", False)) or bool(_NON_COMMERCIAL.search(card.licence))


def notes(facts: Facts, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tasksearch.json`: settings that the example script needs, and the card's facts for programs."""
    return {
        **reading,
        "target": facts.target.name if facts.target else None,
        "kind": facts.target.kind if facts.target else "encoder",
        "architecture": facts.architecture,
        "plan": facts.plan.to_json(),
        "plan_signature": facts.plan.signature,
        "base_model": facts.base,
        "base_fingerprint": facts.fingerprint,
        "warning": facts.warning,
        "scores": [row.to_json() for row in facts.scores],
        "origin": facts.origin.to_json() if facts.origin else None,
        "command": facts.command,
        "versions": dict(facts.versions),
    }
