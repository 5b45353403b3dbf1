"""The report's contrasts rest on what the verdict rests on: its trainings, its pool of seed variances."""

import dataclasses

import pytest

from tasksearch.analysis.estimates import estimate
from tasksearch.analysis.evidence import candidate_outcomes_of
from tasksearch.bench.planted_world import FAMILIES, draw_world
from tasksearch.bench.simulate import GROUPS, Simulation
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.study.contrasts import Contrasts


@pytest.fixture
def study():
    world = draw_world(dataclasses.replace(FAMILIES["tune"], languages=3), 5)
    made = Simulation(world=world)
    for seed in range(4):
        made.train(Schedule.none(), seed, "baseline")
    for task in world.tasks[:2]:
        for seed in (1, 2, 3):
            made.train(Schedule.joint(Mixture.uniform(task), 96), seed, "finalist")
    return made


def told(study):
    return {single.task: single for single in Contrasts.of(study.records, study.outcomes, GROUPS).singles()}


def test_a_finalist_of_one_task_has_the_verdicts_gain_and_no_training_counts_twice(study):
    bare, *mixes = (candidate_outcomes_of(study.records[a:b], study.outcomes) for a, b in ((0, 4), (4, 7), (7, 10)))
    languages = study.world.languages[1:]
    rows = [{("target", language): 1.0} for language in languages]
    for task, arm, other in zip(study.world.tasks, mixes, mixes[::-1], strict=False):
        single = told(study)[task]
        for language, row in zip(languages, rows, strict=True):
            assert single.by_language[language] == estimate(arm, row, minus=bare, pool=[other], alike=rows)
        assert single.overall.noise_df == 3 + 2 + 2


def test_a_collapsed_training_is_in_no_figure(study):
    before = told(study)[study.world.tasks[0]]
    bad = study.records[5]
    low = [
        dataclasses.replace(score, value=2.0) if score.language == "en" and score.half == "select" else score
        for score in bad.scores
    ]
    study.records[5] = dataclasses.replace(bad, scores=type(bad.scores).of(low))
    after = told(study)[study.world.tasks[0]]
    assert bad.number in before.trials and bad.number not in after.trials
    assert after.overall.noise_df == before.overall.noise_df - 1
