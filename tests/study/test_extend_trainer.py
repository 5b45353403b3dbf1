"""`extend` over the real trainer: what was trained stays and is reused, and what joins is what it would have been at once."""

import dataclasses
import json
from collections import Counter

import numpy as np
import pytest

from tasksearch.core.learning_curve import CURVES
from tasksearch.records.ledger import Ledger
from tasksearch.store.eviction import entries
from tasksearch.store.remote import open_store
from tasksearch.store.segment_store import MANIFEST
from tasksearch.study.extend import Growth, extend_study
from tasksearch.study.locations import study_id
from tasksearch.study.run import Resources, configure, run_study
from tasksearch.tracking.address import default_uri
from tasksearch.tracking.lookup import statuses

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

TINY = {"phase1_steps": 30, "target_steps": 4, "evaluation_examples": 40, "controls": "none"}
GROWTH = Growth(
    trials="+4", tasks=("marks",), targets=("tag",), languages=("lowfar",), baseline_seeds=4, leader_seeds=2, most_seeds=2
)
TWO = Resources(concurrency=2)


def small_study():
    config = configure(
        space="joint", targets=["topic"], languages=["near1"], trials=6, baseline_seeds=3, leaders=1, leader_seeds=1,
        most_seeds=1, **TINY,
    )  # fmt: skip
    space = dataclasses.replace(config.space, tasks=("find", "sort"), steps=(16,))
    return dataclasses.replace(config, name="small", space=space)


def files(folder, *kinds):
    return {
        path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes())
        for kind in kinds
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file() and path.name not in ("study.id", "study.json")  # the latter says what is asked for by now
    }


class Stock:
    """The intermediate segments of a store: when each was committed, how often it was reused."""

    def __init__(self, folder):
        store = open_store(str(folder / "store"))
        phases = [entry for entry in entries(store) if entry.kind == "intermediate"]
        self.committed = {e.name: (store.folder(e.name) / MANIFEST).stat().st_mtime_ns for e in phases}
        self.uses = {entry.name: entry.uses for entry in phases}


def trained(records):
    """How many of the records trained an intermediate segment, rather than finding it."""
    return sum("intermediate" in dict(record.seconds) for record in records)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """The small study; what it was before it grew; what it is then."""
    folder = tmp_path_factory.mktemp("grown") / "study"
    run_study(small_study(), folder, resources=TWO)
    before = {"files": files(folder, "trials"), "stock": Stock(folder), "records": Ledger(folder).records()}
    summary = extend_study(folder, GROWTH, resources=TWO)
    return folder, before, summary


@pytest.fixture(scope="module")
def at_once(grown, tmp_path_factory):
    """The study as it is asked for in the end, run at once over a store of its own."""
    folder = tmp_path_factory.mktemp("at-once") / "study"
    run_study(dataclasses.replace(Ledger(grown[0]).config(), name="at-once"), folder, resources=TWO)
    return folder


def test_records_of_before_are_untouched_to_the_byte(grown):
    folder, before, _ = grown
    after = files(folder, "trials")
    curves = {name for name in before["files"] if name.name.endswith(f".{CURVES}")}  # what joined has curves of its own there
    assert {name: after.get(name) for name in before["files"].keys() - curves} == {
        name: found for name, found in before["files"].items() if name not in curves
    }
    for name in curves:
        own, grown_own = (json.loads(found[name][1]) for found in (before["files"], after))
        assert own == {part: grown_own[part] for part in own}, "a part trained again for a new language keeps its first curve"
    assert len(curves) > 0 and len(after) > len(before["files"])


def test_what_joined_is_scored_in_every_trial(grown):
    folder, before, summary = grown
    records = Ledger(folder).records()
    # four of the search, one seed of the baseline, and the leaders' fresh seeds
    assert len(records) >= len(before["records"]) + 4 + 1 + 1 and summary.failed == 0
    assert {r.status for r in records} == {"done"}
    for record in records:
        cells = {(score.target, score.language) for score in record.scores}
        assert cells == {(target, language) for target in ("tag", "topic") for language in ("en", "lowfar", "near1")}
    assert any("marks" in record.plan.schedule.tasks for record in records)
    assert Counter(record.role for record in records)["baseline"] == 4


def test_no_intermediate_phase_was_trained_twice(grown):
    folder, before, _ = grown
    old, now = before["stock"], Stock(folder)
    assert {name: now.committed[name] for name in old.committed} == old.committed
    ledger = Ledger(folder)
    additions = [one for own in ledger.additions().values() for one in own]
    assert trained(additions) == 0 and {one.number for one in additions} == {r.number for r in before["records"]}
    # a joint mix is one segment: as many trials trained one as there are
    assert trained(ledger.written()) == len(now.committed) > len(old.committed)
    with_phase = [record for record in before["records"] if record.plan.schedule.stages]
    assert sum(now.uses[name] - old.uses[name] for name in old.uses) >= len(with_phase)


def test_mlflow_has_every_trial_once(grown):
    folder = grown[0]
    runs = statuses(default_uri(folder), "small", study_id(folder, "small"))
    assert runs == {"study": "FINISHED"} | {str(record.number): "FINISHED" for record in Ledger(folder).records()}


def test_the_study_run_at_once_has_the_same_tables_bit_for_bit(grown, at_once):
    one, other = Ledger(grown[0]), Ledger(at_once)
    theirs = {(record.plan.schedule, record.plan.seed): record for record in other.records()}
    shared = [(mine, theirs[key]) for mine in one.records() if (key := (mine.plan.schedule, mine.plan.seed)) in theirs]
    # four baselines, every single task and the uniform mix of the small space, at the least
    assert len(shared) >= 4 + 3
    assert {mine.number for mine, _ in shared} & {record.number for record in grown[1]["records"] if record.role == "design"}
    for mine, their in shared:
        assert mine.scores == their.scores
        bits, others = one.outcomes(mine.number), other.outcomes(their.number)
        assert bits.keys() == others.keys() and all(np.array_equal(bits[cell], others[cell]) for cell in bits)
