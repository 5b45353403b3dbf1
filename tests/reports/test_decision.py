"""The decision: words to act on, which claim no more than the intervals, and one table of gains in every width."""

import dataclasses
import importlib.util
import io
from pathlib import Path

import pytest
from rich.console import Console

from tasksearch.reports.decision import decision, loses, mix_lines
from tasksearch.reports.tables import cell_table, verdict_notes

spec = importlib.util.spec_from_file_location("verdicts_of_tables", Path(__file__).with_name("test_tables.py"))
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)
choice, estimate = tables.choice, tables.estimate
BETTER, WORSE, OPEN, BARE = (5.5, 1.2, 9.8), (-14.4, -16.0, -12.8), (0.4, -3.1, 3.9), (2.0, None, None)


def row(name, gain, targets=(), **options):
    made = choice(name, estimate(*gain), **options)
    one = made.targets[0]
    told = [dataclasses.replace(one, target=t, gain=estimate(*g), finding=tables.finding_of(estimate(*g))) for t, g in targets]
    return dataclasses.replace(made, targets=tuple(told) or made.targets)


def verdict(whole, *languages, targets=(), **options):
    rows = [row(f"l{n}", gain) for n, gain in enumerate(languages, 1)]
    every = [row("all", whole, targets, is_group=True, languages=tuple(r.name for r in rows), **options)] if whole else []
    return dataclasses.replace(tables.VERDICT, choices=(*rows, *every))


def test_a_mix_is_recommended_where_it_is_better_and_nowhere_else():
    said = decision(verdict(BETTER, BETTER, OPEN, WORSE))[0]
    assert said.startswith("Use A: all languages together +5.5 [+1.2, +9.8], l1 +5.5 [+1.2, +9.8] points over no intermediate")
    assert "Worse in l3 -14.4" in said and said.endswith("Not shown better in l2.")
    part = decision(verdict(OPEN, BETTER, OPEN))[0]
    assert part.startswith("Use A: l1 +5.5") and "Over all languages A is not shown better: +0.4 [-3.1, +3.9]." in part


def test_where_every_mix_loses_the_decision_is_no_intermediate_phase_and_the_mix_a_footnote():
    lost = verdict(WORSE, WORSE, WORSE, OPEN)
    said = decision(lost)[0]
    assert said == (
        "No intermediate phase: the chosen mix loses, over all languages -14.4 [-16.0, -12.8] points; in single languages "
        "l1 -14.4 [-16.0, -12.8] and l2 -14.4 [-16.0, -12.8]."
    )
    assert loses(lost) and mix_lines(lost)[0].startswith("A (least harmful by the selection examples) = ")
    assert not loses(verdict(WORSE, BETTER)) and decision(verdict(WORSE, BETTER))[0].startswith("Use A: l1")


def test_nothing_shown_is_not_called_a_loss_nor_a_proof_and_no_interval_is_no_decision():
    open_rows = verdict(OPEN, OPEN, OPEN)
    said = decision(open_rows)[0]
    assert said.startswith("No mix is shown to be better than no intermediate phase in any of 2 languages (over all languages")
    assert "loses" not in said and mix_lines(open_rows)[0].startswith("A (not shown better) = ")
    assert decision(verdict(BARE, BARE))[0].startswith("No decision yet: too few seeds or examples")


@pytest.mark.parametrize("gain", [BETTER, WORSE, OPEN, BARE])
def test_one_language_alone_has_a_decision_too(gain):
    assert "l1" in decision(verdict(None, gain))[0]


def test_targets_that_gain_and_lose_are_named_even_where_the_mean_of_all_is_open():
    said = decision(verdict(OPEN, OPEN, OPEN, targets=(("qa", BETTER), ("tag", WORSE), ("nli", OPEN))))[1]
    assert said == (
        "By target, A in all languages gains on qa +5.5 [+1.2, +9.8], loses on tag -14.4 [-16.0, -12.8]; open: nli."
    )


def test_of_many_languages_those_that_stand_after_the_correction_are_marked_and_counted():
    rows = verdict(BETTER, BETTER, BETTER, WORSE, OPEN).choices
    kept = dataclasses.replace(rows[0], stands_after_correction=True, corrected_low=0.4, corrected_high=10.6)
    some = dataclasses.replace(tables.VERDICT, choices=(kept, *rows[1:]))
    said = decision(some)
    assert said[1] == "Corrected for looking at 4 languages at once, 1 of these 3 stand (†): l1."
    table = cell_table(some)
    assert [row[2].endswith("†") for row in table.rows] == [True, False, False, False, False] and "†" in table.notes[0]
    assert any("l1 [+0.4, +10.6]" in note for note in verdict_notes(some))
    every = dataclasses.replace(some, choices=tuple(dataclasses.replace(r, stands_after_correction=True) for r in rows))
    assert not any("Corrected" in sentence for sentence in decision(every)), "where all stand nothing is to be said"
    assert "†" not in cell_table(dataclasses.replace(some, choices=rows)).notes[0]


def test_collapsed_trainings_are_named_and_the_gain_with_them_stands_in_the_notes():
    rows = verdict(BETTER, BETTER, OPEN).choices
    fallen = dataclasses.replace(rows[0], collapsed=(7,), gain_of_all_runs=estimate(-1.0, -20.0, 18.0))
    some = dataclasses.replace(
        tables.VERDICT, choices=(fallen, *rows[1:]), collapsed_baseline=(2,), collapse_rates=(("baseline", 1, 5), ("A", 1, 3))
    )
    assert "2 trainings collapsed and are left out: trials 2, 7; with all of them: --notes." in decision(some)
    (note,) = [note for note in verdict_notes(some) if "collapsed" in note]
    assert "l1 -1.0 [-20.0, +18.0]" in note and "baseline: 1 of 5, A: 1 of 3" in note


def test_trials_of_the_search_at_a_guess_are_named():
    some = verdict(BETTER, BETTER, OPEN)
    one, two = (decision(dataclasses.replace(some, guessing=trials)) for trials in ((12,), (12, 33)))
    end = "no choice between mixes and no effect of a task rests on"
    assert f"1 trial of the search was no better than a guess in English (12): {end} it." in one
    assert f"2 trials of the search were no better than a guess in English (12, 33): {end} them." in two
    assert not any("guess" in line for line in decision(some))


def test_why_languages_share_a_mix_is_said_where_a_mix_is_used_and_no_label_was_read():
    used = verdict(BETTER, BETTER, OPEN)
    assert any(line.startswith("One mix serves all 2 languages: pivot-dev reads no label") for line in decision(used))
    own = dataclasses.replace(used, choices=tuple(dataclasses.replace(row, rule="target-dev") for row in used.choices))
    for other in (own, verdict(WORSE, WORSE, WORSE), verdict(OPEN, OPEN, OPEN), verdict(None, BETTER)):
        assert not any("serves all" in line for line in decision(other))


def test_a_target_that_the_baseline_has_not_learned_is_named():
    said = decision(dataclasses.replace(verdict(BETTER, BETTER, OPEN), not_trained=("nli",)))
    assert any(line.startswith("Not trained: nli, where the baseline is no better than a guess") for line in said)
    assert not any("Not trained" in line for line in decision(verdict(BETTER, BETTER)))


def printed(table, width):
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue().splitlines()


TARGETS = tuple((f"target{n:02d}", gain) for n, gain in enumerate((BETTER, WORSE, OPEN, BARE) * 3))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_many_targets_stand_in_blocks_that_fit_with_the_languages_in_each_and_no_cell_lost(width):
    rows = [row(name, OPEN, TARGETS) for name in ("agglu", "lowfar")]
    lines = printed(cell_table(dataclasses.replace(tables.VERDICT, choices=tuple(rows)), warning="World."), width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    assert all(words.count(name) == 1 for name, _ in TARGETS)
    assert words.count("▲+5.5") == words.count("▼-14.4") == 6 and words.count("?+2.0") == 6
    heads = [line for line in lines if "target0" in line or "target1" in line]
    assert sum(line.startswith("agglu ") for line in lines) == len(heads) > (width < 120)


def test_the_table_is_read_with_three_lines_at_eighty_columns():
    lines = [line.rstrip() for line in printed(cell_table(tables.VERDICT, warning="World."), 80)]
    assert lines.index("World.") == len(lines) - 4
    assert any(line.startswith("yo ") and "(A)" in line and "▼-12.5 [-17.5, -10.5]" in line for line in lines)
    assert any(line.startswith("qu ") and " A " in line and "▲+5.5" in line for line in lines)


def test_of_many_languages_the_largest_gains_are_named_and_the_rest_counted():
    said = decision(verdict(None, *((float(n), n - 0.5, n + 0.5) for n in range(1, 31))))[0]
    assert "l30 +30.0 [+29.5, +30.5] and 24 more points" in said and "l24 " not in said
