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
from tasksearch.core.space import SearchSpace
from tasksearch.tasks.suite import Suite


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

        return dataclasses.replace(Ledger(Path(name)).config().space, sizes=())  # of that study's data, maybe not of these
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
    *,
    continuous: bool = False,
    steps: Sequence[int] = (),
    rules: Sequence[str] = (),
) -> SearchSpace:
    """Return the space with the suite's first tasks and its steps if it names none; `steps` replaces the steps of both.

    `rules` replace the space's own where they are given.

    Raises:
        UnknownName: a task of the space is not an intermediate task of the suite, or a mixture rule does not exist.
        BadInput: a rule without its number, or a number out of range.
    """
    known = [card.name for card in suite.intermediates]
    for task in space.tasks:
        if task not in known:
            raise UnknownName(f"intermediate task in suite {suite.name!r}", task, known)
    return dataclasses.replace(
        space,
        tasks=space.tasks or suite.first_tasks or tuple(known),
        steps=tuple(steps) or space.steps or suite.steps,
        denominator=None if continuous else space.denominator,
        rules=tuple(rules) or space.rules,
    )
