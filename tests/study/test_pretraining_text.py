"""A study checks the text its model was pretrained on, where it is known, and says so where it is not."""

import dataclasses
import gzip
import json

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.study import leakage
from tasksearch.study.leakage import check_leakage
from tasksearch.study.pretraining_text import keep_checked, pretraining_text
from tasksearch.study.run import configure
from tasksearch.study.settings import warning_of
from tasksearch.tasks import catalogue, leak_cache
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import lab_settings
from tasksearch.tasks.reading import file_fingerprint
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite

LINES = [f"the farmer number {n} sold eight brown cows at the market on sunday" for n in range(20)]
OTHERS = [f"a quite different sentence about nothing that was ever seen before, number {n}" for n in range(20)]


def card(name, role, languages):
    return TaskCard(
        name=name, kind="sentence", role=role, languages=languages, labels=("a", "b"), trains_on=(name,), fewest=1, summary="x"
    )


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """English training data, Swahili evaluation; a corpus under pretrain/ that holds the Swahili test set."""
    found = Suite(
        name="clean", cards=(card("seen", "intermediate", ("en",)), card("asked", "target", ("sw",))), settings=lab_settings(),
        steps=(96,),
    )  # fmt: skip
    monkeypatch.setitem(catalogue.SUITES, "clean", lambda: found)
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    catalogue.packaged_suite.cache_clear()
    places = {"seen/en.train": OTHERS, "asked/en.train": OTHERS, "asked/sw.dev": ["x y z"], "asked/sw.test": LINES}
    for place, texts in places.items():
        path = tmp_path / "data" / f"{place}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress("".join(json.dumps({"a": t, "label": "a"}) + "\n" for t in texts).encode()))
    corpus = tmp_path / "data/pretrain/news/swa.txt.gz"
    corpus.parent.mkdir(parents=True)
    corpus.write_bytes(gzip.compress("\n".join(LINES[:5]).encode()))
    yield found
    catalogue.packaged_suite.cache_clear()


def config(tmp_path, **fields):
    made = configure(space="single_task", suite="clean", model="hub/model", data=str(tmp_path / "data"))
    return dataclasses.replace(made, **fields)


def check(tmp_path, suite, **fields):
    check_leakage(TaskSource(tmp_path / "data", None), suite, config(tmp_path, **fields))


def with_recipe(tmp_path, digest=None):
    """A folder as `tasksearch pretrain` leaves it: the recipe names the text's bytes."""
    corpus = tmp_path / "data/pretrain/news/swa.txt.gz"
    (tmp_path / "model").mkdir(exist_ok=True)
    files = [f"news/swa.txt.gz {digest or file_fingerprint(corpus)}"]
    (tmp_path / "model/recipe.json").write_text(json.dumps({"files": files}))
    return str(tmp_path / "model")


def test_named_pretraining_text_that_holds_evaluation_items_stops_the_study(suite, tmp_path):
    check(tmp_path, suite)  # nothing is said of the model's text
    with pytest.raises(BadInput, match=r"leakage: asked sw test: 5 of 20 items stand in .*swa\.txt\.gz"):
        check(tmp_path, suite, pretraining_text=(str(tmp_path / "data/pretrain/news"),))
    check(tmp_path, suite, pretraining_text=(str(tmp_path / "data/pretrain/news"),), allow_leakage=True)


def test_a_model_of_tasksearch_pretrain_names_its_text_by_itself(suite, tmp_path):
    with pytest.raises(BadInput, match="leakage: asked sw test"):
        check(tmp_path, suite, model=with_recipe(tmp_path))


def test_what_was_not_checked_stands_beside_every_number(suite, tmp_path):
    assert "not known, and was not checked" in warning_of(suite, config(tmp_path))
    given = config(tmp_path, pretraining_text=(str(tmp_path / "data/pretrain/news"),))
    assert "not checked" not in warning_of(suite, given)
    moved = config(tmp_path, model=with_recipe(tmp_path, digest="0" * 24))
    assert "1 files of the model's pretraining text" in warning_of(suite, moved)
    check(tmp_path, suite, model=moved.model)
    keep_checked(tmp_path, pretraining_text(moved))
    (tmp_path / "model/recipe.json").unlink()  # the study is read elsewhere: what it noted counts
    assert "1 files of the model's pretraining text" in warning_of(suite, moved, tmp_path)
    assert not str(pretraining_text(dataclasses.replace(moved, suite="lab")))


def test_a_second_check_reads_no_training_text_and_says_the_same(suite, tmp_path, monkeypatch):
    asked = {"pretraining_text": (str(tmp_path / "data/pretrain/news"),)}
    with pytest.raises(BadInput) as first:
        check(tmp_path, suite, **asked)

    def unread(*_):
        raise AssertionError("read again")

    monkeypatch.setattr(leak_cache, "find_leaks", unread)
    monkeypatch.setattr(TaskSource, "split", unread)
    with pytest.raises(BadInput) as second:
        check(tmp_path, suite, **asked)
    assert str(second.value) == str(first.value)


@pytest.mark.parametrize(
    ("changed", "sets"), [("pretrain/news/swa.txt.gz", 1), ("seen/en.train.jsonl.gz", 1), ("asked/sw.test.jsonl.gz", 3)]
)
def test_another_text_is_checked_anew_and_what_did_not_change_is_not(suite, tmp_path, monkeypatch, changed, sets):
    asked = {"pretraining_text": (str(tmp_path / "data/pretrain/news"),)}
    with pytest.raises(BadInput):
        check(tmp_path, suite, **asked)
    path, find, seen = tmp_path / "data" / changed, leak_cache.find_leaks, []
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b'\n{"a": "one line more", "label": "b"}\n'.lstrip()))
    monkeypatch.setattr(
        leak_cache, "find_leaks", lambda trained, evaluated: seen.append(len(trained)) or find(trained, evaluated)
    )
    with pytest.raises(BadInput, match=f"5 of {21 if 'sw.test' in changed else 20} items"):
        check(tmp_path, suite, **asked)
    assert seen == [sets]


def test_the_whole_suites_check_keeps_its_result_too(suite, tmp_path, monkeypatch):
    source = TaskSource(tmp_path / "data", None)
    places = [tmp_path / "data/pretrain/news"]
    first = leakage.check_suite(source, suite, pretraining_texts=places)
    monkeypatch.setattr(leak_cache, "find_leaks", lambda *_: pytest.fail("read again"))
    assert leakage.check_suite(source, suite, pretraining_texts=places) == first
    assert [leak.exact for leak in first.leaks] == [5]
