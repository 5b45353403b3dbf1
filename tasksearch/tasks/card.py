"""`TaskCard`: description of a task as frozen data. No code is written per task."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.score import ENGLISH
from tasksearch.tasks.source_spec import PACKED, Source

Kind = Literal["pair", "sentence", "multilabel", "choice", "span", "tagging", "mlm", "retrieval", "mining"]
KINDS: tuple[Kind, ...] = ("pair", "sentence", "multilabel", "choice", "span", "tagging", "mlm", "retrieval", "mining")
POOLED: frozenset[Kind] = frozenset({"retrieval", "mining"})
"""Kinds without training that are scored over a whole pool of sentences, of which only some examples may count."""
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
"""Kind → group of targets as in XTREME; the objective gives each group equal weight."""


ANY = "any"
"""`second_language` that stands for each of the card's other languages."""


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """One task.

    Attributes:
        name: name in a mixture or after `--target`.
        kind: kind of task; determines reader, encoder, head, loss and default metric.
        role: `intermediate` or `target`.
        languages: languages that a target can be scored in, or that an intermediate task is trained in (English).
        folder: value of {folder} in the paths of its files; empty: its name.
        source: source of its evaluation data.
        train: sources of its English training examples, concatenated; empty: `source`. A target without English training data
            of its own names another task's sources here.
        by_language: (language, source) of training data in other languages: of a labelled task the translations of its English
            training data, example by example; of MLM the text of each language. A language may have several sources.
        trains_in: languages that this variant of the card trains in; empty: English alone, for MLM every language it has.
        most: maximum number of texts of each language of MLM; 0: all.
        train_split: split used for training.
        labels: label names in the order of the head's outputs; empty for span, choice, retrieval, mining and MLM.
        head: name of the head; tasks with the same name share a head in phase 2. Empty: the task's own name.
        metric: name of the metric (`accuracy`, `f1`, `em_f1`).
        chance: score of random guessing, in percent; None if it depends on the data (retrieval: 100 / pool size).
        trains_on: names of the data sets that its training examples come from; a plan whose intermediate tasks and target share
            one is marked `same data`.
        licence, reference: as stated by the authors.
        non_commercial: whether the licence forbids commercial use of the data.
        select_split, report_split: splits of the selection and reporting examples. If equal, the split is divided by document.
        one_split: languages that have only the reporting split, which is then divided by document.
        fewest: minimum number of evaluation examples of a language; with fewer it is reported but never used for selection.
        parallel: whether example n of a split means the same in every language, in English too. Labelled examples of one
            language (few-shot controls) are then the same sentences in all of them, and select in none.
        keep_repeats: whether an example whose text also occurs among the reporting examples may be used for selection.
        second_language: pair: language of the second sentence, where it is not the first one's (Huang et al. 2021: the
            generalized setting); `any`: for each example another of the card's languages, drawn by a hash. The texts must be
            parallel: example n of a split means the same in every language.
        expected: (language, split, number of examples) where known; several for one split if copies of the data differ.
        labels_from: split whose files define the labels, sorted; `labels` is then empty until `with_labels` has read them.
        how_to_get: where users find the data: the exact file or hub table, and the steps if there are any.
        needs: what is missing and must be supplied by the user; such a task is listed but cannot run.
        note: limitation to show beside the task's scores.
        summary: one-line description.
    """

    name: str
    kind: Kind
    role: Role
    languages: tuple[str, ...]
    folder: str = ""
    source: Source = PACKED
    train: tuple[Source, ...] = ()
    by_language: tuple[tuple[str, Source], ...] = ()
    trains_in: tuple[str, ...] = ()
    most: int = 0
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
    parallel: bool = False
    keep_repeats: bool = False
    second_language: str = ""
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
        if self.kind == "mlm" and self.by_language and not self.trains_in:
            object.__setattr__(self, "trains_in", self.training_languages)
        strange = sorted({*self.one_split, *(language for language, _, _ in self.expected)} - {*self.languages, "en"})
        if strange:
            raise BadInput(f"card {self.name!r}: {strange[0]!r} is not among its languages")
        if self.second_language:
            self._check_second_language()

    def _check_second_language(self) -> None:
        if self.kind != "pair" or self.role != "target":
            raise BadInput(
                f"card {self.name!r}: second_language of a {self.role} of kind {self.kind!r}; expected a target of pairs"
            )
        if self.second_language != ANY and self.second_language not in self.languages:
            raise BadInput(
                f"card {self.name!r}: second_language {self.second_language!r} is not among its languages; expected one of "
                f"them, or {ANY!r}"
            )
        if self.second_language == ANY and len(self.languages) < 2:
            raise BadInput(f"card {self.name!r}: second_language {ANY!r} with one language; expected two or more")

    def languages_beside(self, language: str) -> tuple[str, ...]:
        """Return the languages that the second sentence of a pair in `language` may be in; empty: its own."""
        if not self.second_language:
            return ()
        return (
            tuple(one for one in self.languages if one != language) if self.second_language == ANY else (self.second_language,)
        )

    @property
    def group(self) -> str:
        """Group of the task: `classification`, `tagging`, `qa`, `retrieval` or `mlm`."""
        return GROUP_OF_KIND[self.kind]

    @property
    def trained(self) -> bool:
        """Whether the target has a phase 3: retrieval and mining have none."""
        return self.kind not in POOLED

    def chance_over(self, languages: Iterable[str]) -> float | None:
        """Return the mean chance score in percent over those of the given languages that the card covers; None if unknown.

        For retrieval without a stated chance it is 100 / pool size of each language.
        """
        if self.chance is not None or self.kind != "retrieval":
            return self.chance
        pools = {language: count for language, split, count in self.expected if split == self.report_split}
        guesses = [100 / pools[language] for language in languages if language in pools]
        return sum(guesses) / len(guesses) if guesses else None

    @property
    def train_sources(self) -> tuple[Source, ...]:
        """Sources of its English training examples, of MLM by language those of every language; empty if nothing is trained."""
        if self.kind == "mlm" and self.by_language:
            return tuple(source for _, source in self.by_language)
        return (self.train or (self.source,)) if self.trained else ()

    @property
    def train_parts(self) -> tuple[tuple[str, Source], ...]:
        """(language, source) of what it trains on, in the order in which it is read: language by language."""
        if not self.trains_in:
            return tuple((ENGLISH, source) for source in self.train_sources)
        english = () if self.kind == "mlm" else tuple((ENGLISH, source) for source in self.train_sources)
        known = (*english, *self.by_language)
        return tuple(part for language in self.trains_in for part in known if part[0] == language)

    @property
    def training_languages(self) -> tuple[str, ...]:
        """Languages that it has training data in, sorted."""
        own = {language for language, _ in self.by_language}
        return tuple(sorted(own if self.kind == "mlm" and own else own | {ENGLISH}))

    def in_languages(self, languages: Sequence[str]) -> Self:
        """Return the variant that trains in these languages.

        Raises:
            UnknownName: there is no training data in one of them.
        """
        chosen = tuple(sorted(set(languages)))
        for language in chosen:
            if language not in self.training_languages:
                what = "text" if self.kind == "mlm" else "translation"
                raise UnknownName(f"{what} of task {self.name!r} in language", language, self.training_languages)
        return dataclasses.replace(self, trains_in=chosen)


def ingredient_name(task: str, languages: Iterable[str]) -> str:
    """Return the name of a task trained in these languages, as it stands in a mixture: `mnli:sw+ur`."""
    return f"{task}:{'+'.join(languages)}"
