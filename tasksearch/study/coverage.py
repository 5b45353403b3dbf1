"""`LanguageNotCovered`: a language that no target of a study is scored in, and which targets would cover it, in one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tasksearch.core.errors import UnknownName
from tasksearch.core.study import TrialRecord
from tasksearch.tasks.languages import canonical
from tasksearch.tasks.suite import Suite


class LanguageNotCovered(UnknownName):
    """Names the targets of the study that could be scored in the language, or those of its suite, or says that none could.

    Args:
        what: that lacks it: `study` or `check`.
    """

    def __init__(
        self, language: str, suite: Suite, targets: Collection[str], scored: Collection[str], what: str = "study"
    ) -> None:
        super().__init__("language", language, sorted(scored))
        covering = [card.name for card in suite.targets if language in card.languages]
        here = [name for name in covering if name in targets]
        if here:
            way = f"{' and '.join(here)} of this study can be: `tasksearch extend` it with --language {language}"
        elif covering:
            way = f"suite {suite.name} covers it by {', '.join(covering)}: run a {what} with --target {' or '.join(covering)}"
        else:
            way = f"nor does any target of suite {suite.name} cover it; {self.args[0]}"
        self.args = (f"no target of this {what} is scored in {language!r}; {way}",)


def scored_name(asked: str, scored: Collection[str]) -> str:
    """The code under which it is scored, whichever of its codes was asked for; a group, or what nobody knows, stays."""
    return asked if asked in scored else canonical(asked)


def covered_languages(suite: Suite, targets: Sequence[str], asked: Iterable[str], what: str = "study") -> tuple[str, ...]:
    """The languages asked for, by any of their codes, in the codes of the suite's cards.

    Raises:
        LanguageNotCovered: one that none of the targets has.
    """
    known = sorted({language for target in targets for language in suite.card(target).languages})
    found = tuple(scored_name(language, known) for language in asked)
    for language in found:
        if language not in known:
            raise LanguageNotCovered(language, suite, targets, known, what)
    return found


def scored_languages(records: Iterable[TrialRecord]) -> frozenset[str]:
    """Languages that the first finished training was scored in; empty while none is."""
    done = next((record for record in records if record.status == "done" and len(record.scores)), None)
    return frozenset() if done is None else frozenset(done.scores.languages)


def check_languages(suite: Suite, targets: Collection[str], records: Iterable[TrialRecord], wanted: Iterable[str]) -> None:
    """Raises LanguageNotCovered for a language, or a name that is no group either, in which nothing was scored."""
    scored = scored_languages(records)
    for language in (scored_name(one, scored) for one in wanted):
        if scored and language not in scored and language not in ("all", *suite.language_groups):
            raise LanguageNotCovered(language, suite, targets, scored)
