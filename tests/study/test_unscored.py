"""`best --language` for a language that the study never scored."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import tasksearch
from tasksearch.cli.app import app
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.mix_file import read_mix
from tasksearch.study.unscored import is_unscored


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


def test_distances_between_languages_are_those_of_the_table_unless_others_are_given(folder, monkeypatch):
    from tasksearch.analysis import unscored_language
    from tasksearch.analysis.languages import distances

    seen, real = [], unscored_language.predict_unscored
    monkeypatch.setattr(unscored_language, "predict_unscored", lambda *given: seen.append(given[2]) or real(*given))
    monkeypatch.setattr(distances, "combined_distances", lambda codes: {("far", "wo"): 0.1 * len(list(codes))})
    for given in (None, {}, {("near", "wo"): 0.5}):
        tasksearch.best_for_unscored(folder, language="wo", distances=given)
    assert [set(one) for one in seen] == [{("far", "wo")}, set(), {("near", "wo")}]
