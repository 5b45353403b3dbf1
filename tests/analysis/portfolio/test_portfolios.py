"""Few mixes for all languages: chosen from what was trained, their loss from fresh seeds where there are any."""

import pytest

from tasksearch.analysis.portfolio.portfolios import portfolios
from tasksearch.analysis.study_analysis import analyse_study
from tasksearch.bench.planted_world import HELD, draw_world
from tasksearch.bench.simulate import TARGET, proposed, searched

GROUPS = {TARGET: "classification"}


@pytest.fixture(scope="module", params=[3, 8])
def analysis(request):
    """A planted study of 40 mixes; four of the best on three fresh seeds."""
    world = draw_world(HELD, request.param)
    study = searched(world, proposed(world, 40, request.param))
    gains = {r.plan.schedule: world.gains([r.plan.schedule])[0][1:] for r in study.records[5:]}
    mean = sorted(gains, key=lambda schedule: -gains[schedule].mean())[:2]
    single = [max(gains, key=lambda schedule, i=i: gains[schedule][i]) for i in (2, 5)]
    for schedule in dict.fromkeys([*mean, *single]):
        for seed in (11, 12, 13):
            study.train(schedule, seed, "finalist", objective=0.0)
    return analyse_study(study.records, study.outcomes, GROUPS)


def test_more_mixes_never_lose_more_and_one_per_language_loses_nothing(analysis):
    found = portfolios(analysis)
    for row in (found.chosen, found.tested):
        losses = [one.foreseen_loss for one in row]
        assert losses == sorted(losses, reverse=True) and losses[-1] >= 0
        for one in row:
            assert one.foreseen + one.foreseen_loss == pytest.approx(row[0].foreseen + row[0].foreseen_loss)
            assert len(one.members) <= one.size
    assert found.alone <= found.languages == 10 and found.mixes == 40


def test_every_language_is_served_once_by_a_mix_that_was_trained(analysis):
    found = portfolios(analysis)
    trained = {first.plan.mix_signature for first in analysis.evidence.table.firsts}
    rerun = {candidate.first.plan.mix_signature for candidate in analysis.evidence.candidates}
    for one in (*found.chosen, *found.tested):
        served = sorted(language for member in one.members for language in member.languages)
        assert served == sorted(f"l{i}" for i in range(10))
        assert {m.mix_signature for m in one.members} <= (trained if one in found.chosen else rerun)


def test_gain_and_loss_are_the_means_of_the_fresh_trainings_scores(analysis):
    arms = {c.first.plan.mix_signature: c.arm for c in analysis.evidence.candidates}

    def mean(arm, language):
        return sum(100 * seed[TARGET, language][:, 0].astype(float).mean() for seed in arm.seeds) / len(arm.seeds)

    found = portfolios(analysis)
    whole = found.tested[-1]
    assert whole.same, "in these worlds three mixes are all that the languages take"
    alone = {language: m.mix_signature for m in whole.members for language in m.languages}
    for one in found.tested:
        served = {language: m.mix_signature for m in one.members for language in m.languages}
        gains = [mean(arms[served[x]], x) - mean(analysis.evidence.baseline, x) for x in served]
        losses = [mean(arms[alone[x]], x) - mean(arms[served[x]], x) for x in served]
        assert one.gain.value == pytest.approx(sum(gains) / 10)
        assert one.same == (served == alone)
        assert one.same or one.loss.value == pytest.approx(sum(losses) / 10)
        assert one.same or one.loss.low < one.loss.value < one.loss.high


def test_without_leave_to_read_reporting_halves_nothing_is_said_of_them(analysis):
    assert portfolios(analysis, untested="nobody asked").tested == ()
