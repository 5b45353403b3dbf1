import dataclasses

import pytest

from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.search.collapse import RERUNS, collapsed, is_rerun, not_trained, to_run_again
from tasksearch.search.objective import Baseline

EN = "en"


def trained(toy, values, role="baseline", first=0, name=0, half="select", language=EN):
    """Trainings of one plan, whose scores in English are these."""
    records = []
    for place, value in enumerate(values):
        score = Score(target="nli", language=language, half=half, metric="accuracy", value=value, examples=1000, seed=place)
        plan = toy.plan_of(Schedule.none(), place)
        if role == "finalist":
            plan = toy.plan_of(Schedule.joint(_mixture(), 64 + name), place + 1)
        records.append(toy.record(first + place, role=role, plan=plan, scores=ScoreTable.of([score])))
    return records


def _mixture():
    from tasksearch.core.mixture import Mixture

    return Mixture.uniform("abc")


def test_a_seed_far_below_the_others_of_its_plan_is_flagged_whatever_the_plan_is(toy):
    bare = trained(toy, [70, 71, 33, 70, 69])
    mix = trained(toy, [72, 34, 71], role="finalist", first=5)
    assert collapsed([*bare, *mix]) == {2, 6}
    assert collapsed([*mix, *bare]) == {2, 6}


@pytest.mark.parametrize("values", [[70, 71, 72, 69, 68], [33, 34, 33, 35, 33], [70, 71, 99, 70, 69], [70, 33, 34, 33, 35]])
def test_ordinary_luck_a_lucky_seed_and_a_plan_that_mostly_fails_are_not(toy, values):
    assert collapsed(trained(toy, values)) == frozenset()


@pytest.mark.parametrize("where", [{"half": "report"}, {"language": "xx"}])
def test_reporting_examples_and_other_languages_are_never_read(toy, where):
    assert collapsed(trained(toy, [70, 71, 33, 70, 69], **where)) == frozenset()


def test_each_is_replaced_once_until_the_budget_is_spent(toy):
    records = trained(toy, [70, 71, 33, 70, 69])
    assert to_run_again(records).number == 2
    good = trained(toy, [70], first=5)[0]
    again = toy.record(5, role="baseline", plan=good.plan.with_seed(900), scores=good.scores)
    assert is_rerun(again) and to_run_again([*records, again]) is None
    failing = [
        toy.record(5 + i, role="baseline", plan=good.plan.with_seed(900 + i), scores=records[2].scores) for i in range(RERUNS)
    ]
    several = [*records, *trained(toy, [72, 71, 70, 71, 72, 70], role="finalist", first=20), *failing]
    assert to_run_again(several) is None


@pytest.mark.parametrize(
    ("values", "guess", "found"), [([33, 34, 33], 100 / 3, ("nli",)), ([40, 41, 33], 100 / 3, ()), ([33, 34, 33], None, ())]
)
def test_a_target_whose_baseline_is_no_better_than_a_guess_counts_as_not_trained(toy, values, guess, found):
    baseline = Baseline.of(trained(toy, values))
    assert not_trained(baseline, {"nli": guess}, {("nli", EN): 1000}) == found


def test_other_languages_at_chance_do_not_make_a_target_untrained(toy):
    assert not_trained(Baseline.of(trained(toy, [33, 34, 33], language="xx")), {"nli": 100 / 3}, {("nli", "xx"): 1000}) == ()


def test_seeds_of_a_short_baseline_are_compared_with_each_other_alone_and_not_run_again(toy):
    short = [
        dataclasses.replace(one, role="short-baseline", plan=dataclasses.replace(one.plan, target_share=0.25))
        for one in trained(toy, [30, 31, 5, 30, 29], first=5)
    ]
    assert collapsed([*trained(toy, [70, 71, 72, 69, 68]), *short]) == {7}
    assert to_run_again([*trained(toy, [70, 71, 72, 69, 68]), *short]) is None
