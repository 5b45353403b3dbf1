"""A search space that is a finite list of plans."""

import dataclasses
import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import phang2020, singles_and_all
from tasksearch.core.errors import BadInput
from tasksearch.core.grid import GridPlan, rows_of
from tasksearch.core.mixture import Mixture
from tasksearch.core.options import Growth
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import seed_from
from tasksearch.core.space import SearchSpace, decode, encode, unused
from tasksearch.core.study import StudyConfig
from tasksearch.search.controls import control_plans, control_seeds, most_controls
from tasksearch.search.design_names import DesignNames
from tasksearch.search.matched_pairs import default_pairs
from tasksearch.search.proposals import Finished, Proposal, propose
from tasksearch.search.simulated_study import simulated_study
from tasksearch.search.tpe import distributions_of
from tasksearch.study.configuration import command_of, configure, options_for
from tasksearch.study.contracts import contract_of
from tasksearch.study.extend import extended
from tasksearch.study.settings import warning_of
from tasksearch.study.spaces import fill_in
from tasksearch.tasks.catalogue import load_suite

GRID = (GridPlan(each=True), GridPlan(name="all jointly", rule="capped(1500)"))
BY_HAND = GridPlan(name="by hand", schedule=Schedule.sequential([("qqp", 10), ("mnli", 20)]))


def space(toy, **changes):
    return dataclasses.replace(toy.space(), **({"name": "grid", "grid": GRID, "steps": (64,)} | changes))


def run(toy, config):
    records = []
    while not isinstance(found := propose(config, toy.sizes, toy.plan_of, len(records), records), Finished):
        assert isinstance(found, Proposal), found
        gain = seed_from("gain", found.plan.mix_signature) % 7 - 3.0 if found.plan.schedule.stages else 0.0
        records.append(toy.record(found.number, role=found.role, plan=found.plan, params=found.params, objective=gain))
    return records


@pytest.mark.parametrize("sampler", ["auto", "tpe", "random", "optuna.samplers.GPSampler"])
def test_every_plan_is_trained_once_and_nothing_else(toy, sampler):
    grid = space(toy, grid=(*GRID, BY_HAND))
    records = run(toy, toy.config(space=grid, trials=100, sampler=sampler, leaders=0))
    assert [r.plan.schedule for r in records if r.role == "design"] == [row.schedule for row in grid.rows(toy.sizes)]
    assert {r.role for r in records} == {"baseline", "design"} and len(records) == 3 + 5
    assert records[-1].plan.schedule == BY_HAND.schedule


def test_a_finished_grid_gets_more_seeds_of_each_plan(toy):
    config = toy.config(space=space(toy), trials=7, leaders=1, leader_seeds=1, most_seeds=1)
    before = run(toy, config)
    wide = dataclasses.replace(config, leaders=4, leader_seeds=3, most_seeds=3)
    records = list(before)
    while not isinstance(found := propose(wide, toy.sizes, toy.plan_of, len(records), records), Finished):
        records.append(toy.record(found.number, role=found.role, plan=found.plan, params=found.params, objective=0.0))
    seeds = {}
    for record in records:
        if record.plan.schedule.stages:
            seeds.setdefault(record.plan.schedule, []).append(record.plan.seed)
    assert len(seeds) == 4 and all(sorted(own) == [0, 1, 2, 3] for own in seeds.values())


def test_a_forecast_counts_the_trainings_of_a_grid(toy):
    config = toy.config(space=space(toy), trials=7, leaders=4, leader_seeds=2, most_seeds=2)
    foreseen = simulated_study(
        config, toy.sizes, toy.plan_of, {"nli": "classification"}, 0, cells=[("nli", "en"), ("nli", "xx")]
    )
    roles = Counter(record.role for record in foreseen)
    assert roles["design"] == 4 and 8 <= roles["finalist"] <= 12, "and up to four trainings that collapsed, once more"
    assert set(roles) == {"baseline", "design", "finalist"}


@given(cap=st.integers(1, 10_000), sizes=st.lists(st.integers(1, 10_000), min_size=2, max_size=6), length=st.floats(0.1, 5.0))
def test_shares_and_lengths_are_those_of_jiant(cap, sizes, length):
    """p_m = min(n_m, K) / Σ min(n, K); steps = Σ epochs · ceil(min(n_m, K) / batch)."""
    named = {f"t{i}": size for i, size in enumerate(sizes)}
    plan = GridPlan(name="joint", rule=f"capped({cap})")
    [row] = rows_of([plan], tuple(named), named, epochs=(length,), batch_size=32)
    counted = {task: min(size, cap) for task, size in named.items()}
    assert row.schedule.mixture() == Mixture.of(counted)
    assert row.schedule.steps == math.ceil(length * sum(math.ceil(n / 32) for n in counted.values()))


def test_several_lengths_are_several_plans(toy):
    grid = space(toy, steps=(), epochs=(1.0, 2.0), batch_size=100)
    rows = grid.rows(toy.sizes)
    assert [row.name for row in rows[:2]] == ["ccg, 1 epochs", "ccg, 2 epochs"] and len(rows) == grid.plan_count == 8
    assert [row.schedule.steps for row in rows] == [10, 20, 40, 80, 20, 40, 40, 80]  # of a cap of 1,500: 10 + 15 + 15
    assert distributions_of(grid, dict(rows[3].params)).keys() == {"plan", "length"}


def test_optuna_is_told_names_that_hold_for_the_whole_study(toy):
    grid = space(toy)
    for params in [unused(grid), *(row.params for row in grid.rows(toy.sizes))]:
        [(name, distribution)] = distributions_of(grid, dict(params)).items()
        assert name == "plan" and dict(params)["plan"] in distribution.choices
        assert distribution.choices == ("none", "ccg", "mnli", "qqp", "all jointly")


def test_tables_call_the_plans_by_their_names(toy):
    grid = space(toy)
    names = DesignNames.of([grid], toy.sizes)
    assert [names.name(row.schedule) for row in grid.rows(toy.sizes)] == ["best single"] * 3 + ["all jointly"]


def test_a_grid_survives_its_study_file(toy):
    for grid in (space(toy, grid=(*GRID, BY_HAND), left_out=("x",)), toy.space()):
        config = toy.config(space=grid)
        assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert "grid" not in toy.config().to_json()["space"]  # an earlier version reads a study of drawn mixes


def test_a_grid_has_no_mixes_to_draw(toy):
    grid = space(toy, schedules=("joint", "sequential"))
    assert default_pairs(grid, 100, 3) == 0
    for call in (lambda: decode(grid, {"plan": "ccg"}), lambda: encode(Schedule.joint(Mixture.uniform("ccg"), 64), grid)):
        with pytest.raises(BadInput, match="a grid of 4 plans"):
            call()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "x", "rule": "capped(0)"}, "capped"),
        ({"name": "x", "rule": "caped(5)"}, "expected uniform, proportional"),
        ({"name": ""}, "expected a name"),
        ({"name": "none"}, "expected a name"),
        ({"name": "x", "tasks": ("a",), "schedule": BY_HAND.schedule}, "either a schedule"),
        ({"name": "x", "schedule": Schedule.none()}, "either a schedule"),
        ({"name": "x", "beside": "mlm:sw"}, "share 0 of mlm:sw"),
        ({"name": "x", "beside": "mlm:sw", "share": "1"}, "between 0 and 1"),
        ({"name": "x", "share": "1/8"}, "no task"),
        (
            {"name": "x", "tasks": ("a", "mlm:sw"), "beside": "mlm:sw", "share": "1/8"},
            "keeps 'mlm:sw' up beside tasks of which",
        ),
    ],
)
def test_a_plan_that_cannot_be_is_refused(fields, told):
    with pytest.raises(BadInput, match=told):
        GridPlan(**fields)


def test_the_papers_variants_are_further_plans_of_the_grid(toy):
    paper = phang2020.grid(2000, text="mlm:sw", share="1/4", translated=("mnli:all",))
    grid = dataclasses.replace(paper, tasks=("ccg", "mnli", "mlm:sw", "mnli:all"), epochs=(1.0,), batch_size=10)
    rows = {row.name: row.schedule for row in grid.rows(toy.sizes | {"mlm:sw": 7, "mnli:all": 8000})}
    joint = ["all jointly", "all jointly + MLM"]
    assert list(rows) == ["ccg", "mnli", joint[0], "ccg + MLM", "mnli + MLM", joint[1], "mnli:all"]
    assert rows[joint[0]].mixture() == Mixture.of({"ccg": 1000, "mnli": 2000}), "no text, and no translation, of its own"
    assert rows["mnli + MLM"].mixture() == Mixture.of({"mnli": 3, "mlm:sw": 1})
    assert rows[joint[1]].mixture() == Mixture.of({"ccg": 1, "mnli": 2, "mlm:sw": 1})
    assert rows[joint[1]].steps == 400 and rows[joint[0]].steps == 300, "the tasks get their passes beside the text"
    assert StudyConfig.from_json(json.loads(json.dumps(toy.config(space=grid).to_json()))).space == grid
    assert len(grid.plan_names) == len(rows) + 1


@pytest.mark.parametrize("fields", [{"learning_rates": (1e-5, 2e-5)}, {"methods": ("smoothing:sigma=0.1",)}])
def test_what_only_drawn_mixes_choose_between_is_refused(toy, fields):
    with pytest.raises(BadInput, match="of a grid"):
        space(toy, **fields)


def test_a_joint_plan_needs_the_sizes_of_its_tasks(toy):
    with pytest.raises(BadInput, match="no training example of qqp"):
        space(toy).rows({"ccg": 10, "mnli": 10})


# ---- the paper's grid


def test_the_papers_grid_is_nine_single_tasks_and_all_nine_jointly():
    sizes = dict.fromkeys(phang2020.PAPER_TASKS, 10_000) | {"anli_plus": 1_104_934, "mnli": 392_702}
    rows = fill_in(phang2020.SPACE, load_suite("xtreme")).rows(sizes)
    assert [row.name for row in rows] == [*phang2020.PAPER_TASKS, "all jointly"]
    joint = rows[-1].schedule.mixture()
    assert joint == Mixture.of({task: min(size, 2**17) for task, size in sizes.items()})
    assert joint.share("anli_plus") == joint.share("mnli")
    with pytest.raises(BadInput, match="K at least 1"):
        phang2020.grid(0)


@pytest.fixture
def lowres(shared_data):
    def made(**words):
        return configure(suite="lowres", model="some/model", data=str(shared_data), **({"space": "phang2020"} | words))

    return made


def test_tasks_that_are_not_there_are_named_and_left_out_on_request_alone(lowres):
    with pytest.raises(BadInput, match=r"lacks anli_plus, ccg.*--available"):
        lowres()
    config = lowres(available=True)
    assert config.space.tasks == ("mnli",) and set(config.space.left_out) == set(phang2020.PAPER_TASKS) - {"mnli"}
    assert "phang2020 without anli_plus, ccg" in warning_of(load_suite("lowres"), config)
    assert config.trials == 5 + 1 and config.controls == ("exposure",) and config.pairs == 0
    assert configure(options_for(config)) == config and "--available" in command_of(config)


def test_the_same_grid_over_a_suites_own_tasks(lowres):
    config = lowres(space="singles_and_all", intermediate_epochs=[0.5], batch_size=16)
    assert config.space.plan_count == 5 and config.space.batch_size == 16 and not config.space.steps
    assert configure(options_for(config)) == config


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"continuous": True}, "--continuous"),
        ({"pairs": 3}, "--pairs 3"),
        ({"twins": 3}, "--matched-sets 3"),
        ({"space": "joint", "intermediate_epochs": [1.0]}, "--intermediate-epochs with space 'joint'"),
        ({"steps": [8], "intermediate_epochs": [1.0]}, "expected one of them"),
    ],
)
def test_what_a_grid_does_not_take_is_refused(lowres, words, told):
    with pytest.raises(BadInput, match=told):
        lowres(**({"available": True} | words))


def test_only_seeds_targets_and_languages_are_added_to_a_grid(lowres):
    config, suite = lowres(space="singles_and_all"), load_suite("lowres")
    for growth in (Growth(trials="+2"), Growth(tasks=("copa",)), Growth(steps=(8,))):
        with pytest.raises(BadInput, match="--leaders 5 --leader-seeds 3"):
            extended(config, suite, growth)
    assert extended(config, suite, Growth(leaders=5, leader_seeds=3)).leaders == 5


def test_the_contract_of_a_grid_in_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from search_spaces import phang2020\nSPACE = phang2020.grid(2**10)\n")
    assert contract_of(str(path)).kept
    assert singles_and_all.SPACE.grid == phang2020.SPACE.grid
    assert isinstance(singles_and_all.SPACE, SearchSpace)


def test_the_length_controls_of_a_grid_in_epochs_are_counted_with_a_length_for_every_finalist(toy):
    grid = dataclasses.replace(phang2020.grid(2000), tasks=("ccg", "mnli"), epochs=(1.0,), batch_size=10)
    config = toy.config(space=grid, leaders=3, leader_seeds=3, controls=("length",))
    lengths = [Schedule.joint(Mixture.uniform(task), steps) for task, steps in (("ccg", 100), ("mnli", 200), ("qqp", 50))]
    plans = control_plans(config.controls, toy.plan_of, lengths, lengths[0], control_seeds(config))
    assert len(plans) == most_controls(config) == 6
