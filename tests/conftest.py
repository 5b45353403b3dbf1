"""Shared fixtures: one tiny lab per session, and a cache that is never the user's own."""

import contextlib
import functools
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import hypothesis
import pytest

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord

PLANTED = Path(__file__).with_name("planted_study.py")

os.environ.setdefault("OMP_NUM_THREADS", "1")
# No deadline: how long an example takes says something about the machine's load, and nothing about the code.
hypothesis.settings.register_profile("tasksearch", deadline=None)
hypothesis.settings.load_profile("tasksearch")


LONGEST = (
    "cli/test_commands.py", "raytune/test_driver.py", "notebooks/test_notebooks.py", "cli/test_kill_and_resume.py",
    "study/test_options.py", "torture/test_torture.py", "raytune/test_optuna_database.py", "study/test_train.py",
    "cli/test_own_parts.py", "models/test_families.py", "cli/test_terminal.py", "raytune/test_lost_server.py",
    "cli/test_own_space.py", "tasks/test_lowres_suite.py", "study/test_compare_page.py", "raytune/test_segment_scheduler.py",
    "study/test_real_model.py", "raytune/test_limits.py", "forward/test_deterministic.py", "raytune/test_cluster.py",
)  # fmt: skip
"""Files of tests that take longest, longest first. Each runs in one process: at the end it would leave the other one idle."""


def pytest_collection_modifyitems(items):
    place = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in place), "LONGEST names a file that is not there"
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_configure(config):
    # Hundreds of tests start processes, each of which would compile the package anew where nothing may be kept.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Before the processes of `-n` begin, so that they share one cache and train the lab's model once.
    if "TASKSEARCH_CACHE" not in os.environ:
        os.environ["TASKSEARCH_CACHE"] = config.own_cache = tempfile.mkdtemp(prefix="tasksearch-tests-")


def pytest_unconfigure(config):
    if made := getattr(config, "own_cache", None):
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory):
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))  # logs of errors


@pytest.fixture(scope="session", autouse=True)
def _one_command_line():
    """`CliRunner` builds the command line once per process: it would build all commands anew, in 0.2 s, for every call."""
    import typer.testing

    typer.testing._get_command = functools.lru_cache(typer.testing._get_command)


@pytest.fixture(scope="session")
def inside():
    """Runs a command line to its end in this process, which has loaded the libraries already: status, output and errors.

    A process of its own imports for up to ten seconds. Commands that start Ray are run in one all the same.
    """

    def call(*words, cwd="."):
        from tasksearch.cli import main, printing

        printing._answers.clear()
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with contextlib.chdir(cwd), mock.patch.object(sys, "argv", ["tasksearch", *words]), streams[0], streams[1]:
            try:
                main()
            except SystemExit as end:
                status = end.code
        return subprocess.CompletedProcess(words, status, *(each.buffer.getvalue().decode() for each in (out, err)))

    return call


@pytest.fixture(scope="session")
def tiny_lab():
    """A small world whose model had forty steps of pretraining: numbers near chance, every path real."""
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab

    recipe = LabRecipe(
        phase1_steps=40, document_unit=300, parallel_unit=200, intermediate_train=128, intermediate_dev=10, target_train=64,
        target_dev=20, target_test=20, pool=30,
    )  # fmt: skip
    return ensure_lab(recipe)  # in the cache, which the processes of `-n` share


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the real data: TASKSEARCH_DATA, else ../shared/data beside the repository."""
    here = Path(__file__).parents[1]
    places = [Path(own)] if (own := os.environ.get("TASKSEARCH_DATA")) else [here.parent / "shared/data"]
    found = next((place for place in places if (place / "eval").is_dir()), None)
    if found is None:
        pytest.skip(f"no real data: {places[0]} holds no folder 'eval'; set TASKSEARCH_DATA to a copy of it")
    return found


@pytest.fixture(scope="session")
def planted():
    """The module `planted_study.py`, as tests and as the drivers that they kill run it."""
    if "planted_study" not in sys.modules:
        spec = importlib.util.spec_from_file_location("planted_study", PLANTED)
        module = importlib.util.module_from_spec(spec)
        sys.modules["planted_study"] = module
        spec.loader.exec_module(module)
    return sys.modules["planted_study"]


TASKS = ("ccg", "mnli", "qqp")


class Toy:
    """Builders of small values; no test asserts on their defaults."""

    def __init__(self):
        self.sizes = {"ccg": 1000, "mnli": 4000, "qqp": 2000}

    @staticmethod
    def space(**changes):
        return SearchSpace(**({"name": "toy", "summary": "", "tasks": TASKS, "steps": (64, 128)} | changes))

    def config(self, **changes):
        fields = {"name": "toy", "suite": "lab", "model": "lab", "targets": ("nli",), "languages": ("en", "xx")}
        return StudyConfig(**(fields | {"space": self.space(), "baseline_seeds": 3, "trials": 20} | changes))

    @staticmethod
    def plan_of(schedule, seed):
        return Plan(
            suite="lab", schedule=schedule, targets=("nli",), languages=("en", "xx"), settings=PhaseSettings(), seed=seed
        )

    def record(self, number=0, *, schedule=None, seed=0, **changes):
        fields = {
            "number": number,
            "role": "baseline",
            "status": "done",
            "plan": self.plan_of(schedule or Schedule.none(), seed),
        }
        return TrialRecord(**(fields | changes))

    @staticmethod
    def table(cells, *, seed=0, examples=100, half="select"):
        rows = [
            Score(target=t, language=language, half=half, metric="accuracy", value=v, examples=examples, seed=seed)
            for (t, language), v in cells.items()
        ]
        return ScoreTable.of(rows)


@pytest.fixture(scope="session")
def toy():
    return Toy()


@pytest.fixture(scope="session")
def planted_folder(planted, tmp_path_factory):
    """A complete study over the planted surface, run in this process without Ray: 16 trainings and 2 leaders on 3 seeds."""
    folder = tmp_path_factory.mktemp("planted")
    settings = {"leader_seeds": 3}
    from tasksearch.records.ledger import Ledger

    Ledger(folder).save_config(planted.config(**settings))
    planted.run_in_process(planted.open_manager(folder, **settings), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tiny_lab, tmp_path_factory):
    """A random BERT with WordPiece over the tiny lab's words: `[CLS] a [SEP] b [SEP]`, types 0 and 1, specials at 0 to 4."""
    import gzip
    import re

    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertForMaskedLM

    texts = [gzip.decompress(path.read_bytes()).decode() for path in sorted(Path(tiny_lab.data).rglob("*.jsonl.gz"))]
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [" ".join(re.findall(r"\w+|[^\w\s]", text)) for text in texts]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=specials, show_progress=False)
    made.train_from_iterator(words, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    folder = tmp_path_factory.mktemp("tiny-bert")
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "do_lower_case": false}')
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=made.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=64, max_position_embeddings=128,
        )  # fmt: skip
        BertForMaskedLM(config).save_pretrained(folder)
    return folder
