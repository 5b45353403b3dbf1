"""From what was asked for to what the driver needs: resolved suite, files, model, and the plan of a schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import StudyConfig
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.suite import Suite

OnPretrain = Callable[[int, int, float], None]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A study's surroundings on this machine.

    Attributes:
        data: root of the suite's files.
        model: hub id or folder.
        sizes: intermediate task → English training examples.
    """

    suite: Suite
    data: str
    model: str
    sizes: dict[str, int]
    settings: PhaseSettings

    def context(self, config: StudyConfig, folder: Path) -> dict[str, Any]:
        """Plain entries for the trainable."""
        return {"suite": config.suite, "data": self.data, "model": self.model, "store": str((folder / "store").absolute())}

    def plan_of(self, config: StudyConfig) -> Callable[[Schedule, int], Plan]:
        """(schedule, seed) → plan; a study's seed sets its trials' seeds apart from another study's."""

        def plan(schedule: Schedule, seed: int) -> Plan:
            return Plan(
                suite=config.suite,
                schedule=schedule,
                targets=config.targets,
                languages=config.languages,
                settings=self.settings,
                seed=1000 * config.seed + seed,
            )

        return plan


def choose_targets(suite: Suite, targets: Sequence[str]) -> tuple[str, ...]:
    """Targets asked for, or all of the suite's; UnknownName for one that it has not."""
    known = [card.name for card in suite.targets]
    for target in targets:
        if target not in known:
            raise UnknownName(f"target in suite {suite.name!r}", target, known)
    return tuple(sorted(targets or known))


def choose_languages(suite: Suite, targets: Sequence[str], languages: Sequence[str]) -> tuple[str, ...]:
    """Languages asked for (English always stands beside them), or all that the targets have.

    Raises:
        UnknownName: a language that no target of the study has.
    """
    known = sorted({language for target in targets for language in suite.card(target).languages})
    for language in languages:
        if language not in known:
            raise UnknownName("language among the study's targets", language, known)
    return tuple(sorted({*languages, *([ENGLISH] if ENGLISH in known else [])})) if languages else tuple(known)


def prepare(config: StudyConfig, on_pretrain: OnPretrain | None = None) -> Setup:
    """Resolves model and files, making the lab where it is not there yet, and checks that every file is.

    Raises:
        DataMissing, BadInput, UnknownName, ModelUnusable.
    """
    from tasksearch.models.encoder import check_mlm_head
    from tasksearch.phases.context import check_files
    from tasksearch.study.leakage import check_leakage
    from tasksearch.tasks.source import TaskSource

    suite = load_suite(config.suite)
    if config.model != "lab":
        _check_model(config.model)  # before the lab's own is made: a wrong folder is known at once
    elif config.suite != "lab":
        raise BadInput(f"suite {config.suite!r} needs --model; the lab's own model knows its generated languages alone")
    elif config.data is not None:
        raise BadInput(f"--data {config.data} needs --model: the lab's own model knows the world that the lab writes alone")
    data, model = _lab(config, on_pretrain) if config.suite == "lab" else (config.data or "", config.model)
    source = TaskSource(Path(data), tokenizer=None)
    check_files(source, [suite.card(name) for name in (*config.space.tasks, *config.targets)], config.languages)
    check_leakage(source, suite, config)
    _check_model(model)
    if masked := [task for task in config.space.tasks if suite.card(task).kind == "mlm"]:
        check_mlm_head(model, masked)
    sizes = {task: source.training_size(suite.card(task)) for task in config.space.tasks}
    return Setup(suite=suite, data=data, model=model, sizes=sizes, settings=_settings(suite, config))


def _settings(suite: Suite, config: StudyConfig) -> PhaseSettings:
    changed = dataclasses.replace(suite.settings.intermediate, lr_policy=config.lr_policy, mixing=config.mixing)  # type: ignore[arg-type]
    return dataclasses.replace(suite.settings, intermediate=changed)


def _lab(config: StudyConfig, on_pretrain: OnPretrain | None) -> tuple[str, str]:
    """Files and model of the lab; what was given from elsewhere is not made."""
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_root import ensure_lab, ensure_lab_data

    recipe = LabRecipe(**dict(config.suite_options))
    if config.model != "lab":
        return config.data or str(ensure_lab_data(recipe)), config.model
    root = ensure_lab(recipe, on_progress=on_pretrain)
    return str(root.data), str(root.model)


def _check_model(model: str) -> None:
    """Looks at a model folder before any trial does; a hub id is only known to be good once it is loaded."""
    from tasksearch.models.encoder import check_source

    check_source(model)
