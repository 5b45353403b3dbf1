"""`SinglePlan`: one plan to train outside a search, from a suite or from the study in which its mix was found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import StudyNotReady, UnknownName
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.study.run import configure
from tasksearch.study.settings import with_stated_prefix
from tasksearch.study.setup import OnPretrain, Setup, prepare
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.suite import Suite


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asks for in addition to the mix.

    Attributes:
        target: None for the encoder only.
        data, model: locations; None: the study's, or the suite's own.
        seed: of the plan; None: that of the study's training, or 0.
        features: input of classification heads; None: as in the settings.
    """

    target: str | None = None
    data: str | None = None
    model: str | None = None
    seed: int | None = None
    features: str | None = None


@dataclass(frozen=True, kw_only=True)
class SinglePlan:
    """A plan to train, with its inputs.

    Attributes:
        plan: the plan.
        setup: its suite, data and model on this machine.
        base: name of the pretrained model for the model card.
        skip_bad: number of bad records in each file that the study allowed.
        deterministic: whether the study used deterministic kernels.
        store: the study's segment store; None without a study.
        study: the study's folder; None without a study.
        record: the study's own training of the mix.
        same: whether `record` has the settings and seed of this plan.
    """

    plan: Plan
    setup: Setup
    base: str
    skip_bad: int = 0
    deterministic: bool = False
    store: str | None = None
    study: Path | None = None
    record: TrialRecord | None = None
    same: bool = False


def job_of_suite(
    suite_name: str, schedule: Schedule, wanted: Wanted, lab: dict[str, Any], on_pretrain: OnPretrain | None
) -> SinglePlan:
    """Return a plan with the suite's own settings.

    Args:
        suite_name: name or file of the suite.
        schedule: the mix.
        wanted: target, locations, seed and features.
        lab: the lab's options as `configure` takes them.
        on_pretrain: called while the lab's own model is pretrained.
    """
    suite = load_suite(suite_name)
    known = [card.name for card in suite.targets]
    if wanted.target is None:  # mining needs corpora that must be fetched by hand; do not require them for an encoder
        known = [name for name in suite.first_targets or known if suite.card(name).kind != "mining"]
    targets = _targets(suite, known, wanted.target, f"target in suite {suite.name!r}")
    config = configure(space="joint", suite=suite_name, targets=targets, model=wanted.model, data=wanted.data, **lab)
    config = dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=schedule.tasks), targets=targets)
    _check(suite, schedule, wanted.target, _with_features(suite.settings, wanted.features))
    setup = prepare(with_stated_prefix(config), on_pretrain)
    plan = Plan(
        suite=config.suite,
        schedule=schedule,
        targets=targets,
        languages=config.languages,
        settings=_with_features(setup.settings, wanted.features),
        seed=wanted.seed or 0,
    )
    return SinglePlan(plan=plan, setup=setup, base=_public_name(config.model))


def job_of_study(folder: Path, schedule: Schedule, wanted: Wanted, on_pretrain: OnPretrain | None) -> SinglePlan:
    """Return the plan by which the study trained the mix, with the differences that the user asks for."""
    from tasksearch.study.best import open_study

    config, suite, records = open_study(folder)
    targets = _targets(suite, config.targets, wanted.target, f"target in study {config.name!r}")
    _check_tasks(suite, schedule)
    record = trained_by(records, schedule, config.name, wanted.seed)
    settings = _with_features(record.plan.settings, wanted.features)
    plan = dataclasses.replace(record.plan, targets=targets, settings=settings, target_share=1.0)
    plan = plan if wanted.seed is None else plan.with_seed(wanted.seed)
    _check(suite, schedule, wanted.target, settings)
    here = _elsewhere(config, schedule, wanted)
    setup = prepare(here, on_pretrain)
    same = dataclasses.replace(plan, targets=record.plan.targets) == record.plan
    store = setup.context(config, folder)["store"]
    return SinglePlan(
        plan=plan,
        setup=setup,
        base=_public_name(here.model),
        skip_bad=config.skip_bad,
        deterministic=config.deterministic,
        store=store,
        study=folder,
        record=record,
        same=same,
    )


def _elsewhere(config: StudyConfig, schedule: Schedule, wanted: Wanted) -> StudyConfig:
    """Return the study's configuration with the mix's tasks only and the present locations of data and model."""
    space = dataclasses.replace(config.space, tasks=schedule.tasks)
    return dataclasses.replace(config, space=space, data=wanted.data or config.data, model=wanted.model or config.model)


def trained_by(records: Sequence[TrialRecord], schedule: Schedule, study: str, seed: int | None) -> TrialRecord:
    """Return the study's training of a mix: if possible with the given seed, and a finalist's rather than the search's own.

    Raises:
        StudyNotReady: no finished trial of the study trained the mix.
    """
    rank = {"finalist": 0, "baseline": 1, "design": 2, "search": 3, "pair": 4, "best-of": 5, "twin": 6}
    done = [r for r in records if r.status == "done" and r.role in rank and r.plan.schedule == schedule]
    if not done:
        trained = len({str(r.plan.schedule) for r in records if r.status == "done"})
        raise StudyNotReady(
            f"study {study!r} never scored the mix {str(schedule)!r}; expected one of its {trained} trained mixes "
            "(`tasksearch trials`), or no --study"
        )
    return min(done, key=lambda r: (seed is not None and r.plan.seed != seed, rank[r.role], r.number))


def _targets(suite: Suite, known: Sequence[str], target: str | None, kind: str) -> tuple[str, ...]:
    """Return the one target; or, for an encoder only, the targets that can be scored without further training."""
    if target is None:
        return tuple(name for name in known if not (suite.card(name).trained or suite.card(name).needs))
    if target not in known:
        raise UnknownName(kind, target, known)
    return (target,)


def _with_features(settings: PhaseSettings, features: str | None) -> PhaseSettings:
    return settings if features is None else dataclasses.replace(settings, features=features)  # type: ignore[arg-type]


def _check_tasks(suite: Suite, schedule: Schedule) -> None:
    for task in schedule.tasks:
        suite.ingredient(task)


def _check(suite: Suite, schedule: Schedule, target: str | None, settings: PhaseSettings) -> None:
    from tasksearch.export.hf_classes import check_exportable

    _check_tasks(suite, schedule)
    if target is not None:
        check_exportable(target, suite.card(target).kind, settings.features)


def _public_name(model: str) -> str:
    """Return a hub id or `lab` unchanged, and of a folder only its name: a published card must show no local path."""
    return Path(model).name if Path(model).exists() else model
