"""How fast this machine trains and scores: a few steps really taken, kept by machine, model, suite and settings."""

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

_STEPS = 4  # of each task and target: the first pays for warming up, the median of the others counts
_EXAMPLES = 16  # of each half


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds of work on one slot.

    Attributes:
        step: of an optimiser step of phase 2, the mean over the space's tasks.
        target_step: target → seconds of a step of its training.
        example: target → seconds of scoring an example.
        model_bytes: of the model's weights in fp32.
        machine: what it was measured on.
    """

    step: float
    target_step: Mapping[str, float]
    example: Mapping[str, float]
    model_bytes: int
    machine: str

    def seconds(self, work: PlannedWork) -> float:
        """What a piece of work takes."""
        if work.kind == "intermediate":
            return work.steps * self.step
        return work.steps * self.target_step.get(work.target, 0.0) + work.examples * self.example[work.target]

    def bytes(self, work: PlannedWork, *, keep_targets: bool = False) -> int:
        """What the store keeps of it, heads and manifests aside; AdamW's moments are two more models."""
        if work.kind == "intermediate":
            return self.model_bytes * (3 if work.carries else 1)
        return self.model_bytes if work.kind == "target" and keep_targets else 8 * work.examples


def speed_of(plan: Plan, tasks: Sequence[str], context: RunContext, *, again: bool = False) -> tuple[Speed, bool]:
    """The machine's speed on a plan's settings, and whether it was measured now.

    Args:
        plan: any of the study; its targets are trained for a few steps, and scored on a few examples of their first language.
        tasks: intermediate tasks of the space.
        context: its store is not used.
        again: measure anew.
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
    overrides = {target: dict(dict(settings.target_overrides).get(target, ())) | {"steps": _STEPS} for target in plan.targets}
    short = dataclasses.replace(
        settings,
        target_overrides=tuple((target, tuple(sorted(own.items()))) for target, own in overrides.items()),
        evaluation_examples=min(_EXAMPLES, settings.evaluation_examples or _EXAMPLES),
    )
    mix = Schedule.joint(Mixture.uniform(*tasks), _STEPS * len(tasks))
    clock = _Clock()
    run = PlanRun(dataclasses.replace(plan, schedule=mix, settings=short, soup=(), extra_examples=0), context)
    first = {segment.name: run.run(segment.name, clock) for segment in run.intermediate}
    assert first, "a mix has a stage"
    target_step, example = {}, {}
    for segment in run.targets:
        done = run.run(segment.name, clock)
        if segment.trained:
            target_step[segment.target] = clock.seconds(segment.name)
        card = context.suite.card(segment.target)
        scored = sum(
            len(portion.examples)
            for language in segment.languages
            for portion in context.source.portions(card, language, short.evaluation_examples)
        )
        example[segment.target] = done.seconds["evaluation"] / max(1, scored)
    size = sum(p.numel() * p.element_size() for p in context.pretrained.model.parameters())
    step = statistics.fmean(clock.seconds(name) for name in first)
    return Speed(step=step, target_step=target_step, example=example, model_bytes=size, machine=machine)


class _Clock:
    """Notes when steps end."""

    def __init__(self) -> None:
        self._ends: dict[str, list[float]] = {}

    def __call__(self, part: str, step: int, steps: int) -> None:
        self._ends.setdefault(part, []).append(time.perf_counter())

    def seconds(self, part: str) -> float:
        """Mean seconds of a step after the first: tasks differ, and each has its share of the steps."""
        ends = self._ends[part]
        return (ends[-1] - ends[0]) / max(1, len(ends) - 1)


def _device(context: RunContext) -> str:
    if context.device.type == "cuda":
        import torch

        return str(torch.cuda.get_device_name(context.device))
    return f"{platform.node()} ({platform.machine()}, {os.cpu_count()} cores)"
