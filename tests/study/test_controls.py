"""The baseline comparison of a study with controls: every row is on fresh seeds, the mix has to beat all free baselines."""

import dataclasses
import json
import re
import statistics

import pytest

from tasksearch.analysis.baseline_comparison.comparison import compare_with_baselines
from tasksearch.core.errors import UnknownName
from tasksearch.core.options import control_names
from tasksearch.records.ledger import Ledger
from tasksearch.reports.page import render
from tasksearch.study.best import best_of, read_study
from tasksearch.study.report import command_of, planned, report_of

ALL = {
    "leader_seeds": 3,
    "leaders": 3,
    "trials": 24,
    "controls": ("length", "exposure", "soup", "average", "seeds", "models"),
    "few_shot": 9,
}


@pytest.fixture(scope="module")
def folder(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    Ledger(folder).save_config(planted.config(**ALL))
    context = {"per_document": 2, "surface": {"world": 7}}
    planted.run_in_process(planted.open_manager(folder, **ALL), folder, context)
    return folder


@pytest.fixture(scope="module")
def comparison(folder):
    return best_of(folder).baseline_comparison


def entry(comparison, name):
    return next(entry for entry in comparison.entries if entry.name == name)


def kind_of(plan):
    if plan.model_seeds:
        return "models"
    if plan.few_shot:
        return "few-shot"
    if plan.soup:
        return "seeds" if plan.soup_seeds else "soup"
    averaged = plan.settings.target.average_last > 1
    return "exposure" if plan.extra_examples else "average" if averaged else "length"


def test_a_study_with_controls_trains_each_of_them_on_the_leaders_first_fresh_seeds(planted, folder):
    records = Ledger(folder).records()
    controls = [r for r in records if r.role == "control"]
    kinds = {kind_of(r.plan) for r in controls}
    assert kinds == {"length", "exposure", "soup", "average", "seeds", "models", "few-shot"}
    assert all(r.status == "done" and r.objective is not None for r in controls)
    seeds = {}
    for record in controls:
        seeds.setdefault(record.plan.mix_signature, []).append(record.plan.seed)
    assert set(map(tuple, seeds.values())) == {(1, 2, 3)}
    assert planned(planted.config(**ALL), records) == len(records)


def test_every_row_of_the_baseline_comparison_stands_on_fresh_seeds_and_says_its_cost(comparison):
    assert {"soup", "equal exposure", "no intermediate training"} <= {
        e.name for e in comparison.entries if e.evidence == "fresh seeds"
    }
    longer = [e for e in comparison.entries if re.fullmatch(r"[a-z ]+, \d+ steps", e.name)]
    assert [e.schedule.steps for e in longer] == [comparison.pick.steps]
    for found in (entry(comparison, "soup"), entry(comparison, "equal exposure"), *longer):
        assert found.gain.low is not None and found.advantage.low is not None and found.gain.seeds == 3
        # each of the three is an estimate of its own from shared and unshared seeds
        assert found.gain.value == pytest.approx(comparison.gain.value - found.advantage.value, abs=0.1)
        assert found.gain.documents is not None
        assert found.hours is not None
    assert not entry(comparison, "soup").rival  # it needs the search: not free
    over_seeds, averaged = entry(comparison, "soup over seeds"), entry(comparison, "averaged snapshots")
    assert not over_seeds.rival and over_seeds.trainings == 3 and "over 3 seeds: no trained mix" in over_seeds.note
    assert averaged.rival and averaged.trainings == 1 and "the last 5 snapshots of every target phase" in averaged.note
    assert averaged.gain.seeds == over_seeds.gain.seeds == 3 and averaged.advantage.low is not None
    assert "no trained mix" in entry(comparison, "soup").note
    json.dumps(comparison.to_json(), allow_nan=False)


def test_averaged_target_models_are_a_free_baseline_without_a_mix_and_none_with_one(comparison):
    bare, best = entry(comparison, "averaged models"), entry(comparison, "averaged models, best finalist")
    assert bare.rival and not best.rival and bare.trainings == best.trainings == 3
    assert bare.gain.seeds == best.gain.seeds == 3 and best.gain.value > bare.gain.value
    assert "target models of 3 seeds averaged" in bare.note and "no trained mix" in best.note


def test_labels_of_a_language_are_a_row_of_their_own_which_the_pick_need_not_beat(folder, comparison):
    bare, best = entry(comparison, "few-shot"), entry(comparison, "few-shot, best finalist")
    for found in (bare, best):
        assert found.evidence == "fresh seeds" and found.labels == 9 and not found.rival and found.schedule is None
        assert found.gain.seeds == 3 and found.gain.low is not None and found.advantage.low is not None
        assert [one.language for one in found.by_language] == ["far", "near"]
        assert found.gain.value == pytest.approx(statistics.fmean(one.gain.value for one in found.by_language), abs=0.2)
    assert bare.gain.value == pytest.approx(4, abs=2), "what the world gives to labels"
    assert best.gain.value > bare.gain.value and "takes 9 labelled examples of each language" in bare.note
    reading, records = read_study(folder)
    reading = dataclasses.replace(reading, evidence=dataclasses.replace(reading.evidence, few_shot=()))
    without = compare_with_baselines(reading, records, "pivot-dev")
    assert (without.worth, without.reason, without.rival) == (comparison.worth, comparison.reason, comparison.rival)
    assert {e.name for e in comparison.entries} - {e.name for e in without.entries} == {bare.name, best.name}


def test_equal_exposure_without_an_effect_is_the_baseline_again_and_the_pick_has_to_beat_it(comparison):
    exposure = entry(comparison, "equal exposure")
    assert exposure.rival and abs(exposure.gain.value) < 3
    rivals = [e for e in comparison.entries if e.rival and e.name != "no intermediate training"]
    assert comparison.rival in {e.name for e in rivals}
    assert comparison.advantage == min((e.advantage for e in rivals), key=lambda a: a.low)
    if comparison.worth == "worth it" and not comparison.languages:
        assert all(e.advantage.low > 0 for e in rivals)


def test_no_control_is_ever_picked_or_led_by(folder):
    verdict = best_of(folder)
    records = {r.number: r for r in Ledger(folder).records()}
    for choice in verdict.choices:
        assert {records[number].role for number in choice.trials} == {"finalist"}
        assert 0 <= choice.ahead <= 1 and choice.runner_up is not None


def test_targets_of_the_same_data_stand_beside_equal_exposure(folder):
    for choice in best_of(folder).choices:
        for target in choice.targets:
            scores = [
                s.value
                for r in Ledger(folder).records()
                if r.plan.extra_examples == 32 * choice.schedule.steps
                for s in r.scores
                if s.half == "report" and s.target == target.target and s.language in target.languages
            ]
            assert len(scores) == 3 * len(target.languages)
            assert target.over_exposure.value == pytest.approx(target.score.value - statistics.fmean(scores))


def test_the_page_and_the_trials_name_the_controls(folder):
    data = report_of(folder)
    page = render(data)
    wanted = (
        "average of 3 finalists",
        "equal exposure",
        "every target +",
        "average of 3 encoders",
        "P(ahead)",
        "few-shot, by language",
    )
    for words in wanted:
        assert words in page, words
    assert "--controls length,exposure,soup" in command_of(data.config) and "--few-shot 9" in command_of(data.config)
    assert not data.partial


def test_hours_of_controls_are_counted_apart(comparison):
    assert comparison.hours.controls >= 0
    assert comparison.hours.total == pytest.approx(sum(getattr(comparison.hours, name) for name in ("search", "fresh", "baseline", "design", "controls")))  # fmt: skip  # noqa: E501


def test_controls_are_asked_for_by_name_all_or_none():
    assert control_names("all") == ("length", "exposure", "soup")
    assert control_names("none") == ()
    assert control_names("soup, length") == ("length", "soup")
    with pytest.raises(UnknownName, match="did you mean 'exposure'"):
        control_names("exposur")
