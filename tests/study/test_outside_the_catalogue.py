"""A task that no one here tuned for: the source of a sentence of TICO-19, in six languages, by a card of a few lines."""

import gzip

import numpy as np
import pytest

from tasksearch.study.check import check_data
from tasksearch.study.contracts import contract_of
from tasksearch.study.leakage import check_suite
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.selection_split import document_of
from tasksearch.tasks.source import TaskSource

CARD = """
name = "tico"
extends = "lowres"
only = ["mnli", "codah"]
[[task]]
name = "tico_source"
kind = "sentence"
labels = ["PubMed", "Wikipedia", "Wikivoyage", "CMU"]
languages = ["ar", "en", "ha", "hi", "sw", "zu"]
columns = { a = "text", label = "source", document = "article" }
select_split = "test"
licence = "CC0-1.0"
reference = "TICO-19 translation memories"
metric = "macro_f1"
files = "tico/{language}.{split}.tsv"
"""
NAMES = {"PubMed": "PubMed", "Wikipedia": "Wikipedia", "wiki": "Wikipedia", "Wikivoyage": "Wikivoyage", "CMU": "CMU"}


@pytest.fixture(scope="module")
def suite_file(shared_data, tmp_path_factory):
    """The card and the tables beside it: English articles of one parity train, the others are scored in every language."""
    home, source = tmp_path_factory.mktemp("tico"), shared_data / "pretrain" / "tico19"
    if not source.is_dir():
        pytest.skip(f"no TICO-19 in {source}")
    (home / "tico").mkdir()
    (home / "mine.toml").write_text(CARD)

    def column(name):
        with gzip.open(source / f"{name}.txt.gz", "rt", encoding="utf-8") as lines:
            return [line.rstrip("\n").replace("\t", " ") for line in lines]

    ids = [name.rpartition(":")[0] for name in column("tuid")]
    kept = [(n, name, NAMES[name.partition("_")[0]]) for n, name in enumerate(ids) if name.partition("_")[0] in NAMES]
    for language in ("ar", "en", "ha", "hi", "sw", "zu"):
        texts = column(language)
        for split in ("train", "test") if language == "en" else ("test",):
            rows = [f"{texts[n]}\t{label}\t{name}" for n, name, label in kept
                    if texts[n] and (sum(name.encode()) % 2 == 0) == (split == "train")]  # fmt: skip
            (home / "tico" / f"{language}.{split}.tsv").write_text("\n".join(("text\tsource\tarticle", *rows)) + "\n")
    return home / "mine.toml"


def test_it_keeps_the_contract(suite_file, shared_data):
    found = contract_of(str(suite_file), data=str(shared_data))
    assert found.kept, found.requirements
    assert any("7 splits, 6 languages" in one.remark for one in found.requirements)


def test_it_is_checked_and_cut_by_document_as_a_task_of_the_package_is(suite_file, shared_data):
    suite = load_suite(str(suite_file))
    card, source = suite.card("tico_source"), TaskSource(shared_data, None)
    rows = check_data(source, [card], (), None, lambda _: 128)
    assert [row.problem for row in rows if row.problem] == []
    train = next(row for row in rows if row.training)
    assert train.found > 800 and set(train.labels) == set(card.labels)
    halves = {}
    for language in card.languages:
        (portion,) = source.portions(card, language)
        documents = {half: {document_of(portion.examples[int(row)]) for row in rows} for half, rows in portion.rows.items()}
        assert not documents["select"] & documents["report"], "an article stands on one side alone"
        halves[language] = documents
        assert min(len(rows) for rows in portion.rows.values()) > 100
    assert halves["sw"] == halves["ar"] == halves["hi"], "translations of an article never stand on both sides"
    assert all(np.isfinite(row.selects) for row in rows)


def test_the_leakage_check_finds_what_is_planted_in_its_training_file(suite_file, shared_data):
    suite = load_suite(str(suite_file))
    clean = check_suite(TaskSource(shared_data, None), suite, targets=["tico_source"])
    assert clean.items > 5000 and not [leak for leak in clean.leaks if leak.language == "sw"]
    train = suite_file.parent / "tico" / "en.train.tsv"
    whole = train.read_text()
    swahili = (suite_file.parent / "tico" / "sw.test.tsv").read_text().splitlines()
    train.write_text(whole + "\n".join(swahili[1:200]) + "\n")
    try:
        leaky = check_suite(TaskSource(shared_data, None), suite, targets=["tico_source"])
    finally:
        train.write_text(whole)
    (leak,) = [leak for leak in leaky.leaks if leak.language == "sw" and "tico_source" in leak.trained]
    assert leak.found > 100
