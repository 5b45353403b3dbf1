"""Short target phases in the search: which trials are short, and that no number compares two fidelities."""

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.core.study import AFTERWARDS, SEARCHED
from tasksearch.search.finalists import choose_finalists
from tasksearch.search.gain_table import GainTable
from tasksearch.search.objective import Baseline
from tasksearch.search.proposals import Finished, Proposal, propose
from tasksearch.search.simulated_study import bounds, simulated_study

SHORT = {"search_target_steps": 0.25}
CELLS = (("nli", "en"), ("nli", "xx"))


def run(toy, config):
    """Every trial in order; whole target phases add 30 points to every score, and a mix up to 9."""
    records = []
    while isinstance(found := propose(config, toy.sizes, toy.plan_of, len(records), records), Proposal):
        worth = seed_from("value", found.plan.mix_signature) % 10 if found.plan.schedule.stages else 0
        level = 20 + 40 * found.plan.target_share + worth + 0.1 * found.plan.seed
        table = toy.table(dict.fromkeys(CELLS, level), seed=found.plan.seed)
        fields = {"role": found.role, "plan": found.plan, "params": found.params, "objective": float(worth)}
        records.append(toy.record(found.number, scores=table, **fields))
    assert isinstance(found, Finished)
    return records


@given(
    steps=st.integers(1, 10**6) | st.none(),
    epochs=st.floats(0.1, 10) | st.none(),
    stopping=st.integers(1, 1000) | st.none(),
    share=st.floats(0.01, 1.0),
    examples=st.integers(1, 10**6),
)
def test_a_shortened_phase_has_that_share_of_the_steps_and_one_at_least(steps, epochs, stopping, share, examples):
    whole = TrainSettings(steps=steps, epochs=epochs, early_stopping=stopping)
    short = whole.shortened(share)
    assert whole.shortened(1.0) == whole
    assert 1 <= short.steps_for(examples) <= whole.steps_for(examples)
    assert abs(short.steps_for(examples) - share * whole.steps_for(examples)) <= 1
    assert (short.early_stopping is None) == (stopping is None)


def test_a_plan_knows_its_fidelity_and_one_that_is_whole_reads_as_it_always_did(toy):
    whole = toy.plan_of(Schedule.none(), 1)
    short = dataclasses.replace(whole, target_share=0.25)
    assert "target_share" not in whole.to_json() and short.to_json()["target_share"] == 0.25
    assert Plan.from_json(short.to_json()) == short != whole
    assert short.signature != whole.signature and short.mix_signature == whole.mix_signature
    assert short.for_target("nli").epochs == 0.25 * whole.for_target("nli").epochs


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, float("nan")])
def test_a_share_outside_0_to_1_is_named(toy, share):
    with pytest.raises(BadInput, match=r"expected a share of the target steps in \(0, 1\], such as 0.25"):
        toy.config(search_target_steps=share)


def test_sets_and_pairs_of_different_fidelity_are_not_averaged(toy):
    with pytest.raises(BadInput, match=r"3 matched pairs, which have 0.25 of the target steps.*expected one of them"):
        toy.config(**SHORT, pairs=3, twins=3)


def test_the_search_and_its_baseline_are_short_and_what_follows_is_whole(toy):
    config = toy.config(**SHORT, pairs=3, controls=("exposure",), untrained=True)
    found = run(toy, config)
    shares = {role: {r.plan.target_share for r in found if r.role == role} for role in {r.role for r in found}}
    assert {role for role, own in shares.items() if own == {0.25}} == {"short-baseline", *SEARCHED}
    assert {role for role, own in shares.items() if own == {1.0}} == {"baseline", "finalist", "control", "untrained"}
    roles = [record.role for record in found]
    assert roles[:3] == ["short-baseline"] * 3 and roles[20:23] == ["baseline"] * 3 and roles[23] == "finalist"
    assert [r.plan.seed for r in found if r.role == "short-baseline"] == [0, 1, 2]
    bare = [r.plan.seed for r in found if r.role == "baseline"]
    fresh = {r.plan.seed for r in found if r.role in ("finalist", "control")}
    assert fresh <= set(bare) and len(bare) == len(set(bare))


def test_the_search_proposes_the_same_mixes_whatever_the_whole_trainings_gave(toy):
    config = toy.config(**SHORT, sampler="auto")
    before = run(toy, config)
    worse = [dataclasses.replace(r, objective=-9.0, scores=toy.table(dict.fromkeys(CELLS, 1.0))) for r in before]
    other = [bad if r.role in (*AFTERWARDS, "baseline") else r for r, bad in zip(before, worse, strict=True)]
    more = dataclasses.replace(config, trials=config.trials + 4)
    one, two = (propose(more, toy.sizes, toy.plan_of, len(before), records) for records in (before, other))
    assert one == two and one.role == "search" and one.plan.target_share == 0.25


def test_gains_of_the_search_are_over_a_baseline_as_short(toy):
    found = run(toy, toy.config(**SHORT))
    short, whole = (Baseline.of([r for r in found if r.role == role]) for role in ("short-baseline", "baseline"))
    assert (short.share, whole.share) == (0.25, 1.0)
    assert short.cells[CELLS[0]].mean == pytest.approx(30.1) and whole.cells[CELLS[0]].mean == pytest.approx(60.1, abs=0.1)
    with pytest.raises(BadInput, match=r"0.25, 1 of the target steps.*expected the same share"):
        Baseline.of(found)
    table = GainTable.of(found, short)
    assert {first.plan.target_share for first in table.firsts} == {0.25} and len(table.seeds) == 3
    assert (table.gains * table.deviations).min() > -0.2, "no mix is worse than the baseline beside it"
    assert GainTable.of(found, whole) is None, "no mix of the search ran whole target phases"


def test_finalists_are_chosen_by_the_short_trainings(toy):
    config = toy.config(**SHORT)
    found = run(toy, config)
    searched = [r for r in found if r.role in (*SEARCHED, "short-baseline")]
    chosen = [one.record.number for one in choose_finalists(config, searched)]
    assert chosen == [one.record.number for one in choose_finalists(config, found)]
    assert {r.plan.schedule for r in found if r.role == "finalist"} == {found[n].plan.schedule for n in chosen}


@pytest.mark.parametrize(
    "asked", [{}, {"leaders": 0}, {"leaders": 2, "leader_seeds": 2, "most_seeds": 6, "controls": ("exposure", "soup")}]
)
def test_a_forecast_counts_both_baselines(toy, asked):
    config = toy.config(**{**SHORT, "sampler": "random", "trials": 14, **asked})
    limits = bounds(config)
    for race in (None, False, True):
        roles = Counter(r.role for r in simulated_study(config, toy.sizes, toy.plan_of, {}, 0, cells=CELLS, race=race))
        assert all(limits[role].least <= roles[role] <= limits[role].most for role in limits)
        assert roles["short-baseline"] == 3 and (roles["baseline"] >= 3) == (config.leaders > 0)
        assert roles["short-baseline"] + sum(roles[role] for role in SEARCHED) == 14
