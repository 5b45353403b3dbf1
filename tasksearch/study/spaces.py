"""Search spaces by name, or by the path of a user's Python file."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tasksearch.core.arm_rates import read_arm_rates
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.input_files import check_small
from tasksearch.core.methods import with_absolute_paths
from tasksearch.core.mixture import base_task
from tasksearch.core.own_files import is_path, module_of, read_user_file
from tasksearch.core.score import ENGLISH
from tasksearch.core.space import NO_METHOD, SearchSpace
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
    learning_rates: Sequence[float] = (),
    arm_learning_rates: object = (),
    epochs: Sequence[float] = (),
    batch_size: int | None = None,
    without: Sequence[str] = (),
    languages: Sequence[str] = (),
    translations: Sequence[str] = (),
    text_languages: Sequence[str] = (),
    kept_up: Sequence[str] = (),
) -> SearchSpace:
    """Return the space with the suite's first tasks and its steps if it names none; `steps` replaces the steps of both.

    Texts and translations are named by their languages.

    Args:
        rules: mixture rules in place of the space's own.
        learning_rates: in place of the space's own; a single one is a setting of the study and leaves the space without any.
        arm_learning_rates: of matched pairs' arms, in place of the space's own (`core.arm_rates`).
        epochs: lengths of a grid's plans, in place of steps.
        batch_size: of the intermediate phase; None: the suite's.
        without: tasks of the space that are left out, and a grid's plans with them.
        languages: of the study.
        translations: in place of the space's.
        kept_up: shares of text beside every stage, in place of the space's.
        text_languages: of MLM and TLM, which join the space then; empty: the study's, in a space with text.

    Raises:
        UnknownName: a task of the space is not an intermediate task of the suite, or has no data in a language that it names;
            or a mixture rule does not exist.
        BadInput: no task is left; no text in a language, or no task with translations that are asked for; or a grid is given
            what only drawn mixes have, or the other way round.
    """
    space = _reduced(space, without)
    known = [card.name for card in suite.intermediates]
    if space.grid and (gone := [task for task in space.named_tasks if not _is_there(suite, task)]):
        if base_task(gone[0]) in known:
            suite.ingredient(gone[0])  # says in which languages the task can be trained
        raise BadInput(
            f"suite {suite.name!r} lacks {', '.join(gone)} of the grid {space.name!r}; expected a suite that has them, or "
            "--available, which leaves them out"
        )
    for task in space.named_tasks:
        suite.ingredient(task)
    if not space.grid:
        if epochs:
            raise BadInput(
                f"--intermediate-epochs with space {space.name!r}, whose mixes are drawn; expected a grid, or --steps"
            )
        tasks, spoken = space.tasks or suite.first_tasks or tuple(known), tuple[str, ...]()
        if space.text or text_languages:
            spoken = tuple(sorted(set(text_languages or languages)))
            tasks = tuple(dict.fromkeys((*tasks, *_texts(suite, spoken))))
        which, kept = tuple(dict.fromkeys(translations)) or space.translations, tuple(kept_up) or space.kept_up
        texts = tuple(task for task in tasks if kept and suite.ingredient(task).kind == "mlm")
        if kept and not texts:
            raise BadInput(
                f"--mlm-share {kept[0]} in space {space.name!r}, which has no text; expected --space joint_vs_seq_mlm, or "
                "--mlm-language beside it"
            )
        return dataclasses.replace(
            space,
            tasks=tasks,
            text_languages=spoken,
            kept_up=kept,
            texts=texts,
            translations=which,
            variants=variants_of(suite, tasks, which, languages),
            steps=tuple(steps) or space.steps or suite.steps,
            methods=tuple(one if one == NO_METHOD else with_absolute_paths(one) for one in space.methods),
            learning_rates=() if len(learning_rates) == 1 else tuple(dict.fromkeys(learning_rates)) or space.learning_rates,
            arm_learning_rates=read_arm_rates(arm_learning_rates) or space.arm_learning_rates,
            denominator=None if continuous else space.denominator,
            rules=tuple(rules) or space.rules,
        )
    if rules:
        raise BadInput(f"--rule {rules[0]} with space {space.name!r}, a grid, whose plans have theirs; expected drawn mixes")
    if translations or text_languages or kept_up:
        flag = "--translations" if translations else "--mlm-language" if text_languages else "--mlm-share"
        raise BadInput(
            f"{flag} with space {space.name!r}, a grid, whose plans are given; expected a space of drawn mixes, or plans that "
            "name such tasks: mnli:all, mlm:sw+yo"
        )
    if arm_learning_rates:
        raise BadInput(
            f"--arm-learning-rate with space {space.name!r}, a grid, which has no matched pairs; expected a space of drawn "
            "mixes"
        )
    if continuous:
        raise BadInput(
            f"--continuous with space {space.name!r}, a grid, whose plans are given; expected a space of drawn mixes"
        )
    if len(rates := tuple(learning_rates) or space.learning_rates) > 1:
        raise BadInput(
            f"learning rates {', '.join(f'{rate:g}' for rate in rates)} with space {space.name!r}, a grid, whose plans are "
            "given; expected one rate, or a space of drawn mixes"
        )
    relative = any(plan.is_relative for plan in space.grid)
    base = space.tasks or (suite.first_tasks or tuple(known) if relative else ())
    passes = tuple(epochs) or (() if steps else space.epochs)
    return dataclasses.replace(
        space,
        tasks=tuple(dict.fromkeys((*base, *space.named_tasks))),
        steps=() if passes else tuple(steps) or space.steps or suite.steps[:1],
        learning_rates=() if learning_rates else space.learning_rates,
        epochs=passes,
        batch_size=(batch_size or suite.settings.intermediate.batch_size) if passes else None,
    )


def absent_tasks(space: SearchSpace, suite: Suite, data: str | None) -> tuple[str, ...]:
    """Return the tasks of the space that the suite lacks, or whose data are neither in the folder nor on the hub."""
    from tasksearch.tasks.source import TaskSource

    source = TaskSource(Path(data or suite.home), tokenizer=None) if suite.world != "lab" else None
    return tuple(
        task
        for task in space.named_tasks
        if not _is_there(suite, task) or (source is not None and source.missing(suite.card(task), ()))
    )


def _is_there(suite: Suite, task: str) -> bool:
    try:
        suite.ingredient(task)
    except UnknownName:
        return False
    return True


def _reduced(space: SearchSpace, without: Sequence[str]) -> SearchSpace:
    """Return the space without these tasks; a grid without the plans that name one of them."""
    if not without:
        return space
    gone = set(without)
    grid = []
    for plan in space.grid:
        if plan.beside in gone:
            continue
        if plan.each and plan.tasks:
            kept = tuple(task for task in plan.tasks if task not in gone)
            grid += [dataclasses.replace(plan, tasks=kept)] if kept else []
        elif not gone & set(plan.asked_tasks):
            grid.append(plan)
    left = dataclasses.replace(
        space,
        tasks=tuple(task for task in space.tasks if task not in gone),
        grid=tuple(grid),
        left_out=tuple(task for task in space.named_tasks if task in gone),
    )
    if space.named_tasks and not left.named_tasks:
        raise BadInput(
            f"none of the tasks of space {space.name!r} is there: {', '.join(space.named_tasks)}; expected one or more"
        )
    return left


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


def variants_of(
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
