"""Tables: legible at 80 and 120 columns and in a pipe, and never a word more than the interval allows."""

import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.study import TrialRecord
from tasksearch.reports.frames import COLUMNS, score_frame
from tasksearch.reports.tables import mix_letters, target_table, trial_table, verdict_table
from tasksearch.reports.text import short_mix, short_plan
from tasksearch.results.estimate import gain_text
from tasksearch.results.verdict import Choice, Estimate, TargetResult, Verdict, finding_of

WARNING = "A generated, code-mixed world: its numbers say nothing about real languages."
MIX = Schedule.sequential([("qqp", 60), ("mnli", 20)])


def estimate(value, low, high, examples=900):
    return Estimate(
        value=value, low=low, high=high, seed_error=1.0, example_error=1.0, df=8.0, noise_df=8, seeds=3, examples=examples
    )


def choice(name, gain, **options):
    target = TargetResult(
        target="nli",
        group="classification",
        languages=(name,),
        score=estimate(61.0, 58.0, 64.0),
        baseline=estimate(55.5, 53.0, 58.0),
        gain=gain,
        finding=finding_of(gain),
        same_data=True,
    )
    told = {
        "is_group": False,
        "languages": (name,),
        "rule": "pivot-dev",
        "schedule": MIX,
        "mix_signature": "a" * 24,
        "score": estimate(61.0, 58.0, 64.0),
        "baseline": estimate(55.5, 53.0, 58.0),
        "gain": gain,
        "finding": finding_of(gain),
        "targets": (target,),
        "seeds": 3,
        "baseline_seeds": 5,
        "labels": 0,
        "shortlist_labels": 450,
        "trials": (31, 32, 33),
    }
    return Choice(name=name, **told | options)


VERDICT = Verdict(
    rule="pivot-dev",
    level=0.95,
    candidates=3,
    choices=(
        choice("qu", estimate(5.5, 1.24, 9.76)),
        choice("sw", estimate(0.4, -3.1, 3.9)),
        choice("yo", estimate(-12.5, -17.46, -10.54, examples=12345)),
        choice("am", estimate(2.0, None, None)),
        choice(
            "low-resource", estimate(3.0, 0.01, 5.99), is_group=True, languages=("qu", "yo"), labels=12900, rule="target-dev"
        ),
    ),
)


def shown(table, width=120):
    console = Console(file=io.StringIO(), width=width)  # not a terminal: plain text
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_verdict_fits_with_every_column(width):
    text = shown(verdict_table(VERDICT, warning=WARNING), width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    words = " ".join(text.split())
    for part in ("+5.5 [+1.2, +9.8]", "-12.5 [-17.5, -10.5]", "+2.0", "12345", "3+5", "12900", "low-resource*"):
        assert part in words
    assert WARNING in words
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[1].endswith(" n seeds labels")
    assert next(line for line in lines if line.startswith("low-resource*")).endswith(" 900   3+5  12900")


def test_only_an_interval_above_zero_names_a_mix_without_reserve():
    lines = shown(verdict_table(VERDICT)).splitlines()
    narrow = shown(verdict_table(VERDICT), 80).splitlines()
    row = {name: next(line for line in lines if line.startswith(name + " ")) for name in ("qu", "sw", "yo", "am")}
    assert "better" in row["qu"]
    assert "not shown" not in row["qu"]
    for name, finding in (("sw", "no difference seen"), ("yo", "worse"), ("am", "no interval")):
        assert finding in row[name]
        assert "not shown better: A" in row[name]
        place = next(i for i, line in enumerate(narrow) if line.startswith(name + " "))
        assert "not shown" in narrow[place] and "better: A" in narrow[place + 1]
    assert "A = qqp 60 → mnli 20 steps" in [line.rstrip() for line in lines]


def test_each_mix_is_written_out_once_under_the_letter_its_rows_carry():
    others = [Schedule.joint(Mixture.of({"qqp": 3, "mnli": 5}), 80), Schedule.joint(Mixture.uniform("ccg", "qqp"), 160)]
    rows = [
        choice(name, estimate(5.0, 1.0, 9.0), schedule=schedule, mix_signature=str(schedule))
        for name, schedule in zip(("am", "qu", "sw", "yo"), (others[0], MIX, others[0], others[1]), strict=True)
    ]
    lines = [line.rstrip() for line in shown(verdict_table(dataclasses.replace(VERDICT, choices=tuple(rows))), 80).splitlines()]
    assert [line.split()[1] for line in lines if line[:3] in ("am ", "qu ", "sw ", "yo ")] == ["A", "B", "A", "C"]
    assert [line for line in lines if " = " in line] == [
        "A = 62.5% mnli + 37.5% qqp, 80 steps",
        "B = qqp 60 → mnli 20 steps",
        "C = ccg + qqp equally, 160 steps",
    ]


def test_a_row_of_the_verdict_is_one_line_but_for_its_finding_at_80_columns():
    text = shown(verdict_table(VERDICT, warning=WARNING), 80)
    rows = text.split("A = ")[0].splitlines()[3:]
    assert len([line for line in rows if line.strip()]) <= 2 * len(VERDICT.choices)


def test_letters_go_on_after_z():
    many = [choice(f"l{n:02d}", estimate(5.0, 1.0, 9.0), mix_signature=f"{n}") for n in range(28)]
    letters = mix_letters(dataclasses.replace(VERDICT, choices=tuple(many)))
    assert (letters["0"], letters["25"], letters["26"], letters["27"]) == ("A", "Z", "AA", "AB")
    assert len(set(letters.values())) == 28


def test_the_rule_its_labels_and_another_rules_rows_are_explained():
    words = " ".join(shown(verdict_table(VERDICT)).split())
    assert "pivot-dev: chosen on other languages' selection examples" in words
    assert "low-resource*" in words
    assert "* by target-dev: zero-shot training, labelled selection" in words
    assert "read selection labels of qu, sw, yo, am" in words


@pytest.mark.parametrize("width", [80, 120])
def test_targets_stand_beside_chance_and_the_untrained_encoder(width):
    table = target_table(VERDICT["qu"], chance={"nli": 33.3}, untrained={"nli": 41.2}, warning=WARNING)
    text = shown(table, width)
    for part in ("33.3", "41.2", "55.5", "61.0", "nli*", "* same data", WARNING):
        assert part in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= width


def test_targets_that_stand_after_the_correction_are_named_with_their_corrected_intervals():
    row = VERDICT["qu"]
    assert "correction" not in " ".join(shown(target_table(row)).split())
    stands = dataclasses.replace(row.targets[0], stands_after_correction=True, corrected_low=0.46, corrected_high=10.5)
    words = " ".join(shown(target_table(dataclasses.replace(row, targets=(stands,)))).split())
    assert "after a correction for looking at all of them, these stand: nli [+0.4, +10.5]" in words


def test_without_an_untrained_row_there_is_no_such_column():
    assert "untrained" not in shown(target_table(VERDICT["qu"]))


@given(st.floats(-50, 50), st.floats(0, 20))
def test_rounding_never_changes_what_an_interval_says_about_zero(value, reach):
    low, high = value - reach, value + reach
    text = gain_text(estimate(value, low, high))
    shown_low, shown_high = (float(part) for part in text.partition("[")[2].rstrip("]").split(","))
    if abs(low) > 1e-5 and abs(high) > 1e-5:
        assert (shown_low > 0, shown_low < 0, shown_high > 0, shown_high < 0) == (low > 0, low < 0, high > 0, high < 0)
    assert shown_low <= low + 1e-6
    assert shown_high >= high - 1e-6


def test_mixes_are_short_enough_for_a_column():
    assert short_mix(Schedule.none()) == "no intermediate phase"
    assert short_mix(Schedule.joint(Mixture.of({"qqp": 3, "mnli": 5}), 80)) == "62.5% mnli + 37.5% qqp, 80 steps"
    assert short_mix(Schedule.joint(Mixture.uniform("qqp", "ccg", "mnli"), 80)) == "ccg + mnli + qqp equally, 80 steps"
    assert short_mix(Schedule.annealed(Mixture.uniform("qqp"), Mixture.uniform("mnli"), 80)) == "qqp ⇝ mnli, 80 steps"


def trial(number, status="done", **options):
    plan = Plan(suite="lab", schedule=MIX, targets=("nli",), languages=("sw",), settings=PhaseSettings(), seed=2)
    rows = [
        Score(target="nli", language="sw", half=half, metric="accuracy", value=61.5, examples=200, seed=2)
        for half in ("report", "select")
    ]
    return TrialRecord(
        number=number, role="search", status=status, plan=plan, scores=ScoreTable.of(rows), started=10.0, **options
    )


def test_trials_show_objective_seconds_or_how_they_ended():
    text = shown(trial_table([trial(1, "failed"), trial(0, objective=1.234, ended=14.5), trial(2, "stopped")]), 80)
    assert text.index("+1.23") < text.index("failed") < text.index("stopped")
    assert "4.5" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_trial_that_was_not_begun_is_told_from_one_that_runs():
    begun = shown(trial_table([trial(0, "running")]), 80)
    waiting = shown(trial_table([dataclasses.replace(trial(0, "running"), started=0.0)]), 80)
    assert "running" in begun and "proposed" not in begun
    assert "proposed" in waiting and "running" not in waiting


@pytest.mark.filterwarnings("ignore:.*Pyarrow:DeprecationWarning")
def test_the_frame_holds_every_score_once():
    frame = score_frame([trial(1), trial(0)])
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["trial"]) == [0, 0, 1, 1]
    assert list(frame["half"]) == ["report", "select"] * 2
    assert frame["value"].unique().tolist() == [61.5]
    assert tuple(score_frame([]).columns) == COLUMNS


def test_a_verdicts_findings_follow_their_intervals():
    for row in VERDICT.choices:
        assert row.finding == finding_of(row.gain)
    assert dataclasses.replace(VERDICT["qu"], finding="no difference seen").best_mix is None


def test_a_target_of_the_same_data_stands_beside_equal_exposure_or_says_that_there_is_none():
    bare = choice("sw", estimate(5.5, 1.24, 9.76))
    assert "No target phase of equal exposure was trained" in flat(target_table(bare))
    held = dataclasses.replace(bare.targets[0], over_exposure=estimate(0.4, -2.1, 2.9))
    shown = flat(target_table(dataclasses.replace(bare, targets=(held,))))
    assert "nli*" in shown and "Against target phases of equal exposure, without the mix: nli +0.4 [-2.1, +2.9]" in shown
    other = dataclasses.replace(held, same_data=False)
    assert "equal exposure" not in flat(target_table(dataclasses.replace(bare, targets=(other,))))


def test_the_probability_of_being_ahead_of_the_runner_up_stands_beside_the_targets():
    lead = {"runner_up": MIX, "lead": estimate(0.6, -1.0, 2.2), "ahead": 0.789, "better": 0.987}
    shown = flat(target_table(choice("sw", estimate(5.5, 1.24, 9.76), **lead)))
    assert (
        f"better than no intermediate phase 0.99, than the runner-up ({short_mix(MIX)}; +0.6 [-1.0, +2.2] points) 0.79."
        in shown
    )


def test_sets_too_small_to_select_on_are_named():
    many = tuple(f"nli/l{i}" for i in range(14))
    assert "too few to select on alone: nli/sw." in flat(verdict_table(dataclasses.replace(VERDICT, small=("nli/sw",))))
    assert "nli/l11 and 2 more." in flat(verdict_table(dataclasses.replace(VERDICT, small=many)))
    assert "too few to select" not in flat(verdict_table(VERDICT))


def flat(table):
    text = io.StringIO()
    Console(file=text, width=120).print(table)
    return " ".join(text.getvalue().split())


def test_a_control_of_a_mix_is_told_from_the_mix():
    settings = PhaseSettings(few_shot=5)
    plain = Plan(suite="lab", schedule=MIX, targets=("nli",), languages=("en",), settings=settings)
    assert short_plan(plain) == short_mix(MIX)
    assert short_plan(dataclasses.replace(plain, few_shot=True)) == f"{short_mix(MIX)}, 5 labelled examples of each language"
    models = dataclasses.replace(plain, model_seeds=(1, 2))
    assert short_plan(models) == f"{short_mix(MIX)}, target models of 2 seeds averaged"
