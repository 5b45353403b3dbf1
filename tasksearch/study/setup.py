"""`prepare`: from a configuration to what the driver needs: the resolved suite, files, model, and the plan of a schedule."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.errors import BadInput, DataMissing, UnknownName
from tasksearch.core.methods import LanguageAdversary, Phase, Substitution, canonical_methods, methods_of, read_method
from tasksearch.core.own_files import UserFile, pack, references_in
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.presets import check_preset
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.core.space import NO_METHOD
from tasksearch.core.study import StudyConfig
from tasksearch.search.controls import averaged_targets
from tasksearch.study.coverage import covered_languages
from tasksearch.study.settings import settings_of, warning_of
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.suite import Suite

if TYPE_CHECKING:
    from tasksearch.tasks.source import TaskSource

OnPretrain = Callable[[int, int, float], None]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A study's inputs as found on this machine.

    Attributes:
        suite: cards of the tasks, with the study's warnings.
        data: root folder of the suite's files.
        model: hub id or folder.
        encoder: reference of the user's own encoder family; empty for none.
        sizes: intermediate task → English training examples.
        skipped: task, language and split → a line for each bad record that was passed over.
        fingerprints: task or trained target → hash of its training data.
    """

    suite: Suite
    data: str
    model: str
    sizes: dict[str, int]
    settings: PhaseSettings
    encoder: str = ""
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    def context(self, config: StudyConfig, folder: Path) -> dict[str, Any]:
        """Return the trainable's context: plain values that Ray can send to workers."""
        return {
            "suite": config.suite,
            "suite_home": self.suite.home,
            "user_files": pack(files_of(config)),
            "data": self.data,
            "model": self.model,
            "encoder": self.encoder,
            "store": str((folder / "store").absolute()),
            "skip_bad": config.skip_bad,
            "deterministic": config.deterministic,
        }

    def plan_of(self, config: StudyConfig) -> Callable[[Schedule, int], Plan]:
        """Return a function (schedule, seed) → plan. The study's seed offsets its trials' seeds, so that two studies differ."""

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


def files_of(config: StudyConfig) -> tuple[UserFile, ...]:
    """The user's own files that the study is made of."""
    return references_in(config.suite, config.sampler, config.picker, config.trainable, config.encoder)


def check_methods(config: StudyConfig, suite: Suite) -> None:
    """Check that every training method changes the training of some task of its phase, and that its files can be read.

    Raises:
        BadInput, DataMissing: one does not, or the search would use one beside the study's own of the same name.
    """
    from tasksearch.tasks.synonyms import read_synonyms
    from tasksearch.tasks.unlabelled import unlabelled_files, unlabelled_sentences

    phases: dict[Phase, tuple[str, ...]] = {"intermediate": config.space.tasks, "target": config.targets}
    searched = [text for text in config.space.methods if text != NO_METHOD]
    for text in searched:
        canonical_methods((*config.overrides.methods, text))
    for phase, names in phases.items():
        texts = methods_of((*config.overrides.methods, *searched), phase)
        kinds = {suite.card(name).kind for name in names}
        for method in map(read_method, texts):
            if method.kinds and not kinds & set(method.kinds):
                raise BadInput(
                    f"method {method.word!r} changes no task of the {phase} phase ({', '.join(names)}); expected one of the "
                    f"kinds {', '.join(method.kinds)}"
                )
            if isinstance(method, Substitution):
                if not Path(method.table).exists():
                    raise DataMissing(f"{method.table} is missing; expected the table that --method {method.word} names")
                read_synonyms(Path(method.table))
            if isinstance(method, LanguageAdversary):
                for path in unlabelled_files(Path(method.text)).values():
                    unlabelled_sentences(path, 1)


def check_metrics(suite: Suite) -> Suite:
    """Return the suite unchanged; raise UnknownName if a card's metric cannot score its kind of task."""
    from tasksearch.metrics.registry import check_metric

    for card in suite.targets:
        check_metric(card.kind, card.metric)
    return suite


def choose_targets(suite: Suite, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the requested targets, or else the suite's first targets, or else every target that needs nothing more.

    Raises:
        UnknownName: a target that is not in the suite.
    """
    known = [card.name for card in suite.targets]
    for target in targets:
        if target not in known:
            raise UnknownName(f"target in suite {suite.name!r}", target, known)
    return tuple(sorted(targets or suite.first_targets or [card.name for card in suite.targets if not card.needs]))


def choose_languages(suite: Suite, targets: Sequence[str], languages: Sequence[str]) -> tuple[str, ...]:
    """Return the requested languages, or else the suite's first languages, or else all that the targets cover.

    Languages may be given by any of their codes. English is always added where the targets cover it.

    Raises:
        LanguageNotCovered: a language that no target of the study covers, with the targets that would cover it.
    """
    known = sorted({language for target in targets for language in suite.card(target).languages})
    asked = covered_languages(suite, targets, languages)
    if not asked:
        return tuple(language for language in known if language in suite.first_languages) or tuple(known)
    return tuple(sorted({*asked, *([ENGLISH] if ENGLISH in known else [])}))


def data_folder(suite: Suite, given: str | None) -> str | None:
    """Return the folder of the suite's data: the given one, or else $TASKSEARCH_DATA.

    A suite without files needs none, and `given` (possibly None) is returned unchanged.

    Raises:
        DataMissing: the suite needs files, and the folder is not given or does not exist.
    """
    if not suite.needs_data:
        return given
    named = given or os.environ.get("TASKSEARCH_DATA")
    if not named:
        raise DataMissing(f"suite {suite.name!r} reads files: give their folder by --data DIR, or set TASKSEARCH_DATA")
    folder = Path(named).absolute()
    if not folder.is_dir():
        raise DataMissing(f"no data folder {str(folder)!r}; give another by --data DIR, or set TASKSEARCH_DATA")
    return str(folder)


def prepare(config: StudyConfig, on_pretrain: OnPretrain | None = None) -> Setup:
    """Resolve model and files and check them: generate the lab if it is missing, read all files of real tasks.

    Raises:
        DataMissing: a data folder or file is missing.
        BadInput: a record or setting is malformed, or model and suite do not fit together.
        UnknownName: a task or language that the suite does not have.
        ModelUnusable: the model cannot be loaded, or lacks the head that a task needs.
    """
    from tasksearch.models.encoder import check_masked, check_mlm_head, check_scored, load_tokenizer, shape_of
    from tasksearch.phases.context import check_files
    from tasksearch.phases.english_dev import english_dev
    from tasksearch.study.leakage import check_leakage
    from tasksearch.study.models import check_trimmed
    from tasksearch.tasks.card import POOLED
    from tasksearch.tasks.encode import check_prefix
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.source import TaskSource

    suite = load_suite(config.suite)
    lab = suite.world == "lab"
    check_methods(config, suite)
    if config.model != "lab":
        _check_model(config.model, config.encoder)  # before the lab's own is made: a wrong folder is known at once
    elif not lab:
        raise BadInput(f"suite {suite.name!r} needs --model; the lab's own model knows its generated languages alone")
    elif config.data is not None:
        raise BadInput(f"--data {config.data} needs --model: the lab's own model knows the world that the lab writes alone")
    data, model = _lab(config, on_pretrain) if lab else (data_folder(suite, config.data) or suite.home, config.model)
    suite = with_labels(suite, Path(data))
    source = TaskSource(Path(data), tokenizer=None, skip_bad=config.skip_bad)
    ingredients = [suite.card(name) for name in config.space.ingredients]
    check_files(source, [*ingredients, *(suite.card(name) for name in config.targets)], config.languages)
    for card in ingredients:
        source.check_translations(card)
    check_leakage(source, suite, config)

    _check_model(model, config.encoder)
    if masked := [card.name for card in ingredients if card.kind == "mlm"]:
        check_mlm_head(model, masked, config.encoder)
        check_masked(model, {one for card in ingredients if card.kind == "mlm" for one in card.trains_in}, config.encoder)
    scored = [suite.card(name) for name in config.targets]
    cut = check_trimmed(model, config.encoder, Path(data), scored, config.languages, allow=config.allow_trimmed)
    told = f"the model's vocabulary was not trimmed for {', '.join(map(str, cut))}" if cut else ""
    check_scored(model, config.languages, {suite.card(name).kind for name in config.targets}, config.encoder)
    sizes = {task: source.training_size(suite.card(task)) for task in config.space.tasks}
    shape = shape_of(model, config.encoder)
    check_preset(config.preset, model, shape.model_type, shape.width)
    settings = settings_of(suite, config, shape)
    for name in config.targets:
        if suite.card(name).trained and settings.for_target(name).early_stopping:
            english_dev(source, suite.card(name), settings.evaluation_examples)
    if config.few_shot:
        check_few_shot(source, scored, config)
    if suite.needs_data:
        _read_all(source, [suite.card(name) for name in config.targets], config.languages)
    settings = settings_of(suite, config, shape_of(model, config.encoder))
    if settings.retrieval.prefix and any(card.kind in POOLED for card in scored):
        check_prefix(settings.retrieval.prefix, load_tokenizer(model, config.encoder), settings.untrained.max_length)
    _check_averages(settings, config, source, suite)
    return Setup(
        suite=dataclasses.replace(suite, warning="; ".join(filter(None, (warning_of(suite, config), told)))),
        data=data,
        model=model,
        sizes=sizes,
        settings=settings,
        encoder=config.encoder,
        skipped=dict(source.skipped),
        fingerprints={
            name: signature_of(source.training_fingerprint(suite.card(name)))
            for name in (*config.space.ingredients, *config.targets)
            if suite.card(name).trained
        },
    )


def _check_averages(settings: PhaseSettings, config: StudyConfig, source: TaskSource, suite: Suite) -> None:
    """Raise BadInput if a phase of the study has fewer snapshots than it, or a control of it, is to average, or warm heads."""
    if "models" in config.controls and settings.head == "warm":
        raise BadInput("--controls models with --head warm, which gives each seed a head of its own; expected --head fresh")
    if config.space.steps:
        settings.intermediate.check_average(least := min(config.space.steps), f"an intermediate phase of {least} steps")
    controls = [averaged_targets(settings)] if "average" in config.controls else []
    for name in config.targets:
        for asked in (settings, *controls):
            own = asked.for_target(name)
            for share in {1.0, config.search_target_steps if asked is settings else 1.0}:
                cut = own.shortened(share)
                if own.average_last > 1 and suite.card(name).trained:
                    cut.check_average(cut.steps_for(source.training_size(suite.card(name))), f"the target phase of {name}")


def check_few_shot(source: TaskSource, targets: Sequence[TaskCard], config: StudyConfig) -> None:
    """Check that labelled examples can be set aside in some language, and that no language has too few of them.

    Raises:
        BadInput: one has, or there is none.
    """
    cells = [(card, language) for card in targets for language in config.languages if language in card.languages]
    if not [cell for cell in cells if source.few_shot(*cell, config.few_shot)]:
        raise BadInput(
            f"--few-shot {config.few_shot} without labelled selection examples in any language but English; expected a target "
            "and a language that have some, or 0"
        )


def _read_all(source: TaskSource, targets: Sequence[TaskCard], languages: Sequence[str]) -> None:
    """Read all examples of the targets, so that a bad line is found before the first training, not after it."""
    for card in targets:
        source.training_size(card)
        for language in languages:
            if language in card.languages:
                source.portions(card, language)


def _lab(config: StudyConfig, on_pretrain: OnPretrain | None) -> tuple[str, str]:
    """Return the lab's data and model, generating what is missing and was not given by the user."""
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab, ensure_lab_data

    recipe = LabRecipe(**dict(config.suite_options))
    if config.model != "lab":
        return config.data or str(ensure_lab_data(recipe)), config.model
    root = ensure_lab(recipe, on_progress=on_pretrain)
    return str(root.data), str(root.model)


def _check_model(model: str, encoder: str) -> None:
    """Looks at a model folder before any trial does; a hub id is only known to be good once it is loaded."""
    from tasksearch.models.encoder import check_source

    check_source(model, encoder)
