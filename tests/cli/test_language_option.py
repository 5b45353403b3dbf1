"""`--language` in every command that takes it: any code of a language, and one line for a code that nobody has."""

import dataclasses
import json
import shutil

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import TasksearchError
from tasksearch.records.ledger import Ledger
from tasksearch.study.coverage import covered_languages, scored_name
from tasksearch.study.run import configure
from tasksearch.tasks.catalogue import load_suite


def invoked(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def raw_text(tmp_path):
    (tmp_path / "pretrain" / "mine").mkdir(parents=True)
    (tmp_path / "pretrain" / "mine" / "en.txt.gz").write_bytes(b"")
    return tmp_path


def test_a_language_that_nobody_has_is_one_line_in_every_command(planted_folder, raw_text, tmp_path):
    study = shutil.copytree(planted_folder, tmp_path / "study")
    grown = shutil.copytree(planted_folder, tmp_path / "grown")
    Ledger(grown).save_config(dataclasses.replace(Ledger(grown).config(), languages=("en", "near1")))
    lowres = ("--suite", "lowres", "--data", raw_text)
    commands = [
        ("run", *lowres, "--model", "m"),
        ("plan", *lowres, "--model", "m"),
        ("data", "check", *lowres),
        ("data", "leakage", *lowres),
        ("data", "get", *lowres),
        ("languages",),
        ("languages", "--clusters", 2),
        ("best", study),
        ("best", study, "--effects"),
        ("extend", grown),
        ("pretrain", "--data", raw_text, "--out", tmp_path / "model"),
        ("model", "trim", "m", "--out", tmp_path / "small", *lowres),
        ("predict", "--suite", "lowres", "--data", raw_text, "--model", "m", "--target", "tatoeba", "--out", tmp_path / "p"),
        ("score", "mlqa", "--gold", "g.json", "--pred", "p.json"),
    ]
    takes = {name for name, flags in COMMANDS.items() if "--language" in flags}
    assert {words[words[0] in ("data", "model")] for words in commands} == takes
    for words in commands:
        done = invoked(*words, "--language", "xx")
        assert isinstance(done.exception, TasksearchError), (words, done.output)
        assert "'xx'" in str(done.exception) and "\n" not in str(done.exception), words


def _commands(group):
    from typer.main import get_command

    for name, command in getattr(group if hasattr(group, "commands") else get_command(group), "commands", {}).items():
        yield from (
            _commands(command)
            if hasattr(command, "commands")
            else [(name, {flag for one in command.params for flag in one.opts})]
        )


COMMANDS = dict(_commands(app))


@pytest.mark.parametrize(("asked", "meant"), [("iw", "he"), ("in", "id"), ("jw", "jv"), ("zh-CN", "zh"), ("swh", "sw")])
def test_legacy_and_regional_codes_are_those_of_the_cards(asked, meant, tmp_path):
    assert covered_languages(load_suite("lowres"), ["tatoeba", "sib200"], [asked]) == (meant,)
    config = configure(suite="lowres", model="m", data=str(tmp_path), targets=["sib200"], languages=[asked], objective=asked)
    assert config.languages == ("en", meant) and config.objective.languages == (meant,)
    assert scored_name(asked, ["en", meant, "low"]) == meant


def test_a_code_of_the_study_s_own_and_a_group_stay():
    assert scored_name("fil", ["fil", "en"]) == "fil"
    assert scored_name("low-resource", ["sw"]) == "low-resource"


def test_data_check_names_what_covers_a_language_that_the_target_lacks(tmp_path):
    done = invoked("data", "check", "--suite", "lowres", "--data", tmp_path, "--target", "tydiqa", "--language", "yo")
    assert "no target of this check is scored in 'yo'; suite lowres covers it by " in str(done.exception)


def test_mlqa_takes_regional_codes(tmp_path):
    article = {"data": [{"paragraphs": [{"context": "b", "qas": [{"id": "1", "question": "a", "answers": [{"text": "b"}]}]}]}]}
    (tmp_path / "gold.json").write_text(json.dumps(article))
    (tmp_path / "pred.json").write_text('{"1": "b"}')
    done = invoked("score", "mlqa", "--gold", tmp_path / "gold.json", "--pred", tmp_path / "pred.json", "--language", "pt-BR")
    assert "'pt'" in str(done.exception)
    done = invoked("score", "mlqa", "--gold", tmp_path / "gold.json", "--pred", tmp_path / "pred.json", "--language", "zh-CN")
    assert json.loads(done.stdout)["f1"] == 100.0
