"""`Suite`: a list of task cards with the settings that belong to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.plan import PhaseSettings
from tasksearch.core.study import Guesses
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.languages import Language

ALL = "all"
"""In place of languages in the name of an ingredient: all that the card has training data in."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Task cards and default settings.

    Attributes:
        name: name given to `--suite`.
        cards: intermediate and target tasks, with unique names.
        settings: default settings of phases 2 and 3, for the model size that the suite is meant for.
        steps: lengths of the intermediate phase that spaces choose from; multiples of 8, so that eighths are exact.
        low_resource: languages that are also reported as a group.
        groups_of_languages: further groups: (name, languages).
        first_tasks, first_targets, first_languages: defaults for a run that names none, to limit its cost; empty: all.
        texts: cards of MLM and TLM that a mixture may name, but that are no tasks of a space unless it asks for them.
        base: built-in suite that it extends; empty if there is none.
        home: folder of the file that the suite came from; empty for built-in suites.
        own_languages: languages that its file describes.
        needs_data: whether a data folder is required (`--data`, TASKSEARCH_DATA).
        warning: sentence to show beside every number of the suite; empty if none is needed.
    """

    name: str
    cards: tuple[TaskCard, ...]
    settings: PhaseSettings
    steps: tuple[int, ...]
    low_resource: tuple[str, ...] = ()
    groups_of_languages: tuple[tuple[str, tuple[str, ...]], ...] = ()
    first_tasks: tuple[str, ...] = ()
    first_targets: tuple[str, ...] = ()
    first_languages: tuple[str, ...] = ()
    needs_data: bool = False
    warning: str = ""
    summary: str = ""
    base: str = ""
    home: str = ""
    own_languages: tuple[Language, ...] = ()
    texts: tuple[TaskCard, ...] = ()

    def __post_init__(self) -> None:
        names = [card.name for card in (*self.cards, *self.texts)]
        if len(set(names)) != len(names):
            raise BadInput(f"suite {self.name!r}: two cards of one name among {', '.join(sorted(names))}")

    @property
    def world(self) -> str:
        """Built-in suite whose data and model it uses: `lab`, `lowres` …; its own name if it extends none."""
        return self.base or self.name

    @property
    def intermediates(self) -> tuple[TaskCard, ...]:
        """Cards of intermediate tasks."""
        return tuple(card for card in self.cards if card.role == "intermediate")

    @property
    def targets(self) -> tuple[TaskCard, ...]:
        """Cards of target tasks."""
        return tuple(card for card in self.cards if card.role == "target")

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages in which a target is scored, sorted."""
        return tuple(sorted({language for card in self.targets for language in card.languages}))

    @property
    def groups(self) -> dict[str, str]:
        """Target → group: classification, tagging, qa or retrieval."""
        return {card.name: card.group for card in self.targets}

    @property
    def language_groups(self) -> dict[str, tuple[str, ...]]:
        """Groups of languages that are reported as rows of their own."""
        own = {"low-resource": self.low_resource} if self.low_resource else {}
        return own | dict(self.groups_of_languages)

    def chance_over(self, languages: Iterable[str]) -> dict[str, float | None]:
        """Return target → chance score over the given languages, in percent."""
        given = tuple(languages)
        return {card.name: card.chance_over(given) for card in self.targets}

    def guesses(self, targets: Iterable[str]) -> Guesses:
        """Return what a guess scores in English in those of the targets that are trained; none where the data decide."""
        cards = [self.card(target) for target in targets]
        return tuple((card.name, card.chance) for card in cards if card.trained and card.chance is not None)

    @property
    def same_data(self) -> tuple[tuple[str, str], ...]:
        """(intermediate task, target) pairs that train on a common data set."""
        pairs = [(task, target) for task in self.intermediates for target in self.targets]
        return tuple((task.name, target.name) for task, target in pairs if set(task.trains_on) & set(target.trains_on))

    def card(self, name: str) -> TaskCard:
        """Return the card of that name; `NAME:LANGUAGE+LANGUAGE` or `NAME:all` is a card trained in those languages.

        Raises:
            UnknownName: there is none; the message names the nearest one in the suite.
        """
        base, colon, languages = name.partition(":")
        for card in (*self.cards, *self.texts):
            if card.name == base:
                if not colon:
                    return card
                own = card.training_languages if languages == ALL else languages.split("+")
                return dataclasses.replace(card.in_languages(own), name=name)
        raise UnknownName(f"task in suite {self.name!r}", name, [card.name for card in (*self.cards, *self.texts)])

    def ingredient(self, name: str) -> TaskCard:
        """Return the card of a task that a mixture may hold.

        Raises:
            UnknownName: it is no intermediate task of the suite, or it has no training data in a language that the name holds.
        """
        known = [card.name for card in (*self.intermediates, *self.texts)]
        if name.partition(":")[0] not in known:
            raise UnknownName(f"intermediate task in suite {self.name!r}", name, known)
        return self.card(name)
