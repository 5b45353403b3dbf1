"""Joint or sequential from study folders: asked once, of studies that belong together, with a line for those that do not."""

import dataclasses
import json
import shutil

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.records.holdout_log import headline, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.reports.matched_comparison import closing_lines
from tasksearch.reports.page import render
from tasksearch.results.matched_comparison import QUESTION
from tasksearch.study.best import best_of
from tasksearch.study.matched_comparison import answer_question
from tasksearch.study.report import command_of, planned, report_of
from tasksearch.study.run import resume_study

SETTINGS = {"leader_seeds": 3, "leaders": 1, "trials": 18, "twins": 3}


def trained(planted, folder, **changes):
    ledger, settings = Ledger(folder), SETTINGS | changes
    ledger.save_config(planted.config(**settings))
    ledger.save_sizes(planted.SIZES)
    planted.run_in_process(planted.open_manager(folder, **settings), folder)
    return folder


@pytest.fixture(scope="module")
def twins_folder(planted, tmp_path_factory):
    return trained(planted, tmp_path_factory.mktemp("twins") / "study")


@pytest.fixture
def folder(twins_folder, tmp_path):
    copy = shutil.copytree(twins_folder, tmp_path / "study")
    (copy / "readings.json").unlink(missing_ok=True)  # a report of it is a reading
    return copy


def test_twins_count_apart_and_the_study_is_complete_with_them(twins_folder):
    data = report_of(twins_folder)
    roles = [record.role for record in data.records]
    assert roles.count("twin") == 54 and sum(role in ("baseline", "design", "search") for role in roles) == 19
    assert planned(data.config, list(data.records)) == len(roles) and not data.partial
    assert "--matched-sets 3" in command_of(data.config)
    hours = data.verdict.baseline_comparison.hours
    spent = sum(s for r in data.records if r.role not in ("twin", "best-of") for _, s in r.seconds if s)
    assert hours.total * 3600 <= spent


def test_the_question_is_written_down_once_and_leaves_the_verdicts_own_question_alone(folder):
    first = answer_question([folder])
    assert first == answer_question([folder, folder])
    assert not first.adaptive and first.complete
    assert [question.rule for question in holdout_uses(folder)] == [QUESTION]
    assert headline(holdout_uses(folder)) is None
    assert not best_of(folder).adaptive
    assert not answer_question([folder]).adaptive


def test_more_twins_after_an_answer_are_a_second_look(planted, folder):
    answer_question([folder])
    trained(planted, folder, twins=4)
    again = answer_question([folder])
    assert again.adaptive and again.main.mixtures == 4
    assert report_of(folder).order == again, "a second look stays adaptive"


def test_a_study_without_twins_says_what_to_run(planted_folder):
    with pytest.raises(StudyNotReady, match=r"has trained no matched pairs.*`tasksearch resume .* --matched-sets 6`"):
        answer_question([planted_folder])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"suite": "xtreme"}, "suite 'lab' and 'xtreme'"),
        ({"model": "xlm-roberta-base"}, "model 'lab' and 'xlm-roberta-base'"),
        ({"targets": ("nli",)}, "targets 'nli, tag' and 'nli'"),
    ],
)
def test_studies_that_differ_cannot_answer_one_question(folder, tmp_path, changes, line):
    other = shutil.copytree(folder, tmp_path / "other")
    ledger = Ledger(other)
    ledger.save_config(dataclasses.replace(ledger.config(), **changes))
    with pytest.raises(BadInput, match=f"cannot answer one question: {line}"):
        answer_question([folder, other])
    assert holdout_uses(folder) == holdout_uses(other) == [], "nothing was read"


def test_an_early_look_is_marked_and_is_no_second_question(planted, tmp_path):
    ledger = Ledger(tmp_path)
    ledger.save_config(planted.config(**SETTINGS))
    ledger.save_sizes(planted.SIZES)
    planted.run_in_process(planted.open_manager(tmp_path, **SETTINGS), tmp_path, most=18 + 3 + 40)
    early = answer_question([tmp_path])
    assert not early.complete and early.main.mixtures == 2 and early.verdict == "not enough to say"
    planted.run_in_process(planted.open_manager(tmp_path, **SETTINGS), tmp_path)
    late = answer_question([tmp_path])
    assert late.complete and not late.adaptive and late.main.mixtures == 3


def test_the_command_prints_verdict_and_both_effects_and_json_holds_them(folder):
    ran = CliRunner().invoke(app, ["report", str(folder), "--question", QUESTION])
    words = " ".join(ran.stdout.split())
    assert ran.exit_code == 0
    assert "Verdict: no difference at this budget" in words or "Verdict: joint" in words or "Verdict: sequential" in words
    assert "effect of order at equal budget" in words and "Effect of being allowed to choose" in words
    assert "Size rule (Weller et al. 2022" in words and "36 trainings under one curve" in words
    data = json.loads(CliRunner().invoke(app, ["report", str(folder), "--question", QUESTION, "--json"]).stdout)
    assert data["question"] == QUESTION
    assert [contrast["lr_policy"] for contrast in data["contrasts"]] == ["phase", "phase", "stage"]
    assert {row["kind"] for row in data["contrasts"][0]["rows"]} == {"language", "group", "target", "kind", "contrast"}
    assert data["choosing"][0]["tried"] >= 1 and data["size_rule"]["pairs"] == 6


def test_the_page_holds_the_answer(twins_folder):
    data = report_of(twins_folder)
    page = render(data)
    assert 'id="order"' in page and "Joint or sequential: the answer" in page
    assert data.order.verdict in page


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--question", "joint-vs-seq"], "did you mean 'joint-vs-sequential'"),
        (["--question", QUESTION, "--out", "x.html"], "--out with --question"),
        (["OTHER"], "2 studies; expected one, or --question"),
    ],
)
def test_wrong_words_are_one_line(folder, words, line):
    ran = CliRunner().invoke(app, ["report", str(folder), *words])
    assert line in str(ran.exception)


def test_a_study_never_gets_fewer_twins(folder):
    with pytest.raises(BadInput, match=r"the study has 3 already"):
        resume_study(folder, twins=0)
    with pytest.raises(BadInput, match=r"expected 0, or at least 3"):
        Ledger(folder).save_config(dataclasses.replace(Ledger(folder).config(), twins=2))


def test_an_unknown_effect_of_choosing_says_why(folder):
    found = dataclasses.replace(answer_question([folder]), choosing=())
    assert any("the sampler trained no mix of several tasks of one kind" in line for line in closing_lines(found))
    early = dataclasses.replace(found, complete=False)
    assert any("its trainings come last" in line for line in closing_lines(early))
