"""No command takes an option that it would then ignore."""

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput

IGNORED = [
    (["best", "study", "--effects", "--out", "mix.toml"], "--out with --effects"),
    (["best", "study", "--effects", "--notes"], "--notes with --effects"),
    (["best", "study", "--effects", "--select", "target-dev"], "--select with --effects"),
    (["best", "study", "--effects", "--portfolio"], "--portfolio with --effects"),
    (["best", "study", "--portfolio", "--language", "nosuch"], "--language with --portfolio"),
    (["best", "study", "--portfolio", "--baselines"], "--baselines with --portfolio"),
    (["best", "study", "--rules", "--language", "sw"], "--language with --rules"),
    (["best", "study", "--rules", "--effects"], "--effects with --rules"),
    (["best", "study", "--rules", "--out", "mix.toml"], "--out with --rules"),
    (["report", "study", "--question", "joint-vs-sequential", "--out", "x"], "--out with --question"),
    (["report", "study", "--margin", "2"], "--margin 2 without --question joint-vs-sequential"),
    (["score", "accuracy", "--gold", "a", "--pred", "b", "--language", "sw"], "--language with metric accuracy"),
    (["score", "mlqa", "--gold", "a", "--pred", "b", "--language", "de", "--na-prob", "c"], "--na-prob with metric mlqa"),
    (["score", "xtreme", "--gold", "a", "--pred", "b", "--na-prob", "c"], "--na-prob with metric xtreme"),
    (["bench", "--family", "tune", "--data", "folder"], "--data folder on tune"),
    (["bench", "--family", "lab-grid", "--most-seeds", "5"], "--most-seeds 5 on lab-grid"),
    (["data", "check", "--suite", "lab", "--max-length", "64"], "--max-length with no --model"),
    (["data", "check", "--suite", "lab", "--no-leakage", "--pretraining-text", "x"], "--pretraining-text with --no-leakage"),
    (
        ["train", "--mix", "m", "--out", "o", "--study", "s", "--target", "tag", "--world-seed", "1"],
        "--world-seed with --study",
    ),
    (["train", "--mix", "m", "--out", "o", "--encoder-only", "--features", "cls"], "--features with --encoder-only"),
    (["run", "--print-config", "--json"], "--json with --print-config"),
    (["run", "--suite", "lowres", "--data", ".", "--model", "m", "--world-seed", "1"], "--world-seed with suite 'lowres'"),
    (["run", "--max-gpu-hours", "1", "--gpus-per-trial", "0"], "--max-gpu-hours beside --gpus-per-trial 0"),
]


@pytest.mark.parametrize(("arguments", "said"), IGNORED)
def test_an_option_that_would_be_ignored_is_refused_in_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, arguments).exception
    assert isinstance(error, BadInput), error
    assert said in str(error) and "\n" not in str(error)
    assert not list(tmp_path.iterdir())
