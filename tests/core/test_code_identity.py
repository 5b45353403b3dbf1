"""The hash of the sources that decide numbers: theirs alone, and all of them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tasksearch
from tasksearch.core.code_identity import DECIDING, code_hash, folder_of, other_code

ROOT = Path(tasksearch.__file__).resolve().parents[1]
PRINT = "from tasksearch.core.code_identity import code_hash; print(code_hash())"


@pytest.fixture
def copy(tmp_path):
    for package in ("tasksearch", "trainables", "search_spaces"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def hash_of(folder):
    done = subprocess.run([sys.executable, "-c", PRINT], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("package", DECIDING)
def test_every_deciding_package_is_there_and_has_sources(package):
    folder = folder_of(package)
    assert folder is not None and any(folder.rglob("*.py")), f"{package} was renamed: its name in code_identity too"


def test_equal_sources_elsewhere_have_the_same_hash_and_line_ends_do_not_count(copy):
    assert hash_of(copy) == code_hash() and len(code_hash()) == 16
    source = copy / "tasksearch" / "training" / "__init__.py"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert hash_of(copy) == code_hash()


def test_an_edit_of_what_decides_changes_it_and_an_edit_of_the_rest_does_not(copy):
    for elsewhere in ("cli/run.py", "raytune/driver.py", "tracking/port.py"):
        with (copy / "tasksearch" / elsewhere).open("a") as file:
            file.write("\n# a word\n")
    assert hash_of(copy) == code_hash()
    seen = {code_hash()}
    for package in ("trainables", "tasksearch/metrics", "tasksearch/phases"):
        (copy / package / "another.py").write_text("VALUE = 1\n")
        seen.add(hash_of(copy))
    assert len(seen) == 4


def test_code_that_was_not_recorded_is_not_other_code():
    assert other_code([None, "", code_hash()]) == ()
    assert other_code(["b", None, "a", "b", code_hash()]) == ("a", "b")


def test_a_package_that_cannot_be_imported_has_no_folder():
    assert folder_of("tasksearch.nothing") is None and folder_of("nothing.at_all") is None
