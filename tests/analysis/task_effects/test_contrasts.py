"""Effects read from the surrogate: the Gaussian process's own answer, and intervals that hold on planted worlds."""

import dataclasses
import statistics
from pathlib import Path

import numpy as np
import pytest

from tasksearch.analysis.task_effects import contrasts as effects
from tasksearch.analysis.task_effects.contrasts import contrast_of_any, contrast_of_trained, estimate_contrasts
from tasksearch.analysis.task_effects.effects import task_effects
from tasksearch.analysis.task_effects.questions import effect_questions
from tasksearch.bench.effects import GROUPS, checked
from tasksearch.bench.planted_world import HELD, NULL, ONE, TUNE, draw_world
from tasksearch.bench.simulate import proposed, searched
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.study import SEARCHED
from tasksearch.records.ledger import Ledger
from tasksearch.search.gain_table import MIN_MIXES, GainTable
from tasksearch.search.objective import Baseline
from tasksearch.search.surrogate.features import blocks_of, features
from tasksearch.search.surrogate.multitask_gp import KERNELS, LEVEL, OWN, coregionalised, seed_contrasts
from tasksearch.search.surrogate.schedule_arrays import ScheduleArrays

REAL = Path(__file__).parents[3] / "benchmarks/data/real_study"


def table_of(family, number, trials):
    world = draw_world(family, number)
    records = searched(world, proposed(world, trials, number)).records
    return GainTable.of(records, Baseline.of(records))


def test_it_is_the_dense_posterior_of_the_same_process(monkeypatch):
    """One kernel, one column: against the textbook formula with every mix written out."""
    monkeypatch.setattr(effects, "KERNELS", KERNELS[2:3])
    table = table_of(TUNE, 1, 30)
    surrogate, scores, seeds = table.surrogate, table.gains[:, :1], table.seeds[:, :1]
    monkeypatch.setattr(type(surrogate), "bases", property(lambda s, found=surrogate.bases: found[2:3]))
    task = 2
    arrays = ScheduleArrays.of(surrogate.schedules, surrogate.tasks)
    there = arrays.present[:, task] & (arrays.count > 1)
    asked = next(q for q in effect_questions(surrogate) if q.kind == "drop" and q.about == (surrogate.tasks[task],))
    got = estimate_contrasts(surrogate, [asked.contrast], scores, seeds, np.ones((1, 1))).posterior

    here, gone = features(surrogate.schedules, surrogate.tasks), blocks_of(arrays.rows(there).without(task))
    count, size = len(scores), int(there.sum())
    kernel = LEVEL * np.ones((count + size, count + size)) + OWN * np.eye(count + size)
    for name, weight in KERNELS[2].items():
        both = np.vstack([here[name], gone[name]]) - here[name].mean(axis=0)
        if name == "rate":
            assert not both.any(), "these mixes have one learning rate"
            continue
        kernel += weight * both @ both.T / (np.square(both[:count]).sum() / count)
    values, vectors = surrogate.bases[0]
    whiten, _, ratio = coregionalised(vectors.T @ scores, values, seed_contrasts(seeds, 1))
    noise = 1 / whiten.item() ** 2
    signal = float(ratio[0]) * noise
    weights = np.concatenate([-1.0 * there / size, np.full(size, 1 / size)])
    solve = np.linalg.inv(signal * kernel[:count, :count] + noise * np.eye(count))
    cross = signal * weights @ kernel[:, :count]
    assert got.mean.item() == pytest.approx((cross @ solve @ scores).item())
    variance = signal * weights @ kernel @ weights - cross @ solve @ cross
    assert got.deviation.item() == pytest.approx(variance**0.5)


def test_effects_add_up_as_their_questions_do():
    table = table_of(TUNE, 2, 24)
    surrogate = table.surrogate
    one, two = (contrast_of_trained(surrogate, np.eye(24)[i]) for i in (3, 7))
    arrays = ScheduleArrays.of(surrogate.schedules[:2], surrogate.tasks)
    three = contrast_of_any(surrogate, arrays, np.array([0.5, -0.5]))
    found = estimate_contrasts(
        surrogate, [one, two, three, one + two + three], table.gains, table.seeds, np.eye(len(table.cells))
    )
    assert found.posterior.mean[3] == pytest.approx(found.posterior.mean[:3].sum(axis=0))
    assert 0 < found.additive <= 1 + 1e-9


def test_the_task_that_helps_is_found_and_shapley_values_add_up():
    told = task_effects(table_of(ONE, 3, 48), GROUPS, {"pair": ["l0", "l1", "nowhere"]})
    row = told["all"]
    drops = {effect.about[0]: effect for effect in row.drops}
    assert drops["t0"].high < 0 and min(drops, key=lambda task: drops[task].value) == "t0"
    assert max(row.shapley, key=lambda effect: effect.value).about == ("t0",)
    assert [r.name for r in told.rows] == [*(f"l{i}" for i in range(10)), "all", "pair"]
    singles = [told[f"l{i}"].drops[0].value for i in range(10)]
    assert drops["t0"].value == pytest.approx(statistics.fmean(singles))
    assert told["pair"].drops[0].value == pytest.approx(statistics.fmean(singles[:2])) and told["pair"].languages == (
        "l0",
        "l1",
    )
    assert told["all"].drops[0].line.startswith("drop t0: -") and " ± " in told["all"].drops[0].line


@pytest.mark.parametrize("trials", [24, 48])
def test_intervals_of_task_effects_cover_the_truth_at_about_their_rate(trials):
    """Per world the share of tasks and languages; over 1,000 worlds this has a mean near 0.95 and a deviation of about 0.06."""
    found = [checked(HELD, 3000 + number, trials) for number in range(5)]
    for kind in ("drop", "shapley"):
        shares = [statistics.fmean(c.covered for c in world if c.effect.kind == kind) for world in found]
        assert statistics.fmean(shares) >= 0.87, (kind, shares)
        assert max(c.effect.reach for world in found for c in world if c.effect.kind == kind) < 12


def test_where_nothing_helps_few_intervals_say_otherwise():
    told = [task_effects(table_of(NULL, number, 48), GROUPS, {}) for number in range(4)]
    clear = [effect.clear for one in told for row in one.rows for effect in row.drops]
    assert statistics.fmean(clear) <= 0.1


def test_too_few_mixes_are_said():
    with pytest.raises(StudyNotReady, match=f"{MIN_MIXES - 1} mixes were trained; effects of tasks need at least {MIN_MIXES}"):
        task_effects(table_of(TUNE, 4, MIN_MIXES - 1), GROUPS, {})


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded study is in the repository, not in the wheel")
def test_the_learning_rates_effect_on_the_record_of_real_languages_turns_with_the_rates():
    records = [record for record in Ledger(REAL).records() if record.role in ("baseline", *SEARCHED)]
    groups = {"masakhapos": "tagging", "sib200": "classification", "tatoeba": "retrieval", "udpos": "tagging"}
    groups |= {"masakhaner2": "tagging"}

    def effects_at(rates):
        told = [
            record if record.plan.schedule.learning_rate is None else dataclasses.replace(
                record, plan=dataclasses.replace(
                    record.plan, schedule=record.plan.schedule.at_rate(rates[record.plan.schedule.learning_rate])
                )
            )
            for record in records
        ]  # fmt: skip
        row = task_effects(GainTable.of(told, Baseline.of(told)), groups, {})["all"]
        return [effect for effect in row.order if effect.kind == "rate"]

    [found] = effects_at({2e-5: 2e-5, 2e-4: 2e-4})
    assert found.words == "rate 0.0002 rather than 2e-05" and found.mixes >= 13
    assert found.high < 0, "at the higher rate retrieval falls"
    [turned] = effects_at({2e-5: 2e-4, 2e-4: 2e-5})
    assert turned.low > 0 and turned.value == pytest.approx(-found.value, rel=0.35)
    assert effects_at({2e-5: 2e-5, 2e-4: 2e-5}) == []
