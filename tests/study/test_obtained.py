"""The report tells what each task of a mix by a rule obtained, beside what the rule asks for."""

import pytest

from tasksearch.core.mixture_rule import MixtureRule
from tasksearch.core.plan import PhaseSettings, Plan, TrainSettings
from tasksearch.core.rule_schedules import curriculum
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.reports.sections import mixture_rules
from tasksearch.study.obtained import obtained_examples, rule_shares
from tasksearch.training.order import stage_steps

SIZES = {"find": 1000, "mnli": 90, "qqp": 7}
CAPPED = MixtureRule(name="capped", cap=50)


def plan(schedule, **settings):
    train = TrainSettings(batch_size=8, **settings)
    return Plan(suite="lab", schedule=schedule, targets=("nli",), languages=("en",), settings=PhaseSettings(intermediate=train))


def record(number, schedule, status="done"):
    return TrialRecord(number=number, role="search", status=status, plan=plan(schedule))


@pytest.mark.parametrize("mixing", ["task", "mixed"])
@pytest.mark.parametrize("schedule", [Schedule.joint(CAPPED.mixture(SIZES), 30), curriculum(CAPPED, list(SIZES), SIZES, 30)])
def test_obtained_is_what_training_draws_and_within_one_example_a_stage_of_what_was_asked(schedule, mixing):
    drawn = dict.fromkeys(SIZES, 0)
    for stage in schedule.stages:
        for step in stage_steps(stage, 8, seed=1, mixing=mixing):
            for task, count in step:
                drawn[task] += count
    assert obtained_examples(plan(schedule, mixing=mixing)) == drawn
    for share in rule_shares([record(0, schedule)], SIZES):
        assert share.obtained == drawn[share.task] and abs(share.obtained - share.asked) < len(schedule.stages)


def test_only_finished_mixes_by_a_rule_are_told_and_each_once():
    ruled, other = Schedule.joint(CAPPED.mixture(SIZES), 30), Schedule.sequential([("mnli", 3), ("qqp", 4)])
    records = [
        record(0, other),
        record(1, ruled),
        record(2, ruled),
        record(3, curriculum(CAPPED, ["mnli"], SIZES, 9), "failed"),
    ]
    found = rule_shares(records, SIZES)
    assert [(one.task, one.size, one.obtained) for one in found] == [("find", 1000, 112), ("mnli", 90, 112), ("qqp", 7, 16)]


def test_the_section_has_a_row_for_each_task_and_is_left_out_without_rules():
    class Data:
        rule_shares = rule_shares([record(0, Schedule.joint(CAPPED.mixture(SIZES), 30))], SIZES)

    rows = mixture_rules.section(Data).tables[0].rows
    assert rows[0] == ("find + mnli + qqp by capped(50), 30 steps", "find", "1000", "46.7", "112.1", "112", "0.11")
    assert rows[2][1:] == ("qqp", "7", "6.5", "15.7", "16", "2.29")
    Data.rule_shares = ()
    assert mixture_rules.section(Data) is None
