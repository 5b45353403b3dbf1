"""Two Ray nodes on loopback: the preflight's answers, and a study that loses one of them on its way.

python tests/raytune/test_two_nodes.py FOLDER    # the study alone, one node killed; prints what happened
"""

import importlib.util
import shutil
import sys
import time
from pathlib import Path

import pytest

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.engine.events import Notice, TrialFinished
from tasksearch.records.ledger import Ledger
from tasksearch.testing.timed_segments import trainings
from trainables.recorded import RecordedTrainable

pytestmark = pytest.mark.long
TRIALS, STEP = 14, 0.01


def plan_of(planted):
    def plan(schedule, seed):
        stages = [("trunk", 64), *((task, 32) for task in schedule.tasks)] if schedule.stages else []
        chain = Schedule.sequential(stages) if stages else schedule
        names = {"targets": planted.TARGETS, "languages": planted.LANGUAGES}
        return Plan(suite="lab", schedule=chain, settings=PhaseSettings(), seed=seed, **names)

    return plan


def study(planted, folder, address, on_event=None, **context):
    from tasksearch.raytune.driver import run_trials

    played = {"log": str(folder / "trainings"), "store": str(folder / "marks"), "step_seconds": STEP, "target_steps": 48}
    settings = planted.config(trials=TRIALS, leaders=1, lag=6, sampler="random")
    summary = run_trials(
        Ledger(folder / "study"), settings, RecordedTrainable, {"segments": played} | context, sizes=planted.SIZES,
        groups=planted.GROUPS, plan_of=plan_of(planted), tracker=planted.SilentTracker(), address=address, concurrency=2,
        on_event=on_event,
    )  # fmt: skip
    records = Ledger(folder / "study").records()
    return [(r.number, r.role, r.status, r.plan, r.params, r.scores, r.objective) for r in records], summary


class Cluster:
    """A head without CPUs and two nodes of one CPU; the driver connects to it as to any other cluster."""

    def __enter__(self):
        import ray
        from ray.cluster_utils import Cluster as Loopback

        ray.shutdown()  # of the folder's own cluster, which the driver would take for the one that it should use
        small = {"object_store_memory": 80 * 2**20}
        self.inner = Loopback(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
        self.nodes = [self.inner.add_node(num_cpus=1, **small) for _ in range(2)]
        self.inner.wait_for_nodes()
        return self

    def __exit__(self, *_):
        self.inner.shutdown()

    def kill(self):
        """One node, abruptly."""
        self.inner.remove_node(self.nodes.pop(), allow_graceful=False)


def lose_a_node(planted, folder, after=4):
    """The study, with a node killed once `after` trials are finished; records, summary, notices, when the node went."""
    told, finished, killed = [], [], []
    with Cluster() as cluster:

        def on_event(event):
            if isinstance(event, Notice):
                told.append(event.text)
            if isinstance(event, TrialFinished):
                finished.append(event.record.number)
                if len(finished) == after:
                    cluster.kill()
                    killed.append(time.time())

        records, summary = study(planted, folder, cluster.inner.address, on_event)
    return records, summary, told, killed


@pytest.fixture(scope="module")
def undisturbed(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return study(planted, folder, None)[0]


def test_a_study_that_loses_a_node_comes_to_what_an_undisturbed_one_does(planted, undisturbed, tmp_path):
    records, summary, told, killed = lose_a_node(planted, tmp_path)
    assert records == undisturbed
    assert killed and summary.failed == 0
    done = trainings(tmp_path / "trainings")
    assert max(one.begin for one in done) > killed[0], "nothing was left to train when the node went"
    overlaps = [(a, b) for i, a in enumerate(done) for b in done[:i] if a.signature == b.signature and a.begin < b.end]
    assert not overlaps
    assert any(line.startswith("2 nodes see study folder as the driver does") for line in told), told


if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location("planted_study", Path(__file__).parents[1] / "planted_study.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted_study"] = module
    spec.loader.exec_module(module)
    place = Path(sys.argv[1])
    shutil.rmtree(place, ignore_errors=True)
    calm = study(module, place / "undisturbed", None)
    lost = lose_a_node(module, place / "disturbed")
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, undisturbed: {len(calm[0])} trainings in {calm[1].seconds:.0f} s")
    print(lost[2][0].replace(str(place), "FOLDER"))
    done = trainings(place / "disturbed" / "trainings")
    later = sum(one.begin > lost[3][0] for one in done)
    print(f"disturbed: one of two nodes killed after the fourth finished trial, {later} segments trained after that; "
          f"{len(lost[0])} trainings, {lost[1].failed} failed, in {lost[1].seconds:.0f} s")  # fmt: skip
    print(f"same trials, parameters, scores and objectives: {lost[0] == calm[0]}")
    print(f"{len(done)} trainings of {len({one.signature for one in done})} segments")
