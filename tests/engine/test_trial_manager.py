"""The book without Ray: trials run in this process, in any order, cut off anywhere."""

import optuna
import pytest

from tasksearch.core.errors import BadInput, DiskFull, StudyNotReady
from tasksearch.engine.events import TrialJudged, TrialStarted
from tasksearch.engine.trial_manager import sampler_distances
from tasksearch.records.ledger import Ledger


def substance(manager):
    return [(r.number, r.role, r.status, r.plan, r.params, r.scores, r.objective, r.cause) for r in manager.records]


def states(manager):
    return [trial.state.name for trial in manager._mirror.study.get_trials(deepcopy=False)]


@pytest.fixture(scope="module")
def whole(planted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    manager = planted.open_manager(folder)
    planted.run_in_process(manager, folder)
    return manager


@pytest.mark.parametrize("at_once", [2, 9])
def test_the_order_in_which_trials_end_changes_nothing(planted, tmp_path, whole, at_once):
    manager = planted.open_manager(tmp_path / "other")
    planted.run_in_process(manager, tmp_path / "other", at_once=at_once)
    assert manager.complete and substance(manager) == substance(whole)


@pytest.mark.parametrize("most", [1, 4, 12, 17])
def test_a_driver_cut_off_anywhere_is_taken_up_with_nothing_lost_or_doubled(planted, tmp_path, whole, most):
    written = []
    folder = tmp_path / "cut"
    first = planted.open_manager(folder, write=lambda r: written.append(r.number))
    planted.run_in_process(first, folder, at_once=2, most=most)
    first.next()  # handed out, never finished
    second = planted.open_manager(folder, write=lambda r: written.append(r.number))
    planted.run_in_process(second, folder, at_once=2)
    assert substance(second) == substance(whole)
    assert set(written) == set(range(18))
    assert states(second) == ["COMPLETE"] * 18


def test_a_crash_between_ledger_and_optuna_is_made_good(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=6)
    (tmp_path / "optuna.journal").unlink()
    again = planted.open_manager(tmp_path)
    assert states(again)[:6] == ["COMPLETE"] * 6 and set(states(again)[6:]) == {"RUNNING"}, "proposed, and not begun"
    assert [t.value for t in again._mirror.study.trials] == [r.objective for r in again.records]


def test_trials_wait_for_the_baseline_and_are_then_told_in_the_order_of_numbers(planted, tmp_path):
    judged = []
    manager = planted.open_manager(
        tmp_path, on_event=lambda e: judged.append(e.record.number) if isinstance(e, TrialJudged) else None
    )
    records = [manager.next() for _ in range(6)]
    for record in reversed(records[1:]):
        manager.finish(record.number, planted.last_report(tmp_path, record))
    assert judged == [] and all(r.objective is None for r in manager.records)
    manager.finish(0, planted.last_report(tmp_path, records[0]))
    assert judged == list(range(6)) and all(r.objective is not None for r in manager.records[:6])


def test_the_last_trials_of_a_search_begin_longest_first_and_stay_what_they_were_proposed_as(planted, tmp_path, monkeypatch):
    def play(name):
        begun, folder = [], tmp_path / name
        manager = planted.open_manager(
            folder, on_event=lambda e: begun.append(e) if isinstance(e, TrialStarted) else None, seed=2
        )
        planted.run_in_process(manager, folder)
        assert manager.complete
        return manager, [event.record for event in begun if event.record.role in ("baseline", "design", "search")]

    manager, begun = play("as it is")
    numbers = [record.number for record in begun]
    assert numbers[:-4] == list(range(12)), "while more is proposed, the lowest number begins: its result is waited for"
    last = [record.plan.schedule.steps for record in begun[-4:]]
    assert last == sorted(last, reverse=True) and numbers != sorted(numbers)
    monkeypatch.setattr("tasksearch.engine.trial_manager.LOOK_AHEAD", 1)
    one_by_one, in_order = play("one by one")
    assert [record.number for record in in_order] == list(range(16))
    assert substance(manager) == substance(one_by_one)


def test_a_book_that_is_opened_again_begins_what_was_only_proposed(planted, tmp_path, whole):
    first = planted.open_manager(tmp_path)
    planted.run_in_process(first, tmp_path, most=11)
    proposed = [r.number for r in first.records if r.status == "running"]
    assert len(proposed) > 1 and all(r.started == 0 for r in first.records if r.status == "running")
    begun = []
    second = planted.open_manager(tmp_path, on_event=lambda e: begun.append(e) if isinstance(e, TrialStarted) else None)
    planted.run_in_process(second, tmp_path)
    assert set(proposed) < {e.record.number for e in begun} and not any(e.again for e in begun)
    assert substance(second) == substance(whole) and all(r.started > 0 for r in second.records)


def test_a_report_that_comes_twice_counts_once(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    record = manager.next()
    report = planted.last_report(tmp_path, record)
    manager.finish(0, report)
    kept = manager.records[0]
    manager.finish(0, report)
    manager.lose(0, "too late")
    assert manager.records[0] is kept and manager.ran == 1


def test_a_lost_worker_costs_its_trial_nothing_three_times_and_the_fourth_time_fails_it(planted, tmp_path):
    manager = planted.open_manager(tmp_path, trials=4, leaders=0, baseline_seeds=4)
    first = [manager.next() for _ in range(4)]
    for record in first[1:]:
        manager.finish(record.number, planted.last_report(tmp_path, record))
    assert manager.next() is None, "trial 0 may still lose its worker: the search is not over"
    for _ in range(3):
        manager.lose(0, "lost four times")
        again = manager.next()
        assert again.number == 0 and again.plan == first[0].plan and manager.next() is None
    manager.lose(0, "lost four times")
    assert manager.next() == "finished" and manager.complete
    assert (manager.records[0].status, manager.records[0].cause) == ("failed", "lost four times")


def test_a_worker_lost_while_the_run_ends_leaves_its_trial_to_the_next_one(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    record = manager.next()
    manager.interrupted = True
    for _ in range(9):
        manager.lose(record.number, "lost")
    assert manager.records[0].status == "running"
    assert planted.open_manager(tmp_path).next().number == record.number


def test_a_failed_baseline_ends_the_study_with_its_cause_and_is_trained_again_on_resume(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    with pytest.raises(StudyNotReady, match="planted failure in trial 1"):
        planted.run_in_process(manager, tmp_path, {"raise_in": [1]})
    again = planted.open_manager(tmp_path)
    planted.run_in_process(again, tmp_path)
    assert again.complete and {r.status for r in again.records} == {"done"}
    assert states(again) == ["COMPLETE"] * 18


def test_a_failed_trial_is_no_score_for_the_sampler_and_no_leader(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, {"raise_in": [4, 12]})
    failed = [r for r in manager.records if r.status == "failed"]
    assert [r.number for r in failed] == [4, 12] and all(r.objective is None for r in failed)
    assert states(manager)[4] == states(manager)[12] == "FAIL"
    leaders = {r.plan.mix_signature for r in manager.records if r.role == "finalist"}
    assert leaders and not leaders & {r.plan.mix_signature for r in failed}


def test_a_trial_that_lacks_a_cell_of_the_baseline_fails_alone(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=3)
    record = manager.next()
    report = planted.last_report(tmp_path, record)
    report["scores"] = report["scores"].replace('"language": "far"', '"language": "faraway"')
    manager.finish(record.number, report)
    assert manager.records[3].status == "failed" and "nli/far" in manager.records[3].cause


def test_a_full_disk_is_the_studys_fault_and_no_trials(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, {"full_in": [2]})
    assert isinstance(manager.fault, DiskFull) and manager.records[2].status == "running"
    again = planted.open_manager(tmp_path)
    planted.run_in_process(again, tmp_path)
    assert again.complete


def test_a_longer_study_goes_on_after_its_finalists_and_re_runs_only_new_leaders(planted, tmp_path):
    short = planted.open_manager(tmp_path, trials=11, leaders=1)
    planted.run_in_process(short, tmp_path)
    long = planted.open_manager(tmp_path, trials=14, leaders=1)
    planted.run_in_process(long, tmp_path)
    roles = [r.role for r in long.records]
    assert roles[11:15] == ["finalist", "search", "search", "search"]
    run = [(r.plan.mix_signature, r.plan.seed) for r in long.records if r.role == "finalist"]
    assert len(run) == len(set(run)) and len(run) <= 2


def test_a_record_that_is_gone_is_named(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=4)
    Ledger(tmp_path).record_path(2).unlink()
    with pytest.raises(StudyNotReady, match="trial 2"):
        planted.open_manager(tmp_path)


def test_optuna_opens_the_mirror_by_the_studys_name(planted, tmp_path, whole):
    storage = whole._mirror.study._storage
    study = optuna.load_study(study_name="planted", storage=storage)
    best = max((r for r in whole.records), key=lambda r: r.objective)
    assert study.best_trial.number == best.number and study.best_trial.user_attrs["plan"] == best.plan.signature


def cut(path, left):
    path.write_bytes(path.read_bytes()[:left])


@pytest.mark.parametrize("number", [1, 5, 11, 17])
def test_a_damaged_record_is_put_aside_and_its_trial_is_run_again_to_the_same_numbers(planted, tmp_path, whole, number):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path)
    cut(Ledger(tmp_path).record_path(number), 200)
    started = []
    again = planted.open_manager(tmp_path, on_event=lambda e: started.append(e) if hasattr(e, "again") else None)
    planted.run_in_process(again, tmp_path)
    assert substance(again) == substance(whole) and states(again) == ["COMPLETE"] * 18
    assert [event.record.number for event in started] == [number]
    assert Ledger(tmp_path).record_path(number).with_suffix(".json.damaged").stat().st_size == 200
    assert planted.open_manager(tmp_path).complete


def test_two_damaged_records_and_a_driver_that_dies_before_they_are_mended(planted, tmp_path, whole):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=14)
    for number in (4, 9):
        cut(Ledger(tmp_path).record_path(number), 99)
    planted.open_manager(tmp_path)  # found, put aside, and killed
    last = planted.open_manager(tmp_path)
    planted.run_in_process(last, tmp_path, at_once=2)
    assert substance(last) == substance(whole)


@pytest.mark.parametrize("left", [0, 7, 300, 1500])
def test_outcomes_that_were_cut_short_are_made_again(planted, tmp_path, whole, left):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=8)
    ledger = Ledger(tmp_path)
    kept = ledger.outcomes_path(6).read_bytes()
    assert len(kept) > 1500 and not any(ledger.outcomes_are_damaged(number) for number in range(8))
    cut(ledger.outcomes_path(6), left)
    again = planted.open_manager(tmp_path)
    planted.run_in_process(again, tmp_path)
    assert ledger.outcomes_path(6).read_bytes() == kept and substance(again) == substance(whole)


def test_a_damaged_record_that_would_now_be_proposed_otherwise_is_one_line(planted, tmp_path):
    short = planted.open_manager(tmp_path, trials=11, leaders=1)
    planted.run_in_process(short, tmp_path)
    cut(Ledger(tmp_path).record_path(11), 99)  # a finalist; a longer study would search at that number
    with pytest.raises(BadInput, match=r"record of trial 11 is damaged.*restore trials/0011\.json"):
        planted.run_in_process(planted.open_manager(tmp_path, trials=14, leaders=1), tmp_path)


def test_the_sampler_auto_is_told_how_far_real_languages_are_apart(planted):
    def told(**changes):
        return sampler_distances(planted.config(**changes))

    assert told() is None and told(sampler="auto") == {}, "the lab's languages are in no table"
    found = told(sampler="auto", languages=("hi", "sw", "yo"))
    assert found["sw", "yo"] < found["hi", "sw"]
