"""`best --language` for a language that the study never scored."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import tasksearch
from tasksearch.cli.app import app
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.mix_file import read_mix
from tasksearch.study.unscored import _distances, is_unscored


@pytest.fixture
def folder(planted_folder, tmp_path):
    copy = shutil.copytree(planted_folder, tmp_path / "study")
    (copy / "readings.json").unlink(missing_ok=True)
    return copy


def test_it_is_answered_by_the_others_written_as_a_mix_and_recorded_as_a_reading(folder, tmp_path):
    done = CliRunner().invoke(app, ["best", str(folder), "--language", "wol", "--out", str(tmp_path / "mix.toml")])
    assert done.exit_code == 0, done.output
    assert "wo was not scored in this study" in done.output and "do not trust this" in done.output  # two other languages
    assert "no target of this study is scored in 'wo'" in done.output.replace("\n", " ")
    found = tasksearch.best_for_unscored(folder, language="wo")
    assert read_mix(tmp_path / "mix.toml") == found.schedule and "# do not trust this" in (tmp_path / "mix.toml").read_text()
    assert [one.language for one in found.left_out] == ["far", "near"] and found.low is None and not found.adaptive
    assert [use.rule for use in holdout_uses(folder)] == ["pivot-dev"]
    told = json.loads(CliRunner().invoke(app, ["best", str(folder), "--language", "wo", "--json"]).stdout)
    assert told["language"] == "wo" and told["value"] == found.value and told["doubt"].startswith("do not trust")


def test_only_a_known_language_is(folder):
    assert is_unscored(folder, "wo") and is_unscored(folder, "sov")  # the lab has sov
    assert not any(is_unscored(folder, name) for name in ("far", "all", "xx"))


def test_distances_are_those_of_the_table_where_it_knows_every_language():
    table = _distances(["sw", "yo", "wo", "hi"])
    assert table[("sw", "yo")] > 0 and len(table) == 6
    assert table[("yo", "wo")] < table[("wo", "hi")]
    assert _distances(["sw", "near1", "wo"]) is None
