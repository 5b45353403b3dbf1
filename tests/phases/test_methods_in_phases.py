"""Training methods in phases: part of a signature where they are used, exact after a kill, and not for nothing."""

import dataclasses
import functools

import numpy as np
import pytest

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun, run_plan
from tasksearch.phases.segments import _draws_windows
from tasksearch.phases.substitution import with_synonyms
from tasksearch.phases.target import _target_items
from tasksearch.phases.unfolding import static_segments
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study.configuration import configure
from tasksearch.study.setup import check_methods
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.synonyms import read_synonyms
from tasksearch.training.learner import TrainingTask
from tasksearch.training.order import StepItems

SUITE = lab_suite()
SCHEDULE = Schedule.joint(Mixture.uniform("restate", "find"), 4)


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


@pytest.fixture(scope="module")
def table(context, tmp_path_factory):
    """Every word of the training texts with another one as its synonym."""
    texts = [e.text_a for name in ("restate", "topic") for e in context.source.training_examples(SUITE.card(name))]
    words = sorted({word.lower() for text in texts for word in text.split() if word.isalpha()})
    path = tmp_path_factory.mktemp("synonyms") / "synonyms.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(words, words[1:] + words[:1], strict=True)))
    return path


def plan(intermediate=(), target=(), targets=("topic",)):
    own = SUITE.settings
    settings = dataclasses.replace(
        own,
        intermediate=dataclasses.replace(own.intermediate, batch_size=8, methods=intermediate),
        target=dataclasses.replace(own.target, batch_size=8, steps=4, methods=target),
        target_overrides=(),
    )
    return Plan(suite="lab", schedule=SCHEDULE, targets=targets, languages=("en", "near1"), settings=settings)


def signatures(staged, context):
    run = PlanRun(staged, context)
    return [s.signature for s in run.intermediate], {s.target: s.signature for s in run.targets}


def test_a_method_is_in_the_signatures_of_the_phase_that_uses_it_alone(context, table):
    first, targets = signatures(plan(), context)
    ours, of_target = signatures(plan(target=("smoothing",)), context)
    assert ours == first and of_target["topic"] != targets["topic"]
    assert signatures(plan(intermediate=("smoothing",)), context)[0] != first
    assert len({r.signature for p in (plan(), plan(target=("smoothing",))) for r in static_segments(p)}) == 3


def test_synonyms_are_named_by_the_table_s_content_and_left_out_where_no_word_is_drawn(context, table, tmp_path):
    copy, other = tmp_path / "copy.tsv", tmp_path / "other.tsv"
    copy.write_bytes(table.read_bytes()), other.write_bytes(table.read_bytes() + b"more\tmost\n")
    spans = next(card.name for card in SUITE.targets if card.kind == "span")
    both = ("topic", spans)
    found = [signatures(plan(target=(f"synonyms:table={path}",), targets=both), context)[1] for path in (table, copy, other)]
    plain = signatures(plan(targets=both), context)[1]
    assert found[0] == found[1] and found[0]["topic"] not in (found[2]["topic"], plain["topic"])
    assert found[0][spans] == plain[spans], "answers have positions: nothing is substituted there"


def test_every_showing_draws_anew_and_the_rate_is_kept(context, table):
    task = TrainingTask(items=context.source.training(SUITE.card("topic"), 64), head="target", seeds="s", max_length=64)
    steps = [StepItems(parts=(("topic", np.arange(8)),))] * 30
    settings = dataclasses.replace(plan().settings.target, methods=(f"synonyms:table={table},rate=0.5",))
    tasks, drawn = with_synonyms({"topic": task}, steps, settings, "x", context)
    made = tasks["topic"].items
    assert [step.parts[0][1].tolist() for step in drawn[:2]] == [list(range(8)), list(range(8, 16))]
    assert made.labels.reshape(30, 8).tolist() == [task.items.labels[:8].tolist()] * 30
    texts = [e.text_a for e in context.source.training_examples(SUITE.card("topic"))[:8]]
    first = [context.pretrained.tokenizer.decode(made.tokens[8 * n], skip_special_tokens=True) for n in range(30)]
    assert len(set(first)) > 3, "another draw for every showing"
    known = read_synonyms(table)
    words = [word.lower() in known for word in texts[0].split()]
    changed = [sum(a != b for a, b in zip(one.split(), texts[0].split(), strict=True)) for one in first]
    assert abs(np.mean(changed) / sum(words) - 0.25) < 4 * (0.25 * 0.75 / (30 * sum(words))) ** 0.5
    again = with_synonyms({"topic": task}, steps, settings, "x", context)[0]["topic"].items
    assert np.array_equal(again.tokens.flat, made.tokens.flat)


def test_killed_in_either_phase_a_plan_with_every_method_ends_with_the_same_outcomes(context, table, tmp_path, lives):
    methods = ("adversarial:epsilon=0.3", "smoothing:sigma=0.2", f"synonyms:table={table}")
    staged, ends = plan(methods, methods), []
    for kills in ((), (2, 1, 3)):
        kept = SegmentStore(tmp_path / str(len(ends)))
        saved = dataclasses.replace(context, store=kept, snapshots=CheckpointPolicy(every_steps=1, every_seconds=None))
        ends.append(lives(functools.partial(run_plan, staged, saved), kills))
    calm, killed = ends
    assert all(np.array_equal(calm.outcomes[cell], killed.outcomes[cell]) for cell in calm.outcomes)
    plain = PlanRun(plan(), context)
    for part in plain.parts[:-1]:
        plain.run(part)
    ours, theirs = (dict(run.trained("topic").head.named_parameters()) for run in (plain, PlanRun(staged, context)))
    assert any(not np.allclose(ours[n].detach(), theirs[n].detach(), atol=1e-4) for n in ours), (
        "the methods trained another head"
    )


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"methods": ["synonyms"]}, BadInput, "'synonyms' without a table; expected synonyms:table=FILE.tsv"),
        (
            {"methods": ["synonyms:table=no/such.tsv"]},
            DataMissing,
            r"no/such.tsv is missing; expected the table that --method synonyms names",
        ),
        ({"methods": ["synonyms:table=x.tsv,rate=0"]}, BadInput, "rate of method 'synonyms' is 0"),
        ({"methods": ["synonyms:table=x.tsv"], "targets": ["SPAN"]}, BadInput, "changes no task of the target phase"),
    ],
)
def test_a_method_that_cannot_work_is_refused_before_anything_trains(asked, error, told):
    spans = next(card.name for card in SUITE.targets if card.kind == "span")
    words = asked | ({"targets": [spans]} if "targets" in asked else {})
    with pytest.raises(error, match=told) as refused:
        check_methods(configure(**words), SUITE)
    assert "\n" not in str(refused.value)


def test_a_part_of_a_long_sentence_stays_that_part_where_training_examples_are_cut(context, tmp_path):
    card, (path, length) = SUITE.card("tag"), (tmp_path / "none.tsv", 8)
    path.write_text("no-such-word\tanother\n")
    whole = context.source.training(card, length)
    rows = {(int(o), int(p)): whole.tokens[n].tolist() for n, (o, p) in enumerate(zip(whole.owner, whole.places, strict=True))}
    assert whole.places.max() >= 1, "sentences of several windows"
    method = f"synonyms:table={path}"
    settings = dataclasses.replace(plan().settings.target, methods=(method,), train_examples=40, max_length=length)
    items, places = _target_items(card, "recipe", settings, 0, context)
    assert [rows[int(o), int(p)] for o, p in zip(items.owner, places, strict=True)] == [
        items.tokens[n].tolist() for n in range(40)
    ]
    task = TrainingTask(items=items, head="target", places=places, max_length=length)
    drawn, _ = with_synonyms({"tag": task}, [StepItems(parts=(("tag", np.arange(40)),))], settings, "x", context)
    assert drawn["tag"].items.tokens.flat.tolist() == items.tokens.flat.tolist()
    whole_set, cut = (
        dataclasses.replace(plan(targets=("tag",), target=methods).settings.target, train_examples=40)
        for methods in ((), (method,))
    )
    assert _draws_windows(cut, "tagging") and not _draws_windows(cut, "pair") and not _draws_windows(whole_set, "tagging")
