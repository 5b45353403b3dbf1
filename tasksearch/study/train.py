"""`export_model`: train one mix as a trial does, and save the target's model as a Hugging Face folder."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.errors import BadInput
from tasksearch.core.folders import AnyPath
from tasksearch.core.schedule import Schedule
from tasksearch.study.setup import OnPretrain
from tasksearch.study.single_plan import SinglePlan, Wanted, job_of_study, job_of_suite


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Result of an export.

    Attributes:
        folder: the folder that was made.
        architecture: class of transformers that loads it.
        target: None for the encoder only.
        scores: rows as in `tasksearch.json`: this model's scores per language on reporting examples.
        origin: the study's part of the model card; None without a study.
        warnings: sentences to be shown beside every number.
        registered: address in MLflow's model registry; None where it was not asked for.
    """

    folder: Path
    architecture: str
    target: str | None
    scores: tuple[dict[str, Any], ...]
    origin: dict[str, Any] | None
    warnings: tuple[str, ...]
    registered: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self) | {"folder": str(self.folder)}


@named_arguments
def export_model(
    mix: AnyPath | Schedule,
    out: AnyPath,
    *,
    target: str | None = None,
    encoder_only: bool = False,
    study: AnyPath | None = None,
    suite: str | None = None,
    data: AnyPath | None = None,
    model: AnyPath | None = None,
    seed: int | None = None,
    features: str | None = None,
    world_seed: int = 0,
    phase1_steps: int | None = None,
    force: bool = False,
    register: str | None = None,
    on_step: Any = None,
    on_pretrain: OnPretrain | None = None,
) -> Exported:
    """Train the mix with the code of a trial; save the model with the target's head, a model card and an example.

    Args:
        mix: a `mix.toml`, or the schedule itself.
        out: folder to be made.
        target: labelled target whose model is saved. Exactly one of `target` and `encoder_only` must be given.
        encoder_only: save the encoder as it is after the intermediate phase.
        study: folder of the study that the mix comes from; it provides suite, model, data, settings and segments, and scores
            for the model card.
        suite: without a study; `lab` by default.
        data, model: of the suite; with a study, their present locations.
        seed: of the plan; by default that of the study's own training of the mix, or 0 without a study.
        features: `cls` trains classification heads on `<s>` even if the settings say `pair-diff`; that is another plan.
        world_seed, phase1_steps: of the lab, without a study.
        force: replace what is in `out`.
        register: name in MLflow's model registry under which the folder becomes a new version, at the study's tracking address
            or, without a study, at `MLFLOW_TRACKING_URI`.
        on_step: called with (part, step, steps).
        on_pretrain: called with (step, steps, loss) while the lab's own model is pretrained.

    Raises:
        BadInput, UnknownName, StudyNotReady: one line each, before anything is trained.
        DiskFull: nothing half-written is left.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: studies compute with one thread
    from tasksearch.export.folder import check_out
    from tasksearch.records.mix_file import read_mix

    if (target is None) is not encoder_only:
        raise BadInput("expected either --target NAME or --encoder-only")
    mix = mix if isinstance(mix, Schedule) else Path(mix)
    out, study = Path(out), None if study is None else Path(study)
    data, model = (None if place is None else str(place) for place in (data, model))
    schedule = mix if isinstance(mix, Schedule) else read_mix(mix)
    registry = _registry(study, register) if register is not None else None
    check_out(out, force=force)
    wanted = Wanted(target=target, data=data, model=model, seed=seed, features=features)
    if study is not None:
        if suite is not None:
            raise BadInput(f"--suite {suite} beside --study: the study says which suite; leave --suite out")
        job = job_of_study(study, schedule, wanted, on_pretrain)
    else:
        lab = {"world_seed": world_seed, "phase1_steps": phase1_steps}
        job = job_of_suite(suite or "lab", schedule, wanted, lab, on_pretrain)
    command = _command(
        mix, out, target=target, study=study, suite=suite, data=data, model=model, seed=seed, features=features,
        register=register, force=force
    )  # fmt: skip
    done = _train_and_write(job, target, out, command, force=force, on_step=on_step)
    return done if registry is None else dataclasses.replace(done, registered=registry(done))


def _registry(study: Path | None, name: str) -> Callable[[Exported], str]:
    """Return a function that registers an export; check name and address first.

    Raises:
        BadInput: MLflow takes no such name, or there is no address.
        Unreachable: the address does not answer.
    """
    from tasksearch.records.ledger import Ledger
    from tasksearch.study.locations import study_id, tracking_address
    from tasksearch.tracking.address import default_uri
    from tasksearch.tracking.registry import check_registry, register_model

    if study is None and "MLFLOW_TRACKING_URI" not in os.environ:
        raise BadInput(f"--register {name} without --study; expected MLFLOW_TRACKING_URI to say where the registry is")
    if study is None:
        uri, experiment, own_id, artefacts = os.environ["MLFLOW_TRACKING_URI"], "tasksearch models", "", Path("mlartifacts")
    else:
        config = Ledger(study).config()
        uri = tracking_address(config) or default_uri(study)
        experiment, own_id, artefacts = config.name, study_id(study, config.name), study / "mlartifacts"
    check_registry(uri, name)

    def register(done: Exported) -> str:
        tags = {"tasksearch.architecture": done.architecture, "tasksearch.target": done.target or "encoder"}
        return register_model(
            uri, name, done.folder, experiment=experiment, study_id=own_id or "none", artefacts=artefacts, tags=tags
        )

    return register


def _train_and_write(job: SinglePlan, target: str | None, out: Path, command: str, *, force: bool, on_step: Any) -> Exported:
    from tasksearch import __version__
    from tasksearch.export.gather import facts_of
    from tasksearch.export.hf_classes import stock_encoder, stock_model
    from tasksearch.export.write import write_export
    from tasksearch.phases.context import open_context
    from tasksearch.phases.run import PlanRun

    suite = job.setup.suite
    setup, how = job.setup, {"skip_bad": job.skip_bad, "deterministic": job.deterministic, "encoder": job.setup.encoder}
    context = open_context(suite, setup.data, setup.model, job.store, **how)
    run = PlanRun(job.plan, context)
    for part in run.parts:
        if part.startswith("intermediate/"):
            run.run(part, on_step)
    done = [run.trained(name, on_step) for name in job.plan.targets]
    outcomes = {cell: table for part in done for cell, table in part.outcomes.items()}
    if target is None:
        stock = stock_encoder(run.encoder(), has_mlm_head=context.pretrained.has_mlm_head)
    else:
        card, head = suite.card(target), done[0].head
        assert head is not None, "a labelled target has a head"
        stock = stock_model(card.kind, done[0].model, head, card.labels)
    facts = facts_of(
        job.plan,
        suite,
        target,
        type(stock).__name__,
        outcomes,
        base=job.base,
        versions={"tasksearch": __version__} | context.facts(job.plan),
        command=command,
        documents={cell: array for name in job.plan.targets for cell, array in run.documents(name).items()},
        study=job.study,
        record=job.record,
        same=job.same,
    )
    write_export(out, stock, context.pretrained.tokenizer, facts, force=force)
    return Exported(
        folder=out,
        architecture=facts.architecture,
        target=target,
        scores=tuple(row.to_json() for row in facts.scores),
        origin=facts.origin.to_json() if facts.origin else None,
        warnings=facts.warnings,
    )


def _command(mix: Path | Schedule, out: Path, **options: Any) -> str:
    words = ["tasksearch", "train", "--mix", str(mix) if isinstance(mix, Path) else "mix.toml"]
    for name, value in options.items():
        if name == "target" and value is None:
            words.append("--encoder-only")
        elif value is True:
            words.append(f"--{name}")
        elif value not in (None, False):
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--out", str(out)])
