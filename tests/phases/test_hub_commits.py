"""A run over hub data says at which commit it read them, in its facts and so in MLflow's tags."""

import dataclasses

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.tasks import resolve as opening
from tasksearch.tasks.hub import Pin
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Hub
from tasksearch.tracking.entries import View, entry_of

COMMIT = "c" * 40


def test_the_commit_of_every_hub_table_that_a_plan_reads_is_among_its_facts_and_tags(tiny_lab, tmp_path, monkeypatch):
    from datasets import Dataset

    suite, lab = lab_suite(), TaskSource(tiny_lab.data, None)
    topic = suite.card("topic")
    rows = [
        {"a": e.text_a, "label": topic.labels[e.label], "language": language, "split": split}
        for language, split in (("en", "train"), ("near1", "dev"), ("near1", "test"))
        for e in (lab.stream_training(topic) if split == "train" else lab.split(topic, language, split))
    ]
    table = Dataset.from_list(rows)
    monkeypatch.setattr(opening, "pin", lambda identity, asked="main": Pin(id=identity, asked=asked, commit=COMMIT))
    monkeypatch.setattr(opening, "load_table", lambda found, config, split: table.filter(lambda row: row["split"] == split))
    hub = Hub(id="lab/topic", columns=(("a", "a"), ("label", "label")), equal=(("language", "{code}"),))
    cards = tuple(dataclasses.replace(c, source=hub, train=(hub,)) if c.name == "topic" else c for c in suite.cards)
    context = open_context(suite, str(tiny_lab.data), str(tiny_lab.model), None)
    fresh = TaskSource(tiny_lab.data, context.pretrained.tokenizer)
    context = dataclasses.replace(context, suite=dataclasses.replace(suite, cards=cards), source=fresh)
    target = dataclasses.replace(suite.settings.target, steps=2, batch_size=4)
    settings = dataclasses.replace(suite.settings, target=target, target_overrides=())
    plan = Plan(suite="lab", schedule=Schedule.none(), targets=("topic",), languages=("near1",), settings=settings)

    result = run_plan(plan, context)
    assert result.facts["data_commits"] == f"lab/topic@{COMMIT}"
    other = dataclasses.replace(plan, targets=("nli",))  # the same process, another plan: files alone
    assert "data_commits" not in context.facts(other)
    record = TrialRecord(
        number=0, role="search", status="done", plan=plan, scores=result.scores, facts=tuple(result.facts.items())
    )
    assert entry_of(record, "study", View()).tags["tasksearch.data_commits"] == f"lab/topic@{COMMIT}"
