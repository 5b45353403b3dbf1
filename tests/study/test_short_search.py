"""A study whose search has short target phases, whole, without Ray: no gain compares trainings of different length."""

import pytest

from tasksearch.analysis.transfer import Ranked
from tasksearch.core.study import SEARCHED
from tasksearch.records.ledger import Ledger
from tasksearch.reports.sections.cautions import cautions
from tasksearch.search.objective import Baseline, objective
from tasksearch.study.best import best_of
from tasksearch.study.extend import _check_finished
from tasksearch.study.reference_scores import reference_scores_of
from tasksearch.study.report import planned, report_of
from tasksearch.study.single_plan import trained_by
from tasksearch.tasks.catalogue import load_suite

SURFACE = {"shortened": 40.0}
"""A quarter of the target steps costs 30 points, far more than any mix gains."""
BASE = 55.0


@pytest.fixture(scope="module")
def settings():
    return {"search_target_steps": 0.25, "leader_seeds": 3, "controls": ("exposure",)}


@pytest.fixture(scope="module")
def folder(planted, settings, tmp_path_factory):
    place = tmp_path_factory.mktemp("short")
    Ledger(place).save_config(planted.config(**settings))
    manager = planted.open_manager(place, **settings)
    planted.run_in_process(manager, place, {"surface": SURFACE}, at_once=2)
    assert manager.complete
    return place


def test_every_objective_is_over_the_baseline_of_the_same_length(planted, folder):
    records, config = Ledger(folder).records(), planted.config()
    roles = {0.25: "short-baseline", 1.0: "baseline"}
    bare = {share: Baseline.of([r for r in records if r.role == role][:3]) for share, role in roles.items()}
    for record in records:
        value = objective(record.scores, bare[record.plan.target_share], planted.GROUPS, config.objective)
        assert record.objective == pytest.approx(value)
    means = [cell.mean for share in (0.25, 1.0) for cell in bare[share].cells.values()]
    assert all(
        level == pytest.approx(wanted, abs=14) for level, wanted in zip(means, [BASE - 30] * 6 + [BASE] * 6, strict=True)
    )


def test_the_order_in_which_trials_end_changes_nothing(planted, folder, settings, tmp_path):
    manager = planted.open_manager(tmp_path, **settings)
    planted.run_in_process(manager, tmp_path, {"surface": SURFACE}, at_once=4)
    told = [[(r.role, r.plan, r.objective) for r in records] for records in (manager.records, Ledger(folder).records())]
    assert told[0] == told[1]


def test_a_finished_study_is_known_as_finished_where_its_end_was_not_noted(planted, folder, settings, monkeypatch):
    monkeypatch.setattr("tasksearch.engine.completion.has_ended", lambda *_: False)
    Ledger(folder).save_sizes(planted.SIZES)
    _check_finished(Ledger(folder), planted.config(**settings), load_suite("lab"))


def test_the_verdict_is_that_of_whole_target_phases(folder):
    verdict = best_of(folder)
    whole = {r.number for r in Ledger(folder).records() if r.plan.target_share == 1}
    for choice in verdict.choices:
        assert set(choice.trials) <= whole
        for target in choice.targets:
            assert target.baseline.value == pytest.approx(BASE, abs=14)
        assert abs(choice.gain.value) < 20
        assert choice.expected is None or abs(choice.expected) < 20, "foreseen against the short baseline"


def test_the_report_compares_equals_and_says_what_was_short(folder, settings):
    data = report_of(folder)
    assert sum("ran 0.25 of the target steps" in text for text in cautions(data)) == 1
    assert data.singles and all(abs(single.overall.value) < 20 for single in data.singles)
    searched = {r.number for r in data.records if r.role in SEARCHED}
    assert all(set(single.trials) <= searched for single in data.singles)
    for reference in (*data.references, *reference_scores_of(folder)):
        assert all(baseline.value == pytest.approx(BASE, abs=14) for _, baseline in reference.by_language.values())
    assert planned(data.config, list(data.records)) == len(data.records)
    before = [r for r in data.records if r.role in (*SEARCHED, "short-baseline")]
    assert planned(data.config, before) >= len(data.records)


def test_another_study_ranks_its_mixes_by_the_short_trainings(folder):
    ranked = Ranked.of(Ledger(folder).records())
    assert ranked.baseline.share == 0.25 and {first.plan.target_share for first in ranked.table.firsts} == {0.25}


def test_a_mix_is_trained_again_with_whole_target_phases(folder):
    records = Ledger(folder).records()
    finalist = next(r for r in records if r.role == "finalist")
    assert trained_by(records, finalist.plan.schedule, "short", None).role == "finalist"
