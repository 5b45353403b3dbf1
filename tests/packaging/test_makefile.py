"""`make install` installs the extra that is asked for, also where another is installed already."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tasksearch.core.presets import preset_for
from tasksearch.study.config_file import read_config
from tasksearch.study.configuration import configure

ROOT = Path(__file__).parents[2]


@pytest.fixture
def would(tmp_path):
    """Installs nothing: the commands that make would run over a virtual environment that has the extras named by stamps."""
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")

    def call(*asked, what="install", stamps=()):
        for name in stamps:
            stamp = tmp_path / f".installed-{name}"
            stamp.touch()
            os.utime(stamp, (2**32, 2**32))  # newer than pyproject.toml
        words = ["make", "-n", what, f"VENV={tmp_path}", *asked]
        bare = {name: value for name, value in os.environ.items() if name != "EXTRA"}
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, env=bare).stdout

    return call


def test_a_first_install_takes_the_cpu_extra(would):
    assert "'.[cpu,dev]'" in would()


def test_what_is_installed_is_not_installed_again_and_needs_no_word(would):
    assert "pip" not in would(stamps=["gpu"])
    assert "pip" not in would("EXTRA=gpu")


@pytest.mark.parametrize(("there", "asked"), [("cpu", "gpu"), ("gpu", "cpu")])
def test_another_extra_takes_the_place_of_the_one_that_is_there(would, there, asked):
    done = would(f"EXTRA={asked}", stamps=[there])
    assert f"'.[{asked},dev]'" in done
    lines = [line for line in done.splitlines() if "uninstall" in line or "rm -f" in line or "-e '.[" in line]
    assert f" faiss-{there} " in lines[0] and lines[1].startswith("rm -f") and f"[{asked}" in lines[-1]


def test_make_real_fetches_data_where_none_are_given_and_its_study_is_one_that_can_be_asked_for(would, tmp_path, monkeypatch):
    fetched, given = would(what="real"), would("DATA=there", "MODEL=mine", what="real")
    assert "data get --suite lowres --data data --task mnli" in fetched and "--model intfloat/multilingual-e5-small" in fetched
    assert "data get" not in given and "run --config benchmarks/real.toml --model mine --data there" in given
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path))
    asked = read_config(str(ROOT / "benchmarks/real.toml"))
    assert preset_for("intfloat/multilingual-e5-small", None, 0).name == "small"
    config = configure(asked.study, model="intfloat/multilingual-e5-small")
    assert config.preset == "small" and config.space.learning_rates == (2e-5, 2e-4) and config.controls == ("exposure",)
