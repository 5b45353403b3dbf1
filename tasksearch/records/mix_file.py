"""`mix.toml`: write a schedule with explanatory comments to a readable file, and read it back."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, TasksearchError
from tasksearch.core.input_files import check_small
from tasksearch.core.methods import canonical_methods
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.results.verdict import RULES, Choice

_KEYS = ("mixture", "end", "steps", "learning_rate", "methods")


def mix_toml(choice: Choice) -> str:
    """Return the chosen mix as TOML: comments state its gain, the stages state what to train."""
    gain = choice.gain
    interval = "no interval" if gain.low is None or gain.high is None else f"[{gain.low:+.2f}, {gain.high:+.2f}]"
    notes = [
        f"The mix that tasksearch chose for {choice.name} by {choice.rule} ({RULES[choice.rule]}).",
        f"Against no intermediate phase: {choice.finding}; {gain.value:+.2f} points, {interval},",
        f"from {choice.seeds} fresh seeds (trials {', '.join(map(str, choice.trials))}) and {choice.examples} examples.",
        f"Labels of {choice.name} used: {choice.labels} in the choice, {choice.shortlist_labels} in the search's objective.",
        f"mix signature {choice.mix_signature}",
    ]
    return noted_mix(choice.schedule, notes)


def noted_mix(schedule: Schedule, notes: Sequence[str]) -> str:
    """Return a mix as TOML below its notes, each a comment of one line."""
    return "".join(f"# {_one_line(note)}\n" for note in notes) + "\n" + schedule_toml(schedule)


def schedule_toml(schedule: Schedule) -> str:
    """Return one `[[stage]]` per stage, with shares as exact fractions, and `end` if the stage is annealed."""
    if not schedule.stages:
        return "stage = []  # no intermediate phase\n"
    return "\n".join(_stage_toml(stage) for stage in schedule.stages)


def read_mix(path: Path) -> Schedule:
    """Read the schedule of a `mix.toml`.

    Raises:
        BadInput: the file is missing, not TOML, or holds anything but stages with a mixture and steps.
    """
    check_small(path, "a mix.toml as `tasksearch best --out` writes it")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not TOML: {_one_line(str(error))}") from None
    stages = data.get("stage")
    if not isinstance(stages, list) or set(data) != {"stage"}:
        found = ", ".join(sorted(data)) or "nothing"
        raise BadInput(f"{path} holds {found}; expected [[stage]] tables alone, each with mixture and steps")
    return Schedule(stages=tuple(_stage(path, place, stage) for place, stage in enumerate(stages, 1)))


def _stage(path: Path, place: int, data: Any) -> Stage:
    where = f"{path}, stage {place}"
    if not isinstance(data, Mapping) or not {"mixture", "steps"} <= set(data) <= set(_KEYS):
        found = ", ".join(sorted(data)) if isinstance(data, Mapping) else repr(data)
        raise BadInput(
            f"{where}: {found or 'nothing'}; expected mixture and steps, end where it is annealed, learning_rate and methods"
        )
    steps = data["steps"]
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise BadInput(f"{where}: steps = {steps!r}; expected a whole number, at least 1")
    rate = data.get("learning_rate")
    if rate is not None and (not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate < math.inf):
        raise BadInput(f"{where}: learning_rate = {rate!r}; expected a positive number")
    start = _mixture(where, data["mixture"])
    end = _mixture(where, data["end"]) if "end" in data else start
    methods = data.get("methods", [])
    if not isinstance(methods, list) or not all(isinstance(one, str) for one in methods):
        raise BadInput(f"{where}: methods = {methods!r}; expected a list of training methods, such as ['smoothing']")
    try:
        told = canonical_methods(methods)
    except TasksearchError as error:
        raise BadInput(f"{where}: {error}") from None
    return Stage(start=start, end=end, steps=steps, learning_rate=None if rate is None else float(rate), methods=told)


def _mixture(where: str, data: Any) -> Mixture:
    if not isinstance(data, Mapping):
        raise BadInput(f'{where}: mixture = {data!r}; expected shares by task, such as {{ mnli = "1/4", squad = "3/4" }}')
    try:
        return Mixture.of(data)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _stage_toml(stage: Stage) -> str:
    lines = ["[[stage]]", f"steps = {stage.steps}", f"mixture = {_shares(stage.start)}"]
    if stage.learning_rate is not None:
        lines.append(f"learning_rate = {stage.learning_rate!r}")
    if stage.methods:
        lines.append(f"methods = {json.dumps(list(stage.methods), ensure_ascii=False)}")
    if stage.annealed:
        lines.append(f"end = {_shares(stage.end)}")
    return "\n".join(lines) + "\n"


def _shares(mixture: Mixture) -> str:
    return "{ " + ", ".join(f"{json.dumps(task)} = {json.dumps(str(share))}" for task, share in mixture) + " }"


def _one_line(text: str) -> str:
    return " ".join(text.split())
