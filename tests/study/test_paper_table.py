"""A grid as a study, and the same study in the paper's layout."""

import csv
import dataclasses
import io
import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.grid import GridPlan
from tasksearch.records.ledger import Ledger
from tasksearch.reports.paper_table import paper_report
from tasksearch.reports.table_files import to_csv
from tasksearch.results.paper_table import AVERAGE
from tasksearch.study.best import best_of
from tasksearch.study.paper_table import paper_table
from tasksearch.tasks.suite import Suite

NAMES = ["ccg", "mnli", "qqp", "all jointly"]


@pytest.fixture(scope="module")
def settings(planted):
    space = dataclasses.replace(
        planted.SPACE, name="grid", steps=(64,), grid=(GridPlan(each=True), GridPlan(name="all jointly", rule="capped(1500)"))
    )
    return {"space": space, "trials": 7, "leaders": 4, "leader_seeds": 2, "most_seeds": 2, "controls": ("exposure",)}


@pytest.fixture(scope="module")
def folder(planted, settings, tmp_path_factory):
    """A grid that was interrupted once: every plan on three seeds, the baseline on three, one control."""
    folder = tmp_path_factory.mktemp("grid")
    Ledger(folder).save_config(planted.config(**settings))
    Ledger(folder).save_sizes(planted.SIZES)
    planted.run_in_process(planted.open_manager(folder, **settings), folder, most=3)
    with pytest.raises(StudyNotReady, match="tasksearch resume"):
        paper_table(folder)
    planted.run_in_process(planted.open_manager(folder, **settings), folder, most=2)
    assert paper_table(folder).missing == ("qqp", "all jointly")
    planted.run_in_process(planted.open_manager(folder, **settings), folder)
    return folder


@pytest.fixture
def same_data(monkeypatch):
    monkeypatch.setattr(Suite, "same_data", property(lambda self: (("mnli", "nli"),)))


def test_the_study_trains_the_grid_and_ends_in_a_verdict(folder, settings):
    records = Ledger(folder).records()
    assert [record.number for record in records] == list(range(len(records)))
    trained = {record.plan.schedule for record in records if record.plan.schedule.stages}
    assert trained == {row.schedule for row in settings["space"].rows(Ledger(folder).sizes())}
    assert {record.role for record in records} == {"baseline", "design", "finalist", "control"}
    assert best_of(folder).choices


def test_rows_are_the_plans_and_cells_are_gains_over_the_baseline(folder):
    found = paper_table(folder)
    assert [row.name for row in found.rows] == NAMES and [row.seeds for row in found.rows] == [3] * 4
    assert found.targets == ("nli", "tag") and found.baseline_seeds == 3
    records = Ledger(folder).records()

    def mean(schedule, target):
        own = [r.scores.values("report") for r in records if r.plan.schedule == schedule and not r.plan.extra_examples]
        per_seed = [[value for (name, _), value in table.items() if name == target] for table in own]
        assert all(len(values) == 3 for values in per_seed), "English counts too"
        return sum(sum(values) / 3 for values in per_seed) / len(per_seed)

    bare = next(r.plan.schedule for r in records if r.role == "baseline")
    row = found.rows[1]
    schedule = next(r.plan.schedule for r in records if r.plan.schedule.tasks == ("mnli",))
    for target in found.targets:
        assert found.baseline[target].value == pytest.approx(mean(bare, target))
        assert row.gains[target].value == pytest.approx(mean(schedule, target) - mean(bare, target))
    assert row.gains[AVERAGE].value == pytest.approx((row.gains["nli"].value + row.gains["tag"].value) / 2)


def test_gains_on_the_targets_own_data_stand_beside_equal_exposure(folder, same_data):
    found = paper_table(folder)
    assert {row.name: row.same_data for row in found.rows if row.same_data} == {"mnli": ("nli",), "all jointly": ("nli",)}
    beside = found.rows[1].over_exposure["nli"]
    assert beside.value != found.rows[1].gains["nli"].value
    shown = paper_report(found)
    rows = {row[0]: row for row in shown.rows}
    assert rows["mnli"][2].endswith("*") and not rows["mnli"][3].endswith("*") and not rows["ccg"][2].endswith("*")
    assert rows["mnli, over equal exposure"][2].endswith("*") and rows["mnli, over equal exposure"][3] == ""


def test_a_missing_control_is_a_dash(folder, same_data):
    found = paper_table(folder)
    bare = dataclasses.replace(found, rows=tuple(dataclasses.replace(row, over_exposure={}) for row in found.rows))
    assert {row[0]: row for row in paper_report(bare).rows}["mnli, over equal exposure"][2] == "–"


def test_published_figures_stand_beside_the_papers_targets_alone(folder, monkeypatch):
    found = paper_table(folder)
    assert not found.published_average and "published" not in paper_report(found).head
    monkeypatch.setattr(Suite, "world", property(lambda self: "xtreme"))
    beside = paper_report(paper_table(folder))
    rows = {row[0]: row for row in beside.rows}
    assert rows["mnli"][-1] == "+7.5" and rows["all jointly"][-1] == "+8.7" and rows["ccg"][-1] == "" == rows["qqp"][-1]
    assert rows["published: XLM-R Large, test (score)"][2:] == ("", "", "68.1", "")
    assert any("founding document" in note for note in beside.notes)


def test_every_published_figure_names_a_source():
    own = tomllib.loads((Path(__file__).parents[2] / "docs/published.toml").read_text())
    told = [*own["average"].values(), *own["row"], *own["claim"]]
    assert told and all(one["source"] in own["sources"] for one in told)
    assert not set(own) - {"sources", "average", "row", "claim"}


def test_it_is_printed_and_written_as_csv_and_latex(folder, tmp_path):
    printed = CliRunner().invoke(app, ["report", str(folder), "--as", "phang2020", "--tables", str(tmp_path / "out")])
    assert printed.exit_code == 0, printed.output
    assert "all jointly" in printed.stdout
    shown = paper_report(paper_table(folder))
    assert (tmp_path / "out/paper.csv").read_text() == to_csv(shown)
    rows = list(csv.reader(io.StringIO((tmp_path / "out/paper.csv").read_text())))
    assert rows[0] == ["intermediate", "seeds", "nli", "tag", "average"] and len(rows) == 6
    assert "\\toprule" in (tmp_path / "out/paper.tex").read_text()
    told = json.loads(CliRunner().invoke(app, ["report", str(folder), "--as", "phang2020", "--json"]).stdout)
    assert [row["name"] for row in told["rows"]] == NAMES


def test_a_study_of_drawn_mixes_has_the_layout_too(planted_folder):
    rows = [row.name for row in paper_table(planted_folder).rows]
    assert {"ccg, 64 steps", "mnli, 64 steps", "qqp, 64 steps", "uniform joint"} <= set(rows)
