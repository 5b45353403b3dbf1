import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tasksearch.core.errors import BadInput, DiskFull, StudyBusy, StudyNotReady
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.records import ledger as module
from tasksearch.records.ledger import Ledger


def test_a_config_comes_back_equal(toy, tmp_path):
    config = toy.config(suite_options=(("world", 3),))
    Ledger(tmp_path).save_config(config)
    assert Ledger(tmp_path).config() == config


def test_records_come_back_equal_and_in_the_order_of_numbers_past_ten_thousand(toy, tmp_path):
    ledger = Ledger(tmp_path)
    table = toy.table({("nli", "xx"): 51.25})
    joint = Schedule.joint(Mixture.of({"mnli": 3, "qqp": 1}), 64)
    written = [
        toy.record(
            n, role="search", schedule=joint, params=(("use/mnli", True), ("rank/qqp", 0.5)), scores=table, objective=0.5
        )
        for n in (10_001, 2, 9_999, 0)
    ]
    for record in written:
        ledger.write(record)
    assert ledger.records() == sorted(written, key=lambda r: r.number)


def test_what_a_crashed_writer_left_is_no_record(toy, tmp_path):
    ledger = Ledger(tmp_path)
    ledger.write(toy.record(0))
    (ledger.trials_path / ".0001.json.abc.tmp").write_text('{"number": 1')
    assert [r.number for r in ledger.records()] == [0]


def test_outcomes_come_back_equal_under_names_with_slashes(tmp_path):
    ledger = Ledger(tmp_path)
    outcomes = {
        ("xnli", "sw", "select"): np.array([[1, 1], [0, 1]], np.float32),
        ("a/b", "zh", "report"): np.array([[0.5, 2]], np.float32),
    }
    ledger.write_outcomes(7, outcomes)
    back = ledger.outcomes(7)
    assert back.keys() == outcomes.keys()
    assert all(np.array_equal(back[cell], outcomes[cell]) for cell in outcomes)
    with pytest.raises(StudyNotReady, match="trial 8"):
        ledger.outcomes(8)


def test_a_write_that_fails_half_way_leaves_the_old_record_and_no_rubbish(toy, tmp_path, monkeypatch):
    ledger = Ledger(tmp_path)
    ledger.write(toy.record(0, objective=1.0))

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(DiskFull, match=r"0000\.json"):
        ledger.write(toy.record(0, objective=2.0))
    monkeypatch.undo()
    assert ledger.records()[0].objective == 1.0
    assert [p.name for p in ledger.trials_path.iterdir()] == ["0000.json"]


def test_a_folder_without_a_study_and_a_damaged_file_are_named_in_one_line(toy, tmp_path):
    ledger = Ledger(tmp_path)
    with pytest.raises(StudyNotReady, match="no study in"):
        ledger.config()
    ledger.write(toy.record(3))
    path = ledger.record_path(3)
    path.write_text(json.dumps({"number": 3}))
    with pytest.raises(BadInput, match=r"0003\.json is damaged") as caught:
        ledger.records()
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_the_users_mistake(toy, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot write"):
        Ledger(tmp_path / "file" / "study").write(toy.record(0))


def test_the_lock_names_its_owner_and_may_be_taken_twice_by_the_same_ledger(tmp_path):
    mine, other = Ledger(tmp_path), Ledger(tmp_path)
    with mine.lock(), mine.lock(), pytest.raises(StudyBusy, match=f"process {os.getpid()} on "), other.lock():
        raise AssertionError("two owners")
    with other.lock():
        pass


def test_a_killed_owner_frees_the_lock(tmp_path):
    script = "import sys, time; from pathlib import Path; from tasksearch.records.ledger import Ledger\n"
    script += "with Ledger(Path(sys.argv[1])).lock(): print('mine', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "mine\n"
        with pytest.raises(StudyBusy, match=f"process {process.pid}"), Ledger(tmp_path).lock():
            raise AssertionError("two owners")
        process.kill()
    with Ledger(tmp_path).lock():
        pass


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_is_as_open_to_others_as_the_umask_says(toy, tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        Ledger(tmp_path).write(toy.record(0))
    finally:
        os.umask(before)
    assert Ledger(tmp_path).record_path(0).stat().st_mode & 0o777 == mode


def test_document_numbers_come_back_equal_by_target_and_languages_are_added_to_those_that_are_there(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.documents() == {}
    first = {("a/b", "sw", "report"): np.array([7, 7, 2**62], np.int64), ("qa", "sw", "select"): np.array([1], np.int64)}
    more = {("a/b", "zh", "report"): np.array([3], np.int64)}
    ledger.write_documents(first)
    assert not ledger.lacks_documents(first.keys() - {("qa", "sw", "select")})
    assert ledger.lacks_documents(more)
    ledger.write_documents(more)
    back = ledger.documents()
    assert back.keys() == first.keys() | more.keys()
    assert all(np.array_equal(back[cell], array) for cell, array in (first | more).items())
    next((tmp_path / "documents").iterdir()).write_bytes(b"rubbish")
    with pytest.raises(BadInput, match="move it away"):
        ledger.documents()
