"""At a study's end MLflow and Optuna name the mixes that `best` names, and no command prints a reporting score unasked."""

import json
import shutil

import optuna
import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import Unreachable
from tasksearch.engine.optuna_storage import open_storage
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study import closing
from tasksearch.study.best import best_of
from tasksearch.study.closing import close_study, search_summary
from tasksearch.tracking.memory import MemoryTracker


@pytest.fixture
def closed(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    ledger, tracker, said = Ledger(folder), MemoryTracker(), []
    tracker.open_study(ledger.config(), {})
    close_study(tracker, ledger, ledger.config(), None, said.append)
    assert said == []
    return folder, tracker


def test_the_tracker_and_optuna_name_the_verdicts_mixes_and_the_reading_is_recorded(closed):
    folder, tracker = closed
    assert len(holdout_uses(folder)) == 1
    verdict = best_of(folder)
    study = optuna.load_study(study_name="planted", storage=open_storage(Ledger(folder).optuna_path))
    for choice in verdict.choices:
        assert tracker.summary[f"verdict_mix.{choice.name}"] == choice.mix_signature
        assert tracker.summary[f"gain/all/{choice.name}"] == choice.gain.value
        assert study.user_attrs["verdict"]["chosen"][choice.name]["mix"] == choice.mix_signature
        for result in choice.targets:
            assert tracker.summary[f"score/{result.target}/{choice.name}"] == result.score.value
            assert tracker.summary[f"gain_low/{result.target}/{choice.name}"] == result.gain.low
    assert len(holdout_uses(folder)) == 1 and tracker.artefacts[-1] == {"report.html"}


def test_fresh_seeds_are_never_maximised_over(planted_folder):
    records = Ledger(planted_folder).records()
    searched = [r.objective for r in records if r.role in ("design", "search")]
    assert search_summary(records, "planted")["search/highest_objective"] == max(searched)
    fresh = [r for r in records if r.role in ("baseline", "finalist")]
    assert "search/highest_objective" not in search_summary(fresh, "planted")


def test_an_optuna_study_that_cannot_be_told_does_not_fail_a_finished_one(planted_folder, tmp_path, monkeypatch):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    ledger, tracker, said = Ledger(folder), MemoryTracker(), []
    tracker.open_study(ledger.config(), {})

    def gone(*_):
        raise Unreachable("the Optuna database went away")

    monkeypatch.setattr(closing, "_tell_optuna", gone)
    close_study(tracker, ledger, ledger.config(), None, said.append)
    assert said == ["the Optuna study does not name the verdict: the Optuna database went away"]
    assert tracker.status == "FINISHED"


def test_trials_in_json_hold_selection_scores_alone_and_record_nothing(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    told = json.loads(CliRunner().invoke(app, ["trials", str(folder), "--json"], catch_exceptions=False).output)["trials"]
    halves = {score["half"] for trial in told for score in trial["scores"]}
    assert halves == {"select"} and len(told) == len(Ledger(folder).records())
    assert not (folder / "readings.json").exists()
