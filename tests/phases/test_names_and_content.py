"""Whatever is kept under a name decides on nothing but what the name says: a warm cache gives what an empty one gives.

Every variant of a study runs by itself, in an empty store and an empty cache. If two of them keep something under one name, it
must be the same to the byte: else whichever ran first would have stood for both.
"""

import dataclasses
import gzip
import hashlib
import json
import shutil

import pytest
from safetensors.numpy import load_file, save_file

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import Overrides
from tasksearch.models.encoder import shape_of
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun
from tasksearch.store.score_files import facts_of, score_names
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study.configuration import configure
from tasksearch.study.settings import settings_of
from tasksearch.tasks import source
from tasksearch.tasks.lab_suite import lab_suite

BASE = {"batch_size": 4, "target_steps": 2, "max_length": 32, "learning_rate": 1e-3, "train_examples": 16, "precision": "fp32",
        "average_every": 0.4}  # fmt: skip
OPTIONS = {
    "learning_rate": 2e-3, "precision": "bf16", "target_steps": 3, "train_examples": 12, "evaluation_examples": 9,
    "retrieval_layer": 1, "intermediate_learning_rate": [2e-3], "target_learning_rate": 3e-3, "batch_size": 3, "warmup": 0.5,
    "max_length": 12, "early_stopping": 1, "features": "cls", "head": "warm", "head_lr_factor": 3.0,
    "retrieval_pooling": "cls", "retrieval_prefix": "kita ", "intermediate_average": 2, "target_average": 2,
    "target": {"nli": {"warmup": 0.3}}, "methods": ["smoothing:sigma=0.5"], "few_shot": 4, "mixing": "mixed",
    "lr_policy": "stage", "seed": 1,
}  # fmt: skip
"""Option → another value than the base has. Each reaches a plan's settings, or its seed."""
WITH = {
    "epochs": {"epochs": 0.5, "target_steps": None},
    "patience": {"early_stopping": 1, "patience": 1},
    "average_every": {"target_average": 2, "average_every": 0.6},
}
"""The same for options that are given beside others."""
STEPS_ALONE = {
    "learning_rate", "intermediate_learning_rate", "target_learning_rate", "warmup", "head_lr_factor", "batch_size", "epochs",
    "target_steps", "patience", "intermediate_average", "target_average", "average_every", "lr_policy", "mixing", "target",
}  # fmt: skip
"""Options that decide how steps are taken, and neither what is read nor what is scored: looked at by `make test-long`."""
NOT_HERE = {
    "every_target": "set by the version that began the study",
    "auto_layers": "what `retrieval_layer` was resolved to",
    "joined": "as `target`",
    "language_exponent": "of MLM in several languages (test_multilingual_mlm)",
}


class Kept:
    """What runs in empty places kept: name → (digest, variant)."""

    def __init__(self, lab, folder, patch):
        self.lab, self.folder, self.patch = lab, folder, patch
        self.names: dict[str, tuple[str, str]] = {}
        self.runs = 0

    def run(self, called, suite=None, data=None, model=None, shots=False, **options):
        """Run one plan alone; return the names under which something else is kept already."""
        self.runs += 1
        here = self.folder / str(self.runs)
        self.patch.setenv("TASKSEARCH_CACHE", str(here / "cache"))
        suite, data, model = suite or lab_suite(), data or self.lab.data, model or self.lab.model
        config = configure(suite="lab", data=str(data), model=str(model), **(BASE | options))
        settings = settings_of(suite, config, shape_of(str(model), ""))
        plan = Plan(
            suite="lab", schedule=Schedule.joint(Mixture.uniform("find", "restate"), 2), targets=("nli", "retrieval", "tag"),
            languages=("en", "sov"), settings=settings, seed=config.seed, few_shot=shots,
        )  # fmt: skip
        store = SegmentStore(here / "store")
        context = dataclasses.replace(open_context(suite, str(data), str(model), None), store=store, keep_targets=True)
        run = PlanRun(plan, context)
        for part in run.parts:
            run.run(part)
        found = {f"segment {name}": json.dumps(store.peek(name)["files"], sort_keys=True) for name in store.names()}
        for name in score_names(store):
            found |= {f"table {table}": told["digest"] for table, told in facts_of(store, name).tables.items()}
        for path in (here / "cache").rglob("*.*"):
            if path.suffix in (".arrow", ".json"):
                found[f"{path.parent.name} {path.stem}"] = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.rmtree(here)
        assert {"segment", "table", "encoded"} <= {name.split()[0] for name in found}
        own = {name: (digest, called) for name, digest in found.items()}
        other = {name: self.names[name][1] for name in own.keys() & self.names.keys() if self.names[name][0] != own[name][0]}
        self.names = own | self.names
        return other


@pytest.fixture(scope="module")
def kept(tiny_lab, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "LEAST_CACHED", 1)  # every portion goes the way of large ones
        patch.setattr(source, "_WORTH_A_NOTE", 1)
        found = Kept(tiny_lab, tmp_path_factory.mktemp("names"), patch)
        assert not found.run("base")
        yield found
    open_context.cache_clear()


@pytest.mark.parametrize(
    "option", [pytest.param(one, marks=pytest.mark.long if one in STEPS_ALONE else ()) for one in (*OPTIONS, *WITH)]
)
def test_another_value_of_an_option_keeps_nothing_else_under_a_name(kept, option):
    before = set(kept.names)
    assert not kept.run(option, **(WITH[option] if option in WITH else {option: OPTIONS[option]}))
    assert set(kept.names) - before, "the value changes nothing: the test could not fail"


def test_every_option_that_reaches_a_table_is_varied():
    assert {field.name for field in dataclasses.fields(Overrides)} == ({*OPTIONS, *WITH} | {*NOT_HERE}) - {
        "few_shot", "mixing", "lr_policy", "seed",
    }  # fmt: skip


def test_few_shot_draws_keep_names_of_their_own(kept):
    assert not kept.run("few-shot plan", shots=True, few_shot=4)
    assert not kept.run("few-shot plan of another draw", shots=True, few_shot=4, seed=1)
    assert not kept.run("few-shot plan of fewer", shots=True, few_shot=3)


def test_other_files_in_the_same_place_keep_names_of_their_own(kept, tmp_path):
    """Model, tokenizer of the same size, evaluation data, labels: all but the path is another."""
    model = shutil.copytree(kept.lab.model, tmp_path / "model")
    assert not kept.run("copied model", model=model)
    weights = load_file(model / "model.safetensors")
    before = open_context(lab_suite(), str(kept.lab.data), str(model), None).pretrained.fingerprint
    save_file({name: table * 1.01 for name, table in weights.items()}, model / "model.safetensors", {"format": "pt"})
    assert open_context(lab_suite(), str(kept.lab.data), str(model), None).pretrained.fingerprint != before
    assert not kept.run("other weights", model=model)
    shutil.rmtree(model)
    shutil.copytree(kept.lab.model, model)
    told = json.loads((model / "tokenizer.json").read_text("utf-8"))
    pieces = told["model"]["vocab"]
    pieces[20][0], pieces[30][0] = pieces[30][0], pieces[20][0]
    (model / "tokenizer.json").write_text(json.dumps(told), "utf-8")
    assert not kept.run("other pieces", model=model)
    data = shutil.copytree(kept.lab.data, tmp_path / "data")
    assert not kept.run("copied data", data=data)
    for path in data.rglob("sov.*.jsonl.gz"):
        lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in reversed(lines)).encode()))
    assert not kept.run("other order", data=data)
    suite = lab_suite()
    cards = tuple(dataclasses.replace(c, labels=c.labels[::-1]) if c.name in ("nli", "tag") else c for c in suite.cards)
    assert not kept.run("other order of labels", suite=dataclasses.replace(suite, cards=cards))
    cards = tuple(dataclasses.replace(c, keep_repeats=not c.keep_repeats) for c in suite.cards)
    assert not kept.run("repeats", suite=dataclasses.replace(suite, cards=cards))
