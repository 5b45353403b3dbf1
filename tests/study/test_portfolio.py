"""Portfolios of a study folder: a question of their own, which changes no other answer."""

import dataclasses
import json
import shutil

import pytest

from tasksearch.records.holdout_log import PORTFOLIO, headline, holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of
from tasksearch.study.portfolio import portfolios_of


@pytest.fixture
def copy(planted_folder, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    (folder / "readings.json").unlink(missing_ok=True)
    return folder


def test_it_asks_after_the_headline_once_and_leaves_the_verdict_alone(copy):
    before = best_of(copy)
    found = portfolios_of(copy)
    assert [one.size for one in found.tested] == [1, 2] and not found.adaptive
    assert portfolios_of(copy) == found
    assert [q.rule for q in holdout_uses(copy)] == ["pivot-dev", PORTFOLIO]
    assert headline(holdout_uses(copy)) == "pivot-dev"
    again = best_of(copy)
    assert not again.adaptive and again.choices == before.choices


def test_asked_first_it_writes_the_headline_down_before_itself(copy):
    assert not portfolios_of(copy).adaptive
    assert [q.rule for q in holdout_uses(copy)] == ["pivot-dev", PORTFOLIO]


def test_after_a_second_question_it_is_adaptive(copy):
    best_of(copy)
    best_of(copy, rule="target-dev")
    assert portfolios_of(copy).adaptive


def test_before_the_study_is_complete_nothing_is_read_or_written(copy):
    last = Ledger(copy).records()[-1]
    Ledger(copy).write(dataclasses.replace(last, status="running", scores=type(last.scores)(), objective=None, ended=None))
    found = portfolios_of(copy)
    assert found.tested == () and len(found.chosen) == 3
    assert holdout_uses(copy) == []


def test_the_command_prints_it_and_its_json(copy):
    from typer.testing import CliRunner

    from tasksearch.cli.app import app

    shown = CliRunner().invoke(app, ["best", str(copy), "--portfolio"])
    assert shown.exit_code == 0, shown.output
    assert "Few mixes for all languages" in shown.output and "1 mix, re-run" in shown.output
    told = json.loads(CliRunner().invoke(app, ["best", str(copy), "--portfolio", "--json"]).output)
    assert [one["size"] for one in told["chosen"]] == [1, 2, 3]
    assert {one["among"] for one in told["tested"]} == {"mixes re-run on fresh seeds"}


def test_a_report_asks_nothing_and_shows_what_was_asked(copy):
    from tasksearch.reports.page import render
    from tasksearch.study.report import report_of

    silent = report_of(copy)
    assert silent.portfolios.tested == () and "`best --portfolio` asks that question" in render(silent)
    assert [q.rule for q in holdout_uses(copy)] == ["pivot-dev"]
    asked = portfolios_of(copy)
    assert report_of(copy).portfolios == asked
    assert len(holdout_uses(copy)) == 2
