"""Rows of hub tables under the bad inputs that files meet: named by their row, or read as files are."""

import pyarrow as pa
import pytest
from datasets import Dataset

from tasksearch.core.errors import BadInput
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.hub_rows import hub_records
from tasksearch.tasks.reading import read_records
from tasksearch.tasks.source_spec import PACKED, Hub

SPAN = Hub(id="x/y", columns=(("id", "id"), ("document", "title")))


def read(table, source, kind, *labels, skip_bad=0):
    card = TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=labels)
    return read_records(hub_records(Dataset(table), source, kind, "en"), "x/y", card, PACKED, "en", "test", skip_bad=skip_bad)


def questions(titles, answers=None):
    rows = len(titles)
    return pa.table({
        "id": [f"q{n}" for n in range(rows)],
        "title": pa.array(titles, pa.string()),
        "question": ["?"] * rows,
        "context": ["Rom ist alt", "Rom ist alt", "Bonn ist klein"][:rows],
        "answers": answers or [{"text": [], "answer_start": []}] * rows,
    })  # fmt: skip


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_question_without_a_title_has_its_context_for_a_document(nothing):
    reading = read(questions([nothing, nothing, "t"]), SPAN, "span")
    assert [e.document for e in reading.examples] == ["Rom ist alt", "Rom ist alt", "t"]


def test_bytes_that_call_themselves_text_cost_their_row_alone():
    ends = pa.py_buffer(b"\x00\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00")
    damaged = pa.Array.from_buffers(pa.string(), 3, [None, ends, pa.py_buffer(b"x\xff\xfey")])
    table = pa.table({"a": damaged, "b": ["1", "2", "3"], "label": ["no"] * 3})
    with pytest.raises(BadInput, match=r"x/y:2: not UTF-8 at byte 0 of a text"):
        read(table, Hub(id="x/y"), "pair", "no")
    reading = read(table, Hub(id="x/y"), "pair", "no", skip_bad=1)
    assert [e.text_a for e in reading.examples] == ["x", "y"]


def test_lists_of_answers_that_do_not_fit_are_named():
    with pytest.raises(BadInput, match=r"x/y:1: 1 answer starts but 0 answer texts"):
        read(questions(["t"], [{"text": [], "answer_start": [0]}]), SPAN, "span")


def test_a_null_id_is_the_row_and_never_a_word():
    table = pa.table({"id": pa.array([None, None], pa.string()), "a": ["x", "y"], "b": ["x", "y"], "label": ["no", "no"]})
    reading = read(table, Hub(id="x/y", columns=(("id", "id"),)), "pair", "no")
    assert [e.id for e in reading.examples] == ["line 1", "line 2"]
