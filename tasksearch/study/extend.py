"""`extend_study`: add trials, tasks, targets, languages or seeds to a finished study, reusing all that it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.folders import AnyPath
from tasksearch.core.options import Growth, Resources
from tasksearch.core.plan import Plan
from tasksearch.core.presets import preset_named
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import Objective, Overrides, StudyConfig
from tasksearch.core.target_settings import read_per_target
from tasksearch.study.configuration import check_precision
from tasksearch.study.result import StudyResult
from tasksearch.study.setup import OnPretrain, choose_languages, choose_targets
from tasksearch.study.showing import OnEvent, Progress, shown
from tasksearch.study.spaces import variants_of
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
    tokens = _tokens(config) if growth.targets and preset_named(config.preset).kinds else None
    wanted = extended(config, suite, growth, tokens)
    with ledger.lock():
        _check_finished(ledger, config, suite)
    with shown(progress, wanted, on_event, on_pretrain) as callbacks:
        return drive(ledger, wanted, resources or Resources(), *callbacks, begin=ledger.extend_config)


def extended(config: StudyConfig, suite: Suite, growth: Growth, tokens: int | None = None) -> StudyConfig:
    """Return the configuration of the extended study. Pure.

    The search continues under its old objective, so that objectives of finished trials remain comparable with those of new
    ones. A target that joins takes the preset's settings for its kind, as it would have had from the beginning.

    Args:
        tokens: the longest sequence of the model; None: any.

    Raises:
        BadInput: nothing is added, something would be taken away, or the space is widened without trials to search it.
        UnknownName: a name that the suite does not have.
    """
    _refuse_of_a_grid(config.space, growth)
    trials = _total(growth.trials, config.trials)
    targets = choose_targets(suite, (*config.targets, *growth.targets))
    languages = choose_languages(suite, targets, (*config.languages, *growth.languages))
    space = _wider(config.space, suite, growth, languages if trials > config.trials else config.languages)
    if space != config.space and trials == config.trials:
        raise BadInput("a wider space without more trials is not searched; expected --trials +N beside it")
    pairs = _at_least("--pairs", growth.pairs, config.pairs)
    if 2 * (pairs - config.pairs) > trials - config.trials:
        raise BadInput(
            f"--pairs {pairs} are {2 * (pairs - config.pairs)} more trainings of the search; expected --trials "
            f"+{2 * (pairs - config.pairs)} or more beside it"
        )
    joins = (targets, languages) != (config.targets, config.languages)
    joining = [target for target in targets if target not in config.targets]
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
        overrides=_with_preset(config, suite, joining, tokens),
        leaders=_at_least("--leaders", growth.leaders, config.leaders),
        leader_seeds=_at_least("--leader-seeds", growth.leader_seeds, config.leader_seeds),
        most_seeds=_at_least("--most-seeds", growth.most_seeds, config.most_seeds),
        half_width=growth.half_width or config.half_width,
        max_trainings=growth.max_trainings or config.max_trainings,
        more_baseline=seeds - config.baseline_seeds,
        guesses=tuple(sorted({*config.guesses, *suite.guesses(joining)})) if config.guesses else (),
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


def _with_preset(config: StudyConfig, suite: Suite, joining: Sequence[str], tokens: int | None) -> Overrides:
    """Return the overrides with the preset's settings for the targets that join, but for what is given by hand."""
    preset, said = preset_named(config.preset), config.overrides

    def given(name: str) -> bool:  # by hand: what the study holds is not what its preset has put there
        value = getattr(said, name, None)
        return value is not None and value != preset.options.get(name)

    joined = dict(said.joined)
    for target in joining:
        own = {name: value for name, value in preset.kinds.get(suite.card(target).kind, {}).items() if not given(name)}
        if given("target_steps"):
            own.pop("epochs", None)
        if tokens is not None and "max_length" in own:
            own["max_length"] = min(own["max_length"], tokens)
        joined |= dict(read_per_target({target: own} if own else {}))
    return dataclasses.replace(said, joined=tuple(joined.items()))


def _tokens(config: StudyConfig) -> int:
    """Return the longest sequence that the study's model reads."""
    from tasksearch.models.encoder import shape_of

    return shape_of(config.model, config.encoder).tokens


def _wider(space: SearchSpace, suite: Suite, growth: Growth, languages: Sequence[str]) -> SearchSpace:
    """Return the space with what joins it.

    Translations of a task that joins, or into languages that join, join too. Earlier ones stay, so that mixes that were trained
    on them are still mixes of the space; what is proposed from now on has the latest.
    """
    for task in growth.tasks:
        suite.ingredient(task)
    tasks, variants = tuple(dict.fromkeys((*space.tasks, *growth.tasks))), space.variants
    if space.translations and (growth.tasks or growth.languages):
        variants = tuple(dict.fromkeys((*variants, *variants_of(suite, tasks, space.translations, languages))))
    return dataclasses.replace(
        space,
        tasks=tasks,
        variants=variants,
        texts=tuple(task for task in tasks if space.kept_up and suite.ingredient(task).kind == "mlm"),
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
        return dataclasses.replace(like, schedule=schedule, seed=1000 * config.seed + seed, target_share=1.0)

    return plan
