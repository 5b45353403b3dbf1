"""Racing: seeds go where the decision is open, never a fifth where three decide, and the same ones at any concurrency."""

import dataclasses

import numpy as np
import pytest

from tasksearch.bench.planted_world import NULL, ONE, TUNE, draw_world
from tasksearch.bench.simulate import proposed, searched, sizes_of, space_of
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import Objective
from tasksearch.search.objective import Baseline, objective
from tasksearch.search.proposals import Finished, Proposal, Wait, propose
from tasksearch.search.racing import RaceState, goes_on, race_state

CELL = ("nli", "xx")
MIX = Schedule.joint(Mixture.uniform("qqp"), 64)


def runs(toy, values, schedule=MIX):
    return [
        toy.record(i, role="finalist", schedule=schedule, seed=i, scores=toy.table({CELL: value}, seed=i))
        for i, value in enumerate(values)
    ]


def standing(toy, values, baseline=(50.0, 50.4, 49.6, 50.2, 49.8), looks=3, most=5):
    bare = [dataclasses.replace(r, role="baseline") for r in runs(toy, baseline, Schedule.none())]
    return race_state({0: runs(toy, values)}, 0, bare, {CELL: 1.0}, looks=looks, most=most)


def test_a_clear_gain_and_a_clear_loss_are_decided_by_three_seeds(toy):
    assert standing(toy, [55.0, 55.4, 54.8]).chance == 0
    assert standing(toy, [45.0, 45.4, 44.8]).chance == 0


def test_no_gain_at_all_has_no_chance(toy):
    found = standing(toy, [50.3, 49.8, 49.9])
    assert found.chance < 0.02 and abs(found.ratio) < 1


def test_a_gain_near_the_boundary_is_open_until_the_seeds_run_out(toy):
    assert goes_on([standing(toy, [50.9, 50.3, 50.6])])
    assert standing(toy, [50.9, 50.3, 50.6, 50.7, 50.3]).chance == 0


def test_the_chance_is_how_often_the_next_seed_decides(toy):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=60)
    bare = tuple(50 + 0.3 * (noise - noise.mean()) / noise.std())
    seen = [50.2, 50.6]
    found = standing(toy, seen, bare)
    nexts = [standing(toy, [*seen, rng.normal(np.mean(seen), 0.3 * 1.5**0.5)], bare) for _ in range(500)]
    decided = sum(each.chance == 0 for each in nexts) / len(nexts)
    assert found.chance == pytest.approx(decided, abs=0.09)


def test_a_seed_is_run_for_what_it_settles_over_all_rows():
    assert not goes_on([RaceState(ratio=1.0, chance=0.2)])
    assert goes_on([RaceState(ratio=1.0, chance=0.2), RaceState(ratio=1.0, chance=0.15)])
    assert not goes_on([])


def test_one_seed_says_nothing_and_asks_for_nothing(toy):
    assert standing(toy, [50.8]).chance == 0


def test_a_race_without_noise_is_over(toy):
    assert standing(toy, [51.0, 51.0], baseline=(50.0, 50.0, 50.0)).chance == 0


class Race:
    """A simulated study that is driven by `propose` from its first finalist on."""

    def __init__(self, toy, family, number, **changes):
        self.world = draw_world(family, number)
        study = searched(self.world, proposed(self.world, 30, number))
        base = Baseline.of(study.records)
        goals = [objective(r.scores, base, {"target": "c"}, Objective()) for r in study.records]
        study.records[:] = [dataclasses.replace(r, objective=g) for r, g in zip(study.records, goals, strict=True)]
        self.study, self.searched = study, len(study.records)
        fields = {"space": space_of(self.world), "targets": ("target",), "languages": self.world.languages}
        fields |= {"baseline_seeds": 5, "trials": self.searched, "leaders": 3, "leader_seeds": 2, "most_seeds": 5}
        self.config = toy.config(**(fields | changes))

    def next(self, records):
        return propose(self.config, sizes_of(self.world), self.study.plan_of, len(records), records)

    def run(self, at_once=1):
        """Finalists in the order of proposal; of `at_once` in flight the last proposed finishes first."""
        flying = []
        while True:
            known = [r if r.number not in flying else dataclasses.replace(r, status="running", objective=None)
                     for r in self.study.records]  # fmt: skip
            found = self.next(known) if len(flying) < at_once else None
            if isinstance(found, Proposal):
                record = self.study.train(found.plan.schedule, found.plan.seed, found.role, objective=0.0)
                flying.append(record.number)
            elif flying:
                flying.pop()
            else:
                assert isinstance(found, Finished), found
                return [
                    (r.plan.mix_signature, r.plan.seed) for r in self.study.records[self.searched :] if r.role == "finalist"
                ]


@pytest.mark.parametrize("number", range(3))
def test_the_same_seeds_are_run_at_any_concurrency(toy, number):
    alone = Race(toy, TUNE, number).run()
    assert alone == Race(toy, TUNE, number).run(at_once=3) == Race(toy, TUNE, number).run(at_once=7)
    assert len(alone) == len(set(alone)) and 6 <= len(alone) <= 15


def test_a_round_waits_for_the_rounds_before_it(toy):
    race = Race(toy, TUNE, 0)
    race.run()
    first = race.study.records[: race.searched + 6]
    late = [*first[:-1], dataclasses.replace(first[-1], status="running", objective=None)]
    assert race.next(late) == Wait(number=first[-1].number)


def test_without_a_race_every_leader_gets_its_seeds(toy):
    assert len(Race(toy, TUNE, 0, leader_seeds=3, most_seeds=3).run()) == 9


@pytest.mark.parametrize(("family", "most"), [(ONE, 0.7), (NULL, 0.6)], ids=["one", "null"])
def test_a_race_spends_less_than_five_seeds_each(toy, family, most):
    spent = [len(Race(toy, family, number).run()) for number in range(6)]
    assert sum(spent) / len(spent) <= most * 15
