"""What the shell offers for values."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Annotated

import typer
from typer.testing import CliRunner

from tasksearch.cli import completion
from tasksearch.core.errors import UnknownName


def offered(completer, typed="", **params):
    return [value for value, _ in completer(SimpleNamespace(params=params), typed)]


def test_names_of_the_catalogue_are_offered_by_what_was_typed_before():
    assert offered(completion.complete_space, "joint") == ["joint", "joint_vs_seq", "joint_vs_seq_mlm"]
    assert offered(completion.complete_suite, "l") == ["lab", "lowres"]
    assert "tydiqa" in offered(completion.complete_target, suite="lowres")
    assert "tydiqa" not in offered(completion.complete_target, suite="lab")
    assert "mnli" in offered(completion.complete_task, suite="lowres")
    assert set(offered(completion.complete_language, suite="lowres", target=["tydiqa"])) < set(
        offered(completion.complete_language, suite="lowres")
    )
    assert ("sw", "Swahili") in completion.complete_language(SimpleNamespace(params={}), "sw")


def test_a_word_that_is_wrong_offers_nothing_and_prints_nothing(capsys):
    assert offered(completion.complete_target, suite="nosuch") == []
    assert offered(completion.complete_language, study="nowhere") == []
    assert offered(completion.complete_row, study="nowhere") == []
    assert offered(completion.complete_study, "nowhere/") == []
    assert capsys.readouterr() == ("", "")


def test_studies_and_the_folders_on_the_way_to_them_are_offered(tmp_path, monkeypatch):
    (tmp_path / "studies" / "one").mkdir(parents=True)
    (tmp_path / "studies" / "one" / "study.json").write_text("{}")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    assert offered(completion.complete_study) == ["other/", "studies/", "studies/one"]
    assert offered(completion.complete_study, "studies/o") == ["studies/one"]
    assert offered(completion.complete_study, f"{tmp_path}/s") == [f"{tmp_path}/studies/"]


def test_a_list_with_commas_offers_what_is_not_named_yet():
    controls = completion.complete_words("length", "exposure", "soup", commas=True)
    assert offered(controls, "length,") == ["length,exposure", "length,soup"]


def test_a_choice_is_shown_and_checked():
    asked, app = [], typer.Typer()

    @app.command()
    def one(sampler: Annotated[str, typer.Option(**completion.choice("tpe", "random"))] = "tpe") -> None:
        asked.append(sampler)

    assert "tpe|random" in CliRunner().invoke(app, ["--help"]).output
    assert CliRunner().invoke(app, ["--sampler", "random"]).exit_code == 0 and asked == ["random"]
    refused = CliRunner().invoke(app, ["--sampler", "tpf"])
    assert isinstance(refused.exception, UnknownName) and asked == ["random"]
    assert str(refused.exception).startswith("no value for --sampler 'tpf'; did you mean 'tpe'?")


def test_completing_loads_no_heavy_library():
    script = (
        "import sys; from types import SimpleNamespace as C; from tasksearch.cli import completion as c\n"
        "[f(C(params={'suite': 'lowres'}), '') for f in (c.complete_space, c.complete_suite, c.complete_target,"
        " c.complete_task, c.complete_language, c.complete_row, c.complete_study)]\n"
        "print(*{'torch', 'ray', 'mlflow', 'optuna', 'transformers', 'pandas'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
