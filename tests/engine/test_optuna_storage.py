import dataclasses
import errno
import os
import time

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from tasksearch.core.errors import BadInput, DiskFull, Refused, Unreachable
from tasksearch.engine.optuna_storage import OptunaMirror, open_storage, remove_stale_lock, repair_journal
from tasksearch.engine.optuna_trials import attributes_of, own_trials
from tasksearch.search.designed_trials import designed_trials


@pytest.fixture
def records(toy):
    space = toy.space()
    found = [
        toy.record(n, role="design", schedule=d.schedule, params=d.params, objective=float(n))
        for n, d in enumerate(designed_trials(space, toy.sizes))
    ]
    return [*found[:4], dataclasses.replace(found[4], status="failed", objective=None)]


def mirror_at(toy, folder, url=None):
    return OptunaMirror(open_storage(folder / "optuna.journal", url), "toy", toy.space())


@pytest.mark.parametrize("database", [False, True])
def test_trials_appear_running_with_their_parameters_and_are_told_once(toy, records, tmp_path, database):
    url = f"sqlite:///{tmp_path}/optuna.db" if database else None
    mirror = mirror_at(toy, tmp_path, url)
    for record in records:
        mirror.add(record)
        mirror.add(record)
    mirror.tell(records[0])
    mirror.tell(records[0])
    mirror.tell(records[4])
    back = mirror_at(toy, tmp_path, url)
    back.add(records[0])
    back.tell(records[0])
    trials = back.study.get_trials()
    assert [t.state.name for t in trials] == ["COMPLETE", "RUNNING", "RUNNING", "RUNNING", "FAIL"]
    assert trials[0].value == 0.0
    assert trials[3].params == {name: given for name, given in records[3].params if name != "none"}
    assert trials[3].distributions["use/ccg"] == CategoricalDistribution([True, False])
    assert trials[3].distributions["weight/ccg"] == IntDistribution(1, 4)
    assert trials[3].user_attrs == {
        "role": "design",
        "plan": records[3].plan.signature,
        "schedule": str(records[3].plan.schedule),
        "seed": 0,
        "trial": 3,
    }
    back.close()
    mirror.close()


def test_what_the_space_fixes_is_no_parameter(toy, tmp_path):
    space = toy.space(steps=(64,), schedules=("joint",))
    mirror = OptunaMirror(open_storage(tmp_path / "j"), "toy", space)
    design = designed_trials(space, toy.sizes)[3]
    mirror.add(toy.record(0, role="design", schedule=design.schedule, params=design.params))
    assert {"steps", "schedule"} <= dict(design.params).keys()
    assert {"steps", "schedule"}.isdisjoint(mirror.study.get_trials()[0].params)


def test_a_stopped_trial_is_pruned(toy, records, tmp_path):
    mirror = mirror_at(toy, tmp_path)
    mirror.add(records[0])
    mirror.tell(dataclasses.replace(records[0], status="stopped", objective=None))
    assert mirror.study.get_trials()[0].state == TrialState.PRUNED


def test_a_gap_between_ledger_and_optuna_is_refused(toy, records, tmp_path):
    with pytest.raises(BadInput, match="no gap"):
        mirror_at(toy, tmp_path).add(records[2])


def test_a_torn_last_line_is_cut_off_and_kept_beside(toy, records, tmp_path):
    mirror_at(toy, tmp_path).add(records[0])
    path = tmp_path / "optuna.journal"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code": 4, "wor')
    mirror = mirror_at(toy, tmp_path)
    mirror.add(records[1])
    assert (tmp_path / "optuna.journal.torn").read_bytes() == b'{"op_code": 4, "wor'
    assert path.read_bytes().startswith(whole)
    assert len(mirror_at(toy, tmp_path).study.get_trials()) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:2], b"{broken\n", *lines[2:]],
        lambda lines: [b"\xff\xfe" + lines[0], *lines[1:]],
        lambda lines: [lines[0].replace(b'"op_code"', b'"op_cude"'), *lines[1:]],
        lambda lines: [*lines[:-1], lines[-1].replace(b'"op_code": ', b'"op_code": 99')],
        lambda lines: [b"[]\n", *lines],
        lambda lines: lines[1:],
    ],
)
def test_a_journal_that_cannot_be_read_is_put_aside_and_written_again(toy, records, tmp_path, damage):
    path, said = tmp_path / "optuna.journal", []
    mirror = mirror_at(toy, tmp_path)
    for record in records:
        mirror.add(record)
        mirror.tell(record)
    damaged = b"".join(damage(path.read_bytes().splitlines(keepends=True)))
    path.write_bytes(damaged)
    back = OptunaMirror(open_storage(path, None, said.append), "toy", toy.space(), say=said.append)
    for record in records:
        back.add(record)
        back.tell(record)
    assert shown(back) == WHOLE
    if said:
        assert "is damaged" in said[0] and (tmp_path / "optuna.journal.damaged").read_bytes() == damaged


def test_a_whole_journal_and_an_absent_one_are_left_alone(tmp_path):
    path = tmp_path / "j"
    assert not repair_journal(path) and not path.exists()
    path.write_bytes(b"{}\n")
    assert not repair_journal(path) and path.read_bytes() == b"{}\n"


def test_a_lock_that_a_crash_left_is_removed_and_a_fresh_one_is_not(tmp_path):
    path, lock = tmp_path / "j", tmp_path / "j.lock"
    remove_stale_lock(path)
    lock.symlink_to(path)
    remove_stale_lock(path)
    assert lock.is_symlink()
    old = time.time() - 60
    os.utime(lock, (old, old), follow_symlinks=False)
    remove_stale_lock(path)
    assert not lock.is_symlink()


def test_optuna_finds_the_study_by_its_name(toy, records, tmp_path):
    mirror = mirror_at(toy, tmp_path)
    for record in records[:2]:
        mirror.add(record)
        mirror.tell(record)
    loaded = optuna.load_study(study_name="toy", storage=open_storage(tmp_path / "optuna.journal"))
    assert loaded.best_value == 1.0


def shown(mirror):
    """Number of the record → state and value, of the study's own trials."""
    own = own_trials(mirror.study.get_trials())
    return {number: (trial.state.name, trial.value) for number, trial in sorted(own.items())}


WHOLE = {0: ("COMPLETE", 0.0), 1: ("COMPLETE", 1.0), 2: ("COMPLETE", 2.0), 3: ("COMPLETE", 3.0), 4: ("FAIL", None)}


def enqueue(study):
    study.enqueue_trial({"use/ccg": True})


def add(study):
    study.add_trial(optuna.create_trial(value=50.0))


def ask(study):
    study.ask()


def copy_of_ours(study):
    for trial in study.get_trials():
        study.add_trial(trial)


def tell_ours(study):
    for trial in study.get_trials():
        study.tell(trial.number, 77.0, skip_if_finished=True)


def fail_ours(study):
    study.tell(next(t.number for t in study.trials if t.state == TrialState.RUNNING), state=TrialState.FAIL)


def delete(study):
    optuna.delete_study(study_name="toy", storage=study._storage)


def rename(study):  # as optuna-dashboard does
    optuna.copy_study(from_study_name="toy", from_storage=study._storage, to_storage=study._storage, to_study_name="mine")
    delete(study)


EDITS = [enqueue, add, ask, copy_of_ours, tell_ours, fail_ours, delete, rename]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(("at", "database"), [(0, False), (2, False), (5, False), (5, True)])
def test_whatever_people_do_in_the_optuna_study_it_ends_as_the_records_say(toy, records, tmp_path, edit, at, database):
    if edit is fail_ours and at == 0:
        pytest.skip("there is no trial yet")
    url = f"sqlite:///{tmp_path}/optuna.db" if database else None
    mirror = mirror_at(toy, tmp_path, url)
    for record in records[:at]:
        mirror.add(record)
    for record in records[: max(0, at - 2)]:
        mirror.tell(record)
    edit(mirror.study)
    mirror.close()
    said = []
    back = OptunaMirror(open_storage(tmp_path / "optuna.journal", url), "toy", toy.space(), say=said.append)
    for record in records:
        back.add(record)
    for record in records:
        back.tell(record)
    assert shown(back) == WHOLE
    assert shown(mirror_at(toy, tmp_path, url)) == WHOLE
    assert [trial.user_attrs["plan"] for _, trial in sorted(own_trials(back.study.trials).items())] == [
        record.plan.signature for record in records
    ]
    quiet = edit in (delete, rename) or (at == 0 and edit in (copy_of_ours, tell_ours))
    assert len(said) == (0 if quiet else 1), said
    names = optuna.get_all_study_names(back.study._storage)
    if "written again" in "".join(said):
        assert sorted(names) == ["toy", "toy.aside1"], "what people told is kept"
    back.close()


@pytest.mark.parametrize("edit", [enqueue, add, ask, copy_of_ours, tell_ours, fail_ours])
def test_what_people_do_while_the_study_runs_holds_nothing_up(toy, records, tmp_path, edit):
    said = []
    mirror = OptunaMirror(open_storage(tmp_path / "optuna.journal"), "toy", toy.space(), say=said.append)
    for record in records:
        mirror.add(record)
        edit(optuna.load_study(study_name="toy", storage=open_storage(tmp_path / "optuna.journal")))
        mirror.tell(record)
    assert shown(mirror) == WHOLE and said


def test_the_value_has_its_name_also_in_a_study_that_was_begun_without(toy, records, tmp_path):
    storage = open_storage(tmp_path / "optuna.journal")
    optuna.create_study(storage=storage, study_name="toy", direction="maximize")
    for _ in range(2):  # named once, and left so
        mirror = OptunaMirror(open_storage(tmp_path / "optuna.journal"), "toy", toy.space())
        assert mirror.study.metric_names == ["objective"]
        mirror.add(records[0])
        mirror.tell(records[0])
    assert mirror.study.trials_dataframe()["value_objective"].tolist() == [records[0].objective]
    assert (tmp_path / "optuna.journal").read_text().count("metric_names") == 1


def test_trials_of_an_earlier_version_are_known_by_place_and_plan(toy, records, tmp_path, monkeypatch):
    def without_number(record):
        return {name: value for name, value in attributes_of(record).items() if name != "trial"}

    monkeypatch.setattr("tasksearch.engine.optuna_storage.attributes_of", without_number)
    mirror = mirror_at(toy, tmp_path)
    for record in records[:3]:
        mirror.add(record)
        mirror.tell(record)
    monkeypatch.undo()
    enqueue(mirror.study)
    said = []
    back = OptunaMirror(open_storage(tmp_path / "optuna.journal"), "toy", toy.space(), say=said.append)
    for record in records:
        back.add(record)
        back.tell(record)
    assert shown(back) == WHOLE and len(back.study.trials) == 6 and "Optuna's number 3" in said[0]


@pytest.mark.parametrize("point", ["copy_study", "delete_study", "create_study"])
@pytest.mark.parametrize("lost", [False, True])
def test_writing_it_again_that_is_broken_off_goes_on(toy, records, tmp_path, monkeypatch, point, lost):
    url = f"sqlite:///{tmp_path}/optuna.db"
    mirror = mirror_at(toy, tmp_path, url)
    for record in records:
        mirror.add(record)
    tell_ours(mirror.study)
    for record in records[:-1]:
        monkeypatch.setattr(f"optuna.{point}", FailingOnce(getattr(optuna, point), StorageInternalError("gone"), lost=lost))
        try:
            mirror.tell(record)
        except Unreachable:
            mirror.tell(record)
        monkeypatch.undo()
    mirror.tell(records[-1])
    assert shown(mirror) == WHOLE
    mirror.close()


class FailingOnce:
    """Carries a call out the second time only, or carries it out and loses the answer."""

    def __init__(self, call, error, *, lost):
        self.call, self.error, self.lost, self.calls = call, error, lost, 0

    def __call__(self, *args, **options):
        self.calls += 1
        if self.calls > 1:
            return self.call(*args, **options)
        if self.lost:
            self.call(*args, **options)
        raise self.error


@pytest.mark.parametrize("lost", [False, True])
def test_a_database_that_went_away_is_told_again_and_nothing_is_doubled_where_only_the_answer_was_lost(
    toy, records, tmp_path, monkeypatch, lost
):
    mirror = OptunaMirror(open_storage(tmp_path, f"sqlite:///{tmp_path}/o.db"), "toy", toy.space(), "the Optuna storage there")
    gone = StorageInternalError("connection reset")
    monkeypatch.setattr(mirror.study, "add_trial", FailingOnce(mirror.study.add_trial, gone, lost=lost))
    monkeypatch.setattr(mirror.study, "tell", FailingOnce(mirror.study.tell, gone, lost=lost))
    for call in (mirror.add, mirror.tell):
        with pytest.raises(Unreachable, match=r"^the Optuna storage there went away; what is finished is kept"):
            call(records[0])
        call(records[0])
    mirror.add(records[1])
    assert [trial.state for trial in mirror.study.trials] == [TrialState.COMPLETE, TrialState.RUNNING]
    assert mirror.study.trials[0].value == records[0].objective
    mirror.close()


@pytest.mark.parametrize("database", [False, True])
def test_a_study_that_somebody_deleted_in_the_dashboard_is_one_line_and_is_told_anew(toy, records, tmp_path, database):
    url = f"sqlite:///{tmp_path}/optuna.db" if database else None
    mirror = mirror_at(toy, tmp_path, url)
    mirror.add(records[0])
    optuna.delete_study(study_name="toy", storage=mirror.study._storage)
    with pytest.raises(Refused, match="lacks what it was told"):
        mirror.add(records[1])
    mirror.close()
    again = mirror_at(toy, tmp_path, url)
    again.add(records[0])
    again.add(records[1])
    assert len(again.study.trials) == 2
    again.close()


def unlocked(*_):
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError:
        raise RuntimeError("Error: did not possess lock")  # noqa: B904 - as Optuna's lock does


@pytest.mark.parametrize(
    ("fault", "error"),
    [(OSError(errno.ENOSPC, "full"), DiskFull), (OSError(errno.EROFS, "read-only"), BadInput), (None, DiskFull)],
)
def test_a_journal_that_cannot_be_written_is_one_line(toy, records, tmp_path, monkeypatch, fault, error):
    mirror = OptunaMirror(open_storage(tmp_path / "j"), "toy", toy.space(), "the Optuna journal there")
    monkeypatch.setattr(mirror.study, "add_trial", FailingOnce(unlocked, fault, lost=False) if fault else unlocked)
    with pytest.raises(error, match="the Optuna journal there") as caught:
        mirror.add(records[0])
    assert "\n" not in str(caught.value)


def test_a_defect_of_ours_is_no_fault_of_the_storages(toy, records, tmp_path, monkeypatch):
    mirror = OptunaMirror(open_storage(tmp_path / "j"), "toy", toy.space())
    monkeypatch.setattr(mirror.study, "add_trial", FailingOnce(None, ValueError("a defect"), lost=False))
    with pytest.raises(ValueError, match="a defect"):
        mirror.add(records[0])


def test_a_trial_proposed_anew_must_be_the_one_that_optuna_knows(toy, records, tmp_path):
    mirror = OptunaMirror(open_storage(tmp_path / "j"), "toy", toy.space())
    mirror.add(records[0])
    mirror.check(0, records[0].plan)
    mirror.check(1, records[0].plan)  # Optuna never heard of it
    with pytest.raises(BadInput, match=r"restore trials/0000\.json"):
        mirror.check(0, records[1].plan)
