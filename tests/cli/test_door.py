"""Whatever happens, the command line says one line; and input that is no input is refused before it is read."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasksearch.cli import app as module
from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.metrics import files
from tasksearch.records.mix_file import read_mix
from tasksearch.study.run import configure
from tasksearch.study.settings import keep_skipped, skipped_note
from tasksearch.study.spaces import load_space
from tasksearch.tasks.formats.lines import lines
from tasksearch.tasks.reading import file_fingerprint


def said_of(monkeypatch, capsys, fault):
    def fail(**_):
        raise fault

    monkeypatch.setattr(module, "app", fail)
    with pytest.raises(SystemExit) as ended:
        module.run_app()
    out = capsys.readouterr()
    assert out.out == ""
    return ended.value.code, out.err


def test_an_unexpected_error_is_one_line_and_a_log_that_the_user_alone_can_read(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    code, said = said_of(monkeypatch, capsys, RuntimeError("first of http://me:secret@host/x\nsecond"))
    (log,) = (tmp_path / "tasksearch").iterdir()
    assert code == 70 and said.count("\n") == 1 and str(log) in said
    assert said.startswith("tasksearch: unexpected error: RuntimeError: first of http://***@host/x;")
    text = log.read_text()
    assert "Traceback" in text and "second" in text and "secret@" not in text and log.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_hides_no_error(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, said = said_of(monkeypatch, capsys, KeyError("x"))
    assert code == 70 and str(tmp_path / "tasksearch-") in said
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    code, said = said_of(monkeypatch, capsys, KeyError("x"))
    assert code == 70 and said.endswith("no log could be written\n")


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ".", "", " ", "x" * 201, "a\nb", "a\x00b"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(BadInput, match="expected the name of one folder") as caught:
        configure(space="joint", name=name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "my study", "ünïcode", "x" * 200, "50%", "a.b"])
def test_other_names_are_taken(name):
    assert configure(space="joint", name=name).name == name


def test_a_space_that_is_no_python_file_is_one_line(tmp_path):
    text = tmp_path / "space.txt"
    text.write_text("SPACE = 1")
    huge = tmp_path / "huge.py"
    with huge.open("wb") as file:
        file.truncate(10**9)
    (tmp_path / "folder.py").mkdir()
    for path, why in [
        (text, r"does not end in \.py"), (huge, "has 1000000000 bytes"), (tmp_path / "folder.py", "is a folder"),
        (Path("/dev/zero"), "is no regular file"),
    ]:  # fmt: skip
        with pytest.raises(BadInput, match=why) as caught:
            load_space(str(path))
        assert "\n" not in str(caught.value) and "expected a Python file with a SPACE" in str(caught.value)


def test_files_that_never_end_are_refused_wherever_they_are_named():
    endless = Path("/dev/zero")
    readers = [read_mix, file_fingerprint, files.read_lines, lambda path: list(lines(path))]
    for read in readers:
        with pytest.raises(BadInput, match="/dev/zero is no regular file"):
            read(endless)
    with pytest.raises(DataMissing):
        files.read_lines(Path("/nowhere"))


def test_damaged_notes_are_told_and_never_in_the_way(tmp_path):
    keep_skipped(tmp_path, {"nli sw dev": ["line 3"]})
    assert skipped_note(tmp_path).startswith("1 bad records were passed over by --skip-bad, in nli sw dev")
    path = tmp_path / "skipped.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert skipped_note(tmp_path).startswith("skipped.json is damaged: what it noted is not known")
    keep_skipped(tmp_path, {})
    assert not path.exists() and skipped_note(tmp_path) == ""
    path.mkdir()
    assert "skipped.json is damaged" in skipped_note(tmp_path)


def test_the_door_of_a_real_process_says_one_line_of_a_study_that_is_a_file(tmp_path):
    path = tmp_path / "study"
    path.write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tasksearch", "best", str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
