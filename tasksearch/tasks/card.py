"""`TaskCard`: what a task is, as a frozen literal. A card is data: no code is written per task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tasksearch.core.errors import BadInput
from tasksearch.tasks.source_spec import PACKED, Source

Kind = Literal["pair", "sentence", "multilabel", "choice", "span", "tagging", "mlm", "retrieval", "mining"]
KINDS: tuple[Kind, ...] = ("pair", "sentence", "multilabel", "choice", "span", "tagging", "mlm", "retrieval", "mining")
POOLED: frozenset[Kind] = frozenset({"retrieval", "mining"})
"""Kinds that train nothing and are scored over a whole pool of sentences, whatever examples of it count."""
Role = Literal["intermediate", "target"]

GROUP_OF_KIND: dict[str, str] = {
    "pair": "classification",
    "sentence": "classification",
    "multilabel": "classification",
    "choice": "classification",
    "tagging": "tagging",
    "span": "qa",
    "retrieval": "retrieval",
    "mining": "retrieval",
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
        languages: languages it can be scored in (a target) or trained in (an intermediate task: English).
        folder: {folder} in the paths of its files; empty: its name.
        source: where its evaluation data is.
        train: where its English training examples are, one source after the other; empty: `source`. A target without English
            training data of its own names another task's here.
        train_split: the split that trains.
        labels: label names in the order of the head's outputs; empty for span, choice, retrieval, mining and MLM. Tasks with
            equal labels and kind share one intermediate head if they also share `head`.
        head: name of the head; tasks with one name share a head in phase 2. Empty: the task's own name.
        metric: name of the score (`accuracy`, `f1`, `em_f1`).
        chance: score of a guess, in percent; None where it depends on the data (retrieval: 100 / pool).
        trains_on: names of the data sets its training examples come from; a plan whose intermediate tasks and target share
            one is
            marked `same data`.
        licence, reference: as the authors state them.
        non_commercial: whether the licence forbids commercial use of the data.
        select_split, report_split: which split selects and which reports. Equal: cut once by document.
        one_split: languages that have the reporting split alone; it is cut by document.
        fewest: evaluation examples below which a language selects nothing and is only reported.
        keep_repeats: whether texts that stand among the reporting ones too may select.
        expected: (language, split, examples) where the count is known; several for one split where copies differ.
        labels_from: the split whose files give the labels, sorted; `labels` is then empty until `with_labels` has read them.
        how_to_get: for people: the exact file or hub table that gives the data, and the steps where there are any.
        needs: what the task lacks and the user must give; a task that needs something is listed and not run.
        note: a limit that stands beside the task's scores.
        summary: one line for people.
    """

    name: str
    kind: Kind
    role: Role
    languages: tuple[str, ...]
    folder: str = ""
    source: Source = PACKED
    train: tuple[Source, ...] = ()
    train_split: str = "train"
    labels: tuple[str, ...] = ()
    head: str = ""
    metric: str = "accuracy"
    chance: float | None = None
    trains_on: tuple[str, ...] = ()
    licence: str = ""
    reference: str = ""
    non_commercial: bool = False
    select_split: str = "dev"
    report_split: str = "test"
    one_split: tuple[str, ...] = ()
    fewest: int = 100
    keep_repeats: bool = False
    expected: tuple[tuple[str, str, int], ...] = ()
    labels_from: str = ""
    how_to_get: str = ""
    needs: str = ""
    note: str = ""
    summary: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"card {self.name!r}: kind {self.kind!r}; expected one of {', '.join(KINDS)}")
        if not self.head:
            object.__setattr__(self, "head", self.name)
        if not self.folder:
            object.__setattr__(self, "folder", self.name)
        strange = sorted({*self.one_split, *(language for language, _, _ in self.expected)} - {*self.languages, "en"})
        if strange:
            raise BadInput(f"card {self.name!r}: {strange[0]!r} is not among its languages")

    @property
    def group(self) -> str:
        """`classification`, `tagging`, `qa`, `retrieval` or `mlm`."""
        return GROUP_OF_KIND[self.kind]

    @property
    def trained(self) -> bool:
        """Whether the target needs a phase 3: retrieval and mining do not."""
        return self.kind not in POOLED

    def chance_over(self, languages: Iterable[str]) -> float | None:
        """Score of a guess in percent, mean over those of the languages that the card has; None where that is not known.

        Retrieval without a stated chance: 100 / pool of each language.
        """
        if self.chance is not None or self.kind != "retrieval":
            return self.chance
        pools = {language: count for language, split, count in self.expected if split == self.report_split}
        guesses = [100 / pools[language] for language in languages if language in pools]
        return sum(guesses) / len(guesses) if guesses else None

    @property
    def train_sources(self) -> tuple[Source, ...]:
        """Sources of its training examples, none where nothing is trained."""
        return (self.train or (self.source,)) if self.trained else ()
