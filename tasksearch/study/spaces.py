"""Search spaces by name, or by the path of a user's Python file."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.input_files import check_small
from tasksearch.core.own_files import is_path, module_of, read_user_file
from tasksearch.core.score import ENGLISH
from tasksearch.core.space import SearchSpace
from tasksearch.tasks.card import ingredient_name
from tasksearch.tasks.suite import ALL, Suite


def known_spaces() -> dict[str, SearchSpace]:
    """Return the built-in spaces by name."""
    import search_spaces

    found = {}
    for module in pkgutil.iter_modules(search_spaces.__path__):
        found[module.name] = importlib.import_module(f"search_spaces.{module.name}").SPACE
    return found


def load_space(name: str) -> SearchSpace:
    """Return a built-in space, the space of the study in a folder, or the `SPACE` of a Python file.

    A file must be given by an explicit path (with a slash or ending in .py), since it is executed.

    Raises:
        UnknownName: there is no such space.
        BadInput: a file that has no `SPACE` or cannot be run.
    """
    if name not in known_spaces() and (Path(name) / "study.json").is_file():
        from tasksearch.records.ledger import Ledger

        return Ledger(Path(name)).config().space
    if not is_path(name):
        spaces = known_spaces()
        if name not in spaces:
            raise UnknownName("search space", name, spaces)
        return spaces[name]
    if not Path(name).exists():
        raise BadInput(
            f"no search-space file {name!r}; expected a Python file with a SPACE, or one of {', '.join(known_spaces())}"
        )
    module = run_file(Path(name), "a SPACE")
    space = getattr(module, "SPACE", None)
    if not isinstance(space, SearchSpace):
        raise BadInput(f"{name} has no SPACE that is a tasksearch.core.space.SearchSpace")
    return space


def run_file(path: Path, wanted: str) -> ModuleType:
    """Run a user's Python file and return it as a module; `wanted` names what it should define, for messages.

    Raises:
        BadInput: the file does not exist or cannot be run.
    """
    check_small(path, f"a Python file with {wanted}")
    if path.suffix != ".py":
        raise BadInput(f"{str(path)!r} does not end in .py; expected a Python file with {wanted}")
    return module_of(read_user_file(path, wanted))


def fill_in(
    space: SearchSpace,
    suite: Suite,
    languages: Sequence[str],
    *,
    continuous: bool = False,
    steps: Sequence[int] = (),
    translations: Sequence[str] = (),
    text_languages: Sequence[str] = (),
) -> SearchSpace:
    """Return the space with the suite's first tasks and its steps if it names none, and with texts and translations named.

    Args:
        languages: of the study.
        steps, translations: in place of the space's.
        text_languages: of MLM and TLM, which join the space then; empty: the study's, in a space with text.

    Raises:
        UnknownName: a task of the space is not an intermediate task of the suite, or there is no text in a language.
        BadInput: the suite has no texts, or no task has the translations that are asked for.
    """
    for task in space.tasks:
        suite.ingredient(task)
    tasks = space.tasks or suite.first_tasks or tuple(card.name for card in suite.intermediates)
    spoken: tuple[str, ...] = ()
    if space.text or text_languages:
        spoken = tuple(sorted(set(text_languages or languages)))
        tasks = tuple(dict.fromkeys((*tasks, *_texts(suite, spoken))))
    which = tuple(dict.fromkeys(translations)) or space.translations
    return dataclasses.replace(
        space,
        tasks=tasks,
        steps=tuple(steps) or space.steps or suite.steps,
        denominator=None if continuous else space.denominator,
        text_languages=spoken,
        translations=which,
        variants=_variants(suite, tasks, which, languages),
    )


def _texts(suite: Suite, languages: Sequence[str]) -> list[str]:
    """Return the names of the suite's texts in these languages, each in those that it has."""
    if not suite.texts:
        raise BadInput(f"suite {suite.name!r} has no text for MLM; expected one with a card of kind 'mlm'")
    there = sorted({language for card in suite.texts for language in card.training_languages})
    if lacking := [language for language in languages if language not in there]:
        near = next((language for language in languages if language in there), there[0])
        raise BadInput(
            f"no text of {', '.join(lacking)} for MLM in suite {suite.name!r}; "
            f"expected languages that have some, such as --mlm-language {near}, or a card of kind 'mlm' of your own"
        )
    names = []
    for card in suite.texts:
        own = card.training_languages
        if asked := [language for language in languages if language in own]:
            names.append(card.name if tuple(asked) == own else ingredient_name(card.name, asked))
    return names


def _variants(
    suite: Suite, tasks: Sequence[str], which: Sequence[str], languages: Sequence[str]
) -> tuple[tuple[str, str, str], ...]:
    """Return (word, task, name of the task so trained) for every word beside `english` and every task with translations."""
    cards = [card for task in tasks if (card := suite.card(task)).kind != "mlm" and card.by_language and not card.trains_in]
    found = []
    for word in which:
        for card in cards:
            own = [one for one in languages if one != ENGLISH and one in card.training_languages]
            if word == "all":
                found.append((word, card.name, ingredient_name(card.name, [ALL])))
            elif word == "targets" and own:
                found.append((word, card.name, ingredient_name(card.name, own)))
        if word != "english" and not any(row[0] == word for row in found):
            raise BadInput(
                f"--translations {word}: none of the tasks {', '.join(tasks)} is translated"
                + (" into a language of the study; expected some of " if cards else "; expected a card with translations")
                + ", ".join(sorted({one for card in cards for one in card.training_languages} - {ENGLISH}))
            )
    return tuple(found)
