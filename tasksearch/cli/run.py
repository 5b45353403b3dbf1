"""`tasksearch run` and `resume`: a study from its first trial, or from where it stopped, to the table of its verdict."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.options import (
    Address,
    Concurrency,
    Gpus,
    Json,
    KeepTargets,
    MaxGpuHours,
    MaxHours,
    OptunaStorage,
    Quiet,
    SnapshotMinutes,
    StoreBudget,
    StorePath,
    Study,
    Timings,
)
from tasksearch.cli.printing import one_of, open_console, print_json, print_verdict
from tasksearch.core.errors import AlreadyRead, BadInput, Interrupted, Paused
from tasksearch.core.study import LEADER_SEEDS, MOST_SEEDS

RUN_EXAMPLES = (
    "Examples: `tasksearch run`; `tasksearch run --space single_task --target nli --trials 13 --seed 1`; "
    "`tasksearch run --suite lowres --data DIR --model xlm-roberta-base --target tydiqa --language swh`"
)
RESUME_EXAMPLES = (
    "Examples: `tasksearch resume studies/joint_vs_seq-lab-seed0`; `tasksearch resume STUDY --twins 6` adds the trainings that "
    "`tasksearch report STUDY --question joint-vs-sequential` needs"
)


def run(
    space: Annotated[
        str, typer.Option(help="search space: a name (`tasksearch spaces`) or the path of a Python file")
    ] = "joint_vs_seq",
    suite: Annotated[str, typer.Option(help="suite of tasks")] = "lab",
    target: Annotated[list[str] | None, typer.Option(help="target task, repeatable [default: all of the suite]")] = None,
    language: Annotated[list[str] | None, typer.Option(help="language, repeatable [default: all of the targets]")] = None,
    trials: Annotated[int, typer.Option(help="trainings of the search, the baseline's seeds included, finalists not")] = 31,
    baseline_seeds: Annotated[int, typer.Option(help="seeds of the baseline, at least 3")] = 5,
    leaders: Annotated[int, typer.Option(min=1, help="leaders that are re-run on fresh seeds")] = 3,
    leader_seeds: Annotated[int, typer.Option(min=1, help="fresh seeds of each leader at first")] = LEADER_SEEDS,
    most_seeds: Annotated[int, typer.Option(min=1, help="fresh seeds of a leader while its verdict is open")] = MOST_SEEDS,
    objective: Annotated[
        str | None,
        typer.Option(
            help="what the search maximises: a target, a group (classification, tagging, qa, retrieval), a language, or "
            "weights, as in nli=2,qa=1 or tagging,sw [default: groups of targets evenly]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the study")] = 0,
    model: Annotated[str | None, typer.Option(help="XLM-R checkpoint: hub id or folder [default: the lab's own]")] = None,
    data: Annotated[
        Path | None, typer.Option(help="folder of the suite's data [default: $TASKSEARCH_DATA; the lab writes its own]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="name of the study [default: space-suite-seed]")] = None,
    out: Annotated[Path | None, typer.Option(help="study folder [default: studies/NAME]")] = None,
    sampler: Annotated[str, typer.Option(help="tpe or random")] = "tpe",
    scheduler: Annotated[str, typer.Option(help="fifo, or asha to stop weak trials early")] = "fifo",
    lag: Annotated[
        int,
        typer.Option(
            min=1, help="trial n is proposed from the results of trials 0 … n-lag; twice the trials at once keeps slots busy"
        ),
    ] = 4,
    lr_policy: Annotated[str, typer.Option(help="phase: one learning-rate curve over all stages; stage: one each")] = "phase",
    mixing: Annotated[str, typer.Option(help="task: a step is of one task; mixed: every step holds all tasks")] = "task",
    steps: Annotated[
        list[int] | None, typer.Option(help="steps of the intermediate phase, repeatable [default: the suite's]")
    ] = None,
    target_steps: Annotated[
        int | None, typer.Option(min=1, help="steps of every target phase, in place of the suite's")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="of the encoder, both phases, every target [default: the suite's]")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16 [default: the suite's]")] = None,
    train_examples: Annotated[int | None, typer.Option(min=1, help="training examples of every target, at most")] = None,
    evaluation_examples: Annotated[
        int | None,
        typer.Option("--eval-examples", "--evaluation-examples", min=1, help="scored per language and half, at most"),
    ] = None,
    retrieval_layer: Annotated[int | None, typer.Option(help="layer that retrieval pools [default: 14 of 24]")] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help="bad records passed over in each file, and told")] = 0,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="the same scores to the bit on a GPU too, in more time; a CPU repeats itself"),
    ] = False,
    untrained: Annotated[
        bool | None,
        typer.Option("--untrained/--no-untrained", help="train an encoder without pretraining once [default: for real text]"),
    ] = None,
    controls: Annotated[
        str,
        typer.Option(
            help="trained beside the leaders on fresh seeds: length (the best free baseline at the leaders' lengths), "
            "exposure (target phases as much longer as the mix; the costliest), soup (the leaders' encoders averaged); several "
            "with commas, all or none"
        ),
    ] = "all",
    twins: Annotated[
        int,
        typer.Option(min=0, help="mixtures trained jointly, annealed and one task after the other, to tell which is better"),
    ] = 0,
    twin_seeds: Annotated[int, typer.Option(min=3, help="seeds of every twin")] = 3,
    continuous: Annotated[bool, typer.Option("--continuous", help="free shares instead of eighths")] = False,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = 0.0,
    address: Address = None,
    store: StorePath = None,
    store_budget: StoreBudget = None,
    optuna_storage: OptunaStorage = None,
    keep_targets: KeepTargets = False,
    snapshot_minutes: SnapshotMinutes = 10.0,
    max_hours: MaxHours = None,
    max_gpu_hours: MaxGpuHours = None,
    tracking_uri: Annotated[str | None, typer.Option(help="MLflow server [default: SQLite in the study folder]")] = None,
    world_seed: Annotated[int, typer.Option(help="lab: seed of the generated world")] = 0,
    phase1_steps: Annotated[
        int | None, typer.Option(help="lab: shorter pretraining, for a quick look", show_default=False)
    ] = None,
    shuffled_labels: Annotated[
        bool, typer.Option("--shuffled-labels", help="lab: intermediate tasks with nothing to learn; the verdict should say so")
    ] = False,
    allow_leakage: Annotated[
        bool, typer.Option("--allow-leakage", help="start though evaluation items stand in the training data")
    ] = False,
    pretraining_text: Annotated[
        list[Path] | None,
        typer.Option(
            "--pretraining-text",
            help="text the model was pretrained on (.txt, .jsonl, .tsv, also .gz; or a folder), checked for evaluation items; "
            "repeatable [a model of `tasksearch pretrain` names its own]",
        ),
    ] = None,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Searches for the best intermediate mix per language; ends with the table of what was found."""
    from tasksearch.study.run import DEFAULT_FOLDER, configure, run_study

    one_of("--lr-policy", lr_policy, ("phase", "stage"))
    one_of("--mixing", mixing, ("task", "mixed"))
    config = configure(
        space=space, suite=suite, name=name, targets=target or (), languages=language or (), continuous=continuous,
        world_seed=world_seed, phase1_steps=phase1_steps, shuffled_labels=shuffled_labels,
        trials=trials, baseline_seeds=baseline_seeds, leaders=leaders,
        leader_seeds=leader_seeds, most_seeds=most_seeds, objective=objective, seed=seed, model=model,
        data=str(data) if data else None,
        sampler=sampler, scheduler=scheduler,
        steps=steps or (), untrained=untrained, skip_bad=skip_bad, deterministic=deterministic,
        twins=twins, twin_seeds=twin_seeds, controls=controls,
        overrides={
            "learning_rate": learning_rate, "precision": precision, "target_steps": target_steps,
            "train_examples": train_examples, "evaluation_examples": evaluation_examples, "retrieval_layer": retrieval_layer,
        },
        lag=max(lag, concurrency or 1), lr_policy=lr_policy, mixing=mixing, tracking_uri=tracking_uri,
        allow_leakage=allow_leakage, pretraining_text=tuple(str(place.absolute()) for place in pretraining_text or ()),
    )  # fmt: skip
    folder = out or DEFAULT_FOLDER / config.name
    resources = resources_of(
        concurrency, gpus_per_trial, address, store, store_budget, keep_targets, snapshot_minutes, max_hours, max_gpu_hours,
        optuna_storage,
    )  # fmt: skip
    follow(folder, config, lambda **watch: run_study(config, folder, resources=resources, **watch), timings, quiet, as_json)


def resume(
    study: Study,
    twins: Annotated[
        int | None, typer.Option(min=3, help="mixtures to tell joint from sequential by, from now on; 18 trainings each")
    ] = None,
    controls: Annotated[
        str | None,
        typer.Option(help="of the baseline comparison, from now on: length, exposure, soup, with commas; all or none"),
    ] = None,
    concurrency: Concurrency = None,
    gpus_per_trial: Gpus = 0.0,
    address: Address = None,
    store: StorePath = None,
    store_budget: StoreBudget = None,
    optuna_storage: OptunaStorage = None,
    keep_targets: KeepTargets = False,
    snapshot_minutes: SnapshotMinutes = 10.0,
    max_hours: MaxHours = None,
    max_gpu_hours: MaxGpuHours = None,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Goes on with an interrupted or killed study; what is finished is kept."""
    from tasksearch.study.best import open_study
    from tasksearch.study.run import resume_study

    config, _, _ = open_study(study)
    resources = resources_of(
        concurrency, gpus_per_trial, address, store, store_budget, keep_targets, snapshot_minutes, max_hours, max_gpu_hours,
        optuna_storage,
    )  # fmt: skip

    def call(**watch: Any) -> Any:
        return resume_study(study, resources=resources, twins=twins, controls=controls, **watch)

    follow(study, config, call, timings, quiet, as_json)


def resources_of(
    concurrency: int | None,
    gpus: float,
    address: str | None,
    store: str | None,
    store_budget: str | None,
    keep_targets: bool,
    snapshot_minutes: float,
    max_hours: float | None,
    max_gpu_hours: float | None,
    optuna_storage: str | None = None,
) -> Any:
    """Options that are not part of the study as the values that `study.run` takes."""
    from tasksearch.study.run import Resources
    from tasksearch.study.store_location import size_of

    for option, hours in (("--max-hours", max_hours), ("--max-gpu-hours", max_gpu_hours)):
        if hours is not None and not hours > 0:
            raise BadInput(f"{option} is {hours:g}; expected a positive number of hours")
    if max_gpu_hours is not None and not gpus:
        raise BadInput("--max-gpu-hours without --gpus-per-trial; expected both, trials without a GPU spend none")
    return Resources(
        concurrency=concurrency,
        gpus_per_trial=gpus,
        address=address,
        store=store,
        store_budget=size_of(store_budget) if store_budget else None,
        optuna_storage=optuna_storage,
        keep_targets=keep_targets,
        snapshot_seconds=60 * snapshot_minutes or None,
        max_seconds=None if max_hours is None else 3600 * max_hours,
        max_gpu_seconds=None if max_gpu_hours is None else 3600 * max_gpu_hours,
    )


def follow(folder: Path, config: Any, call: Any, timings: bool, quiet: bool, as_json: bool) -> None:
    """Runs a study under its progress, then prints what it came to."""
    from tasksearch.cli.progress import Watch
    from tasksearch.study.best import open_study

    with Watch(config, quiet=quiet or as_json) as watch:
        try:
            summary = call(on_event=watch.on_event, on_pretrain=watch.on_pretrain).summary
        except Paused as ended:
            raise Paused(_way_on(folder, str(ended).partition(";")[0])) from None
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted(_way_on(folder)) from None
    verdict, unread = _verdict_of(folder)
    facts = {
        "done": summary.done, "failed": summary.failed, "stopped": summary.stopped, "seconds": summary.seconds,
        "counts": summary.counts, "first_step_seconds": summary.first_step_seconds,
        "overhead_seconds": summary.overhead_seconds,
        "slots": dataclasses.asdict(summary.slot_use) if summary.slot_use else None,
    }  # fmt: skip
    if as_json:
        print_json({"study": str(folder), "summary": facts, "verdict": verdict.to_json() if verdict else None, "note": unread})
        return
    from tasksearch.reports.reference_scores import reference_table
    from tasksearch.study.reference_scores import reference_scores_of

    console = open_console()
    _, suite, records = open_study(folder)
    if verdict:
        print_verdict(console, verdict, suite.warning)
    else:
        console.print(unread, highlight=False)
    if references := reference_scores_of(folder):
        console.print(reference_table(references))
    plans = len({record.plan.mix_signature for record in records})
    console.print(
        f"{plans} plans, {len(records)} trainings ({summary.failed} failed) in {summary.seconds:.0f} s", highlight=False
    )
    if summary.slot_use:
        console.print(_slots_line(summary.slot_use), highlight=False)
    _print_store_facts(console, folder, summary, records)
    if timings and summary.first_step_seconds is not None:
        console.print(
            f"start to first training step {summary.first_step_seconds:.1f} s (phase 1 aside); "
            f"Ray, Optuna and MLflow added {summary.overhead_seconds:.2f} s a trial (median)",
            highlight=False,
        )
    console.print(
        f"study    {folder}\ndetails  tasksearch best {folder} --language NAME\ncompare  tasksearch ui {folder}\n"
        f"report   tasksearch report {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _slots_line(use: Any) -> str:
    share = use.idle_seconds / use.seconds if use.seconds else 0.0
    slots = f"{use.slots} slot" if use.slots == 1 else f"{use.slots} slots"
    return f"{slots}: {use.pauses} pauses, {use.resumes} resumes, {use.idle_seconds:.0f} slot-seconds idle ({share:.0%})"


def _print_store_facts(console: Any, folder: Path, summary: Any, records: Any) -> None:
    from tasksearch.study.additions_summary import growth_lines

    if summary.counts:
        told = ", ".join(f"{name} {count}" for name, count in summary.counts.items())
        equal = len(set(summary.counts.values())) == 1
        console.print(
            told
            + ("" if equal else ": they hold other trials or other numbers; `tasksearch resume` mends them from the records"),
            highlight=False,
        )
    damaged = {name for r in records for key, text in r.facts if key == "damaged_segments" for name in text.split(", ")}
    if damaged:
        console.print(f"{len(damaged)} damaged segments in the store were trained again", highlight=False)
    for line in growth_lines(folder):
        console.print(line, highlight=False)


def _way_on(folder: Path, why: str = "interrupted") -> str:
    """What is kept, and the command that goes on from there."""
    if not (folder / "study.json").exists():
        return f"{why}; nothing was begun yet, run the same command again"
    from tasksearch.records.ledger import Ledger

    kept = sum(record.status != "running" for record in Ledger(folder).records())
    return f"{why}; {kept} finished trials are kept; go on with: tasksearch resume {folder}"


def _verdict_of(folder: Path) -> tuple[Any, str]:
    """The verdict; the table names its rule.

    None with the reason where the study was extended and chooses anew: its reporting examples were read already.
    """
    from tasksearch.study.best import verdict_of

    try:
        return verdict_of(folder), ""
    except AlreadyRead as read:
        return None, f"no verdict printed: {read}"
