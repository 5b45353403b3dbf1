"""A simulated study on a planted world: the records and outcomes of a run, without training."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tasksearch.bench.planted_world import CHANCE, PlantedWorld
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Half, Score, ScoreTable
from tasksearch.core.space import SearchSpace, decode
from tasksearch.core.study import Role, TrialRecord
from tasksearch.search.designed_trials import designed_trials
from tasksearch.search.random_schedules import random_params

Outcomes = dict[tuple[str, str, Half], NDArray[np.float32]]
TARGET, RETRIEVAL = "target", "retrieval"
GROUPS = {TARGET: "classification", RETRIEVAL: "retrieval"}
GUESSES = ((TARGET, 100 * CHANCE),)
"""What a guess scores in the target that is trained, and so what a collapsed training scores but for its examples."""


@dataclass(kw_only=True)
class Simulation:
    """Records so far; `train` adds one, `outcomes` is the function that `pick` reads. The search trains on seed 0."""

    world: PlantedWorld
    records: list[TrialRecord] = field(default_factory=list)
    _gains: dict[Schedule, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets that are scored."""
        return (TARGET, RETRIEVAL) if self.world.family.retrieval else (TARGET,)

    def plan_of(self, schedule: Schedule, seed: int) -> Plan:
        """Return the plan of a schedule on a seed."""
        return Plan(
            suite="planted",
            schedule=schedule,
            targets=self.targets,
            languages=self.world.languages,
            settings=PhaseSettings(),
            seed=seed,
        )

    def train(self, schedule: Schedule, seed: int, role: Role, **fields: object) -> TrialRecord:
        """Simulate one training and add its record."""
        plan, number = self.plan_of(schedule, seed), len(self.records)
        record = TrialRecord(number=number, role=role, status="done", plan=plan, **fields)  # type: ignore[arg-type]
        halves: tuple[Half, ...] = ("select", "report") if role in ("baseline", "finalist", "control") else ("select",)
        rows = []
        for half, target in product(halves, self.targets):
            right = self._right(record, half, target)
            rows += [
                Score(
                    target=target,
                    language=language,
                    half=half,
                    metric="accuracy",
                    value=100 * float(share),
                    examples=right.shape[1],
                    seed=seed,
                )
                for language, share in zip(self.world.languages, right.mean(axis=1), strict=True)
            ]
        found = TrialRecord(
            number=number,
            role=role,
            status="done",
            plan=plan,
            scores=ScoreTable.of(rows),
            **fields,  # type: ignore[arg-type]
        )
        self.records.append(found)
        return found

    def outcomes(self, number: int) -> Outcomes:
        """Return a trial's outcomes on reporting examples."""
        return {
            (target, language, "report"): np.stack([row, np.ones(len(row))], axis=1).astype(np.float32)
            for target in self.targets
            for language, row in zip(self.world.languages, self._right(self.records[number], "report", target), strict=True)
        }

    def _right(self, record: TrialRecord, half: Half, target: str) -> NDArray[np.bool_]:
        schedule = record.plan.schedule
        if schedule not in self._gains:
            self._gains[schedule] = self.world.gains([schedule])[0]
        place = 0 if not schedule.stages else 1 + _number(schedule)
        shares = {task: float(schedule.share(task)) for task in schedule.order} if schedule.stages else None
        kind, target_number = int(schedule.kind == "sequential"), self.targets.index(target)
        gain = self._gains[schedule]
        return self.world.outcomes(gain, place, record.plan.seed, half, kind, shares=shares, target=target_number)


def space_of(world: PlantedWorld) -> SearchSpace:
    """Return the default space over the world's tasks."""
    return SearchSpace(name="planted", summary="", tasks=world.tasks, steps=(96, 192))


def sizes_of(world: PlantedWorld) -> dict[str, int]:
    """Return numbers of training examples; they do not depend on the effects."""
    return {task: 1000 * (1 + i) for i, task in enumerate(world.tasks)}


def proposed(world: PlantedWorld, count: int, seed: int = 0) -> list[tuple[Role, Schedule]]:
    """Return `count` mixes as a run with `--sampler random` trains them: designed trials, then random mixes, none twice."""
    space = space_of(world)
    found: dict[Schedule, Role] = {design.schedule: "design" for design in designed_trials(space, sizes_of(world))}
    rng = random.Random(seed)
    while len(found) < count:
        schedule = decode(space, random_params(space, rng))
        if schedule is not None:
            found.setdefault(schedule, "search")
    return [(role, schedule) for schedule, role in list(found.items())[:count]]


def searched(world: PlantedWorld, plan: Sequence[tuple[Role, Schedule]], baseline_seeds: int = 5) -> Simulation:
    """Simulate the baseline's seeds and the search's trials."""
    simulation = Simulation(world=world)
    for seed in range(baseline_seeds):
        simulation.train(Schedule.none(), seed, "baseline")
    for role, schedule in plan:
        simulation.train(schedule, 0, role)
    return simulation


def _number(schedule: Schedule) -> int:
    from tasksearch.core.signature import seed_from

    return seed_from(schedule) % 2**31
