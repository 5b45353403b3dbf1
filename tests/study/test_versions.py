"""Versions that change numbers: recorded with every segment and study, told where they differ, mixed only when asked."""

import dataclasses

import pytest
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.library_versions import DECIDING, library_versions
from tasksearch.records.ledger import Ledger
from tasksearch.store import segment_store as store_module
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study import versions
from tasksearch.study.versions import check_versions, versions_are_mixed

OTHER = dict.fromkeys(DECIDING, "0.0.1")


@pytest.fixture
def begun(planted, tmp_path):
    """A study with a few finished trials, trained with the versions that are here."""
    ledger = Ledger(tmp_path)
    ledger.save_config(planted.config())
    assert check_versions(ledger) == []
    planted.run_in_process(planted.open_manager(tmp_path), tmp_path, most=5)
    return ledger


@pytest.fixture
def other(monkeypatch):
    """Every deciding library is of another version from now on."""
    monkeypatch.setattr(versions, "library_versions", lambda: OTHER)


def test_the_versions_that_decide_numbers_are_known_here():
    assert set(library_versions()) == set(DECIDING) and not any("+" in found for found in library_versions().values())


def test_a_study_under_other_versions_is_refused_in_one_line_and_left_as_it_was(begun, other):
    before = {path: path.read_bytes() for path in begun.folder.rglob("*.json")}
    with pytest.raises(BadInput, match=r"trained with tokenizers .*, here 0\.0\.1, .*--accept-versions mixes") as caught:
        check_versions(begun)
    assert "\n" not in str(caught.value) and "--retrain" in str(caught.value)
    assert {path: path.read_bytes() for path in begun.folder.rglob("*.json")} == before


def test_what_was_accepted_once_is_noted_and_not_asked_again(begun, other):
    assert not versions_are_mixed(begun.folder)
    (line,) = check_versions(begun, accept=True)
    assert "0.0.1" in line and versions_are_mixed(begun.folder)
    assert check_versions(begun) == []
    assert [entry["trials"] for entry in versions._past(begun.folder)] == [
        0,
        len([r for r in begun.records() if r.status == "done"]),
    ]


def test_retraining_begins_every_trial_again_and_keeps_what_was(planted, begun, other):
    was = {path.name: path.read_bytes() for path in begun.trials_path.iterdir()}
    config = begun.config()
    (line,) = check_versions(begun, retrain=True)
    assert "trained again" in line and begun.config() == config and begun.records() == []
    (kept,) = begun.folder.glob("before-*")
    assert {path.name: path.read_bytes() for path in (kept / "trials").iterdir()} == was
    assert check_versions(begun) == [] and not versions_are_mixed(begun.folder)
    manager = planted.open_manager(begun.folder)
    planted.run_in_process(manager, begun.folder)
    assert manager.complete


def test_a_study_without_a_finished_trial_takes_the_versions_it_meets(planted, tmp_path, monkeypatch):
    ledger = Ledger(tmp_path)
    ledger.save_config(planted.config())
    check_versions(ledger)
    monkeypatch.setattr(versions, "library_versions", lambda: OTHER)
    assert check_versions(ledger) == [] and not versions_are_mixed(tmp_path)


def test_a_study_of_an_earlier_version_is_read_by_what_its_trials_noted(begun, other):
    (begun.folder / "versions.json").unlink()
    assert check_versions(begun) == []
    (begun.folder / "versions.json").unlink()
    record = begun.records()[2]
    begun.write(dataclasses.replace(record, facts=(("torch", "2.9.0+cu128"), ("transformers", "4.1"))))
    with pytest.raises(BadInput, match=r"torch 2\.9\.0, here 0\.0\.1, transformers 4\.1, here 0\.0\.1:"):
        check_versions(begun)


def test_a_segment_of_other_versions_is_trained_again_unless_any_will_do(tmp_path, monkeypatch):
    ours, any_will_do = SegmentStore(tmp_path), SegmentStore(tmp_path)
    ours.versions = library_versions()
    monkeypatch.setattr(store_module, "library_versions", lambda: OTHER)
    ours.put("ab" * 12, {"model": {"w": torch.zeros(2)}}, {"kind": "target"})
    assert any_will_do.manifest("ab" * 12)["versions"] == OTHER
    assert ours.manifest("ab" * 12) is None and ours.damaged == []
    monkeypatch.undo()
    ours.put("ab" * 12, {"model": {"w": torch.ones(2)}}, {"kind": "target"})
    assert ours.manifest("ab" * 12) is not None and float(ours.tensors("ab" * 12, "model")["w"].sum()) == 2.0


def test_a_study_begun_before_numbers_changed_is_refused_and_can_be_trained_again(begun):
    found = versions._past(begun.folder)
    for entry in found:
        assert entry["versions"].pop("numerics") == str(versions.NUMERICS)
    versions._write(begun.folder, found)
    with pytest.raises(BadInput, match=rf"trained with numerics 1, here {versions.NUMERICS}: .*--retrain"):
        check_versions(begun)
    assert "trained again" in check_versions(begun, retrain=True)[0]
