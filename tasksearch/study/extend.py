"""`extend_study`: add trials, tasks, targets, languages or seeds to a finished study, reusing all that it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.folders import AnyPath
from tasksearch.core.options import Growth, Resources
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import Objective, StudyConfig
from tasksearch.study.configuration import check_precision
from tasksearch.study.result import StudyResult
from tasksearch.study.setup import OnPretrain, choose_languages, choose_targets
from tasksearch.study.showing import OnEvent, Progress, shown
from tasksearch.tasks.suite import Suite


@named_arguments
def extend_study(
    folder: AnyPath,
    growth: Growth,
    *,
    resources: Resources | None = None,
    progress: Progress | None = None,
    on_event: OnEvent | None = None,
    on_pretrain: OnPretrain | None = None,
) -> StudyResult:
    """Extend a finished study and run what it then lacks. If interrupted, it is resumed like any study.

    Args:
        folder: the study's folder.
        growth: what to add.
        resources, progress, on_event, on_pretrain: as for `run_study`.

    Raises:
        StudyNotReady: there is no study, or it is not finished.
        BadInput, UnknownName: something that cannot be added.
    """
    from tasksearch.records.ledger import Ledger
    from tasksearch.study.run import drive, mend_records
    from tasksearch.tasks.labels import suite_with_labels

    ledger = Ledger(Path(folder))
    mend_records(ledger, on_event)
    config = ledger.config()
    suite = suite_with_labels(config.suite, config.data)
    wanted = extended(config, suite, growth)
    with ledger.lock():
        _check_finished(ledger, config, suite)
    with shown(progress, wanted, on_event, on_pretrain) as callbacks:
        return drive(ledger, wanted, resources or Resources(), *callbacks, begin=ledger.extend_config)


def extended(config: StudyConfig, suite: Suite, growth: Growth) -> StudyConfig:
    """Return the configuration of the extended study. Pure.

    The search continues under its old objective, so that objectives of finished trials remain comparable with those of new
    ones.

    Raises:
        BadInput: nothing is added, something would be taken away, or the space is widened without trials to search it.
        UnknownName: a name that the suite does not have.
    """
    _refuse_of_a_grid(config.space, growth)
    space = _wider(config.space, suite, growth)
    trials = _total(growth.trials, config.trials)
    if space != config.space and trials == config.trials:
        raise BadInput("a wider space without more trials is not searched; expected --trials +N beside it")
    pairs = _at_least("--pairs", growth.pairs, config.pairs)
    if 2 * (pairs - config.pairs) > trials - config.trials:
        raise BadInput(
            f"--pairs {pairs} are {2 * (pairs - config.pairs)} more trainings of the search; expected --trials "
            f"+{2 * (pairs - config.pairs)} or more beside it"
        )
    targets = choose_targets(suite, (*config.targets, *growth.targets))
    languages = choose_languages(suite, targets, (*config.languages, *growth.languages))
    joins = (targets, languages) != (config.targets, config.languages)
    seeds = _at_least("--baseline-seeds", growth.baseline_seeds, config.baseline_seeds + config.more_baseline)
    wanted = dataclasses.replace(
        config,
        space=space,
        widened=config.widened + (space != config.space),
        trials=trials,
        pairs=pairs,
        targets=targets,
        languages=languages,
        objective=frozen(config, suite) if joins else config.objective,
        leaders=_at_least("--leaders", growth.leaders, config.leaders),
        leader_seeds=_at_least("--leader-seeds", growth.leader_seeds, config.leader_seeds),
        most_seeds=_at_least("--most-seeds", growth.most_seeds, config.most_seeds),
        half_width=growth.half_width or config.half_width,
        max_trainings=growth.max_trainings or config.max_trainings,
        more_baseline=seeds - config.baseline_seeds,
    )
    check_precision(wanted)
    if wanted == config:
        raise BadInput(
            f"nothing to extend {config.name!r} by: it has all that; expected such as --trials +16, --target or --language"
        )
    return wanted


def frozen(config: StudyConfig, suite: Suite) -> Objective:
    """Return the study's objective with its targets and languages listed, so that added ones do not change it."""
    languages = config.objective.languages or tuple(language for language in config.languages if language != ENGLISH)
    if config.objective.targets:
        return dataclasses.replace(config.objective, languages=languages)
    groups: dict[str, list[str]] = {}
    for target in config.targets:
        if set(suite.card(target).languages) & set(languages):
            groups.setdefault(suite.groups[target], []).append(target)
    weights = {target: 1 / (len(groups) * len(members)) for members in groups.values() for target in members}
    return Objective(targets=tuple(sorted(weights.items())), languages=languages)


def _wider(space: SearchSpace, suite: Suite, growth: Growth) -> SearchSpace:
    for task in growth.tasks:
        suite.ingredient(task)
    return dataclasses.replace(
        space,
        tasks=tuple(dict.fromkeys((*space.tasks, *growth.tasks))),
        schedules=tuple(dict.fromkeys((*space.schedules, *growth.schedules))),
        steps=tuple(dict.fromkeys((*space.steps, *growth.steps))),
    )


def _refuse_of_a_grid(space: SearchSpace, growth: Growth) -> None:
    given = [name for name in ("trials", "tasks", "schedules", "steps", "pairs") if growth.given().get(name)]
    if space.grid and given:
        raise BadInput(
            f"--{given[0].removesuffix('s')} with {space.name!r}, a grid, whose plans alone are trained; expected such as "
            f"--leaders {space.plan_count} --leader-seeds 3, three fresh seeds of each, or --target, --language"
        )


def _total(words: str | None, now: int) -> int:
    if words is None:
        return now
    try:
        total = now + int(words) if words.startswith("+") else int(words)
    except ValueError:
        raise BadInput(f"--trials {words!r}; expected such as +16, or the new total") from None
    return _at_least("--trials", total, now)


def _at_least(option: str, wanted: int | None, now: int) -> int:
    if wanted is not None and wanted < now:
        raise BadInput(f"{option} {wanted}; the study has {now} already, expected at least as many")
    return now if wanted is None else wanted


def _check_finished(ledger: Any, config: StudyConfig, suite: Suite) -> None:
    """Check that the study has ended, so that its proposals so far do not depend on when it was extended.

    Raises:
        StudyNotReady: the study is not finished.
    """
    from tasksearch.engine.completion import has_ended
    from tasksearch.records.additions import asked, lacking
    from tasksearch.records.holes import refuse_holes
    from tasksearch.search.proposals import Finished, propose

    written, additions = ledger.written(), ledger.additions()
    refuse_holes(ledger, [record.number for record in written])
    given_up = {(one.number, one.addition) for own in additions.values() for one in own if one.status == "failed"}
    pending = [one for one in lacking(written, additions, config) if (one.number, one.addition) not in given_up]
    records = asked(written, config) if ledger.history() else written
    ended = bool(records) and all(record.status != "running" for record in records) and not pending
    if ended and not has_ended(ledger, config, records) and (sizes := ledger.sizes()):
        plan_of = _plan_of(records[0].plan, config)
        ended = isinstance(propose(config, sizes, plan_of, len(records), records, suite.groups), Finished)
    if not ended:
        raise StudyNotReady(f"the study in {ledger.folder} is not finished; `tasksearch resume {ledger.folder}` first")


def _plan_of(like: Plan, config: StudyConfig) -> Callable[[Schedule, int], Plan]:
    """Return a function like that of `Setup.plan_of`, with the settings of one of the study's plans; it reads no file."""

    def plan(schedule: Schedule, seed: int) -> Plan:
        return dataclasses.replace(like, schedule=schedule, seed=1000 * config.seed + seed)

    return plan
