"""Entries of trials for a tracker. Pure: the same record gives the same entry on every replay.

Names are chosen for a comparison view: `mix/<task>` is the task's share of the intermediate phase (0 for a task left out),
`plan` the schedule in words, `dev/…` are selection examples. A trial's run holds no score on reporting examples: whoever sorted
runs by them would choose on the examples that report. Those stand with the verdict, at the study (`tracking.verdict_entry`).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH, Half, Score, ScoreTable
from tasksearch.core.signature import canonical_json, signature_of
from tasksearch.core.study import AFTERWARDS, SEARCHED, StudyConfig, TrialRecord

PREFIX: dict[Half, str] = {"select": "dev", "report": "score"}
_SHOWN: tuple[Half, ...] = ("select",)
FRESH = "objective_fresh"
"""The objective of a trial that follows the search, under a name of its own: the highest of many fresh seeds is no result."""
STATUS = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
Value = TypeVar("Value")
SHARE_OF_STEPS = "target/share_of_steps"
"""Param of a run that ran only this share of the target steps; whole runs lack it."""
_FIRST = ("objective", FRESH, "dev/all/mean", "seconds/total")
_LONGEST = 250
_UNSAFE = re.compile(r"[^\w\-. /:]")


@dataclass(frozen=True, kw_only=True)
class View:
    """How a study's trials are shown.

    Attributes:
        tasks: every intermediate task of the space.
        groups: target → group of targets; a target without one is a group of its own.
        language_groups: name → languages whose mean is a metric of its own, such as `low_resource`.
    """

    tasks: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    language_groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrackedTrial:
    """One trial as a tracker stores it. Times are milliseconds since the epoch; `files` maps name to text."""

    key: str
    name: str
    status: str
    started: int
    ended: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, str]


def entry_of(record: TrialRecord, study_id: str, view: View, *, earlier: bool = False) -> TrackedTrial:
    """Make the entry of a finished trial.

    Args:
        earlier: as earlier versions wrote it, with reporting scores; only for a run that has them already.
    """
    started = round(1000 * record.started)
    scores = record.scores if earlier else ScoreTable.of(score for score in record.scores if score.half in _SHOWN)
    unshown = sorted({score.language for score in record.scores} - {score.language for score in scores})
    tags = {
        "tasksearch.trial": f"{study_id}/{record.number}",
        "tasksearch.study": study_id,
        "tasksearch.role": record.role,
        "tasksearch.plan": record.plan.signature,
        "tasksearch.mix": record.plan.mix_signature,
        "tasksearch.record": signature_of("record", record),
        **({"tasksearch.cause": record.cause} if record.cause else {}),
        **({"tasksearch.only_reported": ", ".join(unshown)} if unshown else {}),
        **{f"tasksearch.{name}": value for name, value in record.facts},
    }
    return TrackedTrial(
        key=f"{study_id}/{record.number}",
        name=name_of(record),
        status=STATUS[record.status],
        started=started,
        ended=round(1000 * record.ended) if record.ended is not None else started,
        params=params_of(record.plan, record.role, view.tasks),
        metrics=metrics_of(record, view, earlier=earlier),
        tags=cleaned(tags),
        files={
            "plan.json": json.dumps(record.plan.to_json(), indent=1, ensure_ascii=False) + "\n",
            "scores.json": json.dumps(scores.to_json(), indent=1, ensure_ascii=False) + "\n",
            "scores.csv": csv_of(scores),
        },
    )


def name_of(record: TrialRecord) -> str:
    """Return `0023 sequential: qqp (60) → mnli (20)`, with the role unless it is a trial of the search.

    `short` stands in it where not all target steps were run.
    """
    kind = {"none": "", "joint": "joint" if len(record.plan.schedule.tasks) > 1 else "single"}
    shown = kind.get(record.plan.schedule.kind, record.plan.schedule.kind)
    role = "" if record.role in SEARCHED else str(record.role)
    short = "short" if record.plan.target_share < 1 and "short" not in role else ""
    return f"{record.number:04d} {' '.join(filter(None, (role, short, shown)))}: {record.plan.words}"[:250]


def params_of(plan: Plan, role: str, tasks: Iterable[str]) -> dict[str, str]:
    """Return the plan as columns of a comparison view."""
    schedule, settings = plan.schedule, plan.settings
    params = {f"mix/{task}": f"{float(schedule.share(task)):.4g}" for task in sorted({*tasks, *schedule.tasks})}
    params |= {
        "plan": plan.words,
        "schedule": schedule.kind,
        "order": order_of(schedule),
        "steps": str(schedule.steps),
        "role": role,
        "seed": str(plan.seed),
        "suite": plan.suite,
        "targets": ", ".join(plan.targets),
        "features": settings.features,
        "head": settings.head,
    }
    for phase, train in (("intermediate", settings.intermediate), ("target", settings.target)):
        shown = ["learning_rate", "batch_size", "warmup", "lr_policy", "mixing", "precision", "max_length"]
        shown += ["steps", "epochs", "train_examples"] if phase == "target" else []
        params |= {f"{phase}/{name}": str(getattr(train, name)) for name in shown}
    params |= {SHARE_OF_STEPS: f"{plan.target_share:g}"} if plan.target_share < 1 else {}
    params |= {"intermediate/learning_rate": str(plan.learning_rate)} if schedule.learning_rate is not None else {}
    params |= {
        f"retrieval/{name}": str(getattr(settings.retrieval, name)) for name in ("layer", "pooling", "centering", "max_length")
    }
    if settings.retrieval.prefix:
        params["retrieval/prefix"] = settings.retrieval.prefix
    if settings.retrieval.layers:
        params["retrieval/layers"] = ", ".join(f"{language} {layer}" for language, layer in settings.retrieval.layers)
    return cleaned(params)


def order_of(schedule: Schedule) -> str:
    """Return `qqp → mnli`; `together` for a joint mixture, `none` without an intermediate phase."""
    if not schedule.stages:
        return "none"
    if len(schedule.tasks) > 1 and schedule.kind == "joint":
        return "together"
    return " → ".join(schedule.order)


def is_earlier(metrics: Iterable[str]) -> bool:
    """Return whether a run with these metrics was written by an earlier version, with reporting scores; it keeps them."""
    return any(name.startswith(f"{PREFIX['report']}/") for name in metrics)


def metrics_of(record: TrialRecord, view: View, *, earlier: bool = False) -> dict[str, float]:
    """Return every selection score, means, objective and cost; only finite numbers."""
    halves: tuple[Half, ...] = ("select", "report") if earlier else _SHOWN
    metrics = {f"{PREFIX[s.half]}/{s.target}/{s.language}": s.value for s in record.scores if s.half in halves}
    for half in halves:
        prefix = PREFIX[half]
        rows = [s for s in record.scores if s.half == half and s.language != ENGLISH]
        by_target: dict[str, list[Score]] = {}
        for row in rows:
            by_target.setdefault(row.target, []).append(row)
        metrics |= {f"{prefix}/{target}/mean": mean_of(members, view.groups) for target, members in by_target.items()}
        for name, languages in {"all": {s.language for s in rows}, **view.language_groups}.items():
            members = [s for s in rows if s.language in languages]
            metrics |= {f"{prefix}/{name}/mean": mean_of(members, view.groups)} if members else {}
    metrics |= {f"seconds/{part}": seconds for part, seconds in record.seconds}
    if record.ended is not None:
        metrics["seconds/total"] = record.ended - record.started
    if record.objective is not None:
        metrics[FRESH if record.role in AFTERWARDS and not earlier else "objective"] = record.objective
    # MLflow keeps the order; its comparison shows the first metric at the start.
    metrics = {name: metrics[name] for name in _FIRST if name in metrics} | metrics
    return cleaned({name: float(value) for name, value in metrics.items() if math.isfinite(value)})


def mean_of(rows: Sequence[Score], groups: Mapping[str, str]) -> float:
    """Return the mean over languages within a target, over targets within a group, then over groups."""
    tree: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        tree.setdefault(groups.get(row.target, row.target), {}).setdefault(row.target, []).append(row.value)
    return _mean(_mean(_mean(values) for values in targets.values()) for targets in tree.values())


def study_params(config: StudyConfig) -> dict[str, str]:
    """Return the params of a study, which never change; the number of trials may, so it is a tag."""
    return {
        "space": config.space.name,
        "suite": config.suite,
        "model": config.model,
        "targets": ", ".join(config.targets),
        "languages": ", ".join(config.languages),
        "sampler": config.sampler,
        "seed": str(config.seed),
    }


def study_file(config: StudyConfig) -> str:
    """Return `study.json` without the tracking address, which may contain a password."""
    return canonical_json(config.to_json() | {"tracking_uri": None}) + "\n"


def csv_of(table: ScoreTable) -> str:
    """Return the rows of the table under a header; an empty table is a header alone."""
    text = io.StringIO()
    columns = ["target", "language", "half", "metric", "value", "examples", "seed"]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.to_json())
    return text.getvalue()


def safe_name(name: str) -> str:
    """The name with what MLflow refuses replaced by `_`, at most 250 characters."""
    return _UNSAFE.sub("_", name)[:_LONGEST]


def cleaned(named: Mapping[str, Value]) -> dict[str, Value]:
    """The values under names that MLflow takes. Of names that would be one there, those that had to change carry a hash."""
    many = Counter(safe_name(name) for name in named)
    return {_apart(name) if many[safe_name(name)] > 1 else safe_name(name): value for name, value in named.items()}


def collisions(config: StudyConfig) -> list[str]:
    """A line for every two tasks, targets or languages whose names MLflow could not tell apart."""
    lines = []
    for names in (config.space.tasks, config.targets, config.languages):
        by_name: dict[str, list[str]] = {}
        for name in names:
            by_name.setdefault(safe_name(name), []).append(name)
        for same in (each for each in by_name.values() if len(each) > 1):
            shown = ", ".join(f"{name!r} as {_apart(name)!r}" for name in same if _apart(name) != name)
            lines.append(f"MLflow cannot tell the names {' and '.join(map(repr, same))} apart; it shows {shown}")
    return lines


def _apart(name: str) -> str:
    if (safe := safe_name(name)) == name:
        return name
    return f"{safe[: _LONGEST - 7]}_{signature_of('name', name)[:6]}"


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)
