"""`TaskCard`: what a task is, as a frozen literal. A card is data: no code is written per task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasksearch.core.errors import BadInput

Kind = Literal["pair", "sentence", "choice", "span", "tagging", "mlm", "retrieval"]
KINDS: tuple[Kind, ...] = ("pair", "sentence", "choice", "span", "tagging", "mlm", "retrieval")
Role = Literal["intermediate", "target"]

GROUP_OF_KIND: dict[str, str] = {
    "pair": "classification",
    "sentence": "classification",
    "choice": "classification",
    "tagging": "tagging",
    "span": "qa",
    "retrieval": "retrieval",
    "mlm": "mlm",
}
"""Kinds of target as XTREME groups them; the objective gives each group equal weight."""


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """One task.

    Attributes:
        name: as written in a mixture or after `--target`.
        kind: decides reader, cast, head, loss and default metric.
        role: `intermediate` or `target`.
        folder: folder of the task's files under the suite's data root.
        languages: languages it can be scored in (a target) or trained in (an intermediate task: English).
        labels: label names in the order of the head's outputs; empty for span, choice, retrieval and MLM. Tasks with equal
            labels
            and kind share one intermediate head if they also share `head`.
        head: name of the head; tasks with one name share a head in phase 2. Empty: the task's own name.
        metric: name of the score (`accuracy`, `f1`, `em_f1`).
        chance: score of a guess, in percent; None where it depends on the data (retrieval: 100 / pool).
        trains_on: names of the data sets its training examples come from; a plan whose intermediate tasks and target share
            one is
            marked `same data`.
        licence, reference: as the authors state them.
        select_split, report_split: which split selects and which reports. Equal: cut once by document.
        summary: one line for people.
    """

    name: str
    kind: Kind
    role: Role
    folder: str
    languages: tuple[str, ...]
    labels: tuple[str, ...] = ()
    head: str = ""
    metric: str = "accuracy"
    chance: float | None = None
    trains_on: tuple[str, ...] = ()
    licence: str = ""
    reference: str = ""
    select_split: str = "dev"
    report_split: str = "test"
    summary: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"card {self.name!r}: kind {self.kind!r}; expected one of {', '.join(KINDS)}")
        if not self.head:
            object.__setattr__(self, "head", self.name)

    @property
    def group(self) -> str:
        """`classification`, `tagging`, `qa`, `retrieval` or `mlm`."""
        return GROUP_OF_KIND[self.kind]

    @property
    def trained(self) -> bool:
        """Whether the target needs a phase 3: retrieval does not."""
        return self.kind != "retrieval"
