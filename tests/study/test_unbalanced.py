"""Grids with gaps: a cell that one trial lacks hides it for no other, and a language of one target alone has its choice."""

import dataclasses
import shutil

import numpy as np
import pytest

from tasksearch.core.errors import StudyNotReady
from tasksearch.core.score import ScoreTable
from tasksearch.records.ledger import Ledger
from tasksearch.reports.decision import decision
from tasksearch.search.gain_table import GainTable
from tasksearch.search.objective import Baseline
from tasksearch.study.best import best_of


@pytest.fixture
def planted_ledger(planted_folder, tmp_path):
    ledger = Ledger(shutil.copytree(planted_folder, tmp_path / "study"))
    (ledger.folder / "readings.json").unlink(missing_ok=True)
    return ledger


def without(record, cell):
    left = [s for s in record.scores if (s.target, s.language) != cell]
    return dataclasses.replace(record, scores=ScoreTable.of(left))


def test_one_mix_without_a_cell_stays_out_and_the_cell_stays(planted_ledger):
    records = planted_ledger.records()
    baseline = Baseline.of(records)
    whole = GainTable.of(records, baseline)
    number = next(r.number for r in records if r.role == "search")
    gap = [without(r, ("nli", "far")) if r.number == number else r for r in records]
    found = GainTable.of(gap, baseline)
    assert found.cells == whole.cells and len(found.firsts) == len(whole.firsts) - 1
    assert number not in {first.number for first in found.firsts}
    kept = [first.number != number for first in whole.firsts]
    assert np.array_equal(found.gains, whole.gains[kept])


def test_a_cell_that_most_mixes_lack_is_none(planted_ledger):
    records = [without(r, ("tag", "near")) if r.role in ("design", "search") else r for r in planted_ledger.records()]
    assert ("tag", "near") not in GainTable.of(records, Baseline.of(records)).cells


def test_a_seed_of_the_baseline_without_a_cell_takes_that_cell_alone_away(planted_ledger):
    records = planted_ledger.records()
    first, *rest = [r for r in records if r.role == "baseline"]
    whole, gap = Baseline.of([first, *rest]), Baseline.of([without(first, ("nli", "far")), *rest])
    assert gap.cells == {cell: value for cell, value in whole.cells.items() if cell != ("nli", "far")}


def lessen(folder, lacks):
    """The study as if those cells had never been scored, in tables and outcomes."""
    ledger = Ledger(folder)
    for record in ledger.records():
        outcomes = {cell: table for cell, table in ledger.outcomes(record.number).items() if not lacks(record, cell[:2])}
        ledger.write_outcomes(record.number, outcomes)
        left = [s for s in record.scores if not lacks(record, (s.target, s.language))]
        ledger.write(dataclasses.replace(record, scores=ScoreTable.of(left)))


def test_a_language_of_one_target_alone_is_chosen_on_the_other_languages_end_to_end(planted_ledger):
    lessen(planted_ledger.folder, lambda record, cell: cell in (("nli", "near"), ("tag", "far")))
    verdict = best_of(planted_ledger.folder)
    assert [choice.name for choice in verdict.choices][:2] == ["far", "near"]
    assert all(choice.rule == "pivot-dev" for choice in verdict.choices[:2])
    assert [target.target for target in verdict["near"].targets] == ["tag"]


def test_a_trial_that_lacks_a_cell_leaves_the_verdict_of_the_others_standing(planted_ledger):
    loser = min((r for r in planted_ledger.records() if r.role == "search"), key=lambda r: r.objective)
    lessen(planted_ledger.folder, lambda record, cell: record.number == loser.number and cell == ("nli", "far"))
    try:
        verdict = best_of(planted_ledger.folder)
    except StudyNotReady as early:
        raise AssertionError(f"one gap made the study unready: {early}") from early
    assert {"far", "near"} <= {choice.name for choice in verdict.choices}


@pytest.mark.parametrize("role", ["finalist", "baseline"])
def test_a_fresh_seed_that_lacks_a_cell_is_left_out_itself_and_the_cell_stays_for_all(planted_ledger, role):
    def cells(verdict):
        return {choice.name: [target.target for target in choice.targets] for choice in verdict.choices}

    whole = cells(best_of(planted_ledger.folder))
    gone = max(r.number for r in planted_ledger.records() if r.role == role and r.plan.seed)
    lessen(planted_ledger.folder, lambda record, cell: record.number == gone and cell == ("nli", "far"))
    verdict = best_of(planted_ledger.folder)
    assert cells(verdict) == whole and verdict.incomplete == (gone,)
    assert any(f"Left out: trial {gone}, which lacks" in sentence for sentence in decision(verdict))
    assert all(gone not in choice.trials for choice in verdict.choices)
    assert verdict.to_json()["incomplete_trainings"] == [gone]
