"""What is seen while a study runs: on a terminal bars that vanish, elsewhere plain lines, under --quiet nothing."""

import io
import time

import pytest
from rich.console import Console

from tasksearch.cli.progress import Watch
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.engine.events import TrialFinished, TrialJudged, TrialProgress, TrialStarted

CONFIG = StudyConfig(
    name="seen", space=SearchSpace(name="joint", summary=""), suite="lab", model="lab", targets=("nli",), languages=("sw",),
    trials=9, leaders=1, leader_seeds=1, most_seeds=1,
)  # fmt: skip


def trial(number, role="search", status="done", **options):
    schedule = Schedule.none() if role == "baseline" else Schedule.joint(Mixture.of({"qqp": 3, "mnli": 5}), 80)
    plan = Plan(suite="lab", schedule=schedule, targets=("nli",), languages=("sw",), settings=PhaseSettings())
    return TrialRecord(number=number, role=role, status=status, plan=plan, **options)


def told(watch, *records):
    for record in records:
        watch.on_event(TrialStarted(record=record, again=False))
        watch.on_event(TrialProgress(number=record.number, part="target/nli", position=1, parts=3))
        watch.on_event(TrialFinished(record=record))
        watch.on_event(TrialJudged(record=record))


def test_in_a_pipe_every_trial_is_a_plain_line_and_a_new_best_is_marked(capsys):
    with Watch(CONFIG, quiet=False) as watch:
        told(
            watch,
            trial(0, "baseline", objective=0.9),
            trial(1, objective=0.25),
            trial(2, objective=-0.5),
            trial(3, objective=0.5),
            trial(4, "finalist", objective=0.7),
            trial(5, status="failed", cause="loss is not finite"),
            trial(6, status="stopped"),
        )
    seen = capsys.readouterr()
    lines = seen.err.splitlines()
    assert seen.out == "" and "\x1b" not in seen.err
    assert [line.endswith("(best so far)") for line in lines[1:]] == [False, True, False, True, False, False, False]
    assert lines[2].split(" s  ")[1] == "[  2/10] search    +0.25  62.5% mnli + 37.5% qqp, 80 steps  (best so far)"
    assert "failed: loss is not finite" in lines[6] and "stopped" in lines[7] and "+0.00" not in seen.err


def test_what_does_not_lead_the_baseline_is_never_called_best(capsys):
    with Watch(CONFIG, quiet=False) as watch:
        told(watch, trial(0, objective=-2.26), trial(1, objective=-0.5), trial(2, objective=0.0), trial(3, objective=0.01))
    best = [line for line in capsys.readouterr().err.splitlines() if "best" in line]
    assert len(best) == 1 and "+0.01" in best[0]


def test_a_pipe_is_told_once_a_minute_what_runs_while_no_trial_is_judged(capsys, monkeypatch):
    monkeypatch.setattr("tasksearch.cli.progress._SILENT_AT_MOST", 0.2)
    seen = ""

    def until(text):
        nonlocal seen
        deadline = time.monotonic() + 20
        while text not in seen and time.monotonic() < deadline:
            time.sleep(0.05)
            seen += capsys.readouterr().err
        assert text in seen

    with Watch(CONFIG, quiet=False) as watch:
        until("still preparing")
        for number in range(3):
            record = trial(number, "baseline" if number < 2 else "search")
            watch.on_event(TrialStarted(record=record, again=False))
            watch.on_event(TrialProgress(number=number, part="target/nli", position=number, parts=3))
        watch.on_event(TrialFinished(record=trial(1, "baseline")))
        until(
            "running: trial 0 (baseline) part 1 of 3: target/nli, trial 2 (search) part 3 of 3: target/nli; 3 parts done in "
            "this run; 1 finished, to be judged once the baseline is"
        )
    capsys.readouterr()
    time.sleep(0.5)
    assert capsys.readouterr().err == "", "it ends with the study"


def test_no_line_is_told_where_lines_come_by_themselves(capsys):
    with Watch(CONFIG, quiet=False) as watch:
        told(watch, trial(0, "baseline", objective=0.9))
    assert "running:" not in capsys.readouterr().err


def test_a_notebook_gets_plain_lines_on_standard_output(capsys):
    console = Console(force_jupyter=True, force_terminal=True)
    with Watch(CONFIG, quiet=False, console=console) as watch:
        watch.on_pretrain(10, 10, 1.0)
        told(watch, trial(0, "baseline", objective=0.9), trial(1, objective=0.25))
    seen = capsys.readouterr()
    assert seen.err == "" and "\x1b" not in seen.out and "ipywidgets" not in seen.out
    assert len(seen.out.splitlines()) == 4 and "[  2/10] search" in seen.out


def test_quiet_says_nothing(capsys):
    with Watch(CONFIG, quiet=True) as watch:
        watch.on_pretrain(10, 10, 1.0)
        told(watch, trial(0, objective=0.25))
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=80, _environ={"TERM": "xterm"})


def test_a_terminal_shows_trials_parts_time_left_and_the_best_so_far(terminal):
    with Watch(CONFIG, quiet=False, console=terminal) as watch:
        watch.on_pretrain(5, 10, 3.25)
        told(watch, trial(0, "baseline", objective=0.0), trial(1, objective=0.25))
        watch.on_event(TrialStarted(record=trial(2), again=False))
        watch.on_event(TrialProgress(number=2, part="target/nli", position=1, parts=3))
        terminal.file.truncate(0)
        watch._display.live.refresh()
        seen = terminal.file.getvalue()
    for part in (
        "phase 1, loss 3.25",
        "2/10",
        "left",
        "trial 2",
        "1/3",
        "target/nli",
        "best so far +0.25, trial 1: 62.5% mnli",
    ):
        assert part in seen


def test_a_finished_trial_leaves_the_display(terminal):
    with Watch(CONFIG, quiet=False, console=terminal) as watch:
        told(watch, trial(0), trial(1))
        assert watch._display._running.tasks == []
        assert watch._display._whole.tasks[0].completed == 2


def test_on_a_resume_the_bar_starts_at_what_was_finished(terminal):
    with Watch(CONFIG, quiet=False, console=terminal) as watch:
        watch.on_event(TrialStarted(record=trial(6), again=True))
        assert (watch._display._whole.tasks[0].completed, watch._display._whole.tasks[0].total) == (6, 10)


def test_a_line_says_how_long_the_rest_will_take_once_three_trials_ended(capsys, monkeypatch):
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr("tasksearch.cli.progress.time.monotonic", lambda: float(next(clock)))
    with Watch(CONFIG, quiet=False) as watch:
        for record in [trial(number, objective=0.5) for number in range(4)]:
            for event in (TrialStarted(record=record, again=False), TrialFinished(record=record), TrialJudged(record=record)):
                watch.on_event(event)
    lines = [line for line in capsys.readouterr().err.splitlines() if "/10]" in line]
    assert ["left" in line for line in lines] == [False, False, True, True] and " min left" in lines[-1]
