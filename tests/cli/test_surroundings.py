"""A working directory that is gone and a Python without docstrings are one line each; -O changes nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(*words, cwd=None, python=(), before=None):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['tasksearch', *{list(words)!r}]\n{before or ''}\n"
    code += "from tasksearch.cli import main; main()"
    return subprocess.run(
        [sys.executable, *python, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=100, check=False
    )


@pytest.mark.parametrize("words", [["best", "study"], ["spaces"], ["--help"]])
def test_a_deleted_working_directory_is_one_line(tmp_path, words):
    gone = tmp_path / "gone"
    gone.mkdir()
    done = call(*words, before=f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("tasksearch: the current folder is gone")


@pytest.mark.parametrize("words", [["best", "study"], ["run", "--help"]])
def test_a_python_without_docstrings_is_one_line(words):
    done = call(*words, python=["-OO"])
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "-OO" in done.stderr and "-O\n" in done.stderr


def test_without_asserts_help_is_the_same():
    with_asserts, without = call("run", "--help"), call("run", "--help", python=["-O"])
    assert with_asserts.returncode == without.returncode == 0
    assert with_asserts.stdout == without.stdout and "Searches for" in without.stdout


def test_no_assert_does_anything_that_its_absence_would_leave_undone():
    """An assert that calls what changes the world would be lost under -O."""
    harmless = {"isinstance", "len", "range", "list", "set", "all", "startswith", "endswith"}
    for path in sorted((ROOT / "tasksearch").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for call_ in ast.walk(node.test) if isinstance(node, ast.Assert) else ():
                if isinstance(call_, ast.Call):
                    name = getattr(call_.func, "id", getattr(call_.func, "attr", ""))
                    assert name in harmless, f"{os.fspath(path)}:{node.lineno} calls {name}"
