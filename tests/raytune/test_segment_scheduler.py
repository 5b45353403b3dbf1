"""Scheduling by segments through Ray, on recorded segments that take their time: nothing twice at once, same results."""

import pytest

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.raytune.driver import run_trials
from tasksearch.records.ledger import Ledger
from tasksearch.testing.timed_segments import trainings
from trainables.recorded import RecordedTrainable

pytestmark = pytest.mark.usefixtures("local_cluster")


def behind_a_trunk(planted):
    """Every mix comes after the same long first stage, so that trials that begin within three seconds want one segment."""

    def plan_of(schedule, seed):
        stages = [("trunk", 600), *((task, 16) for task in schedule.tasks)] if schedule.stages else []
        chain = Schedule.sequential(stages) if stages else schedule
        settings = PhaseSettings()
        return Plan(
            suite="lab", schedule=chain, targets=planted.TARGETS, languages=planted.LANGUAGES, settings=settings, seed=seed
        )

    return plan_of


def study(planted, folder, *, store, concurrency, lost=(), **changes):
    """Runs it; returns what it came to without clocks, what was trained, and the summary."""
    folder.mkdir()
    log = folder / "trainings"
    played = {"log": str(log), "store": str(folder / "marks") if store else None, "step_seconds": 0.005, "target_steps": 16}
    config = planted.config(**({"trials": 6, "leaders": 0, "lag": 6, "sampler": "random"} | changes))
    summary = run_trials(
        Ledger(folder), config, RecordedTrainable, {"segments": played, "kill_in": list(lost)}, sizes=planted.SIZES,
        groups=planted.GROUPS, plan_of=behind_a_trunk(planted), tracker=planted.SilentTracker(), concurrency=concurrency,
    )  # fmt: skip
    records = [(r.number, r.role, r.status, r.plan, r.params, r.scores, r.objective) for r in Ledger(folder).records()]
    return records, trainings(log), summary


@pytest.fixture(scope="module")
def shared(planted, tmp_path_factory):
    return study(planted, tmp_path_factory.mktemp("shared") / "study", store=True, concurrency=2)


def overlapping(done):
    """Pairs of trainings of one segment that ran at the same time."""
    pairs = [(a, b) for i, a in enumerate(done) for b in done[:i] if a.signature == b.signature]
    return [(a, b) for a, b in pairs if a.begin < b.end and b.begin < a.end]


def test_a_segment_in_flight_is_waited_for_and_trained_once(shared):
    _, done, summary = shared
    assert len(done) == len({training.signature for training in done})
    use = summary.slot_use
    assert use.slots == 2 and use.pauses == use.resumes > 0
    assert 0 < use.idle_seconds < use.seconds
    trained = sum(training.end - training.begin for training in done)
    assert use.seconds - use.idle_seconds >= trained, "the slots were busy at least while segments were trained"


def test_without_reuse_the_same_trials_have_the_same_scores_and_nobody_waits(planted, shared, tmp_path):
    records, done, summary = study(planted, tmp_path / "study", store=False, concurrency=2)
    assert records == shared[0]
    assert summary.slot_use.pauses == 0
    assert len(done) > len(shared[1]) and {t.signature for t in done} == {t.signature for t in shared[1]}


@pytest.mark.long
def test_the_scheduler_decides_over_time_alone(planted, shared, tmp_path):
    records, done, summary = study(planted, tmp_path / "study", store=True, concurrency=1)
    assert records == shared[0] and summary.slot_use.pauses == 0
    assert {t.signature for t in done} == {t.signature for t in shared[1]}


@pytest.mark.long
def test_a_lost_worker_leaves_its_segment_to_others_and_the_results_as_they_were(planted, shared, tmp_path):
    records, done, _ = study(planted, tmp_path / "study", store=True, concurrency=2, lost=[4, 5])
    assert records == shared[0] and not overlapping(done)


def test_asha_stops_trials_above_it_and_nothing_is_trained_twice(planted, tmp_path):
    records, done, summary = study(planted, tmp_path / "study", store=True, concurrency=2, scheduler="asha", trials=12)
    statuses = [status for _, _, status, *_ in records]
    assert statuses.count("stopped") > 0 and set(statuses) == {"done", "stopped"}
    assert len(done) == len({training.signature for training in done})
    assert summary.slot_use.pauses == summary.slot_use.resumes
