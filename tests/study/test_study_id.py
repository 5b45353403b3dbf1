"""A study that lost its id would write every run a second time: the id is kept twice, and a line cut short is none."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.study.locations import store_address, study_id


@pytest.mark.parametrize("left", [0, 3, -1])
@pytest.mark.parametrize("place", ["study.id", "trials/study.id"])
def test_either_copy_cut_anywhere_is_made_good_from_the_other(tmp_path, place, left):
    first = study_id(tmp_path, "name")
    whole = (tmp_path / place).read_bytes()
    (tmp_path / place).write_bytes(whole[:left])
    assert study_id(tmp_path, "name") == first
    assert (tmp_path / place).read_bytes() == whole


def test_a_study_from_before_there_was_a_copy_keeps_its_id(tmp_path):
    (tmp_path / "study.id").write_text("name-0a1b2c3d\n")
    assert study_id(tmp_path, "name") == "name-0a1b2c3d"
    assert (tmp_path / "trials" / "study.id").read_text() == "name-0a1b2c3d\n"


def test_two_folders_have_two_ids(tmp_path):
    assert study_id(tmp_path / "a", "name") != study_id(tmp_path / "b", "name")


@pytest.mark.parametrize("left", [0, 4, -1])
def test_a_place_of_the_store_that_was_cut_short_is_asked_for_again(tmp_path, left):
    address = store_address(tmp_path, "memory://shared/store")
    assert store_address(tmp_path) == address == "memory://shared/store"
    path = tmp_path / "store.location"
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BadInput, match=r"store\.location was cut short; say once more where the store is, by --store"):
        store_address(tmp_path)
    assert store_address(tmp_path, "memory://shared/store") == store_address(tmp_path)
