"""A target phase that keeps the weights of its best score on English selection examples."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.signature import signature_of
from tasksearch.phases import target as target_phase
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.english_dev import english_dev
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study.configuration import configure
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.early_stopping import EarlyStopping

SUITE = lab_suite()


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def plan(targets=("topic",), **changes):
    train = dataclasses.replace(SUITE.settings.target, batch_size=8, steps=8, epochs=None, **changes)
    settings = dataclasses.replace(SUITE.settings, target=train, target_overrides=())
    return Plan(suite="lab", schedule=Schedule.none(), targets=targets, languages=("en", "near1"), settings=settings, seed=0)


def planned(monkeypatch, scores):
    """Scores that the training is told, one after the other, in place of its own; returns how many were asked for."""
    left, asked = list(scores), []

    def fake(model, head, *_):
        def score():
            asked.append(nn.utils.parameters_to_vector(head.parameters()).detach().clone())
            return left.pop(0)

        return score

    monkeypatch.setattr(target_phase, "english_score", fake)
    return asked


def test_the_best_score_s_weights_are_kept_and_patience_ends_the_phase(context, monkeypatch):
    asked = planned(monkeypatch, [10.0, 30.0, 30.0, 20.0])
    done = PlanRun(plan(early_stopping=1, patience=2), context).trained("topic")
    assert len(asked) == done.steps == 4, "of eight steps: two scores in a row were no better"
    ended_with = nn.utils.parameters_to_vector(done.head.parameters())
    assert torch.equal(ended_with, asked[1]) and not torch.equal(ended_with, asked[2]), "of equal scores the earlier is kept"


def test_it_is_scored_every_so_many_steps_and_after_the_last(context, monkeypatch):
    asked = planned(monkeypatch, [1.0, 2.0, 3.0])
    done = PlanRun(plan(early_stopping=3, patience=5), context).trained("topic")
    assert len(asked) == 3 and done.steps == 8  # after steps 3, 6 and 8


def test_scoring_on_the_way_changes_no_step(context, monkeypatch):
    staged, real = plan(early_stopping=2, patience=8), target_phase.english_score
    planned(monkeypatch, range(4))
    plain = PlanRun(staged, context).trained("topic")
    looks = []

    def looking(*arguments):
        score = real(*arguments)
        return lambda: looks.append(score()) or len(looks)

    monkeypatch.setattr(target_phase, "english_score", looking)
    watched = PlanRun(staged, context).trained("topic")
    assert len(looks) == 4 and all(0 <= one <= 100 for one in looks)
    for one, other in ((plain.model, watched.model), (plain.head, watched.head)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_killed_phase_goes_on_to_the_same_bits(context, tmp_path, lives):
    staged = plan(early_stopping=2, patience=2)
    whole = run_plan(staged, context)
    kept = SegmentStore(tmp_path)
    saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=1, every_seconds=None))
    taken = []

    def live(on_step):
        def told(part, step, total):
            taken.append(step)
            on_step()

        run = PlanRun(staged, saved)
        return run, run.run("target/topic", told)

    done, last = lives(live, (3, 2, 2))
    assert len(taken) > len(set(taken)), "it was killed, and took some steps again"
    assert all(np.array_equal(last.outcomes[cell], whole.outcomes[cell]) for cell in whole.outcomes)
    assert done.notes["early_stopping"].startswith("topic: best after ")
    assert not [name for name in kept.names() if "." in name], "snapshots go with the segment's commit"


def test_it_enters_the_signature_only_where_it_is_used(context):
    plain, stopped = (PlanRun(one, context).targets[0].signature for one in (plan(), plan(early_stopping=2)))
    assert plain != stopped != PlanRun(plan(early_stopping=2, patience=9), context).targets[0].signature
    capped = plan(early_stopping=2)
    capped = dataclasses.replace(capped, settings=dataclasses.replace(capped.settings, evaluation_examples=5))
    assert PlanRun(capped, context).targets[0].signature != stopped, "other English examples are another training"
    assert "early_stopping" not in TrainSettings().to_json() and "patience" not in TrainSettings().to_json()
    assert signature_of(TrainSettings(patience=5)) == signature_of(TrainSettings())


def test_only_english_selection_examples_are_looked_at(context):
    card = SUITE.card("topic")
    found = english_dev(context.source, card, None)
    portions = context.source.portions(card, "en", None)
    selecting = [one.examples[row] for one in portions for row in one.rows.get("select", ())]
    reporting = [one.examples[row] for one in portions for row in one.rows.get("report", ())]
    assert list(found) == selecting and not {id(one) for one in found} & {id(one) for one in reporting}
    with pytest.raises(BadInput, match="no English selection examples"):
        english_dev(context.source, dataclasses.replace(card, languages=("near1",), expected=(), one_split=()), None)


def test_an_early_stop_takes_up_where_a_snapshot_was():
    def made():
        return EarlyStopping(every=1, patience=3, score=lambda: 1.0, weights=lambda: {"model": {}, "heads": {}})

    one, other = made(), made()
    assert [one.ends(step) for step in (1, 2)] == [False, False]
    other.go_on(one.note, one.best)
    assert [other.ends(step) for step in (3, 4)] == [False, True] and other.best_step == 1


def test_schedules_are_not_compared_on_trainings_that_stop_early():
    assert configure(trials=40).pairs > 0 == configure(trials=40, early_stopping=20).pairs
    for words in ({"pairs": 3}, {"twins": 3}):
        with pytest.raises(BadInput, match="different budgets"):
            configure(trials=40, early_stopping=20, **words)
    with pytest.raises(BadInput, match="--patience 3 without --early-stopping"):
        configure(patience=3)
