"""A study's books as they are opened: what a cut study.json lets stand, and what it refuses."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.engine.session import open_session
from tasksearch.records.ledger import Ledger


def reopened(planted, folder, **changes):
    config = planted.config(**changes)
    tables = {"sizes": planted.SIZES, "groups": planted.GROUPS, "plan_of": planted.plans_of(config)}
    with open_session(Ledger(folder), config, tracker=planted.SilentTracker(), **tables) as session:
        return [record.number for record in session.manager.records]


def contents(folder):
    return {path: path.read_bytes() for path in [folder / "study.json", *sorted((folder / "trials").iterdir())]}


@pytest.fixture
def cut(planted, tmp_path):
    """A study of a few finished trials whose study.json lost its second half."""
    Ledger(tmp_path).save_config(planted.config())
    planted.run_in_process(planted.open_manager(tmp_path), tmp_path, most=5)
    path = tmp_path / "study.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return tmp_path, whole


def test_the_command_that_began_a_study_writes_its_cut_study_json_again(planted, cut):
    folder, whole = cut
    assert reopened(planted, folder)[:5] == [0, 1, 2, 3, 4]
    assert (folder / "study.json").read_bytes() == whole


@pytest.mark.parametrize(
    "changes",
    [{"targets": ("nli",)}, {"targets": ("nli", "tag", "topic")}, {"languages": ("en", "near")}, {"suite": "lowres"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_command_that_asks_for_another_study_is_refused_and_changes_nothing(planted, cut, changes):
    folder, _ = cut
    before = contents(folder)
    with pytest.raises(BadInput, match=r"study\.json is damaged, and trial 0 is of another study than") as said:
        reopened(planted, folder, **changes)
    assert "\n" not in str(said.value) and contents(folder) == before


def test_a_cut_study_json_without_trials_is_whoever_asks_first(planted, tmp_path):
    (tmp_path / "study.json").write_text('{"name": "plan')
    assert reopened(planted, tmp_path, targets=("nli",)) == []
    assert Ledger(tmp_path).config().targets == ("nli",)
