"""`tasksearch score`: one JSON object, notes and mistakes on standard error."""

import json
import sys

import pytest

from tasksearch.cli.app import run_app


@pytest.fixture
def score(monkeypatch, capsys, tmp_path):
    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["tasksearch", "score", *arguments])
        with pytest.raises(SystemExit) as done:
            run_app()
        said = capsys.readouterr()
        return done.value.code or 0, said.out, said.err

    return run


def test_one_object_at_full_precision(score, tmp_path):
    (tmp_path / "g").write_text("a\nb\nc\n")
    (tmp_path / "p").write_text("a\nb\nx\n")
    code, out, err = score("accuracy", "--gold", "g", "--pred", "p")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"accuracy": 2 / 3 * 100, "num_examples": 3}


def test_a_mistake_is_one_line_and_nothing_on_standard_output(score, tmp_path):
    (tmp_path / "g").write_text("a\nb\n")
    (tmp_path / "p").write_text("a\n")
    for arguments, said in (
        (("accuracy", "--gold", "g", "--pred", "p"), "p has 1 lines, g has 2"),
        (("acuracy", "--gold", "g", "--pred", "p"), "did you mean 'accuracy'?"),
        (("squad", "--gold", "g", "--pred", "p"), "g:1: not JSON"),
        (("xtreme", "--gold", "g", "--pred", "p"), "no folder g"),
    ):
        code, out, err = score(*arguments)
        assert (code, out) == (2, "")
        assert said in err and err.count("\n") == 1


def test_what_a_benchmark_lacks_is_named_beside_the_object(score, tmp_path):
    for folder in ("g", "p"):
        (tmp_path / folder / "xnli").mkdir(parents=True)
        (tmp_path / folder / "xnli" / "test-sw.tsv").write_text("neutral\n")
    code, out, err = score("xtreme", "--gold", "g", "--pred", "p")
    said = json.loads(out)
    assert code == 0 and said["all_task"] is None and said["xnli"]["accuracy"] == {"sw": 100.0}
    assert "pawsx (all), xnli (ar bg" in err and err.count("\n") == 1
