"""A study on another encoder takes over the mixes of an earlier study, and says how far both rank them alike."""

import dataclasses
import json
import shlex
import shutil
from collections import Counter

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.cli.plan import taken_over as planned_lines
from tasksearch.core.errors import StudyNotReady, TasksearchError, UnknownName
from tasksearch.core.options import Growth
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.study import Objective, StudyConfig
from tasksearch.records.ledger import Ledger
from tasksearch.search.simulated_study import simulated_study
from tasksearch.study.compare import compare_studies
from tasksearch.study.configuration import command_of, configure, options_for
from tasksearch.study.extend import extended
from tasksearch.study.result import open_study
from tasksearch.study.transfer import EarlierStudy, scored_cells, transfer_of
from tasksearch.tasks.catalogue import load_suite

SHORT = {"baseline_seeds": 3, "leaders": 1, "leader_seeds": 1, "most_seeds": 1, "controls": "none"}
SMALL = {"space": "joint", "targets": ["nli", "tag"], "languages": ["near1", "sov"], "sampler": "random", "trials": 20}


def simulate(folder, config, draw):
    """Write a study's records as they might be; without outcomes, so that it has no verdict."""

    def plan_of(schedule, seed):
        own = {"suite": config.suite, "targets": config.targets, "languages": config.languages}
        return Plan(schedule=schedule, settings=PhaseSettings(), seed=1000 * config.seed + seed, **own)

    suite, ledger = load_suite(config.suite), Ledger(folder)
    sizes = {task: 1000 * (place + 1) for place, task in enumerate(config.space.tasks)}
    cells = sorted(scored_cells(suite, config.targets, config.languages))
    ledger.save_config(config)
    ledger.save_sizes(sizes)
    for record in simulated_study(config, sizes, plan_of, suite.groups, draw, cells=cells):
        ledger.write(record)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("small") / "study", configure(**SMALL, **SHORT), 0)


def large(small, **words):
    return configure(**{"from_study": small, "model": "some/large", "confirm": 4, **SHORT, **words})


def test_a_space_that_is_given_is_taken_even_if_it_is_the_default_one(small):
    assert large(small).space.name == "joint", "the earlier study's own, where none is given"
    config = large(small, space="joint_vs_seq")
    assert config.space.name == "joint_vs_seq" == options_for(config).space and "annealed" in config.space.schedules
    assert configure(**SHORT).space.name == "joint_vs_seq", "and without an earlier study"
    assert configure(options_for(config)).space == config.space


def test_its_trials_are_the_earlier_study_s_best_and_a_spread_and_the_baseline_s_seeds(small, tmp_path):
    config = large(small, targets=["nli", "topic"], languages=["near1", "sov"])
    told = config.transfer
    assert config.space == dataclasses.replace(Ledger(small).config().space, sizes=()) and config.pairs == 0
    assert [mix.rank for mix in told.mixes][:4] == [1, 2, 3, 4] and len(told.mixes) == 8 < told.ranked == 17
    assert {(one.name, one.languages) for one in told.shared} == {("nli", ("near1", "sov"))}, "tag and topic are not in both"
    assert (told.model, told.suite, config.name) == ("lab", "lab", "joint-lab-large-seed0")
    simulate(tmp_path, config, 1)
    records = Ledger(tmp_path).records()
    assert Counter(record.role for record in records[3 : config.trials]) == Counter(mix.role for mix in told.mixes)
    assert [record.plan.schedule for record in records[3 : config.trials]] == [mix.schedule for mix in told.mixes]
    assert all(record.params == mix.params for record, mix in zip(records[3:], told.mixes, strict=False))
    assert {record.role for record in records[config.trials :]} == {"finalist"}
    [line] = planned_lines(config)
    assert "ranks 1, 2, 3, 4, " in line and "of 17 of" in line and "nli in 2 languages" in line


def test_the_earlier_scores_choose_trials_and_are_no_scores_of_the_study(small, tmp_path):
    config = large(small)
    better = dataclasses.replace(
        config.transfer,
        mixes=tuple(dataclasses.replace(mix, gains=tuple(99.0 for _ in mix.gains)) for mix in config.transfer.mixes),
    )
    other = simulate(tmp_path / "other", dataclasses.replace(config, transfer=better), 1)
    records = Ledger(simulate(tmp_path / "study", config, 1)).records()
    assert Ledger(other).records() == records and records[-1].role == "finalist"


def test_reporting_examples_and_fresh_seeds_of_the_earlier_study_choose_nothing(small, tmp_path, toy):
    config, copy = large(small), shutil.copytree(small, tmp_path / "copy")
    ledger = Ledger(copy)
    for record in ledger.records():
        rows = toy.table(dict.fromkeys(record.scores.cells("select"), 1.0 + record.number), half="report")
        worse = dataclasses.replace(record, objective=-9.0) if record.role == "finalist" else record
        ledger.write(dataclasses.replace(worse, scores=type(rows).of([*worse.scores, *rows])))
    assert large(copy) == config
    assert not (copy / "study.id").exists() and not (copy / "readings.json").exists(), "the earlier study is only read"


def test_the_study_is_complete_without_the_earlier_one(small, tmp_path):
    copy = shutil.copytree(small, tmp_path / "small")
    (copy / "study.id").write_text("small-0123abcd\n")
    folder = simulate(tmp_path / "large", large(copy), 1)
    before = open_study(folder).transfer
    moved = copy.rename(tmp_path / "elsewhere")
    assert large(moved) == Ledger(folder).config(), "a study that was moved is the same"
    shutil.rmtree(moved)
    assert transfer_of(folder) == before and before.first == "small-0123abcd" and before.mixes == 8
    assert StudyConfig.from_json(json.loads(json.dumps(Ledger(folder).config().to_json()))) == Ledger(folder).config()
    words = command_of(Ledger(folder).config(), folder)
    assert f"--from-study {shlex.quote(str(copy))} --confirm 4" in words


def test_the_options_of_the_study_ask_for_it_again(small):
    for words in ({}, {"trials": 30}, {"confirm": 17}, {"space": "joint"}):
        config = large(small, **words)
        assert configure(options_for(config)) == config
    assert large(small, confirm=17).trials == 3 + 17, "all there are, and nothing is left to spread over"


def test_compare_tells_the_same_correlation_in_both_orders(small, tmp_path):
    folder = simulate(tmp_path / "large", large(small, languages=["near1"]), 1)
    found = transfer_of(folder)
    for order in ((small, folder), (folder, small)):
        [one] = compare_studies(order).transfers
        assert (one.rows, one.mixes, one.shared, one.best_rank) == (found.rows, found.mixes, found.shared, found.best_rank)
        assert (one.first_model, one.second_model) == ("lab", "some/large")
    assert [row.name for row in found.rows] == ["all", "classification", "tagging"]
    printed = (
        CliRunner().invoke(app, ["compare", str(small), str(folder)], env={"COLUMNS": "80"}, catch_exceptions=False).output
    )
    assert "rank correlation" in printed.lower() and max(map(len, printed.splitlines())) <= 80
    assert f"{found.rows[0].value:+.2f}" in printed
    [again] = compare_studies([folder, shutil.copytree(folder, tmp_path / "copy")]).transfers
    assert again.rows[0].value == 1.0
    third = simulate(tmp_path / "third", large(folder, languages=["near1"], confirm=2, name="third"), 1)
    [one] = compare_studies([folder, third]).transfers
    assert (one.first, one.second) == (Ledger(folder).config().name, "third"), "both took mixes over: the order is as given"
    unrelated = simulate(tmp_path / "unrelated", configure(**SMALL | {"targets": ["topic"]}, **SHORT), 2)
    assert compare_studies([small, unrelated]).transfers == ()


def test_before_its_mixes_are_scored_the_study_says_so(small, tmp_path):
    folder = simulate(tmp_path / "large", large(small), 1)
    for path in Ledger(folder).record_paths()[2:]:
        path.unlink()
    assert transfer_of(folder).mixes == 0 and transfer_of(folder).rows[0].value is None


def test_a_finished_study_is_extended_by_the_sampler_and_never_by_designs(small, tmp_path):
    config = large(small)
    wider = extended(config, load_suite("lab"), Growth(trials="+6", tasks=("sort",)))
    records = Ledger(simulate(tmp_path / "wider", wider, 1)).records()
    assert Counter(record.role for record in records if record.number >= config.trials)["search"] == 6
    assert [record.plan.schedule for record in records[3 : config.trials]] == [mix.schedule for mix in config.transfer.mixes]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"from_study": "nowhere"}, "no study in .*nowhere; expected a folder with study.json"),
        ({"confirm": 18}, "--confirm 18; .* has 17 scored mixes"),
        ({"targets": ["topic"]}, "it scores nli, tag in en, near1, sov, the new study topic in .*"),
        ({"languages": ["near2"]}, "expected a target with a language in both"),
        ({"steps": [999]}, "space 'joint' cannot express its mix"),
        ({"space": "single_task"}, "space 'single_task' cannot express its mix"),
        ({"intermediate_learning_rate": [1e-5, 1e-4]}, "several --intermediate-learning-rate"),
        ({"trials": 9}, "--trials 9 with --from-study, whose 8 mixes and 3 baseline seeds are 11 trials"),
        ({"pairs": 3}, "--pairs 3 with --from-study"),
        ({"from_study": None}, "--confirm 4 without --from-study"),
        ({"confirm": 0}, "--confirm is 0; expected at least 1"),
    ],
)
def test_what_cannot_be_is_one_line(small, words, told):
    with pytest.raises(TasksearchError, match=told) as caught:
        large(small, **words)
    assert "\n" not in str(caught.value)


def test_a_study_with_nothing_told_yet_and_a_suite_without_its_tasks(small, tmp_path, monkeypatch):
    copy = Ledger(shutil.copytree(small, tmp_path / "copy"))
    for path in copy.record_paths()[3:]:
        path.unlink()
    with pytest.raises(StudyNotReady, match="no mix was scored yet; `tasksearch resume"):
        large(copy.folder)
    copy.record_paths()[0].unlink()
    with pytest.raises(TasksearchError, match=r"from-study|trial"):
        large(copy.folder)
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path))
    with pytest.raises(UnknownName, match="no intermediate task in suite 'lowres'"):
        large(small, suite="lowres")


def test_a_learning_rate_is_the_encoder_s_and_does_not_go_along(tmp_path):
    config = configure(**SMALL | {"trials": 24, "intermediate_learning_rate": [1e-4, 1e-3]}, **SHORT)
    folder = simulate(tmp_path, config, 0)
    assert {record.plan.schedule.learning_rate for record in Ledger(folder).records()} == {None, 1e-4, 1e-3}
    taken = large(folder, intermediate_learning_rate=[5e-5])
    assert {mix.schedule.learning_rate for mix in taken.transfer.mixes} == {None} and taken.space.searched_rates == ()
    assert not any("learning_rate" in dict(mix.params) for mix in taken.transfer.mixes)
    assert taken.overrides.intermediate_learning_rate == 5e-5 and configure(options_for(taken)) == taken


def test_a_grid_gives_some_of_its_plans_and_no_others_are_trained(tmp_path):
    asked = {"space": "singles_and_all", "targets": ["nli"], "languages": ["near1"], "trials": 30}
    config = large(simulate(tmp_path / "small", configure(**asked, **SHORT), 0), confirm=2)
    simulate(tmp_path / "large", config, 1)
    trained = [r.plan.schedule for r in Ledger(tmp_path / "large").records() if r.role in ("design", "search")]
    assert trained == [mix.schedule for mix in config.transfer.mixes] and len(trained) == 4 < config.space.plan_count


def test_a_search_with_short_target_phases_is_ranked_by_them(tmp_path):
    folder = simulate(tmp_path, configure(**SMALL, **SHORT, search_target_steps=0.5), 0)
    assert {r.plan.target_share for r in Ledger(folder).records() if r.role == "search"} == {0.5}
    assert large(folder).transfer.ranked == 17


# ---- killed, resumed, judged: over the planted surface, in this process


@pytest.fixture(scope="module")
def taken(planted, planted_folder):
    earlier = EarlierStudy.read(str(planted_folder))
    cells = [(target, language) for target in planted.TARGETS for language in planted.LANGUAGES]
    words = {"space": planted.SPACE, "suite": load_suite("lab"), "cells": cells, "objective": Objective()}
    told = earlier.transfer(3, **words)
    return {"transfer": told, "trials": 3 + len(told.mixes), "leader_seeds": 3, "name": "large", "model": "large"}


def test_a_study_that_was_killed_ends_as_one_that_was_not(planted, taken, tmp_path):
    context = {"surface": {"world": 0, "noise": 2.0}}

    def study(name, *stops):
        Ledger(tmp_path / name).save_config(planted.config(**taken))
        for most in (*stops, 1000):
            manager = planted.open_manager(tmp_path / name, **taken)
            planted.run_in_process(manager, tmp_path / name, context, at_once=2, most=most)
            manager.close()
        return [record.plan for record in Ledger(tmp_path / name).records()], transfer_of(tmp_path / name)

    whole, killed = study("whole"), study("killed", 4, 3)
    assert whole == killed and len(whole[0]) > 3 + 6
    assert whole[1].mixes == 6 and whole[1].rows[0].value is not None
    run = CliRunner().invoke(app, ["best", str(tmp_path / "killed")], catch_exceptions=False).output
    told = json.loads(CliRunner().invoke(app, ["best", str(tmp_path / "killed"), "--json"], catch_exceptions=False).output)
    assert "its 3 best of" in run and "6 mixes are few" in run
    sentence = told["baseline_comparison"]["sentence"]
    assert f"of them trials of the search, without what study {whole[1].first} cost" in sentence
    assert told["transfer"]["mixes"] == 6 and told["transfer"]["rows"][0]["name"] == "all"
    page = CliRunner().invoke(app, ["report", str(tmp_path / "killed")], catch_exceptions=False)
    assert page.exit_code == 0 and "From another encoder" in (tmp_path / "killed" / "report.html").read_text()
