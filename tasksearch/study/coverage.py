"""`LanguageNotCovered`: error for a language that no target of a study is scored in, naming the targets that would cover it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tasksearch.core.errors import UnknownName
from tasksearch.core.study import TrialRecord
from tasksearch.tasks.languages import canonical, known_languages
from tasksearch.tasks.suite import Suite


class LanguageNotCovered(UnknownName):
    """Names targets of the study, or else of its suite, that can be scored in the language, or states that there are none.

    Args:
        what: what lacks the language, for the message: `study` or `check`.
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
            way = f"nor does any target of suite {suite.name} cover it"
            if canonical(language) not in known_languages():
                told = str(self.args[0]).replace("(known: ", "(scored: ")
                way += f"; {told}, and `tasksearch languages` lists all codes"
        self.args = (f"no target of this {what} is scored in {language!r}; {way}",)


def scored_name(asked: str, scored: Collection[str]) -> str:
    """Return the code under which a language is scored, given any of its codes; groups and unknown names are unchanged."""
    return asked if asked in scored else canonical(asked)


def covered_languages(suite: Suite, targets: Sequence[str], asked: Iterable[str], what: str = "study") -> tuple[str, ...]:
    """Return the requested languages, given by any of their codes, in the codes that the suite's cards use.

    Raises:
        LanguageNotCovered: a language that none of the targets covers.
    """
    known = sorted({language for target in targets for language in suite.card(target).languages})
    found = tuple(scored_name(language, known) for language in asked)
    for language in found:
        if language not in known:
            raise LanguageNotCovered(language, suite, targets, known, what)
    return found


def scored_languages(records: Iterable[TrialRecord]) -> frozenset[str]:
    """Return the languages that the first finished trial was scored in; empty if none is finished."""
    done = next((record for record in records if record.status == "done" and len(record.scores)), None)
    return frozenset() if done is None else frozenset(done.scores.languages)


def check_languages(suite: Suite, targets: Collection[str], records: Iterable[TrialRecord], wanted: Iterable[str]) -> None:
    """Raise LanguageNotCovered for a name that is neither a group nor a language in which something was scored."""
    scored = scored_languages(records)
    for language in (scored_name(one, scored) for one in wanted):
        if scored and language not in scored and language not in ("all", *suite.language_groups):
            raise LanguageNotCovered(language, suite, targets, scored)
