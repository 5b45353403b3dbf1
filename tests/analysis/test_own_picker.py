"""A picker of the user's own: it ranks the candidates, by selection scores that the rule allows, and sees nothing else."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from tasksearch.analysis.baseline_comparison.comparison import compare_with_baselines
from tasksearch.analysis.picking import choose
from tasksearch.analysis.study_analysis import analyse_study
from tasksearch.core.errors import BadInput

_spec = importlib.util.spec_from_file_location("planted_picking", Path(__file__).with_name("test_picking.py"))
planted = importlib.util.module_from_spec(_spec)
sys.modules["planted_picking"] = planted
_spec.loader.exec_module(planted)
GROUPS, LANGUAGES, Study, helpful = planted.GROUPS, planted.LANGUAGES, planted.Study, planted.helpful


class Recorder:
    """A picker that turns the scores upside down and keeps what it was shown."""

    def __init__(self, sign=-1.0):
        self.sign, self.seen = sign, []

    def __call__(self, shown):
        self.seen.append(shown)
        return self.sign * shown.gains


def reading(study, picker):
    return analyse_study(study.records, lambda n: study.tables[n], GROUPS, picker=picker)


@pytest.mark.parametrize("rule", ["pivot-dev", "english-dev", "target-dev"])
def test_what_the_picker_says_is_what_is_chosen_and_no_gain_is_promised(rule):
    study = Study(helpful)
    for sign in (1.0, -1.0):
        read = reading(study, Recorder(sign))
        verdict = choose(read, rule, ["sw"])
        assert verdict["sw"].schedule == (planted.QQP if sign > 0 else planted.MNLI)
        assert verdict["sw"].expected is None and verdict["sw"].expected_error is None
        compare_with_baselines(read, study.records, "target-dev")


def test_a_picker_sees_the_cells_that_the_rule_allows_and_no_reporting_score():
    seen = {}
    for rule in ("pivot-dev", "english-dev", "target-dev"):
        picker = Recorder()
        choose(reading(Study(helpful), picker), rule, ["sw"])
        seen[rule] = picker.seen[-1].languages
    assert seen == {"pivot-dev": ("qu", "yo"), "english-dev": ("en",), "target-dev": ("qu", "sw", "yo")}

    def other_reports(schedule, seed, target, language, half):
        return 0.5 if half == "report" or seed else helpful(schedule, seed, target, language, half)

    shown = []
    for plant in (helpful, other_reports):
        picker = Recorder()
        choose(reading(Study(plant), picker), "target-dev", ["sw"])
        shown.append(picker.seen[-1])
    assert shown[0].gains.shape == (len(shown[0].schedules), 3) and shown[0].schedules == shown[1].schedules
    assert np.array_equal(shown[0].gains, shown[1].gains) and np.array_equal(shown[0].seeds, shown[1].seeds)


@pytest.mark.parametrize(
    ("picker", "said"),
    [
        (lambda shown: shown.gains[0], r"shape \(3,\); expected \(2, 3\)"),
        (lambda shown: shown.gains * np.nan, "not finite"),
        (lambda shown: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
def test_a_picker_that_cannot_be_used_is_one_line(picker, said):
    with pytest.raises(BadInput, match=said):
        choose(reading(Study(helpful), picker), "target-dev", ["sw"])
