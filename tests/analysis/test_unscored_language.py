"""A language that was never scored: chosen by the others, judged by leaving each of them out."""

import dataclasses

import numpy as np
import pytest

from tasksearch.analysis.study_analysis import analyse_study
from tasksearch.analysis.unscored_language import predict_unscored
from tasksearch.bench.samplers import judged, planted_config, random_search
from tasksearch.bench.simulate import GROUPS, TARGET
from tasksearch.bench.skill_worlds import TUNED
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.score import ScoreTable
from tasksearch.reports.unscored_language import unscored_lines
from tasksearch.search.proposals import Proposal, propose


def study_of(world, trials=24):
    study = random_search(world, trials, 0, 5)
    study.records[:] = judged(study.records)
    config = planted_config(world, trials=len(study.records), leaders=3, leader_seeds=2, most_seeds=2)
    while isinstance(found := propose(config, {}, study.plan_of, len(study.records), study.records, GROUPS), Proposal):
        study.train(found.plan.schedule, found.plan.seed, found.role, params=found.params, objective=0.0)
    return study


def analysed(study, languages):
    records = [
        dataclasses.replace(r, scores=ScoreTable.of(s for s in r.scores if s.language in languages)) for r in study.records
    ]

    def outcomes(number):
        return {cell: data for cell, data in study.outcomes(number).items() if cell[1] in languages}

    return analyse_study(records, outcomes, GROUPS)


@pytest.fixture(scope="module")
def world():
    family = dataclasses.replace(TUNED["families"], name="unscored", apart=0.3)
    return family.draw(2)


@pytest.fixture(scope="module")
def study(world):
    return study_of(world)


@pytest.fixture(scope="module")
def analysis(world, study):
    return analysed(study, [one for one in world.languages if one != "l5"])


def truth(world, schedule, language):
    place = world.languages.index(language)
    gains = world.scores(world.gains([schedule])) - world.scores(np.zeros((1, len(world.languages))))
    return float(gains[0, place])


def test_the_interval_holds_what_the_mix_gains_there_and_its_width_is_that_of_the_misses(world, analysis):
    found = predict_unscored(analysis, "l5")
    assert found.low <= truth(world, found.schedule, "l5") <= found.high
    assert [one.language for one in found.left_out] == sorted(set(world.languages) - {"en", "l5"})
    misses = np.array([one.gain - one.predicted for one in found.left_out])
    assert (found.high - found.low) / 2 == pytest.approx(2.228 * np.sqrt((misses**2).mean()), rel=1e-3)  # t, 10 degrees
    assert not found.distances and {weight for _, weight in found.related} == {1 / 11}
    assert found.finding == "better" and not found.doubt
    assert sum(one.language == "l1" for one in found.left_out) == 1


def test_no_outcome_of_a_left_out_language_chooses_its_mix(world, study, analysis):
    """Its own scores, whatever they are, leave the choice that the others make for it as it is."""

    def spoiled(record):
        value = 99.0 * (record.number % 2)
        theirs = [s.language == "l1" and s.half == "select" for s in record.scores]
        rows = [dataclasses.replace(s, value=value) if own else s for s, own in zip(record.scores, theirs, strict=True)]
        return dataclasses.replace(record, scores=ScoreTable.of(rows))

    languages = [one for one in world.languages if one != "l5"]
    other = analysed(dataclasses.replace(study, records=[spoiled(record) for record in study.records]), languages)
    finalists = [one.first.number for one in analysis.evidence.candidates]
    assert [one.first.number for one in other.evidence.candidates] == finalists
    told, changed = (
        next(one for one in predict_unscored(each, "l5").left_out if one.language == "l1") for each in (analysis, other)
    )
    assert told == changed


def test_distances_count_only_where_they_help_and_near_languages_count_more(world, analysis):
    spoken = [one for one in world.languages if one != "en"]
    gains = world.gains([first.plan.schedule for first in analysis.evidence.table.firsts])
    place = [world.languages.index(one) for one in spoken]
    apart = np.sqrt(np.square(gains[:, place][:, :, np.newaxis] - gains[:, place][:, np.newaxis]).mean(axis=0))
    real = {(a, b): float(apart[i, j]) for i, a in enumerate(spoken) for j, b in enumerate(spoken) if i < j}
    noise = dict(zip(real, np.random.default_rng(0).permutation(list(real.values())), strict=True))

    def missed(found):
        return np.mean([(one.gain - one.predicted) ** 2 for one in found.left_out])

    even, near = predict_unscored(analysis, "l5"), predict_unscored(analysis, "l5", real)
    assert missed(near) <= missed(even) and missed(predict_unscored(analysis, "l5", noise)) <= missed(even)
    assert near.distances
    weights = dict(near.related)
    closest = min((one for one in spoken if one != "l5"), key=lambda one: real.get(("l5", one), real.get((one, "l5"))))
    assert max(weights, key=weights.get) == closest and sum(weights.values()) == pytest.approx(1.0)


def test_few_languages_have_no_interval_and_are_not_to_be_trusted(world, study):
    found = predict_unscored(analysed(study, ["en", "l1", "l2", "l3"]), "l5")
    assert found.low is None and "3 studied languages are too few" in found.doubt
    assert any("do not trust this" in line for line in unscored_lines(found))
    with pytest.raises(StudyNotReady, match="1 studied languages; expected at least two"):
        predict_unscored(analysed(study, ["en", "l1"]), "l5")


def test_an_interval_that_reaches_zero_is_told_with_the_language_that_was_missed_most(world, analysis):
    found = dataclasses.replace(predict_unscored(analysis, "l5"), low=-0.1)
    worst = max(found.left_out, key=lambda one: abs(one.gain - one.predicted))
    assert found.doubt.startswith(f"do not trust this: left out like l5, {worst.language} gained {worst.gain:+.1f}")
    assert found.to_json()["doubt"] == found.doubt and found.to_json()["finding"] == "no difference seen"
    assert TARGET in {target for target, _ in analysis.evidence.cells}
