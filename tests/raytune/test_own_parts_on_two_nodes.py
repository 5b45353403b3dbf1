"""A study of the user's own suite, sampler and trainable on two Ray nodes: the files travel, no node reads them from a disk."""

import importlib.util
from pathlib import Path

import pytest

from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of
from tasksearch.study.run import Resources, configure, resume_study, run_study

pytestmark = pytest.mark.long

SUITE = """
name = "two-nodes"
extends = "lab"
only = ["restate", "marks"]
[languages.qqa]
name = "Quqa"
[[task]]
name = "mood"
kind = "sentence"
labels = ["glad", "sad"]
languages = ["en", "near1", "qqa"]
files = "{language}.{split}.tsv"
fewest = 4
metric = "parts.py:accuracy"
settings = { steps = 2 }
"""
PARTS = '''
import optuna

from tasksearch.metrics.outcomes import accuracy_outcomes
from trainables.three_phase import ThreePhase


def accuracy(predicted, gold):
    return accuracy_outcomes(predicted, gold)


def sampler(seed):
    return optuna.samplers.RandomSampler(seed=seed)


def node():
    import ray

    return ray.get_runtime_context().get_node_id()


class Told(ThreePhase):
    """Says on which node it ran."""

    def run_part(self, name):
        done = super().run_part(name)
        return type(done)(scores=done.scores, seconds=done.seconds, outcomes=done.outcomes, documents=done.documents,
                          facts={**done.facts, "node": node()})
'''


def two_nodes():
    spec = importlib.util.spec_from_file_location("two_nodes", Path(__file__).with_name("test_two_nodes.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Cluster()


def write(home):
    (home / "mine.toml").write_text(SUITE)
    (home / "parts.py").write_text(PARTS)
    for language in ("en", "near1", "qqa"):
        for split in ("train", "dev", "test"):
            rows = [
                f"{language} {split} number {n} is quite a sentence of more words\t{('glad', 'sad')[n % 2]}" for n in range(12)
            ]
            (home / f"{language}.{split}.tsv").write_text("\n".join(("a\tlabel", *rows)) + "\n")


def test_the_users_files_travel_to_workers_on_both_nodes(tiny_lab, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    write(home)
    config = configure(
        suite=str(home / "mine.toml"), sampler=f"{home}/parts.py:sampler", trainable=f"{home}/parts.py:Told", name="own",
        model=str(tiny_lab.model), data=str(tiny_lab.data), trials=8, baseline_seeds=3, leaders=1, leader_seeds=1,
        most_seeds=1, steps=(2,), controls="none",
    )  # fmt: skip
    for name in ("mine.toml", "parts.py"):  # what is not there cannot be read by a worker
        (home / name).unlink()
    folder = tmp_path / "study"
    with two_nodes() as cluster:
        summary = run_study(config, folder, resources=Resources(address=cluster.inner.address, concurrency=2))
    records = Ledger(folder).records()
    assert summary.failed == 0 and summary.done == len(records) == 9, [r.cause for r in records]
    assert len({dict(r.facts)["node"] for r in records}) == 2, "both nodes trained"
    assert {s.metric.partition("@")[0] for r in records for s in r.scores} == {"parts.py:accuracy"}
    assert {s.language for r in records for s in r.scores} == {"en", "near1", "qqa"}
    assert best_of(folder).choices
    assert resume_study(folder).ran == 0
