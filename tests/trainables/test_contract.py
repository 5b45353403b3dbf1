"""Every trainable of the package meets the contract of `trainables.base`, without Ray running."""

import dataclasses
import importlib
import inspect
import json
import os
import pkgutil

import numpy as np
import pytest

import trainables
from tasksearch.core.errors import TrainingFailed
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.required_segments import from_text
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import HALVES, Score, ScoreTable
from tasksearch.lab.recipe import LabRecipe
from tasksearch.phases.lab_model import ensure_lab
from tasksearch.phases.run import PlanRun
from tasksearch.records.ledger import Ledger
from tasksearch.tasks.lab_suite import lab_suite
from trainables.base import PartResult, PlanTrainable
from trainables.recorded import RecordedTrainable, Surface
from trainables.three_phase import ThreePhase


def plan(seed=0, schedule=None):
    mixed = Schedule.joint(Mixture.uniform("mnli", "qqp"), 64) if schedule is None else schedule
    return Plan(
        suite="lab", schedule=mixed, targets=("nli", "tag"), languages=("en", "xx"), settings=PhaseSettings(), seed=seed
    )


def real_case():
    recipe = LabRecipe(
        phase1_steps=20, document_unit=100, parallel_unit=100, intermediate_train=64, intermediate_dev=10, target_train=32,
        target_dev=10, target_test=10, pool=12,
    )  # fmt: skip
    root, suite = ensure_lab(recipe), lab_suite()
    short = dataclasses.replace(suite.settings, target=dataclasses.replace(suite.settings.target, steps=2), target_overrides=())
    schedule = Schedule.joint(Mixture.uniform("restate"), 2)
    tried = Plan(suite="lab", schedule=schedule, targets=("nli", "tag"), languages=("en", "near1"), settings=short)
    return tried, {"suite": "lab", "data": str(root.data), "model": str(root.model), "store": None}


CASES = {RecordedTrainable: lambda: (plan(), {}), ThreePhase: real_case}
"""Trainable → plan and context to try it with."""


def catalogue():
    modules = [importlib.import_module(f"trainables.{m.name}") for m in pkgutil.iter_modules(trainables.__path__)]
    classes = {c for m in modules for _, c in inspect.getmembers(m, inspect.isclass) if issubclass(c, PlanTrainable)}
    return classes - {PlanTrainable}


def config(folder, case, number=3):
    tried, context = case()
    where = {**context, "study_folder": str(folder)}
    return {"number": number, "role": "search", "plan": tried.to_json(), "context": where}


def to_the_end(actor):
    reports = [actor.step()]
    while not reports[-1].get("done"):
        reports.append(actor.step())
    return reports


def without_clocks(report):
    return {name: value for name, value in report.items() if name not in ("busy_seconds", "seconds")}


tried = pytest.mark.parametrize("kind", sorted(CASES, key=lambda kind: kind.__name__))


def test_every_trainable_of_the_package_is_tried():
    assert set(CASES) == catalogue()


@tried
def test_the_first_report_costs_nothing_and_says_what_the_trial_waits_for(kind, tmp_path, monkeypatch):
    actor = kind(config(tmp_path, CASES[kind]))
    monkeypatch.setattr(kind, "run_part", lambda self, name: pytest.fail("a part ran"))
    report = actor.step()
    assert report["waiting_for"] == actor.parts()[0] and report["position"] == 0
    assert report["parts"] == len(actor.parts()) and "scores" not in report


@tried
def test_the_first_report_says_what_is_missing_and_what_was_trained_is_missed_no_more(kind, tmp_path):
    tried, context = CASES[kind]()
    store, log = str(tmp_path / "store"), str(tmp_path / "log")
    context = context | {"store": store, "segments": {"store": store, "log": log}}
    first, second = (kind(config(tmp_path, lambda: (tried, context), number=n)) for n in (3, 4))
    needs = from_text(first.step()["missing"])
    assert [need.part for need in needs] == list(range(len(first.parts()))) and needs[0].work > 0
    for part in range(1, len(needs)):
        first.step()
        again = kind(config(tmp_path, lambda: (tried, context), number=5))
        assert from_text(again.step()["missing"]) == needs[part:], "a store lacks what is not trained yet"
    first.step()
    assert from_text(second.step()["missing"]) == ()


@tried
def test_every_further_step_runs_one_part_and_the_last_is_final(kind, tmp_path):
    actor = kind(config(tmp_path, CASES[kind]))
    reports = to_the_end(actor)
    assert len(reports) == len(actor.parts()) + 1
    assert [r.get("part") for r in reports[1:]] == list(actor.parts())
    assert [r.get("final", False) for r in reports] == [False] * (len(reports) - 1) + [True]
    table = ScoreTable.from_json(json.loads(reports[-1]["scores"]))
    there = {(s.target, s.language, s.half) for s in table}
    assert there == {(t, lang, half) for t in actor.plan.targets for lang in actor.plan.languages for half in HALVES}
    outcomes = Ledger(tmp_path).outcomes(3)
    assert outcomes.keys() == there and all(a.ndim == 2 and a.shape[1] == 2 for a in outcomes.values())


@tried
def test_a_reused_actor_answers_as_a_new_one(kind, tmp_path):
    fresh = to_the_end(kind(config(tmp_path, CASES[kind], number=4)))
    used = kind(config(tmp_path, CASES[kind]))
    to_the_end(used)
    assert used.reset_config(config(tmp_path, CASES[kind], number=4))
    assert [without_clocks(r) for r in to_the_end(used)] == [without_clocks(r) for r in fresh]


@tried
@pytest.mark.parametrize("done", [1, 2])
def test_a_checkpoint_takes_a_trial_up_where_it_was(kind, tmp_path, done):
    whole = to_the_end(kind(config(tmp_path / "whole", CASES[kind])))
    first = kind(config(tmp_path, CASES[kind]))
    for _ in range(done + 1):
        first.step()
    (tmp_path / "checkpoint").mkdir()
    first.save_checkpoint(str(tmp_path / "checkpoint"))
    second = kind(config(tmp_path, CASES[kind]))
    second.load_checkpoint(str(tmp_path / "checkpoint"))
    reports = to_the_end(second)
    assert reports[0]["position"] == done and len(reports) == len(whole) - done
    assert without_clocks(reports[-1]) == without_clocks(whole[-1])
    assert Ledger(tmp_path).outcomes(3).keys() == Ledger(tmp_path / "whole").outcomes(3).keys()


@tried
def test_reports_are_plain_and_configs_survive_json(kind, tmp_path):
    wanted = config(tmp_path, CASES[kind])
    actor = kind(json.loads(json.dumps(wanted)))
    for report in to_the_end(actor):
        assert json.loads(json.dumps(report, allow_nan=False)) == report


class Odd(RecordedTrainable):
    """Scores that its own outcomes do not bear out."""

    def run_part(self, name):
        result = super().run_part(name)
        wrong = [Score(**{**vars(s), "value": s.value + 1}) for s in result.scores]
        return PartResult(scores=ScoreTable.of(wrong), outcomes=result.outcomes)


class Bare(RecordedTrainable):
    """Scores without outcomes."""

    def run_part(self, name):
        return PartResult(scores=super().run_part(name).scores)


@pytest.mark.parametrize(
    ("kind", "context", "cause"),
    [
        (RecordedTrainable, {"raise_in": [3]}, "RuntimeError: planted failure in trial 3"),
        (RecordedTrainable, {"nan_in": [3]}, "the score of nli/en/report is nan; expected a finite number"),
        (RecordedTrainable, {"surface": {"bass": 1}}, "recorded surface"),
        (Odd, {}, "its outcomes say"),
        (Bare, {}, "no per-example outcomes"),
    ],
)
def test_a_failure_is_a_report_with_one_line_of_cause(kind, context, cause, tmp_path):
    last = to_the_end(kind(config(tmp_path, lambda: (plan(), context))))[-1]
    assert cause in last["failed"] and "\n" not in last["failed"]
    assert "Traceback" in last["traceback"] and "final" not in last and "scores" not in last
    assert not Ledger(tmp_path).outcomes_path(3).exists()


def test_the_planted_surface_is_a_function_of_plan_and_seed():
    surface = Surface()
    assert surface.score(plan(), "nli", "xx") == Surface().score(plan(), "nli", "xx")
    assert surface.score(plan(), "nli", "xx") != surface.score(plan(seed=1), "nli", "xx")
    assert surface.truth(plan(), "nli", "xx") == surface.truth(plan(seed=1), "nli", "xx")
    assert surface.truth(plan(schedule=Schedule.none()), "nli", "xx") == surface.base


def test_planted_order_matters_and_planted_noise_has_its_size():
    surface = Surface(order=2.0, noise=1.5)
    effects = {task: surface.task_effect(task, "nli") for task in ("a", "b", "c", "d", "e", "f")}
    best, worst = max(effects, key=effects.get), min(effects, key=effects.get)
    assert effects[best] > 0 > effects[worst]
    good_last = plan(schedule=Schedule.sequential([(worst, 32), (best, 32)]))
    good_first = plan(schedule=Schedule.sequential([(best, 32), (worst, 32)]))
    assert surface.truth(good_last, "nli", "xx") - surface.truth(good_first, "nli", "xx") == pytest.approx(4.0)
    none = Schedule.none()
    noise = [surface.score(plan(seed, none), "nli", "xx") - surface.base for seed in range(400)]
    assert np.std(noise) == pytest.approx(1.5, rel=0.15) and np.mean(noise) == pytest.approx(0, abs=0.3)


def test_a_real_study_keeps_the_document_of_every_example_in_the_order_of_its_outcomes(tmp_path):
    for number in (3, 4):
        to_the_end(ThreePhase(config(tmp_path, real_case, number)))
    outcomes, documents = (Ledger(tmp_path).outcomes(3), Ledger(tmp_path).documents())
    assert documents.keys() == outcomes.keys()
    assert all(len(documents[cell]) == len(outcomes[cell]) for cell in outcomes)
    one, other = (set(documents["nli", "near1", half].tolist()) for half in HALVES)
    assert one and other and not one & other  # a document selects or reports, never both
    assert set(documents["nli", "en", "report"].tolist()) & set(documents["nli", "near1", "report"].tolist())


def test_documents_that_a_study_has_are_not_numbered_again(tmp_path, monkeypatch):
    to_the_end(ThreePhase(config(tmp_path, real_case)))
    monkeypatch.setattr(PlanRun, "documents", lambda self, target: pytest.fail("numbered again"))
    assert to_the_end(ThreePhase(config(tmp_path, real_case, 4)))[-1].get("final")


def test_a_trial_that_runs_out_of_a_share_of_a_gpu_says_how_large_the_share_is():
    class Full:
        def run(self, name):
            raise TrainingFailed("out of memory with one example of 'nli' at a time")

    trial = object.__new__(ThreePhase)
    trial._run = Full()
    for context, told in (({"gpu_share": 0.25}, "has 0.25 of a GPU's memory: --gpus-per-trial"), ({}, "at a time$")):
        trial.context = context
        with pytest.raises(TrainingFailed, match=told):
            trial._run_within_share("target/nli")


@pytest.mark.parametrize(
    ("context", "served", "found"),
    [
        ({"gpu_share": 0.25}, True, "50"),
        ({"gpu_share": 0.5}, True, "100"),
        ({"gpu_share": 0.25}, False, None),
        ({"gpu_share": 0.25, "deterministic": True}, True, None),
        ({"gpu_share": 0.25, "device": "cpu"}, True, None),
        ({}, True, None),
    ],
)
def test_a_share_of_a_gpu_under_mps_is_twice_its_share_of_the_multiprocessors(context, served, found, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(os, "environ", dict(os.environ))
    if served:
        (tmp_path / "control").touch()
    trial = object.__new__(ThreePhase)
    trial.context = context
    trial._keep_to_share()
    assert os.environ.get("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE") == found
    os.environ["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] = "30"
    trial._keep_to_share()
    assert os.environ["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] == "30", "what is set stays"
