"""A whole small lab study, trained in earnest without a store and with one: equal to the bit, and with one less is trained."""

import dataclasses

import pytest

from tasksearch.phases.unfolding import unfolded
from tasksearch.raytune.driver import run_trials
from tasksearch.records.ledger import Ledger
from tasksearch.store.eviction import entries
from tasksearch.store.remote import open_store
from tasksearch.study.run import configure
from tasksearch.study.setup import prepare
from trainables.three_phase import ThreePhase

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def asked():
    """Baseline, designs, the sampler's trials, finalists and controls (a soup among them), over mixes that begin alike."""
    config = configure(
        space="ladder", suite="lab", trials=12, leaders=2, leader_seeds=1, most_seeds=1, baseline_seeds=3, phase1_steps=30,
        targets=("retrieval", "topic"), languages=("near1",), steps=(20, 30, 40, 50),
        controls="all", target_steps=6, evaluation_examples=40,
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
    assert any(record.plan.soup for record in Ledger(played[True]).records())
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
    def found(folder):
        return sum("reused" in dict(record.seconds) for record in Ledger(folder).records())

    assert found(played[False]) == 0 < found(played[True])
    asked_for = [segment.signature for r in Ledger(played[True]).records() for segment in unfolded(r.plan)[0]]
    stored = [entry for entry in entries(open_store(str(played[True] / "store"))) if entry.kind == "intermediate"]
    assert len(stored) == len(set(asked_for)) < len(asked_for), "every segment was trained once"
