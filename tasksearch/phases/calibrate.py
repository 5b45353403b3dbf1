"""Training and scoring speed of this machine, measured over a few real steps.

Results are cached by machine, model, suite and settings.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import signature_of
from tasksearch.core.small_cache import read_cached, write_cached
from tasksearch.phases.context import RunContext
from tasksearch.phases.planned_work import PlannedWork
from tasksearch.phases.run import PlanRun

_STEPS = 4  # per task and target; the first step warms up and is not timed
_EXAMPLES = 16  # each of selection and reporting examples


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Duration of work on one slot, in seconds.

    Attributes:
        step: per optimiser step of phase 2, the mean over the space's tasks.
        target_step: target → seconds per optimiser step of its training.
        example: target → seconds to score one example.
        model_bytes: size of the model's weights in memory, in bytes.
        machine: machine that was measured.
    """

    step: float
    target_step: Mapping[str, float]
    example: Mapping[str, float]
    model_bytes: int
    machine: str

    def seconds(self, work: PlannedWork) -> float:
        """Return the expected duration of planned work."""
        if work.kind == "intermediate":
            return work.steps * self.step
        return work.steps * self.target_step.get(work.target, 0.0) + work.examples * self.example[work.target]

    def bytes(self, work: PlannedWork, *, keep_targets: bool = False) -> int:
        """Return the bytes that the store keeps of it, without heads and manifests.

        AdamW's moments are twice the size of the model.
        """
        if work.kind == "intermediate":
            return self.model_bytes * (3 if work.carries else 1)
        return self.model_bytes if work.kind == "target" and keep_targets else 8 * work.examples


def speed_of(plan: Plan, tasks: Sequence[str], context: RunContext, *, again: bool = False) -> tuple[Speed, bool]:
    """Return the machine's speed under a plan's settings, and whether it was measured just now.

    Args:
        plan: any plan of the study; its targets are trained for a few steps and scored on a few examples.
        tasks: intermediate tasks of the space.
        context: run context; its store is not used.
        again: measure anew even if a result is cached.
    """
    machine = f"{_device(context)}, {context.numerics}"
    recipe = [machine, context.pretrained.fingerprint, plan.suite, plan.settings, plan.targets, sorted(tasks), _STEPS]
    name = signature_of("speed", recipe)
    kept = None if again else read_cached("speed", name)
    if kept is not None:
        return Speed(**kept), False
    speed = _measured(plan, tasks, dataclasses.replace(context, store=None), machine)
    write_cached("speed", name, dataclasses.asdict(speed))
    return speed, True


def _measured(plan: Plan, tasks: Sequence[str], context: RunContext, machine: str) -> Speed:
    settings = plan.settings
    overrides = {
        target: dict(dict(settings.target_overrides).get(target, ())) | {"steps": _STEPS, "average_last": 1}
        for target in plan.targets
    }
    short = dataclasses.replace(
        settings,
        intermediate=dataclasses.replace(settings.intermediate, average_last=1),  # a handful of steps has nothing to average
        target_overrides=tuple((target, tuple(sorted(own.items()))) for target, own in overrides.items()),
        evaluation_examples=min(_EXAMPLES, settings.evaluation_examples or _EXAMPLES),
    )
    mix = Schedule.joint(Mixture.uniform(*tasks), _STEPS * len(tasks))
    clock = _Clock()
    bare = dataclasses.replace(plan, soup=(), soup_seeds=(), extra_examples=0, target_share=1.0)
    run = PlanRun(dataclasses.replace(bare, schedule=mix, settings=short), context)
    first = {segment.name: run.run(segment.name, clock) for segment in run.intermediate}
    assert first, "a mix has a stage"
    target_step, example, trained = {}, {}, dict[str, str]()
    for segment in run.targets:
        done = run.run(segment.name, clock)
        if segment.trained:  # targets of one training are trained once, by the first of them
            target_step[segment.target] = clock.seconds(trained.setdefault(segment.signature, segment.name))
        card = context.suite.card(segment.target)
        cap = short.evaluation_examples
        scored = sum(context.source.scored_examples(card, language, cap) for language in segment.languages)
        example[segment.target] = done.seconds["evaluation"] / max(1, scored)
    size = sum(p.numel() * p.element_size() for p in context.pretrained.model.parameters())
    step = statistics.fmean(clock.seconds(name) for name in first)
    return Speed(step=step, target_step=target_step, example=example, model_bytes=size, machine=machine)


class _Clock:
    """Records the times at which steps end."""

    def __init__(self) -> None:
        self._ends: dict[str, list[float]] = {}

    def __call__(self, part: str, step: int, steps: int) -> None:
        self._ends.setdefault(part, []).append(time.perf_counter())

    def seconds(self, part: str) -> float:
        """Return the mean duration of the steps after the first one."""
        ends = self._ends[part]
        return (ends[-1] - ends[0]) / max(1, len(ends) - 1)


def _device(context: RunContext) -> str:
    if context.device.type == "cuda":
        import torch

        return str(torch.cuda.get_device_name(context.device))
    return f"{platform.node()} ({platform.machine()}, {os.cpu_count()} cores)"
