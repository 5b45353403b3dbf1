"""`run_study` and `resume_study`: what the command line calls, and a notebook too."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, StudyNotReady, TasksearchError
from tasksearch.core.study import Objective, Overrides, StudyConfig
from tasksearch.study.moved import rebase
from tasksearch.study.objective import read_objective
from tasksearch.study.optuna_location import optuna_address, remember_optuna
from tasksearch.study.pretraining_text import keep_checked, pretraining_text
from tasksearch.study.reconcile import counts_of
from tasksearch.study.settings import FOR_TARGETS, as_begun, keep_skipped, read_controls
from tasksearch.study.setup import OnPretrain, choose_languages, choose_targets, data_folder, prepare
from tasksearch.study.spaces import fill_in, load_space
from tasksearch.study.store_location import store_address
from tasksearch.study.study_id import study_id
from tasksearch.study.tracking_location import keep_address, tracking_address
from tasksearch.study.versions import check_versions, versions_are_mixed
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tracking.address import check_answers, default_uri, masked

DEFAULT_FOLDER = Path("studies")
_LONGEST_NAME = 200
"""Bytes: file systems allow 255, and Optuna and MLflow add to it."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Where trials run; not part of the study: a resume may choose other ones.

    Attributes:
        concurrency: trials at once; None: as many as there are cores (or GPU shares), at most the study's lag.
        cpus_per_trial, gpus_per_trial: of one trial; a fraction of a GPU shares it.
        address: of a running Ray cluster (`auto`, `host:port`); None: this machine.
        store: folder or fsspec URL of the segment store; None: where the study had it, at first in its own folder.
        store_budget: bytes that the store may take.
        optuna_storage: URL of a database for the Optuna study, or `journal`; None: where the study had it, at first what
            $TASKSEARCH_OPTUNA_STORAGE says, else a journal in its folder. The study keeps the address without its password.
        keep_targets: keep every target's weights, so that another language trains nothing.
        accept_versions, retrain: what becomes of a study that other versions of the libraries trained (`study.versions`).
        snapshot_seconds: between snapshots inside a segment; None: no snapshots.
        max_seconds, max_gpu_seconds: limits of this call.
    """

    concurrency: int | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    address: str | None = None
    store: str | None = None
    store_budget: int | None = None
    optuna_storage: str | None = field(default=None, repr=False)
    keep_targets: bool = False
    accept_versions: bool = False
    retrain: bool = False
    snapshot_seconds: float | None = 600.0
    max_seconds: float | None = None
    max_gpu_seconds: float | None = None


def configure(
    *,
    space: str = "joint_vs_seq",
    suite: str = "lab",
    name: str | None = None,
    targets: Sequence[str] = (),
    languages: Sequence[str] = (),
    continuous: bool = False,
    world_seed: int = 0,
    phase1_steps: int | None = None,
    shuffled_labels: bool = False,
    steps: Sequence[int] = (),
    overrides: Mapping[str, Any] | None = None,
    objective: str | Objective | None = None,
    untrained: bool | None = None,
    controls: str = "none",
    **fields: Any,
) -> StudyConfig:
    """Resolves names into a `StudyConfig`; other fields of it are passed on as they are.

    Args:
        steps: lengths of the intermediate phase, in place of the space's and the suite's.
        overrides: fields of `core.study.Overrides`.
        objective: what the search maximises, as `--objective` has it (`nli=2,qa=1`, `tagging,sw`); None: groups evenly.
        untrained: whether the untrained reference is trained; None: for real text, since the lab's floors are measured in
            docs/lab.md.
        controls: what is trained beside the leaders: `all`, `none`, or names out of `core.study.CONTROLS` with commas.

    Raises:
        UnknownName, BadInput, DataMissing: one line each.
    """
    if name is not None:
        check_name(name)
    known = load_suite(suite)
    filled = fill_in(load_space(space), known, continuous=continuous, steps=steps)
    chosen = choose_targets(known, targets)
    options: dict[str, Any] = {"world_seed": world_seed} if suite == "lab" else {}
    if phase1_steps is not None and suite == "lab":
        options["phase1_steps"] = phase1_steps
    if shuffled_labels:
        if suite != "lab":
            raise BadInput(f"--shuffled-labels with suite {suite!r}; the lab alone can write its tasks without sense")
        options["shuffled_labels"] = True
    seed, spoken = int(fields.get("seed", 0)), choose_languages(known, chosen, languages)
    if isinstance(objective, str):
        objective = read_objective(objective, known, chosen, spoken)
    return StudyConfig(
        name=name or f"{filled.name}-{suite}{'-shuffled' if shuffled_labels else ''}-seed{seed}",
        space=filled,
        suite=suite,
        model=str(fields.pop("model", None) or "lab"),
        targets=chosen,
        languages=spoken,
        suite_options=tuple(sorted(options.items())),
        data=data_folder(known, fields.pop("data", None)),
        overrides=_overrides(overrides or {}),
        objective=objective or Objective(),
        untrained=known.needs_data if untrained is None else untrained,
        controls=read_controls(controls),
        tracking_uri=keep_address(fields.pop("tracking_uri", None)),
        **fields,
    )


def check_name(name: str) -> None:
    """Raises BadInput for a study's name that is no name of one folder: it would lead out of `studies/`."""
    if not name.strip() or name in (".", "..") or len(name.encode()) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        raise BadInput(
            f"--name {name[:80]!r}; expected the name of one folder, without '/' and at most {_LONGEST_NAME} bytes: "
            "--out says where the study is to stand"
        )


def _overrides(asked: Mapping[str, Any]) -> Overrides:
    """What is asked for holds for every target; where nothing is, a study reads as one of an earlier version."""
    for_targets = any(asked.get(name) is not None for name in FOR_TARGETS)
    return Overrides(**{"every_target": for_targets, **asked})


def run_study(
    config: StudyConfig,
    folder: Path | None = None,
    *,
    resources: Resources | None = None,
    on_event: Callable[[Any], None] | None = None,
    on_pretrain: OnPretrain | None = None,
) -> Any:
    """Runs a study to its end, or goes on with the one that stands in the folder; returns the driver's `RunSummary`.

    Raises:
        BadInput: the folder holds a study that was asked for in other words.
        TasksearchError: as `raytune.driver.run_trials` does.
    """
    from tasksearch.records.ledger import Ledger

    where = folder or DEFAULT_FOLDER / config.name
    ledger = Ledger(where)
    if ledger.has_config():
        mend_records(ledger, on_event)
        was = ledger.config()
        config = as_begun(config, was, ledger.absent())
        if was != config:
            raise BadInput(
                f"{where} holds another study ({_difference(was, config)}); choose another --name or --out, or resume that one"
            )
    return drive(ledger, config, resources or Resources(), on_event, on_pretrain)


def resume_study(
    folder: Path,
    *,
    twins: int | None = None,
    controls: str | None = None,
    resources: Resources | None = None,
    on_event: Callable[[Any], None] | None = None,
    on_pretrain: OnPretrain | None = None,
) -> Any:
    """Goes on with an interrupted study; one that is complete returns at once.

    Args:
        folder: of the study.
        resources, on_event, on_pretrain: as `run_study` takes them.
        twins: mixtures that the question joint or sequential is to be answered on, from now on; None: as the study has it.
        controls: of the baseline comparison, from now on, as `--controls` has them; None: as the study has them.

    Raises:
        StudyNotReady: the folder holds no study.
        BadInput: fewer twins than the study has.
    """
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(folder)
    mend_records(ledger, on_event)
    if twins is not None:
        _ask_twins(ledger, twins)
    if controls is not None and (named := read_controls(controls)) != (config := ledger.config()).controls:
        with ledger.lock():
            ledger.save_config(dataclasses.replace(config, controls=named))
    return drive(ledger, ledger.config(), resources or Resources(), on_event, on_pretrain)


def mend_records(ledger: Any, on_event: Callable[[Any], None] | None = None) -> None:
    """Puts damaged records aside and writes a damaged `study.json` again from its copy, before anything is read; says so.

    Raises:
        StudyNotReady: the folder holds no study.
        StudyBusy: a driver is at work in it.
    """
    ledger.config()  # a folder without a study is left as it is
    with ledger.lock():
        _say(on_event, [*ledger.mend_config(), *rebase(ledger), *ledger.mend()])


def _say(on_event: Callable[[Any], None] | None, lines: Sequence[str]) -> None:
    from tasksearch.engine.events import Notice

    for line in lines if on_event is not None else ():
        on_event(Notice(text=line))  # type: ignore[misc]


def _ask_twins(ledger: Any, twins: int) -> None:
    config = ledger.config()
    if twins < config.twins:
        raise BadInput(f"{twins} twins; the study has {config.twins} mixtures already, expected at least as many")
    if twins != config.twins:
        with ledger.lock():
            ledger.save_config(dataclasses.replace(config, twins=twins))


def drive(
    ledger: Any,
    config: StudyConfig,
    resources: Resources,
    on_event: Callable[[Any], None] | None,
    on_pretrain: OnPretrain | None,
    begin: Callable[[], None] | None = None,
) -> Any:
    """Runs what a study lacks, and closes its books; `begin` is called once nothing that was asked for is missing."""
    from tasksearch.engine.optuna_database import OptunaDatabase, check_database

    # One thread per process, before torch or faiss start theirs: bit-equal results are promised at one only.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tasksearch.store.remote import open_store
    from tasksearch.store.verification import check_store

    tracking = tracking_address(config)
    default_uri(ledger.folder)  # a path that MLflow would misread is known at once
    if tracking is not None:
        check_answers(tracking)  # a wrong address is known in seconds, before a first phase 1
    optuna_url = optuna_address(ledger.folder, resources.optuna_storage)
    if optuna_url is not None:
        check_database(optuna_url)
    store = store_address(ledger.folder, resources.store)
    open_store(store)
    setup = prepare(config, on_pretrain)  # first: a wrong model or missing data leave no study folder behind
    check_store(store)
    with ledger.lock():
        rebase(ledger)  # of a new study: where it stands
        _say(on_event, check_versions(ledger, accept=resources.accept_versions, retrain=resources.retrain))
    if begin is not None:
        begin()
    remember_optuna(ledger.folder, optuna_url)
    keep_skipped(ledger.folder, setup.skipped)
    keep_checked(ledger.folder, pretraining_text(config))
    from tasksearch.engine.limits import Limits
    from tasksearch.raytune.driver import run_trials
    from tasksearch.tracking.mlflow import MlflowTracker
    from trainables.three_phase import ThreePhase

    own_id = study_id(ledger.folder, config.name)
    database = OptunaDatabase(url=optuna_url, study=own_id) if optuna_url is not None else None
    tracker = MlflowTracker(
        tracking,
        ledger.folder,
        own_id,
        groups=setup.suite.groups,
        language_groups=setup.suite.language_groups,
    )
    try:
        summary = run_trials(
            ledger,
            config,
            ThreePhase,
            setup.context(config, ledger.folder) | _keeping(ledger.folder, store, resources),
            sizes=setup.sizes,
            groups=setup.suite.groups,
            plan_of=setup.plan_of(config),
            tracker=tracker,
            resources={
                "cpu": resources.cpus_per_trial,
                **({"gpu": resources.gpus_per_trial} if resources.gpus_per_trial else {}),
            },
            concurrency=resources.concurrency,
            address=resources.address,
            limits=Limits(seconds=resources.max_seconds, gpu_seconds=resources.max_gpu_seconds),
            tags=_tags(config, setup.suite.warning),
            optuna_storage=database,
            on_event=on_event,
        )
    except BaseException:
        with suppress(Exception):  # what ended the run is what is told
            if tracker.parent_id:
                tracker.close_study({}, {}, complete=False)
        raise
    tracker.close_study(_closing(ledger, config), _report(ledger.folder), complete=True)
    return dataclasses.replace(summary, counts=counts_of(ledger, config, tracker, database))


def _keeping(folder: Path, store: str, resources: Resources) -> dict[str, Any]:
    return {
        "store": store,
        "store_budget": resources.store_budget,
        "keep_targets": resources.keep_targets,
        "accept_versions": resources.accept_versions or versions_are_mixed(folder),
        "snapshots": [None, resources.snapshot_seconds],
    }


def _report(folder: Path) -> dict[str, Path]:
    """The report as an artefact of the study; none where a report cannot be made, which never takes a finished study down."""
    from tasksearch.study.report import FILE, write_report

    try:
        return {FILE: write_report(folder)[0]}
    except TasksearchError:
        return {}


def _tags(config: StudyConfig, warning: str) -> dict[str, str]:
    from tasksearch import __version__

    tags = {"tasksearch.version": __version__, "tasksearch.suite": config.suite, "tasksearch.model": config.model}
    return tags | ({"tasksearch.warning": warning} if warning else {})


def _closing(ledger: Any, config: StudyConfig) -> dict[str, float | str]:
    judged = [r for r in ledger.records() if r.status == "done" and r.objective is not None]
    done = [r for r in judged if r.role in ("design", "search", "finalist")]
    if not done:
        raise StudyNotReady(f"study {config.name!r} has no finished trial beside the baseline")
    best = max(done, key=lambda record: record.objective or 0.0)
    return {
        "best_objective": float(best.objective or 0.0),
        "best_schedule": str(best.plan.schedule),
        "trials": float(len(done)),
    }


def _difference(was: StudyConfig, now: StudyConfig) -> str:
    before, after = was.to_json(), now.to_json()
    key = next(key for key in before if before[key] != after.get(key))
    if key == "tracking_uri":
        return f"its runs lie at {_shown(was)}, now at {_shown(now)}"
    return f"its {key} is {before[key]!r}, now {after.get(key)!r}"[:300]


def _shown(config: StudyConfig) -> str:
    return "the study's folder" if config.tracking_uri is None else masked(config.tracking_uri)
