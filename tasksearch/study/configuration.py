"""`configure`: resolve options into a study's configuration, and turn a configuration back into options and a command."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.methods import canonical_methods, with_absolute_paths
from tasksearch.core.option import Options, check_names, options_of
from tasksearch.core.options import DEFAULT_SPACE, Places, Resources, StudyOptions, control_names
from tasksearch.core.own_files import shown
from tasksearch.core.presets import SUITE
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import LEAST_TWINS, Objective, Overrides, StudyConfig
from tasksearch.core.transfer import Transfer
from tasksearch.search.matched_pairs import default_pairs
from tasksearch.search.precision import least_trainings
from tasksearch.study.locations import kept_tracking_address
from tasksearch.study.objective import read_objective
from tasksearch.study.own_parts import encoder_name, picker_name, sampler_name, trainable_name
from tasksearch.study.presets import has_presets, preset_of, with_preset
from tasksearch.study.settings import FOR_TARGETS, settled_precision, states_a_prefix_that_it_lacks
from tasksearch.study.setup import check_metrics, choose_languages, choose_targets, data_folder
from tasksearch.study.spaces import absent_tasks, fill_in, known_spaces, load_space
from tasksearch.study.transfer import EarlierStudy, scored_cells
from tasksearch.tasks.catalogue import load_suite, suite_name
from tasksearch.tasks.languages import canonical
from tasksearch.tasks.suite import Suite
from tasksearch.tracking.address import kept as kept_address

DEFAULT_FOLDER = Path("studies")
GRID_CONTROLS = ("exposure",)
"""Controls of a grid by default: the others train mixes that its list does not have."""
T = TypeVar("T", bound=Options)
_LONGEST_NAME = 200
"""In bytes. File systems allow 255, and Optuna and MLflow append to the name."""
_ADDED_BY_CODE = ("every_target", "auto_layers", "joined")
_OF_THE_LAB = ("world_seed", "phase1_steps", "shuffled_labels")


def configure(options: StudyOptions | None = None, /, **words: Any) -> StudyConfig:
    """Resolve options into the configuration of a study.

    Args:
        options: options that the keywords are applied to; None: the defaults.
        **words: options by their names on the command line, with underscores: `trials=9`, `targets=["nli"]`,
            `learning_rate=1e-4`; settings of single targets by `target={"nli": {"batch_size": 16}}`. All of them are listed by
            `help(tasksearch.core.options.StudyOptions)`.

    Raises:
        UnknownName: a name that does not exist, with the nearest ones that do.
        BadInput: a value that is out of range or malformed.
        DataMissing: the suite needs files and their folder is not given or not there.
    """
    check_names(words, StudyOptions)
    asked = dataclasses.replace(options or StudyOptions(), **words)
    named = suite_name(asked.suite)
    suite = check_metrics(load_suite(named))
    if asked.name is not None:
        check_name(asked.name)
    data = data_folder(suite, asked.data)
    targets, encoder = choose_targets(suite, asked.targets), encoder_name(asked.encoder or "")
    languages = choose_languages(suite, targets, asked.languages)
    for target, _ in asked.target:
        if target not in targets:
            raise UnknownName("target of the study", target, targets)
    earlier = EarlierStudy.read(asked.from_study) if asked.from_study is not None else None
    raw = earlier.space if earlier and asked.space is None else load_space(asked.space or DEFAULT_SPACE)
    preset = preset_of(asked, suite, encoder)
    asked = with_preset(asked, preset, suite, targets, raw)
    space = _space(asked, raw, suite, data, languages)
    objective = read_objective(asked.objective, suite, targets, languages) if asked.objective else Objective()
    transfer = None
    if earlier is not None:
        cells = scored_cells(suite, targets, languages)
        transfer = earlier.transfer(asked.confirm, space=space, suite=suite, cells=cells, objective=objective)
    same = {one.name for one in dataclasses.fields(StudyConfig)} & {one.name for one in options_of(StudyOptions)}
    resolved: dict[str, Any] = {
        "name": asked.name or _name(asked, space, suite),
        "space": space,
        "suite": named,
        "sampler": sampler_name(asked.sampler or ("tpe" if space.variants or space.kept_up else "auto")),
        "picker": picker_name(asked.picker or ""),
        "trainable": trainable_name(asked.trainable or ""),
        "encoder": encoder,
        "preset": preset.name,
        "model": asked.model or "lab",
        "lag": asked.lag or StudyConfig.lag,
        "targets": targets,
        "guesses": suite.guesses(targets),
        "languages": languages,
        "data": data,
        "objective": objective,
        "untrained": suite.needs_data if asked.untrained is None else asked.untrained,
        "transfer": transfer,
        "trials": _trials(asked, space, transfer),
        "controls": GRID_CONTROLS if space.grid and asked.controls == StudyOptions.controls else control_names(asked.controls),
        "pairs": _pairs(asked, space, transfer),
        "tracking_uri": kept_tracking_address(asked.tracking_uri),
        "pretraining_text": tuple(str(Path(place).absolute()) for place in asked.pretraining_text),
    }
    plain: dict[str, Any] = {name: getattr(asked, name) for name in same - set(resolved)}
    asked = dataclasses.replace(asked, precision=settled_precision(asked.precision, asked.model, resolved["encoder"]))
    if asked.arm_learning_rate and not resolved["pairs"]:
        raise BadInput(
            f"--arm-learning-rate {asked.arm_learning_rate[0]} in a study without matched pairs; expected --pairs "
            f"{LEAST_TWINS} or more beside it"
        )
    config = StudyConfig(suite_options=_suite_options(asked, suite), overrides=_overrides(asked), **resolved, **plain)
    check_precision(config)
    return config


def check_precision(config: StudyConfig) -> None:
    """Raise BadInput where `--half-width` or `--max-trainings` cannot be followed."""
    if config.by_precision and config.leader_seeds < 2:
        raise BadInput(f"--leader-seeds {config.leader_seeds} beside --half-width or --max-trainings; expected at least 2")
    least = least_trainings(config)
    if config.max_trainings is not None and config.max_trainings < least:
        raise BadInput(
            f"--max-trainings {config.max_trainings}; this study has up to {least} without a further seed of any finalist: "
            f"expected at least as many, or fewer --trials, --leaders or --controls"
        )


def check_name(name: str) -> None:
    """Check that a study's name is a single folder name, so that it cannot lead out of `studies/`; raise BadInput if not."""
    if not name.strip() or name in (".", "..") or len(name.encode()) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        raise BadInput(
            f"--name {name[:80]!r}; expected the name of one folder, without '/' and at most {_LONGEST_NAME} bytes: "
            "--out says where the study is to stand"
        )


def _signature() -> inspect.Signature:
    """Build the signature of `configure`, with one keyword per option, for `help` and completion."""
    hints = StudyOptions.__annotations__
    words = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in options_of(StudyOptions)
    ]
    first = inspect.Parameter("options", inspect.Parameter.POSITIONAL_ONLY, default=None, annotation="StudyOptions | None")
    return inspect.Signature([first, *words], return_annotation="StudyConfig")


configure.__signature__ = _signature()  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A study's options, resources and places, as read from one command or one config file."""

    study: StudyOptions
    resources: Resources
    places: Places

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Build from option values of all three tables.

        Raises:
            UnknownName: a name that is in none of the tables.
            BadInput: a value that is out of range or malformed.
        """
        check_names(values, StudyOptions, Resources, Places)
        return cls(study=_part(StudyOptions, values), resources=_part(Resources, values), places=_part(Places, values))

    def config(self) -> StudyConfig:
        """Resolve the study's configuration.

        A lag that is not given is twice the trials that run at once here. A given one is raised to the number of concurrent
        trials if it is lower, so that no trial waits for one that runs beside it.
        """
        lag = self.study.lag or 2 * slots_here(self.resources)
        return configure(self.study, lag=max(lag, self.resources.concurrency or 1))

    def folder(self, config: StudyConfig) -> Path:
        """Return the folder that the study is made in."""
        return Path(self.places.out) if self.places.out else DEFAULT_FOLDER / config.name


def slots_here(resources: Resources) -> int:
    """Return the number of trials that can run at once: as asked, or as many as this machine's cores and GPUs hold."""
    if resources.concurrency:
        return resources.concurrency
    from joblib import cpu_count

    slots = int(cpu_count() / resources.cpus_per_trial)
    if resources.gpus_per_trial:
        slots = min(slots, int(_gpus_here() / resources.gpus_per_trial) or 1)
    return max(1, slots)


def _gpus_here() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([one for one in visible.split(",") if one.strip()])
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def options_for(config: StudyConfig, folder: Path | None = None) -> StudyOptions:
    """Return the options from which `configure` makes the same study.

    Args:
        config: the study's configuration.
        folder: the study's folder. It stands for the search space where no built-in name gives the same space.
    """
    aims = [*(f"{target}={weight!r}" for target, weight in config.objective.targets), *config.objective.languages]
    same = {one.name for one in dataclasses.fields(StudyConfig)} & {one.name for one in options_of(StudyOptions)}
    resolved: dict[str, Any] = {
        "from_study": None if config.transfer is None else config.transfer.folder,
        "confirm": StudyOptions.confirm if config.transfer is None else config.transfer.confirm,
        "space": _space_word(config, folder),
        "suite": shown(config.suite),
        "sampler": shown(config.sampler),
        "picker": shown(config.picker) or None,
        "trainable": shown(config.trainable) or None,
        "encoder": shown(config.encoder) or None,
        "preset": config.preset if config.preset != SUITE or has_presets(load_suite(config.suite)) else None,
        "steps": config.space.steps,
        "rules": config.space.rules,
        "arm_learning_rate": config.space.arm_learning_rates if config.pairs else (),
        "translations": config.space.translations,
        "mlm_languages": config.space.text_languages,
        "mlm_shares": config.space.kept_up,
        "continuous": config.space.denominator is None and not config.space.grid,
        "intermediate_epochs": config.space.epochs,
        "available": bool(config.space.left_out),
        "model": None if config.model == "lab" else config.model,
        "objective": ",".join(aims) or None,
        "controls": ",".join(config.controls) or "none",
        "tracking_uri": None if config.tracking_uri is None else kept_address(config.tracking_uri),
    }
    plain = {name: getattr(config, name) for name in same - set(resolved)}
    return StudyOptions(**resolved, **plain, **_override_words(config.overrides, config.space), **dict(config.suite_options))


def command_of(config: StudyConfig, folder: Path | None = None) -> str:
    """Return a `tasksearch run` command that asks for the same study."""
    options = options_for(config, folder)
    if states_a_prefix_that_it_lacks(config):
        options = dataclasses.replace(options, retrieval_prefix="")
    words: list[str] = []
    for one in options_of(StudyOptions):
        value = getattr(options, one.name)
        if value is not False or one.default is not False:
            words += one.texts(value)
    return shlex.join(["tasksearch", "run", *words])


def _space_word(config: StudyConfig, folder: Path | None) -> str:
    """Return the name of the built-in space that equals the study's, or else the study's folder."""
    wanted = config.space
    if (known := known_spaces().get(wanted.name)) is not None:
        suite, free = load_suite(config.suite), wanted.denominator is None and not wanted.grid
        same: dict[str, Any] = {"steps": wanted.steps, "epochs": wanted.epochs, "batch_size": wanted.batch_size}
        same |= {"without": wanted.left_out, "rules": wanted.rules, "learning_rates": wanted.searched_rates}
        same |= {"arm_learning_rates": wanted.arm_learning_rates}
        same |= {"translations": wanted.translations, "text_languages": wanted.text_languages, "kept_up": wanted.kept_up}
        filled = fill_in(known, suite, languages=config.languages, continuous=free, **same)
        if filled == dataclasses.replace(wanted, sizes=()):
            return wanted.name
    return wanted.name if folder is None else str(folder)


def _name(asked: StudyOptions, space: SearchSpace, suite: Suite) -> str:
    """Return the default name; one that takes mixes over has its model in it, so that it is not the earlier study's."""
    model = f"-{Path(asked.model or 'lab').name}" if asked.from_study is not None else ""
    return f"{space.name}-{suite.name}{'-shuffled' if asked.shuffled_labels else ''}{model}-seed{asked.seed}"


def _trials(asked: StudyOptions, space: SearchSpace, transfer: Transfer | None) -> int:
    """Return the number of trials: of a grid, or from another study, by default those of the mixes that are given."""
    if transfer is not None:
        least = asked.baseline_seeds + len(transfer.mixes)
        if "trials" in asked.given() and asked.trials < least:
            raise BadInput(
                f"--trials {asked.trials} with --from-study, whose {len(transfer.mixes)} mixes and {asked.baseline_seeds} "
                f"baseline seeds are {least} trials; expected at least as many, or a smaller --confirm"
            )
        return asked.trials if "trials" in asked.given() else least
    return min(asked.trials, asked.baseline_seeds + space.plan_count) if space.grid else asked.trials


def _pairs(asked: StudyOptions, space: SearchSpace, transfer: Transfer | None) -> int:
    """Return the number of matched pairs; by default none where trainings stop early, and so have different budgets."""
    if transfer is not None:
        room = _trials(asked, space, transfer) - asked.baseline_seeds - len(transfer.mixes)
        if 2 * (asked.pairs or 0) > room:
            raise BadInput(
                f"--pairs {asked.pairs} with --from-study: they are {2 * (asked.pairs or 0)} trials beside its mixes; expected "
                f"room for them by --trials, or --matched-sets"
            )
        return asked.pairs or 0
    if asked.pairs is not None or _overrides(asked).stops_early:
        return asked.pairs or 0
    return default_pairs(space, asked.trials, asked.baseline_seeds)


def _space(asked: StudyOptions, space: SearchSpace, suite: Suite, data: str | None, languages: Sequence[str]) -> SearchSpace:
    """Return the space that is searched; raise BadInput for what a grid does not take."""
    filled = fill_in(
        space,
        suite,
        continuous=asked.continuous,
        steps=asked.steps,
        rules=asked.rules,
        learning_rates=asked.intermediate_learning_rate,
        arm_learning_rates=asked.arm_learning_rate,
        epochs=asked.intermediate_epochs,
        batch_size=asked.batch_size,
        without=absent_tasks(space, suite, data) if asked.available else space.left_out,
        languages=languages,
        translations=asked.translations,
        text_languages=tuple(canonical(language) for language in asked.mlm_languages),
        kept_up=asked.mlm_shares,
    )
    for flag, varied in (("--translations", filled.variants), ("--mlm-share", filled.kept_up)):
        if varied and asked.sampler == "auto":
            raise BadInput(f"--sampler auto with {flag}, which it does not search; expected tpe or random")
    for flag, count in (("--pairs", asked.pairs), ("--matched-sets", asked.twins)):
        if filled.grid and count:
            raise BadInput(f"{flag} {count} with space {filled.name!r}, a grid, whose plans alone are trained; expected 0")
    return filled


def _part(table: type[T], values: Mapping[str, Any]) -> T:
    return table(**{one.name: values[one.name] for one in options_of(table) if one.name in values})


def _override_words(overrides: Overrides, space: SearchSpace) -> dict[str, Any]:
    words = {f.name: getattr(overrides, f.name) for f in dataclasses.fields(Overrides) if f.name not in _ADDED_BY_CODE}
    rate = words["intermediate_learning_rate"]
    return words | {"intermediate_learning_rate": space.searched_rates if rate is None else (rate,)}


def _overrides(asked: StudyOptions) -> Overrides:
    """Collect the settings that override the suite's own.

    `every_target` is set only if a setting for targets is given, so that a study without any reads as in earlier versions.
    """
    names = [f.name for f in dataclasses.fields(Overrides) if f.name not in _ADDED_BY_CODE]
    for_targets = any(getattr(asked, name) is not None for name in FOR_TARGETS)
    given = {name: getattr(asked, name) for name in names}
    rates = asked.intermediate_learning_rate  # of several the search chooses: they are the space's
    given |= {
        "intermediate_learning_rate": rates[0] if len(rates) == 1 else None,
        "methods": canonical_methods(map(with_absolute_paths, asked.methods)),
    }
    return Overrides(every_target=for_targets, **given)


def _suite_options(asked: StudyOptions, suite: Suite) -> tuple[tuple[str, Any], ...]:
    """Return the options that the lab is generated with; raise BadInput if one is given for a suite of files."""
    given = {one.name: getattr(asked, one.name) for one in options_of(StudyOptions) if one.name in _OF_THE_LAB}
    if suite.world == "lab":
        kept = {name: value for name, value in given.items() if name == "world_seed" or value}
        return tuple(sorted(kept.items()))
    for one in options_of(StudyOptions):
        if one.name in given and given[one.name] != one.default:
            raise BadInput(f"{one.flag} with suite {suite.name!r}; expected suite lab, whose world is generated")
    return ()
