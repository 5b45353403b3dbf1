"""`run_study` and `resume_study`: run a study or continue one, from the command line or a notebook."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.errors import BadInput, TasksearchError
from tasksearch.core.folders import AnyPath
from tasksearch.core.left_as_found import left_as_found
from tasksearch.core.logs import study_log
from tasksearch.core.options import Resources, control_names
from tasksearch.core.own_files import is_reference, keep
from tasksearch.core.own_files import shown as shown_reference
from tasksearch.core.sizes import size_of
from tasksearch.core.study import StudyConfig
from tasksearch.study.closing import close_study
from tasksearch.study.configuration import DEFAULT_FOLDER, configure
from tasksearch.study.locations import optuna_address, remember_optuna, store_address, study_id, tracking_address
from tasksearch.study.moved import check_data, follow_data, rebase
from tasksearch.study.own_parts import trainable_of
from tasksearch.study.pretraining_text import keep_checked, pretraining_text
from tasksearch.study.reconcile import counts_of
from tasksearch.study.result import StudyResult
from tasksearch.study.retrieval_layers import wants_layers, with_layers
from tasksearch.study.settings import as_begun, keep_skipped, layers_note, with_stated_prefix
from tasksearch.study.setup import OnPretrain, files_of, prepare
from tasksearch.study.showing import OnEvent, Progress, shown
from tasksearch.study.versions import check_versions, versions_are_mixed
from tasksearch.tracking.address import check_answers, default_uri, masked
from tasksearch.tracking.port import Tracker

if TYPE_CHECKING:
    from tasksearch.raytune.driver import RunSummary

__all__ = ["DEFAULT_FOLDER", "Resources", "configure", "resume_study", "run_study"]
_LOG = logging.getLogger(__name__)


@named_arguments
def run_study(
    config: StudyConfig,
    folder: AnyPath | None = None,
    *,
    resources: Resources | None = None,
    progress: Progress | None = None,
    on_event: OnEvent | None = None,
    on_pretrain: OnPretrain | None = None,
) -> StudyResult:
    """Run a study to its end, or continue the one that is already in the folder.

    Args:
        config: the study's configuration, from `configure`.
        folder: the study's folder; None: `studies/NAME`.
        resources: where trials run and what each may use; None: the defaults of `Resources`.
        progress: makes a display of the running study, such as `tasksearch.progress`; None: no display.
        on_event: called with each event of `engine.events`, in the calling thread.
        on_pretrain: called with (step, steps, loss) while the lab's own model is pretrained.

    Raises:
        BadInput: the folder holds a study with another configuration.
        TasksearchError: as raised by `raytune.driver.run_trials`.
    """
    from tasksearch.records.ledger import Ledger

    where = Path(folder) if folder else DEFAULT_FOLDER / config.name
    ledger = Ledger(where)
    if ledger.has_config():
        mend_records(ledger, on_event)
        was = ledger.config()
        config = as_begun(config, was, ledger.absent())
        if was != config and dataclasses.replace(was, select=config.select) == config:
            with ledger.lock():
                ledger.save_config(config)  # the rule of the verdict decides nothing of what is trained
        elif was != config:
            raise BadInput(
                f"{where} holds another study ({_difference(was, config)}); choose another --name or --out, or resume that one"
            )
    else:
        config = with_stated_prefix(config)
    with shown(progress, config, on_event, on_pretrain) as callbacks:
        return drive(ledger, config, resources or Resources(), *callbacks)


@named_arguments
def resume_study(
    folder: AnyPath,
    *,
    twins: int | None = None,
    controls: str | None = None,
    resources: Resources | None = None,
    progress: Progress | None = None,
    on_event: OnEvent | None = None,
    on_pretrain: OnPretrain | None = None,
) -> StudyResult:
    """Continue an interrupted study. A complete study returns at once.

    Args:
        folder: the study's folder.
        resources, progress, on_event, on_pretrain: as for `run_study`.
        twins: from now on, the number of mixtures trained in matched sets to compare joint with sequential; None: unchanged.
        controls: from now on, the controls of the baseline comparison, in the form that `--controls` takes; None: unchanged.

    Raises:
        StudyNotReady: the folder holds no study.
        BadInput: `twins` is smaller than the study's present number.
    """
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(Path(folder))
    mend_records(ledger, on_event)
    if twins is not None:
        _ask_twins(ledger, twins)
    if controls is not None and (named := control_names(controls)) != (config := ledger.config()).controls:
        with ledger.lock():
            ledger.save_config(dataclasses.replace(config, controls=named))
    config = ledger.config()
    with shown(progress, config, on_event, on_pretrain) as callbacks:
        return drive(ledger, config, resources or Resources(), *callbacks)


def mend_records(ledger: Any, on_event: Callable[[Any], None] | None = None) -> None:
    """Set damaged records aside and restore a damaged `study.json` from its copy; report each repair through `on_event`.

    Raises:
        DataMissing: the study's data folder is gone, and TASKSEARCH_DATA names no other.
        StudyNotReady: the folder holds no study.
        StudyBusy: another driver is using the folder.
    """
    ledger.config()  # raises before the lock file is made, so that a folder without a study stays untouched
    with ledger.lock():
        _say(on_event, [*ledger.mend_config(), *rebase(ledger), *follow_data(ledger), *ledger.mend()])
        check_data(ledger.config())


def _say(on_event: Callable[[Any], None] | None, lines: Sequence[str]) -> None:
    from tasksearch.engine.events import Notice

    for line in lines if on_event is not None else ():
        on_event(Notice(text=line))  # type: ignore[misc]


def _ask_twins(ledger: Any, twins: int) -> None:
    config = ledger.config()
    if twins < config.twins:
        raise BadInput(f"{twins} matched sets; the study has {config.twins} already, expected at least as many")
    if twins != config.twins:
        with ledger.lock():
            ledger.save_config(dataclasses.replace(config, twins=twins))


def drive(
    ledger: Any,
    config: StudyConfig,
    resources: Resources,
    on_event: OnEvent | None,
    on_pretrain: OnPretrain | None,
    begin: Callable[[StudyConfig], None] | None = None,
) -> StudyResult:
    """Run the trials that a study still lacks, then close it.

    `begin` is called with the complete configuration once all inputs are checked and before any trial runs. The study's log is
    written meanwhile. Afterwards the environment variables, log levels and signal handlers of the calling process are restored.
    """
    from tasksearch import __version__

    with study_log(ledger.folder), left_as_found():
        _LOG.info("tasksearch %s on %s: study %r in %s", __version__, socket.gethostname(), config.name, ledger.folder)
        _LOG.info("asked for: %s; %s", config, resources)
        try:
            summary = _run_and_close(ledger, config, resources, on_event, on_pretrain, begin)
        except TasksearchError as ended:
            _LOG.warning("ended by %s: %s", type(ended).__name__, ended)
            raise
        except Exception as error:
            _LOG.critical("ended by an unexpected error: %s", error, exc_info=error)
            raise
        _LOG.info("the study is closed: %s", summary)
    return StudyResult(folder=ledger.folder, summary=summary)


def _run_and_close(
    ledger: Any,
    config: StudyConfig,
    resources: Resources,
    on_event: OnEvent | None,
    on_pretrain: OnPretrain | None,
    begin: Callable[[StudyConfig], None] | None,
) -> RunSummary:
    from tasksearch.engine.optuna_database import OptunaDatabase, check_database
    from tasksearch.raytune.provenance import check_trained_by

    # Set one thread per process before torch or faiss start theirs: results are bit-identical with one thread only.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tasksearch.raytune.cluster import check_place
    from tasksearch.store.remote import open_store
    from tasksearch.store.verification import check_store

    check_place(resources.address)

    tracking = tracking_address(config)
    default_uri(ledger.folder)  # reject a path that MLflow would misread now, not after the data are read
    if tracking is not None:
        check_answers(tracking)  # find a wrong address in seconds, before any pretraining starts
    optuna_url = optuna_address(ledger.folder, resources.optuna_storage)
    if optuna_url is not None:
        check_database(optuna_url)
    store = store_address(ledger.folder, resources.store)
    open_store(store)
    _LOG.info("preparing: reading data and model")
    setup = prepare(config, on_pretrain)  # before the folder is written, so that bad inputs leave no study behind
    config = dataclasses.replace(config, space=config.space.with_sizes(setup.sizes))
    check_store(store)
    if wants_layers(config):
        _say(on_event, ["retrieval layers: read on the pretrained model"])
        config, setup = with_layers(config, setup)
        _say(on_event, [told for told in [layers_note(config)] if told])
    if (precision := config.overrides.precision) is not None:
        _say(on_event, [f"forward and backward passes run in {precision}, with fp32 weights"])
    _LOG.info("prepared: data in %s, model %s, store %s", setup.data, setup.model, store)
    with ledger.lock():
        rebase(ledger)  # in a new study this records the folder's location
        _say(on_event, check_versions(ledger, accept=resources.accept_versions, retrain=resources.retrain))
    if begin is not None:
        if not resources.accept_versions:
            check_trained_by(ledger.folder, ledger.written())  # before the study is changed: that code may not read it then
        begin(config)
    remember_optuna(ledger.folder, optuna_url)
    keep(ledger.folder, files_of(config))
    keep_skipped(ledger.folder, setup.skipped)
    keep_checked(ledger.folder, pretraining_text(config))
    from tasksearch.engine.limits import Limits
    from tasksearch.raytune.driver import run_trials
    from tasksearch.tracking.entries import View
    from tasksearch.tracking.mlflow import MlflowTracker
    from tasksearch.tracking.several import SeveralTrackers
    from tasksearch.tracking.tensorboard import FOLDER, TensorBoardTracker

    own_id = study_id(ledger.folder, config.name)
    database = OptunaDatabase(url=optuna_url, study=own_id) if optuna_url is not None else None
    groups, language_groups = setup.suite.groups, setup.suite.language_groups
    mlflow = MlflowTracker(
        tracking,
        ledger.folder,
        own_id,
        groups=groups,
        language_groups=language_groups,
        fingerprints=setup.fingerprints,
    )
    tracker: Tracker = mlflow
    if resources.tensorboard:
        view = View(groups=groups, language_groups=language_groups)
        tracker = SeveralTrackers(mlflow, TensorBoardTracker(ledger.folder / FOLDER, own_id, view))
    try:
        summary = run_trials(
            ledger,
            config,
            trainable_of(config),
            setup.context(config, ledger.folder) | _keeping(ledger.folder, store, resources) | _device(resources),
            sizes=setup.sizes,
            groups=groups,
            plan_of=setup.plan_of(config),
            tracker=tracker,
            resources={"cpu": resources.cpus_per_trial, "gpu": resources.gpus_per_trial},
            concurrency=resources.concurrency,
            address=resources.address,
            limits=Limits(seconds=_seconds(resources.max_hours), gpu_seconds=_seconds(resources.max_gpu_hours)),
            tags=_tags(config, setup.suite.warning),
            optuna_storage=database,
            on_event=on_event,
            accept_versions=resources.accept_versions,
        )
    except BaseException:
        with suppress(Exception):  # report the error that ended the run, not one from closing the tracker
            if mlflow.parent_id:
                tracker.close_study({}, {}, complete=False)
        raise
    close_study(tracker, ledger, config, database, lambda text: _say(on_event, [text]))
    return dataclasses.replace(summary, counts=counts_of(ledger, config, mlflow, database))


def _device(resources: Resources) -> dict[str, str]:
    """Return the device that trials must use: the CPU if they request no GPU.

    This must be stated, since a worker sees every GPU of its machine, including those that Ray does not count for its trial.
    """
    return {"device": "cpu"} if resources.gpus_per_trial == 0 else {}


def _keeping(folder: Path, store: str, resources: Resources) -> dict[str, Any]:
    from tasksearch.store.eviction import default_budget

    return {
        "store": store,
        "store_budget": size_of(resources.store_budget) if resources.store_budget else default_budget(store),
        "keep_targets": resources.keep_targets,
        "accept_versions": resources.accept_versions or versions_are_mixed(folder),
        "snapshots": [None, 60 * resources.snapshot_minutes or None],
        "memory": size_of(resources.memory_per_trial) if resources.memory_per_trial else None,
    }


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else 3600 * hours


def _tags(config: StudyConfig, warning: str) -> dict[str, str]:
    from tasksearch import __version__

    tags = {"tasksearch.version": __version__, "tasksearch.suite": config.suite, "tasksearch.model": config.model}
    tags |= {"tasksearch.from_study": config.transfer.study} if config.transfer else {}
    return tags | ({"tasksearch.warning": warning} if warning else {})


def _difference(was: StudyConfig, now: StudyConfig) -> str:
    before, after = was.to_json(), now.to_json()
    key = next((key for key in before if before[key] != after.get(key)), "transfer")
    if is_reference(str(before[key])) and is_reference(str(after.get(key))):
        named = shown_reference(str(before[key]))
        return f"its {key} {named} has changed since, or is another file; the study keeps a copy of what it was"
    if key == "transfer":
        return "its mixes come from another study, or that study has had trials since"
    if key == "tracking_uri":
        return f"its runs lie at {_shown(was)}, now at {_shown(now)}"
    return f"its {key} is {before[key]!r}, now {after.get(key)!r}"[:300]


def _shown(config: StudyConfig) -> str:
    return "the study's folder" if config.tracking_uri is None else masked(config.tracking_uri)
