"""A whole small lab study, trained in earnest without a store and with one: equal to the bit, and with one less is trained."""

import dataclasses

import pytest

from tasksearch.raytune.driver import run_trials
from tasksearch.search.records.ledger import Ledger
from tasksearch.study.run import configure
from tasksearch.study.setup import prepare
from trainables.three_phase import ThreePhase

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def asked():
    """Baseline, designs, the sampler's trials, finalists and controls, over mixes that begin alike."""
    config = configure(
        space="ladder", suite="lab", trials=12, leaders=1, leader_seeds=2, most_seeds=2, baseline_seeds=3, phase1_steps=30,
        targets=("retrieval", "topic"), languages=("near1",), steps=(20, 30, 40, 50),
        overrides={"target_steps": 6, "evaluation_examples": 40},
    )  # fmt: skip
    return dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=config.space.tasks[:2]))


@pytest.fixture(scope="module")
def played(planted, tmp_path_factory):
    """Without a store, and with one: records, outcome files, and what the trials say they spent on training phases."""
    config, found = asked(), {}
    setup = prepare(config)
    for reuse in (False, True):
        folder = tmp_path_factory.mktemp("on" if reuse else "off") / "study"
        context = setup.context(config, folder) | {"store": str(folder / "store") if reuse else None}
        run_trials(
            Ledger(folder), config, ThreePhase, context, sizes=setup.sizes, groups=setup.suite.groups,
            plan_of=setup.plan_of(config), tracker=planted.SilentTracker(), concurrency=2,
        )  # fmt: skip
        found[reuse] = folder
    return found


def test_the_study_is_whole(played):
    roles = {record.role for record in Ledger(played[True]).records()}
    assert {"baseline", "design", "search", "finalist", "control"} <= roles
    for folder in played.values():
        assert {record.status for record in Ledger(folder).records()} == {"done"}


def test_trials_parameters_scores_and_objectives_are_equal(played):
    def substance(folder):
        return [(r.number, r.role, r.plan, r.params, r.scores, r.objective) for r in Ledger(folder).records()]

    assert substance(played[True]) == substance(played[False])


def test_the_outcome_of_every_example_is_equal_to_the_bit(played):
    def outcomes(folder):
        return {path.name: path.read_bytes() for path in (folder / "trials").glob("*.safetensors")}

    on, off = outcomes(played[True]), outcomes(played[False])
    assert len(on) == len(Ledger(played[True]).records()) and on == off


def test_with_a_store_less_was_trained(played):
    def trained(folder):
        """Trials that trained of their intermediate phase what they asked for, and those that found some of it."""
        parts = [dict(record.seconds) for record in Ledger(folder).records() if record.plan.schedule.stages]
        return sum("intermediate" in one for one in parts), sum("reused" in one for one in parts)

    (all_of_them, none), (fewer, found) = trained(played[False]), trained(played[True])
    assert none == 0 and found > 0 and all_of_them > fewer
