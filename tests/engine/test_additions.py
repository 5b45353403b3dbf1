"""A finished study grows: what was trained stays, what joins is scored in every trial, the search is told nothing new."""

import dataclasses
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import optuna
import pytest

from tasksearch.analysis.evidence import gather
from tasksearch.core.errors import BadInput, StudyNotReady, UnknownName
from tasksearch.core.study import Objective
from tasksearch.engine.optuna_storage import open_storage, trials_in_optuna
from tasksearch.records.additions import lacking
from tasksearch.records.holdout_log import ask
from tasksearch.records.ledger import Ledger
from tasksearch.study.extend import Growth, _check_finished, extended
from tasksearch.tasks.lab_suite import lab_suite

_SPEC = importlib.util.spec_from_file_location("planted_study", Path(__file__).parents[1] / "planted_study.py")
planted = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(planted)

SUITE = lab_suite()
LATER = {"targets": ("nli", "tag", "topic"), "languages": ("en", "far", "near", "sov")}


def study(folder, context=None, **changes):
    manager = planted.open_manager(folder, **changes)
    planted.run_in_process(manager, folder, context)
    return manager


def grow(folder, context=None, **changes):
    """As `extend_study` does, over the recorded trainable."""
    ledger = Ledger(folder)
    before = ledger.config()
    steps = dataclasses.replace(planted.config(), **changes)
    ledger.extend_config(steps)
    assert ledger.history()[-1] == before
    return study(folder, context, **changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    Ledger(folder).save_config(planted.config())
    study(folder)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "study")


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted((folder / "trials").iterdir())
        if path.name != "study.json"
    }


def search(records):
    return [(r.role, r.plan.schedule, r.params, r.objective) for r in records if r.role in ("baseline", "design", "search")]


def test_a_study_of_more_trials_in_two_steps_searches_what_it_would_have_searched_in_one(copy, tmp_path):
    before = files(copy)
    grow(copy, trials=24)
    Ledger(tmp_path / "once").save_config(planted.config(trials=24))
    study(tmp_path / "once", trials=24)
    two, one = (Ledger(folder).records() for folder in (copy, tmp_path / "once"))
    assert search(two) == search(one) and len(search(one)) == 24
    leaders = [{r.plan for r in records if r.role == "finalist"} for records in (two, one)]
    assert leaders[0] >= leaders[1], "the leaders of the first step stand beside those of the second"
    assert {name: content for name, content in files(copy).items() if name in before} == before


def test_a_target_and_a_language_that_join_are_scored_in_every_trial_and_change_no_record(copy, finished, tmp_path):
    before = files(copy)
    manager = grow(copy, **LATER)
    assert files(copy) == before and manager.complete
    ledger = Ledger(copy)
    assert optuna.get_all_study_names(open_storage(ledger.optuna_path)) == ["planted"], "nothing was to be written again"
    whole = {(t, language) for t in LATER["targets"] for language in LATER["languages"]}
    at_once = tmp_path / "at once"
    objective = Objective(targets=(("nli", 0.5), ("tag", 0.5)), languages=("far", "near"))
    Ledger(at_once).save_config(planted.config(objective=objective, **LATER))
    study(at_once, objective=objective, **LATER)
    asked = Ledger(at_once)
    for record, old, other in zip(ledger.records(), Ledger(finished).records(), asked.records(), strict=True):
        assert {(s.target, s.language) for s in record.scores} == whole
        assert record.objective == old.objective and record.objective == pytest.approx(other.objective)
        assert (record.plan, record.scores, record.role) == (other.plan, other.scores, other.role)
        mine, theirs = ledger.outcomes(record.number), asked.outcomes(record.number)
        assert mine.keys() == theirs.keys() and all(np.array_equal(mine[cell], theirs[cell]) for cell in mine)
    evidence = gather(ledger.records(), ledger.outcomes, objective)
    assert set(evidence.cells) == whole


def test_growing_that_is_killed_goes_on_and_scores_nothing_twice(copy):
    ledger = Ledger(copy)
    ledger.extend_config(planted.config(**LATER))
    first = planted.open_manager(copy, **LATER)
    planted.run_in_process(first, copy, most=5)
    assert not first.complete and sum(map(len, ledger.additions().values())) == 5
    with pytest.raises(StudyNotReady, match="is not finished"):
        _check_finished(ledger, ledger.config(), SUITE)
    second = study(copy, **LATER)
    assert second.complete and second.ran == 2 * len(ledger.written()) - 5
    _check_finished(ledger, ledger.config(), SUITE)
    assert study(copy, **LATER).ran == 0


def test_an_addition_that_fails_leaves_its_trial_whole_and_is_tried_again(copy):
    done = [r.number for r in Ledger(copy).records() if r.role == "search"]
    manager = grow(copy, {"raise_in": [done[0]]}, languages=LATER["languages"])
    assert manager.complete and [one.number for one in manager.additions.failed] == [done[0]]
    ledger = Ledger(copy)
    assert "sov" not in ledger.records()[done[0]].scores.languages and ledger.records()[done[0]].status == "done"
    assert [one.number for one in lacking(ledger.written(), ledger.additions(), ledger.config())] == [done[0]]
    assert study(copy, languages=LATER["languages"]).ran == 1
    assert "sov" in ledger.records()[done[0]].scores.languages


def test_an_addition_whose_worker_is_lost_is_the_next_one_again_three_times(copy):
    ledger = Ledger(copy)
    ledger.extend_config(planted.config(languages=LATER["languages"]))
    manager = planted.open_manager(copy, languages=LATER["languages"])
    lost = manager.next()
    for _ in range(3):
        manager.lose(lost.number, "lost", lost.addition)
        assert (found := manager.next()).number == lost.number and found.addition == lost.addition
    manager.lose(lost.number, "lost", lost.addition)
    planted.run_in_process(manager, copy)
    assert manager.complete and [(one.number, one.cause) for one in manager.additions.failed] == [(lost.number, "lost")]


def test_a_baseline_that_is_scored_in_part_lets_no_gain_be_drawn_there_yet(copy):
    ledger = Ledger(copy)
    ledger.extend_config(planted.config(languages=LATER["languages"]))
    manager = planted.open_manager(copy, languages=LATER["languages"])
    planted.run_in_process(manager, copy, most=2)  # two of three seeds
    evidence = gather(ledger.records(), ledger.outcomes, Objective())
    assert "sov" not in {language for _, language in evidence.cells}


def test_more_seeds_of_the_baseline_change_no_objective(copy):
    before = [r.objective for r in Ledger(copy).records()]
    manager = grow(copy, more_baseline=2)
    records = Ledger(copy).records()
    assert [r.objective for r in records[: len(before)]] == before
    assert [(r.role, r.plan.seed) for r in records[len(before) :]] == [("baseline", 3), ("baseline", 4)]
    assert manager.ran == 2 and len(gather(records, Ledger(copy).outcomes, Objective()).baseline.seeds) == 5


def test_a_wider_space_runs_its_new_designs_first_and_optuna_holds_both_widths(copy):
    old = len(Ledger(copy).records())
    space = dataclasses.replace(planted.SPACE, tasks=(*planted.TASKS, "sort"))
    manager = grow(copy, space=space, widened=1, trials=22)
    new = [r for r in manager.records[old:] if r.role in ("design", "search")]
    assert next(r.plan.schedule.tasks for r in new if r.role == "design") == ("sort",) and len(new) == 6
    ledger = Ledger(copy)
    names = [planted.config().name, manager.config.optuna_name]
    assert [len(trials_in_optuna(ledger.optuna_path, name)) for name in names] == [old, len(manager.records)]
    assert all("RUNNING" not in text for text in trials_in_optuna(ledger.optuna_path, names[1]).values())


def test_the_reporting_half_stays_read_once(copy):
    def question(row, far):
        return {"far": row, "near": row, **({"sov": far} if far else {})}

    ledger = Ledger(copy)
    mixes = [r.plan.mix_signature for r in ledger.records() if r.role == "finalist"]
    cells = [("nli", "far"), ("nli", "near")]
    ask(copy, "pivot-dev", question(mixes[0], None), cells)
    grow(copy, languages=LATER["languages"])
    wide = dict(zip(mixes, (r.plan.mix_signature for r in ledger.records() if r.role == "finalist"), strict=True))
    more = [*cells, ("nli", "sov")]
    same = ask(copy, "pivot-dev", question(wide[mixes[0]], wide[mixes[-1]]), more)
    assert not same.adaptive and "nli/sov" in same.cells
    assert ask(copy, "pivot-dev", question(wide[mixes[-1]], wide[mixes[-1]]), more).adaptive


# ---- what may be asked for


CONFIG = planted.config(
    targets=("nli", "tag"), languages=("en", "near1"), space=dataclasses.replace(planted.SPACE, tasks=("find",))
)


def test_what_joins_does_not_join_the_objective():
    wanted = extended(CONFIG, SUITE, Growth(targets=("topic",), languages=("near2",)))
    assert wanted.targets == ("nli", "tag", "topic") and wanted.languages == ("en", "near1", "near2")
    assert wanted.objective == Objective(targets=(("nli", 0.5), ("tag", 0.5)), languages=("near1",))
    again = extended(wanted, SUITE, Growth(languages=("agglu",)))
    assert again.objective == wanted.objective and wanted.widened == 0


def test_trials_are_more_or_a_total_and_a_wider_space_is_a_width_more():
    assert extended(CONFIG, SUITE, Growth(trials="+8")).trials == 24 == extended(CONFIG, SUITE, Growth(trials="24")).trials
    wide = extended(CONFIG, SUITE, Growth(trials="+8", tasks=("sort",), steps=(32,)))
    assert (wide.space.tasks, wide.space.steps, wide.widened) == (("find", "sort"), (64, 128, 32), 1)
    seeds = extended(CONFIG, SUITE, Growth(baseline_seeds=5, leader_seeds=3))
    assert (seeds.baseline_seeds, seeds.more_baseline, seeds.leader_seeds) == (3, 2, 3)


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        (Growth(), "nothing to extend"),
        (Growth(languages=("near1",)), "nothing to extend"),
        (Growth(trials="8"), "--trials 8; the study has 16 already"),
        (Growth(trials="many"), "expected such as \\+16"),
        (Growth(tasks=("sort",)), "--trials \\+N"),
        (Growth(leaders=1), "--leaders 1; the study has 2 already"),
    ],
)
def test_what_cannot_be_gained_is_one_line(growth, said):
    with pytest.raises(BadInput, match=said):
        extended(CONFIG, SUITE, growth)
    with pytest.raises(UnknownName):
        extended(CONFIG, SUITE, Growth(targets=("nil",)))
