"""A whole small lab study with few-shot controls, trained in this process."""

import dataclasses

import numpy as np
import pytest

from tasksearch.core.errors import BadInput
from tasksearch.core.score import ENGLISH
from tasksearch.reports.baseline_comparison import baseline_table
from tasksearch.study.best import best_of
from tasksearch.study.configuration import configure
from tasksearch.study.setup import prepare

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def asked(few_shot):
    config = configure(
        space="joint", suite="lab", targets=("retrieval", "topic"), languages=("near1", "sov"), steps=(8,), trials=6, pairs=0,
        baseline_seeds=3, leaders=1, leader_seeds=3, most_seeds=3, controls="none", sampler="random", phase1_steps=30,
        target_steps=6, evaluation_examples=40, few_shot=few_shot,
    )  # fmt: skip
    return dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=config.space.tasks[:2]))


def test_a_study_says_what_labels_of_a_language_would_give(tmp_path, train_in_process):
    config = asked(8)
    ledger = train_in_process(prepare(config), config, tmp_path)
    records = ledger.records()
    controls = [r for r in records if r.role == "control"]
    assert len(controls) == 6 and all(r.status == "done" and r.plan.few_shot for r in records if r.role == "control")
    bare = {r.plan.seed: ledger.outcomes(r.number) for r in records if r.role == "baseline"}
    for control in controls:
        if not control.plan.schedule.stages and control.plan.seed in bare:
            own, other = ledger.outcomes(control.number), bare[control.plan.seed]
            assert own.keys() == other.keys()
            same = {cell for cell in own if np.array_equal(own[cell], other[cell])}
            assert {cell for cell in own if cell[0] == "retrieval" or cell[1] == ENGLISH} <= same
    rows = {entry.name: entry for entry in best_of(tmp_path, rule="english-dev").baseline_comparison.entries}
    few = rows["few-shot"]
    assert few.gain.seeds == 3 and few.gain.low is not None and few.labels == 8 and not few.rival
    assert [one.language for one in few.by_language] == ["near1", "sov"] and "without retrieval" in few.note
    assert any("few-shot" in str(row) for row in baseline_table(best_of(tmp_path, rule="english-dev").baseline_comparison).rows)


def test_too_many_examples_are_refused_before_anything_trains():
    with pytest.raises(BadInput, match=r"--few-shot 9999: target 'topic' has \d+ selection examples in 'near1'.*at most \d+"):
        prepare(asked(9999))
