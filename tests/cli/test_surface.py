"""Every command: a group in `--help`, nothing swallowed, choices shown, `--json` as one object, an error as one line."""

import json
import re
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tasksearch.cli import app as module
from tasksearch.cli.app import app, run_app
from tasksearch.cli.score import METRICS
from tasksearch.metrics.scoring import FILE_METRICS


def leaves(command, *words):
    """(words, command) of everything that can be called."""
    if not hasattr(command, "commands"):
        return [(words, command)]
    return [leaf for name, one in command.commands.items() for leaf in leaves(one, *words, name)]


COMMANDS = [pytest.param(words, command, id=" ".join(words)) for words, command in leaves(get_command(app))]


def shown(*words):
    return CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"}).output


def test_every_command_stands_in_one_of_five_groups():
    groups = [module.SEARCH, module.LOOK, module.DATA, module.MODELS, module.MAINTAIN]
    assert {command.rich_help_panel for command in get_command(app).commands.values()} == set(groups)
    text = shown()
    assert [text.index(f"─ {group} ─") for group in groups] == sorted(text.index(f"─ {group} ─") for group in groups)
    assert "─ Commands ─" not in text


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_help_swallows_no_word_in_angle_brackets(words, command):
    told = " ".join([command.help or "", *(getattr(one, "help", None) or "" for one in command.params)])
    lost = [word for word in re.findall(r"<[^>\s]*>", told) if word not in shown(*words)]
    assert lost == [], "markdown takes them for HTML; write them in backticks"


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_command_answers_in_json_when_asked_to(words, command):
    assert "--json" in {name for one in command.params for name in one.opts}


@pytest.mark.parametrize(
    ("words", "choices"),
    [(("best",), "pivot-dev|english-dev|target-dev"), (("languages",), "low|low+|unseen"), (("pretrain",), "fp32|bf16"),
     (("store", "ls"), "cost|used|size|reused|name"), (("torture",), "store|drivers|workers|trainer|commands|all"),
     (("train",), "cls|pair-diff"), (("report",), "joint-vs-sequential"), (("score",), "accuracy, qqp, seqeval")],
)  # fmt: skip
def test_choices_are_shown_as_choices(words, choices):
    assert choices in shown(*words)


def test_the_metrics_that_are_named_are_those_that_there_are():
    assert set(METRICS) == {*FILE_METRICS, "xtreme"}


@pytest.fixture
def ran(monkeypatch, capsys):
    """Exit code, standard output and standard error of the command line in this process."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["tasksearch", *words])
        monkeypatch.setattr("tasksearch.cli.printing._answers", [])
        with pytest.raises(SystemExit) as done:
            run_app()
        said = capsys.readouterr()
        return done.value.code or 0, said.out, said.err

    return call


@pytest.mark.parametrize(
    ("words", "module", "said"),
    [
        (("bench",), "tasksearch.bench.campaign.bench", "interrupted; with --keep FILE a second run goes on"),
        (
            ("bench", "--keep", "kept.jsonl"),
            "tasksearch.bench.campaign.bench",
            "the same command goes on from what kept.jsonl holds",
        ),
        (("trials", "study"), "tasksearch.study.best.open_study", "tasksearch: interrupted\n"),
    ],
)
def test_ctrl_c_ends_with_one_line_and_130(ran, monkeypatch, words, module, said):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, stop)
    code, out, err = ran(*words)
    assert (code, out) == (130, "") and said in err and err.count("\n") == 1
    code, out, err = ran(*words, "--json")
    assert code == 130 and json.loads(out)["exit_code"] == 130 and json.loads(out)["kind"] == "Interrupted"


@pytest.mark.parametrize(
    ("words", "code", "kind", "said"),
    [
        (("best", "nowhere"), 2, "StudyNotReady", "no study in "),
        (
            ("best", "nowhere", "--select", "pivot"),
            2,
            "UnknownName",
            "no value for --select 'pivot'; did you mean 'pivot-dev'?",
        ),
        (("run", "--space", "joint_v_seq"), 2, "UnknownName", "did you mean 'joint_vs_seq'?"),
        (("best",), 2, "MissingParameter", "Missing argument 'study' (`tasksearch best --help` shows what it takes)"),
        (("store", "ls", "x", "--limit", "many"), 2, "BadParameter", "Invalid value for '--limit'"),
        (("data", "chek"), 2, "UsageError", "No such command 'chek'"),
        (("best", "x", "--rool"), 2, "NoSuchOption", "No such option: --rool"),
        (
            ("resume", "x", "--sampler", "tpe"),
            2,
            "NoSuchOption",
            "--sampler is settled when a study is made (`tasksearch resume",
        ),
        (
            ("extend", "x", "--model", "y"),
            2,
            "NoSuchOption",
            "`tasksearch run --model MODEL --from-study STUDY` trains its mixes",
        ),
    ],
)
def test_an_error_is_one_object_with_the_exit_code_that_it_has_without_json(ran, words, code, kind, said):
    plain = ran(*words)
    assert plain[:2] == (code, "")
    assert said in plain[2] and plain[2].startswith("tasksearch: ") and plain[2].count("\n") == 1
    told = ran(*words, "--json")
    (line,) = told[1].splitlines()
    assert json.loads(line) == {"error": plain[2].removeprefix("tasksearch: ").rstrip("\n"), "kind": kind, "exit_code": code}
    assert (told[0], told[2]) == (plain[0], plain[2])


def test_the_name_of_the_command_alone_shows_its_help(ran):
    code, out, err = ran()
    assert code in (0, 2) and "Usage: tasksearch" in out + err


def test_a_command_that_answered_adds_no_second_object(ran, monkeypatch):
    from tasksearch.core.errors import BadInput

    def answers_and_fails(**_):
        module.printing.print_json({"a": 1})
        raise BadInput("found something")

    monkeypatch.setattr(module, "app", answers_and_fails)
    assert ran("--json") == (2, '{"a": 1}\n', "tasksearch: found something\n")


@pytest.mark.parametrize(
    ("words", "last", "offered"),
    [("tasks --suite lo", 2, {"lowres"}), ("data check --suite lowres --target tyd", 5, {"tydiqa"}),
     ("data check --suite lowres --target tydiqa --language s", 7, {"sw"}), ("best x --select e", 3, {"english-dev"}),
     ("languages --group low", 2, {"low", "low+"})],
)  # fmt: skip
def test_the_shell_completes_values(words, last, offered):
    environment = {"_TASKSEARCH_COMPLETE": "complete_bash", "COMP_WORDS": f"tasksearch {words}", "COMP_CWORD": str(last + 1)}
    script = "from tasksearch.cli import main; import sys; sys.argv = ['tasksearch']; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert set(done.stdout.split()) == offered, done.stderr
