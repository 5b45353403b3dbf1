"""A whole search on a recorded surface on which nothing helps: the verdict is that it was not worth its hours."""

import dataclasses

import numpy as np
import pytest

from tasksearch.analysis.baseline_comparison.comparison import compare_with_baselines
from tasksearch.analysis.picking import choose
from tasksearch.analysis.study_analysis import analyse_study
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import Objective, StudyConfig, TrialRecord
from tasksearch.search.objective import Baseline, objective
from tasksearch.search.proposals import Proposal, propose
from trainables.recorded import Surface

TASKS, TARGETS, LANGUAGES = ("ccg", "mnli", "qqp", "squad"), ("nli", "tag"), ("en", "far", "mid", "near")
GROUPS = {"nli": "classification", "tag": "tagging"}
SIZES = {"ccg": 1000, "mnli": 4000, "qqp": 2000, "squad": 3000}


def plan_of(schedule, seed):
    return Plan(suite="lab", schedule=schedule, targets=TARGETS, languages=LANGUAGES, settings=PhaseSettings(), seed=seed)


def search(surface, trials=24):
    """Every record and outcome that a run would leave behind."""
    config = StudyConfig(
        name="null", space=SearchSpace(name="null", summary="", tasks=TASKS, steps=(64,)), suite="lab", model="lab",
        targets=TARGETS, languages=LANGUAGES, trials=trials, leader_seeds=2, most_seeds=5, lag=1,
    )  # fmt: skip
    records, outcomes = [], {}
    while isinstance(found := propose(config, SIZES, plan_of, len(records), records, GROUPS), Proposal):
        number, rows, outcomes[len(records)] = len(records), [], {}
        for target in TARGETS:
            for language in LANGUAGES:
                for half in ("select", "report"):
                    difficulty = np.random.default_rng(seed_from("examples", surface.world, target, half)).random(200)
                    right = (difficulty < surface.score(found.plan, target, language) / 100).astype(np.float32)
                    outcomes[number][target, language, half] = np.stack([right, np.ones(200, np.float32)], axis=1)
                    rows.append(Score(target=target, language=language, half=half, metric="accuracy", value=100 * float(right.mean(dtype=np.float64)), examples=200, seed=found.plan.seed))  # fmt: skip  # noqa: E501
        record = TrialRecord(
            number=number, role=found.role, status="done", plan=found.plan, params=found.params, scores=ScoreTable.of(rows)
        )
        records.append(record)
        if number + 1 == config.baseline_seeds:
            records[:] = [judged(r, records) for r in records]
        elif number >= config.baseline_seeds:
            records[-1] = judged(record, records[: config.baseline_seeds])
    return records, outcomes


def judged(record, bare):
    return dataclasses.replace(record, objective=objective(record.scores, Baseline.of(bare), GROUPS, Objective()))


def court_of(surface):
    records, outcomes = search(surface)
    reading = analyse_study(records, lambda number: outcomes[number], GROUPS)
    return compare_with_baselines(reading, records, choose(reading, "pivot-dev").rule)


@pytest.mark.parametrize("world", range(3))
def test_where_nothing_helps_the_search_was_not_worth_its_hours(world):
    nothing = Surface(world=world, effect=0.0, interaction=0.0, order=0.0, forgetting=0.0)
    court = court_of(nothing)
    assert court.worth == "not worth it"
    assert court.sentence.startswith("The search was not worth its")


def test_where_a_mix_beats_all_that_is_free_it_was():
    """Two tasks that do nothing alone and much together, in the shares that no designed trial has."""

    class Pair(Surface):
        def truth(self, plan, target, language):
            shares = {task: float(plan.schedule.share(task)) for task in plan.schedule.tasks}
            return self.base + 40 * max(0.0, min(shares.get("ccg", 0.0), shares.get("squad", 0.0)) - 0.25)

    assert court_of(Pair()).worth == "worth it"
