"""Target phases continued on a few labelled examples of a language, which then select nothing."""

import dataclasses

import numpy as np
import pytest
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.phases import resumable
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.few_shot import continue_on, few_shot_items
from tasksearch.phases.planned_work import planned_work
from tasksearch.phases.resumable import weights
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import TextExample
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.selection_split import few_shot_draws, portions

SUITE = lab_suite()
SHOTS = 4
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8),
    target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=4),
    target_overrides=(),
    few_shot=SHOTS,
)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def plan(few_shot=True, targets=("tag", "topic"), languages=("en", "near1"), **changes):
    fields = {"suite": "lab", "schedule": Schedule.none(), "settings": SHORT, "seed": 1}
    return Plan(targets=targets, languages=languages, few_shot=few_shot, **(fields | changes))


def ids(examples):
    return {(example.document, example.id) for example in examples}


def chosen(context, target, language, half, few_shot):
    portions = context.source.portions(SUITE.card(target), language, None, few_shot)
    return ids(p.examples[row] for p in portions if half in p.rows for row in p.rows[half])


def test_the_examples_that_are_set_aside_are_in_no_selection_score_and_share_none(context):
    for target in ("nli", "qa", "tag", "topic"):
        draws = [ids(draw) for draw in context.source.few_shot(SUITE.card(target), "near1", SHOTS)]
        assert [len(draw) for draw in draws] == [SHOTS] * 3
        assert len(set.union(*draws)) == 3 * SHOTS
        before, after = (chosen(context, target, "near1", "select", few) for few in (0, SHOTS))
        assert after == before - set.union(*draws) and len(after) == len(before) - 3 * SHOTS
        assert chosen(context, target, "near1", "report", SHOTS) == chosen(context, target, "near1", "report", 0)
        assert chosen(context, target, "en", "select", 0) - chosen(context, target, "en", "select", SHOTS) == set.union(*draws)
    assert context.source.few_shot(SUITE.card("topic"), "en", SHOTS) == ()
    assert context.source.few_shot(SUITE.card("retrieval"), "near1", SHOTS) == ()


def test_a_sentence_that_is_labelled_in_one_language_selects_in_none_of_a_parallel_target():
    def texts(language, lost=()):
        names = [n for n in range(40) if n not in lost]
        return {
            "dev": tuple(
                TextExample(id=f"{language}{n}", document="", text_a=f"{language} {n}", text_b=None, label=0) for n in names
            )
        }

    def numbers(examples):
        return {int(example.text_a.split()[1]) for example in examples}

    card = TaskCard(
        name="t", kind="sentence", role="target", languages=("en", "sw", "ha"), labels=("a", "b"), fewest=0, parallel=True
    )
    none = {"test": (TextExample(id="r", document="", text_a="other", text_b=None, label=0),)}
    labelled = {one: set.union(*map(numbers, few_shot_draws(card, one, texts(one) | none, SHOTS))) for one in ("sw", "ha")}
    assert (
        labelled["sw"] == labelled["ha"]
        and len(labelled["sw"]) == 3 * SHOTS
        and not few_shot_draws(card, "en", texts("en"), SHOTS)
    )
    for spoken in ("en", "sw", "ha"):
        (left,) = [p for p in portions(card, spoken, texts(spoken) | none, None, SHOTS) if "select" in p.rows]
        assert numbers(left.examples[row] for row in left.rows["select"]) == set(range(40)) - labelled["sw"]
    apart = dataclasses.replace(card, parallel=False)
    (own,) = [p for p in portions(apart, "en", texts("en") | none, None, SHOTS) if "select" in p.rows]
    assert len(own.rows["select"]) == 40, "English of a target that is not parallel keeps its own"


def test_a_capped_study_sets_them_aside_before_the_cap(context):
    drawn = set.union(*(ids(draw) for draw in context.source.few_shot(SUITE.card("topic"), "near1", SHOTS)))
    (portion,) = [p for p in context.source.portions(SUITE.card("topic"), "near1", 5, SHOTS) if "select" in p.rows]
    kept = ids(portion.examples[row] for row in portion.rows["select"])
    assert len(kept) == 5 and not kept & drawn


def test_the_phase_goes_on_from_the_baseline_s_weights_on_exactly_those_examples(context, monkeypatch):
    run, shown, real = PlanRun(plan(), context), [], resumable.train_segment
    segment = run.targets[1]
    bare = run.trained("topic")
    before = weights(bare.model)

    def watched(learner, tasks, steps, *arguments, **words):
        start = {name: bool(torch.equal(own, before[name])) for name, own in weights(learner.model).items()}
        shown.append((tasks, steps, start))
        return real(learner, tasks, steps, *arguments, **words)

    monkeypatch.setattr(resumable, "train_segment", watched)
    after = continue_on(bare, segment, "near1", run.plan, context, None)
    ((tasks, steps, start),) = shown
    assert all(start.values()), "from the weights after the English phase"
    assert len(tasks["topic"].items) == SHOTS
    places = np.concatenate([items for step in steps for _, items in step.parts])
    assert set(places.tolist()) == set(range(SHOTS)) and len(places) == SHOTS * 4
    own = few_shot_items("topic", "near1", run.plan, context)
    assert np.array_equal(tasks["topic"].items.tokens.flat, own.tokens.flat)
    moved = [name for name, one in weights(after.model).items() if not torch.equal(one, before[name])]
    assert len(moved) > 10 and after.steps == 4
    assert all(torch.equal(one, before[name]) for name, one in weights(bare.model).items()), (
        "the model before is left as it was"
    )
    assert continue_on(bare, segment, "en", run.plan, context, None) is bare
    assert continue_on(bare, PlanRun(plan(few_shot=False), context).targets[1], "near1", run.plan, context, None) is bare


def test_seeds_that_follow_each_other_draw_other_examples(context):
    drawn = [few_shot_items("topic", "near1", plan(seed=seed), context).tokens.flat.tolist() for seed in (1, 2, 3, 4)]
    assert drawn[0] == drawn[3] and drawn[0] != drawn[1] != drawn[2] != drawn[0]


def test_english_and_retrieval_are_the_baseline_s_and_are_taken_from_its_scores(context, tmp_path):
    stored = dataclasses.replace(context, store=SegmentStore(tmp_path))
    bare = run_plan(plan(few_shot=False, targets=("retrieval", "topic")), stored)
    run = PlanRun(plan(targets=("retrieval", "topic")), stored)
    retrieval, topic = (run.run(part) for part in run.parts)
    assert retrieval.seconds.keys() == {"reused"} and topic.steps == 4 + 4
    same = {cell: np.array_equal(table, bare.outcomes[cell]) for cell, table in (retrieval.outcomes | topic.outcomes).items()}
    assert {cell for cell, equal in same.items() if not equal} == {("topic", "near1", "select"), ("topic", "near1", "report")}
    without = PlanRun(plan(few_shot=False, settings=dataclasses.replace(SHORT, few_shot=0)), context)
    with_them = PlanRun(plan(few_shot=False), context)
    assert [s.signature for s in without.targets] == [s.signature for s in with_them.targets], "training is shared"
    for one, other in zip(without.targets, with_them.targets, strict=True):
        tables = dict(one.tables), dict(other.tables)
        assert tables[0]["en"] != tables[1]["en"] and tables[0]["near1"] != tables[1]["near1"], "both select by fewer examples"


def test_it_continues_the_phase_of_a_mix_as_well(context):
    mix = plan(schedule=Schedule.joint(Mixture.uniform("restate"), 2), targets=("topic",))
    work = planned_work(PlanRun(mix, context))
    assert [(one.kind, one.steps) for one in work] == [
        ("intermediate", 2), ("target", 4), ("target", 4), ("scores", 0), ("scores", 0),
    ]  # fmt: skip
    done = run_plan(mix, context)
    assert {(s.target, s.language, s.half) for s in done.scores} == {
        ("topic", language, half) for language in ("en", "near1") for half in ("select", "report")
    }


def test_killed_runs_end_with_the_same_scores(context, tmp_path, lives):
    often = dataclasses.replace(context, store=SegmentStore(tmp_path), snapshots=CheckpointPolicy(every_steps=1))
    whole = run_plan(plan(), context)
    done = lives(lambda on_step: run_plan(plan(), often, on_step), (2, 3, 3, 2))
    assert done.outcomes.keys() == whole.outcomes.keys()
    assert all(np.array_equal(table, whole.outcomes[cell]) for cell, table in done.outcomes.items())


def test_steps_follow_the_examples_and_end_with_the_target_phase_s():
    settings = TrainSettings(batch_size=32, steps=7, train_examples=9, methods=("smoothing",), early_stopping=3)
    few = settings.few_shot(100)
    assert (few.steps_for(100), few.batch_size, few.learning_rate) == (156, 32, settings.learning_rate)
    assert (few.methods, few.early_stopping, few.train_examples) == ((), None, None)
    assert (settings.few_shot(10).batch_size, settings.few_shot(10).steps_for(10)) == (10, 50)


def test_too_few_selection_examples_are_refused_with_the_language_and_the_largest_number(context):
    have = len(chosen(context, "topic", "near1", "select", 0))
    with pytest.raises(BadInput, match=rf"'topic' has {have} selection examples in 'near1'.* at most {have // 4}$"):
        context.source.few_shot(SUITE.card("topic"), "near1", have)
    assert len(context.source.few_shot(SUITE.card("topic"), "near1", have // 4)[0]) == have // 4
    with pytest.raises(BadInput, match="expected few_shot of at least 1"):
        plan(settings=dataclasses.replace(SHORT, few_shot=0))


def test_a_plan_comes_back_from_its_plain_form_and_has_a_name_of_its_own():
    assert Plan.from_json(plan().to_json()) == plan()
    assert plan().mix_signature != plan(few_shot=False).mix_signature
    assert plan().words == "no intermediate phase, 4 labelled examples of each language"
