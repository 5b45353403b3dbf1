"""A plan in one process: the same numbers every time, with the store and without it, whole or in pieces."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import nn

from tasksearch.core.errors import ModelUnusable, TrainingFailed
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import annealed_twin, sequential_twin
from tasksearch.metrics.outcomes import value_of
from tasksearch.models.encoder import load_pretrained
from tasksearch.models.heads import make_head
from tasksearch.phases.context import RunContext, open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.eviction import entries
from tasksearch.store.score_files import facts_of
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.accumulate import accumulate
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.order import StepItems

SUITE = lab_suite()
BOTH = Mixture.uniform("restate", "find")
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=4),
    target_overrides=(),
)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def stored(context, folder) -> RunContext:
    return dataclasses.replace(context, store=SegmentStore(folder))


def plan(schedule, settings=SHORT, targets=("retrieval", "topic", "nli", "qa", "tag"), seed=0):
    return Plan(suite="lab", schedule=schedule, targets=targets, languages=("en", "near1", "sov"), settings=settings, seed=seed)


SCHEDULES = {
    "none": Schedule.none(),
    "joint": Schedule.joint(BOTH, 4),
    "sequential": sequential_twin(BOTH, ["find", "restate"], 4),
    "annealed": annealed_twin(BOTH, ["find", "restate"], 4),
    "every kind": Schedule.joint(Mixture.uniform(*(card.name for card in SUITE.intermediates)), 8),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_plan_gives_equal_numbers_twice_and_scores_every_cell(context, name):
    first, second = (run_plan(plan(SCHEDULES[name]), context) for _ in range(2))
    assert first.scores == second.scores
    assert all(np.array_equal(first.outcomes[cell], second.outcomes[cell]) for cell in first.outcomes)
    assert {s.language for s in first.scores if s.target == "topic"} == {"en", "near1", "sov"}
    assert {s.half for s in first.scores} == {"select", "report"}
    for score in first.scores:
        assert score.value == value_of(first.outcomes[score.target, score.language, score.half])
        assert score.examples == (30 if score.target == "retrieval" else 20)


def test_another_seed_gives_other_numbers_but_the_same_retrieval_without_an_intermediate_phase(context):
    first, second = (run_plan(plan(Schedule.none(), seed=seed), context).scores for seed in (0, 1))
    assert [s.value for s in first if s.target == "retrieval"] == [s.value for s in second if s.target == "retrieval"]
    assert [s.value for s in first if s.target == "tag"] != [s.value for s in second if s.target == "tag"]


def test_the_store_changes_no_number_and_trains_nothing_twice(context, tmp_path):
    chain = plan(SCHEDULES["sequential"])
    fresh = run_plan(chain, context)
    with_store = stored(context, tmp_path)
    assert run_plan(chain, with_store).scores == fresh.scores
    again = PlanRun(chain, with_store)
    assert [again.run(part).steps for part in again.parts] == [0] * len(again.parts)
    assert run_plan(chain, with_store).scores == fresh.scores


def test_a_part_run_alone_in_a_new_process_loads_what_came_before(context, tmp_path):
    chain, with_store = plan(SCHEDULES["sequential"], targets=("topic",)), stored(context, tmp_path)
    for part in PlanRun(chain, with_store).parts:
        last = PlanRun(chain, with_store).run(part)
    assert last.scores == run_plan(chain, context).scores


def test_a_damaged_segment_is_not_there(context, tmp_path):
    joint, with_store = plan(SCHEDULES["joint"], targets=("topic",)), stored(context, tmp_path)
    expected = run_plan(joint, with_store).scores
    run = PlanRun(joint, with_store)
    path = with_store.store.folder(run.intermediate[0].signature) / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    assert with_store.store.manifest(run.intermediate[0].signature) is None
    assert run.run("intermediate/0").steps == 4
    assert run_plan(joint, with_store).scores == expected


def test_policies_and_mixing_are_different_trainings_under_different_names(context):
    settings = {
        (policy, mixing): dataclasses.replace(
            SHORT, intermediate=dataclasses.replace(SHORT.intermediate, lr_policy=policy, mixing=mixing)
        )
        for policy in ("phase", "stage")
        for mixing in ("task", "mixed")
    }
    chain, joint = SCHEDULES["sequential"], SCHEDULES["joint"]
    names = {key: PlanRun(plan(chain, value), context).intermediate[-1].signature for key, value in settings.items()}
    assert len(set(names.values())) == 4
    by_policy = [run_plan(plan(chain, settings[p, "task"], ("retrieval",)), context).outcomes for p in ("phase", "stage")]
    by_mixing = [run_plan(plan(joint, settings["phase", m], ("topic",)), context).outcomes for m in ("task", "mixed")]
    assert all(len(pair[0]) == len(pair[1]) for pair in (by_policy, by_mixing))


@pytest.mark.parametrize("card", SUITE.intermediates, ids=lambda card: card.name)
def test_accumulation_gives_the_gradient_of_the_whole_step(context, card):
    items, step = context.source.training(card, 128), StepItems(parts=((card.name, np.arange(8)),))
    gradients = []
    for micro in (None, 3):
        model = copy.deepcopy(context.pretrained.model).double()
        outputs = {"choice": 1, "span": 2}.get(card.kind, len(card.labels))
        head = make_head(card.kind, "h", outputs, hidden_size=64, features="pair-diff", dropout=0.0, seed=0).double()
        learner = Learner(model=model, heads=nn.ModuleDict({"h": head}), specials=context.specials, device=context.device)
        settings = dataclasses.replace(SHORT.intermediate, micro_batch_size=micro)
        accumulate(learner, {card.name: TrainingTask(items=items, head="h")}, step, settings, "x", 0, 0.15)
        gradients.append(torch.cat([p.grad.flatten() for p in model.roberta.parameters()]))
    assert torch.allclose(*gradients, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "change"), [("restate", {"labels": ("same", "different")}), ("restate", {"head": "entail"})])
def test_a_card_that_reads_its_file_otherwise_names_another_segment(context, name, change):
    cards = tuple(dataclasses.replace(c, **change) if c.name == name else c for c in SUITE.cards)
    edited = dataclasses.replace(context, suite=dataclasses.replace(SUITE, cards=cards))
    before, after = (PlanRun(plan(SCHEDULES["joint"]), where) for where in (context, edited))
    assert before.intermediate[0].signature != after.intermediate[0].signature
    assert all(a.signature != b.signature for a, b in zip(before.targets, after.targets, strict=True))


def test_plans_of_one_beginning_share_it_and_a_seed_shares_nothing(context, tmp_path):
    steps = [("find", 2), ("restate", 2), ("marks", 2)]
    other = [("find", 2), ("restate", 2), ("sort", 2)]
    with_store = stored(context, tmp_path)
    first = plan(Schedule.sequential(steps), targets=("topic",))
    second = plan(Schedule.sequential(other), targets=("topic",))
    fresh = run_plan(second, context)
    run_plan(first, with_store)
    run = PlanRun(second, with_store)
    done = {part: run.run(part) for part in run.parts}
    assert [done[part].steps for part in run.parts] == [0, 0, 2, 4]
    assert done["target/topic"].scores == fresh.scores
    names = [{s.signature for s in PlanRun(first.with_seed(seed), context).intermediate} for seed in (0, 1)]
    assert not names[0] & names[1]


@pytest.mark.parametrize(("policy", "mixing"), [("phase", "task"), ("stage", "task"), ("phase", "mixed"), ("stage", "mixed")])
def test_every_policy_and_mixing_gives_equal_numbers_with_the_store_and_without(context, tmp_path, policy, mixing):
    settings = dataclasses.replace(SHORT, intermediate=dataclasses.replace(SHORT.intermediate, lr_policy=policy, mixing=mixing))
    stages = Schedule.joint(BOTH, 3).stages + annealed_twin(BOTH, ["restate", "find"], 3).stages
    staged = plan(Schedule(stages=stages), settings, targets=("nli", "retrieval"))
    fresh, with_store = run_plan(staged, context), stored(context, tmp_path)
    for part in PlanRun(staged, with_store).parts[:2]:
        PlanRun(staged, with_store).run(part)
    again = run_plan(staged, with_store)
    assert all(np.array_equal(again.outcomes[cell], fresh.outcomes[cell]) for cell in fresh.outcomes)


def weights_after(context, settings, schedule):
    run = PlanRun(plan(schedule, settings, targets=("retrieval",)), context)
    for part in run.parts[:-1]:
        run.run(part)
    return torch.cat([p.detach().flatten() for p in run.encoder().parameters()])


def test_policies_and_mixings_train_other_weights_but_one_stage_knows_no_policy(context):
    def of(schedule, **changes):
        return weights_after(
            context, dataclasses.replace(SHORT, intermediate=dataclasses.replace(SHORT.intermediate, **changes)), schedule
        )

    chain, joint = SCHEDULES["sequential"], SCHEDULES["joint"]
    assert torch.equal(of(joint), of(joint))
    assert not torch.equal(of(chain), of(chain, lr_policy="stage"))
    assert not torch.equal(of(joint), of(joint, mixing="mixed"))
    assert torch.equal(of(joint), of(joint, lr_policy="stage"))  # one stage: the policies coincide


def test_a_warm_head_starts_from_the_intermediate_task_of_the_same_labels(context):
    warm = dataclasses.replace(SHORT, head="warm")
    joint = Schedule.joint(Mixture.uniform("entail"), 4)
    first, second = (run_plan(plan(joint, settings, ("nli",)), context) for settings in (SHORT, warm))
    assert any(not np.array_equal(first.outcomes[cell], second.outcomes[cell]) for cell in first.outcomes)


def test_a_loss_that_is_not_finite_is_the_plans_failure(context):
    wild = dataclasses.replace(
        SHORT, intermediate=dataclasses.replace(SHORT.intermediate, learning_rate=1e30, max_grad_norm=1e30)
    )
    with pytest.raises(TrainingFailed, match="training diverged"):
        run_plan(plan(Schedule.joint(BOTH, 8), wild), context)


def test_a_model_folder_lacking_something_says_what(tiny_lab, tmp_path):
    import shutil

    for missing, said in (("tokenizer.json", "has no tokenizer"), ("model.safetensors", "pickled weights are not read")):
        folder = tmp_path / missing
        shutil.copytree(tiny_lab.model, folder)
        (folder / missing).unlink()
        with pytest.raises(ModelUnusable, match=said):
            load_pretrained(str(folder))


def test_the_untrained_reference_starts_from_fresh_weights_of_its_seed(context):
    trained, bare, again, other = (
        run_plan(dataclasses.replace(plan(SCHEDULES["none"], seed=seed), start=start), context)
        for seed, start in ((0, "pretrained"), (0, "fresh"), (0, "fresh"), (1, "fresh"))
    )
    assert bare.scores == again.scores
    assert bare.scores != trained.scores
    assert bare.scores != other.scores
    cell = ("retrieval", "near1", "report")  # nothing is trained there: the weights alone differ
    assert not np.array_equal(bare.outcomes[cell], trained.outcomes[cell])


def test_a_cap_scores_so_many_examples_and_names_the_score_tables_anew(context):
    capped = dataclasses.replace(SHORT, evaluation_examples=7)
    result = run_plan(plan(SCHEDULES["none"], capped), context)
    assert {score.examples for score in result.scores} == {7}
    names = {PlanRun(plan(SCHEDULES["none"], settings), context).targets[0].tables for settings in (SHORT, capped)}
    assert len(names) == 2


# ---- score tables per language


def wider(narrow, *languages, targets=()):
    return dataclasses.replace(narrow, languages=(*narrow.languages, *languages), targets=(*narrow.targets, *targets))


def test_another_language_is_another_score_table_and_no_other_training(context):
    narrow = plan(SCHEDULES["joint"], targets=("topic", "retrieval"))
    few, more = PlanRun(narrow, context), PlanRun(wider(narrow, "near2"), context)
    for before, after in zip(few.targets, more.targets, strict=True):
        assert before.signature == after.signature
        assert set(before.tables) < set(after.tables) and len(after.tables) == len(before.tables) + 1
    capped = dataclasses.replace(narrow, settings=dataclasses.replace(SHORT, evaluation_examples=5))
    other = PlanRun(capped, context)
    assert [s.signature for s in other.targets] == [s.signature for s in few.targets]
    assert not {t for s in other.targets for t in s.tables} & {t for s in few.targets for t in s.tables}


@pytest.mark.parametrize("keeps", [False, True])
def test_a_language_that_joins_is_scored_by_the_same_weights_and_trains_what_was_not_kept(context, tmp_path, keeps):
    narrow = plan(SCHEDULES["joint"], targets=("topic", "retrieval"))
    kept = dataclasses.replace(stored(context, tmp_path), keep_targets=keeps)
    before = run_plan(narrow, kept)
    both = wider(narrow, "near2", targets=("tag",))
    run = PlanRun(both, kept)
    done = {part: run.run(part) for part in run.parts}
    assert [done[part].steps for part in run.parts] == [0, 0, 4, 0 if keeps else 4], "phase 2, retrieval, tag, topic"
    at_once, again = run_plan(both, context), run_plan(both, kept)
    for cell, table in at_once.outcomes.items():
        assert np.array_equal(again.outcomes[cell], table)
        assert cell not in before.outcomes or np.array_equal(before.outcomes[cell], table)
    assert [PlanRun(both, kept).run(part).steps for part in run.parts] == [0, 0, 0, 0]


def damage(path, signature):
    """Change one number of one stored score table, as a flipped bit would."""
    with safe_open(path, "numpy") as file:
        arrays, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    name = next(name for name in arrays if name.startswith(signature))
    arrays[name] = arrays[name] + (np.arange(arrays[name].size).reshape(arrays[name].shape) == 0).astype(arrays[name].dtype)
    save_file(arrays, path, metadata)


def test_a_damaged_score_table_alone_is_scored_again(context, tmp_path, monkeypatch):
    joint, kept = (
        plan(SCHEDULES["joint"], targets=("topic",)),
        dataclasses.replace(stored(context, tmp_path), keep_targets=True),
    )
    expected = run_plan(joint, kept).scores
    [segment] = PlanRun(joint, kept).targets
    path = kept.store.folder(PlanRun(joint, kept).score_file).with_suffix(".scores")
    damage(path, dict(segment.tables)["sov"])
    scored = []
    real = PlanRun._scored
    monkeypatch.setattr(
        PlanRun, "_scored", lambda self, s, done, language: scored.append(language) or real(self, s, done, language)
    )
    assert run_plan(joint, kept).scores == expected
    assert scored == ["sov"]


def test_weights_that_are_wanted_later_take_the_place_of_the_note_of_their_cost(context, tmp_path):
    joint, kept = plan(SCHEDULES["joint"], targets=("topic",)), stored(context, tmp_path)
    run_plan(joint, kept)
    assert not [e for e in entries(kept.store) if e.kind == "target"], "its cost stands beside its scores"
    [note] = facts_of(kept.store, PlanRun(joint, kept).score_file).trainings.values()
    assert note["steps"] == 4 and note["label"] == "topic, seed 0"
    keeps = dataclasses.replace(kept, keep_targets=True)
    run_plan(wider(joint, "near2"), keeps)
    assert PlanRun(wider(joint, "near3"), keeps).run("target/topic").steps == 0


def test_lengths_under_a_stable_curve_share_their_trunk_and_no_number_shows_it(context, tmp_path):
    how = dataclasses.replace(SHORT.intermediate, curve="wsd", rung=3, decay=0.25)
    ladder = [plan(Schedule.joint(BOTH, n), dataclasses.replace(SHORT, intermediate=how), ("topic",)) for n in (8, 4, 12)]
    kept, steps = stored(context, tmp_path), []
    for one in ladder:
        run = PlanRun(one, kept)
        done = {part: run.run(part) for part in run.parts}
        steps.append([done[part].steps for part in run.parts[:-1]])
        fresh = run_plan(one, context)
        assert all(np.array_equal(fresh.outcomes[cell], table) for cell, table in done["target/topic"].outcomes.items())
    assert steps == [[3, 3, 2], [0, 1], [0, 0, 3, 3]], "trunk of the longest and every decay, once"
