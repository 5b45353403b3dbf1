"""JSON with a checksum: any change of its bytes is known, newer formats are refused, older ones open."""

import json

import pytest

from tasksearch.core.checksum import FORMAT, checked_json, is_damaged, parse_checked, read_checked
from tasksearch.core.errors import BadInput, Damaged

DATA = {"number": 3, "text": "ä\nb", "scores": [{"value": 0.1}, {"value": 2.5e-7}], "none": None}


def test_what_was_written_comes_back_in_its_order(tmp_path):
    for data in (DATA, {}, {"a": {}}):
        content = checked_json(data)
        assert list(parse_checked(tmp_path, content).items()) == list(data.items())
        assert json.loads(content)["format"] == FORMAT


def test_every_flipped_bit_and_every_cut_is_known(tmp_path):
    content = checked_json(DATA)
    for place in range(len(content)):
        for bit in (0x01, 0x04, 0x20, 0x80):
            flipped = bytearray(content)
            flipped[place] ^= bit
            with pytest.raises(BadInput):
                parse_checked(tmp_path, bytes(flipped))
    for left in range(len(content) - 1):
        with pytest.raises(Damaged):
            parse_checked(tmp_path, content[:left])


def test_line_ends_of_another_system_are_no_damage(tmp_path):
    assert parse_checked(tmp_path, checked_json(DATA).replace(b"\n", b"\r\n")) == DATA


def test_an_older_file_opens_and_a_newer_one_is_refused_in_one_line(tmp_path):
    path = tmp_path / "file.json"
    path.write_text(json.dumps(DATA))
    assert read_checked(path) == DATA and not is_damaged(path)
    path.write_text(json.dumps({"format": FORMAT + 1, "anything": 1}))
    with pytest.raises(BadInput, match=rf"has format {FORMAT + 1}; expected at most {FORMAT}: update tasksearch") as caught:
        read_checked(path)
    assert "\n" not in str(caught.value) and not is_damaged(path), "it is another version's, and stays as it is"


def test_a_folder_or_a_file_without_permission_in_its_place_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(Damaged, match="is a folder; expected a file"):
        read_checked(tmp_path)
    assert is_damaged(tmp_path)

    def refused(path):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "file.json"
    path.write_bytes(checked_json(DATA))
    monkeypatch.setattr(type(path), "read_bytes", refused)
    with pytest.raises(BadInput, match="cannot be read: Permission denied"):
        read_checked(path)
    assert not is_damaged(path)
