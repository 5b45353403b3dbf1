"""`Suite`: a list of cards with the settings that go with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.plan import PhaseSettings
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.languages import Language


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Cards and defaults.

    Attributes:
        name: as given to `--suite`.
        cards: intermediate and target tasks; names are unique.
        settings: default phase-2 and phase-3 settings, at the size of model the suite is meant for.
        steps: lengths of the intermediate phase that spaces choose from, multiples of 8 so that eighths are exact.
        low_resource: languages reported as a group of their own.
        groups_of_languages: further groups: (name, languages).
        first_tasks, first_targets, first_languages: what a run takes that names none, so that a first run is bounded; empty:
            all.
        base: the suite of the package that it extends; empty where there is none.
        home: folder of the file that the suite came from; empty for the package's own.
        own_languages: languages that its file describes.
        needs_data: whether its files must be given (`--data`, TASKSEARCH_DATA).
        warning: a sentence that stands beside every number of the suite; empty where none is needed.
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

    def __post_init__(self) -> None:
        names = [card.name for card in self.cards]
        if len(set(names)) != len(names):
            raise BadInput(f"suite {self.name!r}: two cards of one name among {', '.join(sorted(names))}")

    @property
    def world(self) -> str:
        """The suite of the package whose data and model it stands on: `lab`, `lowres` …; its own name where it extends none."""
        return self.base or self.name

    @property
    def intermediates(self) -> tuple[TaskCard, ...]:
        """Cards that may stand in a mixture."""
        return tuple(card for card in self.cards if card.role == "intermediate")

    @property
    def targets(self) -> tuple[TaskCard, ...]:
        """Cards that are scored."""
        return tuple(card for card in self.cards if card.role == "target")

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language a target is scored in, sorted."""
        return tuple(sorted({language for card in self.targets for language in card.languages}))

    @property
    def groups(self) -> dict[str, str]:
        """Target → kind of target: classification, tagging, qa or retrieval."""
        return {card.name: card.group for card in self.targets}

    @property
    def language_groups(self) -> dict[str, tuple[str, ...]]:
        """Groups of languages reported as rows of their own."""
        own = {"low-resource": self.low_resource} if self.low_resource else {}
        return own | dict(self.groups_of_languages)

    def chance_over(self, languages: Iterable[str]) -> dict[str, float | None]:
        """Target → score of a guess, over the languages given."""
        given = tuple(languages)
        return {card.name: card.chance_over(given) for card in self.targets}

    @property
    def same_data(self) -> tuple[tuple[str, str], ...]:
        """(intermediate task, target) pairs that train on one data set."""
        pairs = [(task, target) for task in self.intermediates for target in self.targets]
        return tuple((task.name, target.name) for task, target in pairs if set(task.trains_on) & set(target.trains_on))

    def card(self, name: str) -> TaskCard:
        """The card of that name.

        Raises:
            UnknownName: with the nearest name of the suite.
        """
        for card in self.cards:
            if card.name == name:
                return card
        raise UnknownName(f"task in suite {self.name!r}", name, [card.name for card in self.cards])
