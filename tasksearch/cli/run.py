"""`tasksearch run` and `resume`: run a study from its first trial, or from where it stopped, and print its verdict."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.from_table import Config, from_tables
from tasksearch.cli.options import Json, Quiet, Study, Timings
from tasksearch.cli.printing import open_console, print_json, print_verdict, refuse_beside, verdict_json
from tasksearch.core.errors import Interrupted, Paused
from tasksearch.core.options import Changes, Places, Resources, StudyOptions

RUN_EXAMPLES = (
    "Examples: `tasksearch run`; `tasksearch run --space single_task --target nli --trials 13 --seed 1`; "
    "`tasksearch run --suite lowres --data DIR --model FacebookAI/xlm-roberta-base --target tydiqa --language swh`; "
    "`tasksearch run --trials 60 --print-config > study.toml` and `tasksearch run --config study.toml`"
)
RESUME_EXAMPLES = (
    "Examples: `tasksearch resume studies/joint_vs_seq-lab-seed0`; `tasksearch resume STUDY --matched-sets 6` adds "
    "trainings that answer joint or sequential, see `tasksearch report STUDY --question joint-vs-sequential`"
)


@from_tables
def run(
    study: StudyOptions,
    resources: Resources,
    places: Places,
    config: Config = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="print these options as a config file, and run nothing")
    ] = False,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Searches for the best intermediate mix per language; ends with the table of what was found."""
    from tasksearch.study.configuration import Asked

    asked = Asked(study=study, resources=resources, places=places)
    if print_config:
        refuse_beside("--print-config", json=as_json, quiet=quiet, timings=timings)
        from tasksearch.study.config_file import config_text

        typer.echo(config_text(asked), nl=False)
        return
    from tasksearch.study.run import run_study

    wanted = asked.config()
    folder = asked.folder(wanted)
    follow(folder, wanted, lambda **watch: run_study(wanted, folder, resources=resources, **watch), timings, quiet, as_json)


@from_tables
def resume(
    study: Study,
    changes: Changes,
    resources: Resources,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Goes on with an interrupted or killed study; what is finished is kept."""
    from tasksearch.study.best import open_suite
    from tasksearch.study.run import resume_study

    config, _ = open_suite(study)  # reads no records: `resume_study` repairs them first

    def call(**watch: Any) -> Any:
        return resume_study(study, resources=resources, twins=changes.twins, controls=changes.controls, **watch)

    follow(study, config, call, timings, quiet, as_json)


def follow(folder: Path, config: Any, call: Any, timings: bool, quiet: bool, as_json: bool) -> None:
    """Run a study with progress shown, then print its results."""
    from tasksearch.cli.progress import Watch
    from tasksearch.study.best import open_study, verdict_of
    from tasksearch.study.own_parts import reproducible

    with Watch(config, quiet=quiet or as_json) as watch:
        try:
            summary = call(on_event=watch.on_event, on_pretrain=watch.on_pretrain).summary
        except Paused as ended:
            raise Paused(_way_on(folder, str(ended).partition(";")[0])) from None
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted(_way_on(folder)) from None
    verdict = verdict_of(folder)
    facts = {
        "done": summary.done, "failed": summary.failed, "stopped": summary.stopped, "seconds": summary.seconds,
        "counts": summary.counts, "first_step_seconds": summary.first_step_seconds,
        "overhead_seconds": summary.overhead_seconds,
        "slots": dataclasses.asdict(summary.slot_use) if summary.slot_use else None,
    }  # fmt: skip
    if as_json:
        print_json(
            {
                "study": str(folder),
                "reproducible": reproducible(config),
                "summary": facts,
                "verdict": verdict_json(folder, verdict),
            }
        )
        return
    console = open_console()
    _, _, records = open_study(folder)
    print_verdict(console, folder, verdict)
    console.print()
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
        f"study    {folder}\ndetails  tasksearch best {folder} --language NAME, --target NAME or --notes\n"
        f"compare  tasksearch ui {folder}\nreport   tasksearch report {folder}",
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
    """Return what is kept, and the command that continues from there."""
    from tasksearch.records.ledger import Ledger

    ledger = Ledger(folder)
    if not ledger.has_config():
        return f"{why}; nothing was begun yet, run the same command again"
    kept = sum(record.status != "running" for record in ledger.written())
    return f"{why}; {kept} finished trials are kept; go on with: tasksearch resume {folder}"
