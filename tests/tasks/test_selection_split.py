"""Selecting and reporting never share an example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.score import HALVES
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import BitextExample, TagExample, TextExample
from tasksearch.tasks.selection_split import (
    document_number,
    document_numbers,
    document_of,
    evaluation_splits,
    half_of,
    portions,
)


def card(kind="sentence", **fields):
    return TaskCard(name="t", kind=kind, role="target", languages=("en", "sw", "yo"), labels=("x",), **fields)


def test_a_sentence_that_two_documents_of_a_cut_split_hold_does_not_select():
    examples = [TextExample(str(i), f"text {i // 2}", None, 0, f"doc {i}") for i in range(400)]
    (portion,) = portions(card(**ONE), "sw", {"test": examples})
    texts = {half: {portion.examples[int(row)].text_a for row in rows} for half, rows in portion.rows.items()}
    assert texts["select"]
    assert not texts["select"] & texts["report"]


def sentences(count, documents=1000, prefix=""):
    return [TextExample(f"{prefix}{i}", f"{prefix} text {i}", None, 0, f"doc {i % documents}") for i in range(count)]


def scored(made):
    """half → ids of the examples that it scores."""
    found = {half: [] for half in HALVES}
    for portion in made:
        for half, rows in portion.rows.items():
            found[half] += [portion.examples[int(row)].id for row in rows]
    return found


ONE = {"select_split": "test", "report_split": "test"}


@given(count=st.integers(100, 400), documents=st.integers(1, 400))
def test_a_cut_covers_the_split_once_and_never_parts_a_document(count, documents):
    examples = sentences(count, documents)
    halves = scored(portions(card(**ONE), "sw", {"test": examples}))
    assert sorted(halves["select"] + halves["report"], key=int) == [e.id for e in examples]
    document = {e.id: e.document for e in examples}
    assert not {document[i] for i in halves["select"]} & {document[i] for i in halves["report"]}
    assert halves["report"]


def test_a_cut_is_about_even():
    halves = scored(portions(card(**ONE), "sw", {"test": sentences(2000)}))
    assert 900 < len(halves["select"]) < 1100


def test_a_document_has_one_half_in_every_language_and_task():
    first = scored(portions(card(**ONE), "sw", {"test": sentences(300, 40)}))
    other = scored(portions(card(**ONE), "yo", {"test": sentences(300, 40, "other ")}))
    assert [i.removeprefix("other ") for i in other["select"]] == first["select"]


def test_authors_dev_selects_and_their_test_reports():
    made = portions(card(), "sw", {"dev": sentences(60, prefix="d"), "test": sentences(90, prefix="t")})
    assert scored(made) == {"select": [f"d{i}" for i in range(60)], "report": [f"t{i}" for i in range(90)]}


def test_a_language_with_the_test_split_alone_is_cut_and_the_others_are_not():
    one = card(one_split=("yo",))
    assert evaluation_splits(one, "yo") == ("test",)
    assert evaluation_splits(one, "sw") == ("dev", "test")
    halves = scored(portions(one, "yo", {"test": sentences(200)}))
    assert halves["select"]
    assert halves["report"]


@pytest.mark.parametrize("splits", [{"test": sentences(99)}, {"dev": sentences(40), "test": sentences(59)}], ids=["one", "two"])
def test_below_a_hundred_examples_a_language_is_only_reported(splits):
    made = portions(card(one_split=("yo",)), "yo" if "dev" not in splits else "sw", splits)
    assert scored(made)["select"] == []
    assert len(scored(made)["report"]) == len(splits["test"])
    assert all("select" not in portion.rows for portion in made)


def test_a_sentence_that_stands_in_both_splits_reports_and_does_not_select():
    dev, test = sentences(120, prefix="d"), [*sentences(120, prefix="t"), TextExample("again", "d text 7", None, 0, "other")]
    halves = scored(portions(card(), "sw", {"dev": dev, "test": test}))
    assert "again" in halves["report"]
    assert halves["select"] == [e.id for e in dev if e.id != "d7"]


def test_one_document_cannot_be_cut_and_is_reported():
    made = portions(card(**ONE), "sw", {"test": sentences(150, documents=1)})
    assert len(scored(made)["report"]) == 150


def test_retrieval_is_cut_over_its_queries_and_keeps_its_pool():
    pairs = [BitextExample(str(i), f"neno {i}", f"word {i % 120}") for i in range(200)]
    (portion,) = portions(card("retrieval", **ONE), "sw", {"test": pairs})
    assert portion.examples == tuple(pairs)
    halves = {half: {pairs[int(row)].english for row in rows} for half, rows in portion.rows.items()}
    assert not halves["select"] & halves["report"]  # a query that occurs twice stands on one side
    assert sum(map(len, portion.rows.values())) == 200


def test_a_cap_takes_so_many_of_each_half_the_same_ones_in_parallel_languages():
    splits = {"dev": sentences(300, prefix="d"), "test": sentences(400, prefix="t")}
    capped = scored(portions(card(), "sw", splits, cap=25))
    assert len(capped["select"]) == len(capped["report"]) == 25
    assert set(capped["select"]) <= {e.id for e in splits["dev"]}
    assert capped == scored(portions(card(), "yo", splits, cap=25))
    wider = scored(portions(card(), "sw", splits, cap=50))
    assert set(capped["report"]) < set(wider["report"])


def test_a_cap_does_not_shrink_the_pool_of_retrieval():
    pairs = [BitextExample(str(i), f"neno {i}", f"word {i}") for i in range(300)]
    (portion,) = portions(card("retrieval", **ONE), "sw", {"test": pairs}, cap=10)
    assert len(portion.examples) == 300
    assert {half: len(rows) for half, rows in portion.rows.items()} == {"select": 10, "report": 10}


def test_an_example_without_a_document_is_one_of_its_own():
    assert document_of(TagExample("7", ("w",), (0,))) == "7"
    assert document_of(BitextExample("7", "neno", "word")) == "word"


def test_the_cut_of_a_document_never_moves():
    """Halves are part of stored studies: these were drawn on 2026-11-25 and must stay."""
    assert [half_of(f"doc {i}") for i in range(6)] == HALF_OF_DOCS


HALF_OF_DOCS = ["select", "report", "select", "report", "select", "select"]


def test_rows_are_ascending_so_that_outcomes_keep_the_order_of_the_file():
    for portion in portions(card(**ONE), "sw", {"test": sentences(300)}, cap=40):
        for rows in portion.rows.values():
            assert (np.diff(rows) > 0).all()


def test_a_documents_number_is_its_own_in_every_language_and_order_and_stands_in_the_order_of_the_outcomes():
    examples = sentences(300, documents=30)
    made, turned = (
        portions(card(**ONE), language, {"test": order}) for language, order in (("sw", examples), ("yo", examples[::-1]))
    )
    numbers, other = document_numbers(made), document_numbers(turned)
    for half, rows in made[0].rows.items():
        assert [document_number(made[0].examples[int(row)]) for row in rows] == numbers[half].tolist()
        assert sorted(set(numbers[half].tolist())) == sorted(set(other[half].tolist()))
    assert len(set(numbers["select"].tolist()) | set(numbers["report"].tolist())) == 30
