"""`tasksearch logs` and `--verbose`."""

import inspect
import json
import logging

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.cli.logs import followed, verbosely
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.records.ledger import Ledger


@pytest.fixture
def study(tmp_path):
    space = SearchSpace(name="planted", summary="", tasks=("ccg",), steps=(64,))
    Ledger(tmp_path).save_config(
        StudyConfig(name="s", space=space, suite="lab", model="lab", targets=("nli",), languages=("en",))
    )
    (tmp_path / "driver.log.2").write_text("1\n2\n")
    (tmp_path / "driver.log.1").write_text("3\n")
    (tmp_path / "driver.log").write_text("4\n5\n")
    (tmp_path / "trials").mkdir(exist_ok=True)
    (tmp_path / "trials" / "0007.log").write_text("seven\n")
    (tmp_path / "trials" / "0007.traceback.txt").write_text("Traceback of seven\n")
    return tmp_path


def call(*words):
    return CliRunner().invoke(app, ["logs", *map(str, words)])


def test_the_last_lines_are_printed_over_full_files(study):
    assert call(study, "--lines", "3").output.split() == ["3", "4", "5"]
    assert call(study, "--lines", "0").output.split() == ["1", "2", "3", "4", "5"]


def test_a_trial_has_its_own_with_its_traceback(study):
    assert call(study, "--trial", "7").output.splitlines() == ["Traceback of seven", "seven"]


def test_json_is_one_object(study):
    told = json.loads(call(study, "--lines", "1", "--json").output)
    assert told["lines"] == ["5"] and told["files"][-1].endswith("driver.log")


def test_what_is_not_there_is_one_line(study, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    for words, told in (
        ((study, "--trial", "8"), "expected one of 0 to 7"),
        ((empty,), "no study in"),
        ((study, "--follow", "--json"), "expected one of them"),
    ):
        error = call(*words).exception
        assert isinstance(error, StudyNotReady | BadInput) and told in str(error) and "\n" not in str(error)


def test_following_survives_a_file_that_is_begun_anew(study):
    log, acts = study / "driver.log", []

    def pause():
        acts.pop(0)()

    def append(text):
        with log.open("a") as file:
            file.write(text)

    acts += [lambda: append("six\nse"), lambda: append("ven\n"), lambda: log.rename(study / "driver.log.9")]
    acts += [lambda: log.write_text("eight\n")]
    lines = followed(log, pause)
    assert [next(lines) for _ in range(3)] == ["six", "seven", "eight"]
    lines.close()


@pytest.mark.parametrize("name", ["run", "resume", "extend"])
def test_commands_that_run_studies_are_verbose_if_asked(name):
    (command,) = [one.callback for one in app.registered_commands if one.callback.__name__ == name]
    assert "verbose" in inspect.signature(command).parameters


def test_verbose_shows_the_log_and_quiet_commands_stay_so(capsys):
    said = []

    def command(word: str = "a") -> None:
        logging.getLogger("tasksearch.engine.trial_manager").debug("fine")
        said.append(word)

    verbosely(command)(word="b")
    assert capsys.readouterr().err == ""
    verbosely(command)(word="c", verbose=True)
    assert "fine" in capsys.readouterr().err and said == ["b", "c"]
