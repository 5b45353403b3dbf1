"""Score tables kept for quick reading: the same records, whatever becomes of the cache."""

import dataclasses

import pytest

from tasksearch.core.checksum import read_checked
from tasksearch.core.score import Score, ScoreTable, read_columns
from tasksearch.records.ledger import Ledger
from tasksearch.records.score_columns import LEAST

CELLS = {("nli", "en"): 70.125, ("nli", "xx"): 51.1, ("tag", "xx"): 1 / 3}


@pytest.fixture
def ledger(toy, tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(LEAST):
        table = toy.table(CELLS, seed=number) + toy.table(
            {cell: value + number for cell, value in CELLS.items()}, half="report"
        )
        same = ScoreTable.of(dataclasses.replace(score, seed=number) for score in table)
        ledger.write(toy.record(number, seed=number, scores=same, objective=number / 7, facts=(("torch", "2"),)))
    return ledger


def read_plainly(ledger):
    from tasksearch.core.study import TrialRecord

    return [TrialRecord.from_json(read_checked(ledger.record_path(n))) for n in range(LEAST)]


def test_records_from_the_cache_are_the_records(ledger):
    plain = read_plainly(ledger)
    assert ledger.records() == plain and ledger.cache_path.exists()
    again = Ledger(ledger.folder).records()
    assert again == plain
    assert [r.scores.values("report") for r in again] == [r.scores.values("report") for r in plain]
    assert [r.to_json() for r in again] == [r.to_json() for r in plain]


def test_a_record_that_changed_is_read_from_its_file(ledger):
    first = ledger.records()[0]
    ledger.write(dataclasses.replace(first, objective=-1.0, status="failed", scores=ScoreTable()))
    changed = ledger.records()[0]
    assert changed.status == "failed" and changed.objective == -1.0 and len(changed.scores) == 0


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_cache_is_as_none(ledger, damage):
    plain = ledger.records()
    ledger.cache_path.write_bytes(damage(ledger.cache_path.read_bytes()))
    assert ledger.records() == plain


def test_a_folder_that_cannot_be_written_is_read_all_the_same(ledger, monkeypatch):
    import tasksearch.records.score_columns as module
    from tasksearch.core.errors import BadInput

    def refuse(path, content):
        raise BadInput("read-only")

    monkeypatch.setattr(module, "write_atomic", refuse)
    assert ledger.records() == read_plainly(ledger)
    assert not ledger.cache_path.exists()


def test_rows_of_several_seeds_are_no_column_and_are_kept_as_rows(toy):
    table = toy.table(CELLS, seed=0) + toy.table(CELLS, seed=1)
    assert table.column() is None
    layout, values, seed = toy.table(CELLS, seed=3).column()
    assert ScoreTable.of_column(layout, values, seed) == toy.table(CELLS, seed=3)
    assert len(ScoreTable.of_column(layout, values, seed)) == 3 and ScoreTable().column()[1] == ()


def test_a_table_of_a_column_has_equal_rows_and_hash(toy):
    table = toy.table(CELLS, seed=2)
    again = ScoreTable.of_column(*table.column())
    assert hash(again) == hash(table) and list(again) == list(table) and isinstance(again.rows[0], Score)
    assert again.cell("tag", "xx", "select") == table.cell("tag", "xx", "select")
    assert again.to_json() == table.to_json()


def test_a_table_of_json_is_the_table_in_whatever_order_its_rows_stand(toy):
    table = toy.table(CELLS, seed=2)
    for rows in (table.to_json(), table.to_json()[::-1], (table + toy.table(CELLS, seed=1)).to_json()):
        assert ScoreTable.from_json(rows) == ScoreTable.of(Score(**row) for row in rows)


@pytest.mark.parametrize("change", [{"more": 1}, {"metric": None}, {"value": None}])
def test_rows_that_are_no_scores_are_refused(toy, change):
    first, *rest = toy.table(CELLS).to_json()
    whole = {name: value for name, value in (first | change).items() if value is not None}
    with pytest.raises(TypeError):
        ScoreTable.from_json([whole, *rest])


def test_columns_are_read_from_tables_of_any_make_and_a_missing_cell_is_told(toy):
    table = toy.table(CELLS, seed=2)
    made = [table, ScoreTable.from_json(table.to_json()), ScoreTable.of_column(*table.column())]
    for cells in (list(CELLS)[::-1], list(CELLS)[:1]):
        assert [list(column) for column in read_columns(made, "select", cells)] == [[CELLS[cell] for cell in cells]] * 3
    for one in made:
        with pytest.raises(KeyError):
            read_columns([one], "select", [("nli", "zz")])
