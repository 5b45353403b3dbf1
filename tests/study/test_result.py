"""The Python door: `StudyResult`, what is named in `tasksearch`, and what a mistyped argument is answered with."""

import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path
from types import SimpleNamespace

import pytest

import tasksearch
from tasksearch.core.errors import StudyNotReady, TasksearchError, UnknownName
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.ledger import Ledger
from tasksearch.results.verdict import Verdict
from tasksearch.study.showing import shown

FUNCTIONS = (
    "best_of", "configure", "export_model", "extend_study", "open_study", "progress", "resume_study", "run_plan", "run_study",
)  # fmt: skip


@pytest.fixture(scope="module")
def result(planted_folder):
    return tasksearch.open_study(str(planted_folder))


def test_a_study_is_opened_by_text_and_by_path(planted_folder):
    by_text, by_path = tasksearch.open_study(str(planted_folder)), tasksearch.open_study(planted_folder)
    assert by_text == by_path and by_text.folder == planted_folder
    assert by_text.config.name == "planted" and by_text.summary is None


def test_a_folder_without_a_study_is_one_line(tmp_path):
    with pytest.raises(StudyNotReady, match="no study in"):
        tasksearch.open_study(tmp_path)


def test_scores_are_long_and_hold_selection_examples_alone(result):
    scores = result.scores
    assert list(scores.columns[:2]) == ["trial", "role"] and set(scores["half"]) == {"select"}
    assert len(scores) == len(result.trials) * len(result.config.targets) * len(result.config.languages)


def test_no_record_frame_or_repr_holds_a_reporting_score(result):
    assert {score.half for record in result.trials for score in record.scores} == {"select"}
    reporting = {
        f"{score.value:.4f}" for r in Ledger(result.folder).records() for score in r.scores if score.half == "report"
    } - {f"{score.value:.4f}" for record in result.trials for score in record.scores}
    shown_as = result._repr_html_() + repr(result) + result.to_dataframe().to_csv() + result.scores.to_csv()
    assert reporting and not any(value in shown_as for value in reporting)


def test_looking_asks_no_question_and_the_verdict_does(result, planted_folder, tmp_path):
    import shutil

    own = tmp_path / "study"
    shutil.copytree(planted_folder, own)
    (own / "readings.json").unlink(missing_ok=True)
    mine = tasksearch.open_study(own)
    _ = mine.scores, mine.trials, mine.to_dataframe(), repr(mine), mine._repr_html_(), mine.config
    assert holdout_uses(own) == []
    verdict = mine.best()
    assert isinstance(verdict, Verdict) and [asked.rule for asked in holdout_uses(own)] == ["pivot-dev"]
    assert verdict == tasksearch.best_of(str(own))
    name = verdict.choices[0].name
    assert [choice.name for choice in mine.best(languages=name).choices] == [name]
    table = mine.best_table()
    assert table.title == "Best mix per language" and table.row_count == len(verdict.choices)


def test_a_row_per_trial(result):
    frame = result.to_dataframe()
    assert frame.index.name == "trial" and list(frame.index) == [record.number for record in result.trials]
    baseline = frame[frame["role"] == "baseline"]
    shares = [column for column in frame.columns if column.startswith("share_")]
    assert shares == ["share_ccg", "share_mnli", "share_qqp"]
    assert (baseline[shares] == 0).all().all() and (baseline["kind"] == "none").all()
    assert frame[frame["role"] == "search"][shares].sum(axis=1).round(6).eq(1).all()
    assert frame["objective"].notna().all() and frame["status"].eq("done").all()


def test_a_study_that_has_no_trial_yet_has_empty_frames(tmp_path, planted):
    Ledger(tmp_path).save_config(planted.config())
    empty = tasksearch.open_study(tmp_path)
    assert empty.scores.empty and "half" in empty.scores.columns and empty.to_dataframe().empty
    assert "no trial yet" in repr(empty) and "planted" in empty._repr_html_()


def test_its_short_form_says_where_and_how_much(result):
    n = len(result.trials)
    assert repr(result) == f"StudyResult({str(result.folder)!r}: {n} done trials)"
    assert len(repr(result)) < 200


def test_html_escapes_what_it_did_not_write(tmp_path, planted):
    import dataclasses

    Ledger(tmp_path).save_config(dataclasses.replace(planted.config(), name="<script>alert(1)</script>"))
    assert "<script>" not in tasksearch.open_study(tmp_path)._repr_html_()


def test_the_summary_of_a_run_is_found_where_it_used_to_be(planted_folder):
    summary = SimpleNamespace(done=16, failed=1, seconds=2.5)
    run = tasksearch.StudyResult(folder=planted_folder, summary=summary)
    assert (run.done, run.failed, run.seconds) == (16, 1, 2.5)
    with pytest.raises(AttributeError, match="doen"):
        _ = run.doen
    with pytest.raises(AttributeError, match="done"):
        _ = tasksearch.StudyResult(folder=planted_folder).done


def test_the_report_is_written_where_it_is_wanted(result, tmp_path):
    path = result.report(str(tmp_path / "page.html"))
    assert path == tmp_path / "page.html" and "planted" in path.read_text()


def test_every_public_name_is_listed_and_there():
    assert set(tasksearch.__all__) <= set(dir(tasksearch))
    for name in tasksearch.__all__:
        assert getattr(tasksearch, name) is not None
    with pytest.raises(AttributeError, match="confgure"):
        _ = tasksearch.confgure


def test_the_names_for_type_checkers_are_the_names_that_are_loaded():
    text = Path(tasksearch.__file__).read_text(encoding="utf-8")
    typed = text.partition("if TYPE_CHECKING:")[2].partition("try:")[0]
    for name, home in tasksearch._HOMES.items():
        (line,) = [line for line in typed.splitlines() if f"from tasksearch.{home} import" in line]
        assert name in line.replace(",", " ").split()
    assert set(tasksearch._HOMES) | {"__version__"} == set(tasksearch.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_say_what_they_return(name):
    returned = inspect.signature(getattr(tasksearch, name)).return_annotation
    assert returned not in (inspect.Signature.empty, "Any", "None", typing.Any)


def test_the_package_is_typed_for_its_users():
    assert (Path(tasksearch.__file__).parent / "py.typed").exists()


def test_importing_and_listing_load_nothing_heavy():
    code = (
        "import json, sys, tasksearch; names = dir(tasksearch); "
        "print(json.dumps([m for m in ('torch', 'ray', 'mlflow', 'optuna', 'pandas', 'transformers') if m in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(told.stdout) == []


def test_opening_a_study_loads_no_torch_and_no_ray(planted_folder):
    code = (
        f"import sys, tasksearch; repr(tasksearch.open_study({str(planted_folder)!r})); "
        "print([m for m in ('torch', 'ray', 'mlflow') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.strip() == "[]"


MISTYPED = {
    "best_of": ("langauges", "languages"),
    "open_study": ("foldr", "folder"),
    "run_study": ("resorces", "resources"),
    "resume_study": ("contols", "controls"),
    "extend_study": ("grwoth", "growth"),
    "export_model": ("encoder_olny", "encoder_only"),
    "run_plan": ("contxt", "context"),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_a_mistyped_argument_is_one_line_with_the_one_that_was_meant(name):
    wrong, right = MISTYPED[name]
    with pytest.raises(TasksearchError, match=f"no argument of {name}\\(\\) '{wrong}'; did you mean '{right}'\\?") as told:
        getattr(tasksearch, name)(**{wrong: 1})
    assert "\n" not in str(told.value)


def test_a_mistyped_argument_of_a_result_too(result):
    with pytest.raises(UnknownName, match="did you mean 'languages'"):
        result.best(langauge="sw")


def test_a_display_and_a_callback_are_both_told():
    told = []

    class Display:
        def __init__(self, config):
            told.append(config)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            told.append("left")

        def on_event(self, event):
            told.append(("display", event))

        def on_pretrain(self, *step):
            told.append(step)

    with shown(Display, "config", lambda event: told.append(("own", event)), None) as (on_event, on_pretrain):
        on_event(1)
        on_pretrain(1, 2, 0.5)
    assert told == ["config", ("display", 1), ("own", 1), (1, 2, 0.5), "left"]


def test_a_log_is_read_by_the_result(planted_folder, tmp_path):
    import shutil

    own = tmp_path / "study"
    shutil.copytree(planted_folder, own)
    (own / "driver.log").write_text("one\ntwo\nthree\n")
    assert tasksearch.open_study(own).log(2) == "two\nthree"
    assert "trial 3" in tasksearch.open_study(own).log(trial=3)
