"""Rows of unequal length are the rows that went in, whole, padded or joined."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.tasks.ragged import Ragged

tables = st.lists(st.lists(st.integers(0, 300), max_size=6), max_size=8)


@given(tables)
def test_rows_come_back(rows):
    ragged = Ragged.of(rows)
    assert [ragged[i].tolist() for i in range(len(ragged))] == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]


@given(tables.filter(bool), st.data())
def test_padding_stands_behind_each_row_alone(rows, data):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10))
    padded = Ragged.of(rows).padded(chosen, -1)
    assert padded.shape == (len(chosen), max((len(rows[i]) for i in chosen), default=0))
    assert [row[row >= 0].tolist() for row in padded] == [rows[i] for i in chosen]
    assert all((np.diff((row < 0).astype(int)) >= 0).all() for row in padded)


@given(st.lists(tables, min_size=1, max_size=4))
def test_joined_tables_hold_all_rows_in_order(parts):
    joined = Ragged.concatenate([Ragged.of(rows) for rows in parts])
    assert [joined[i].tolist() for i in range(len(joined))] == [row for rows in parts for row in rows]
