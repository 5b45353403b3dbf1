"""Outcomes come back as they were written, and a file that is not ours is read as safetensors reads it, or refused."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from tasksearch.core.errors import Damaged
from tasksearch.records.outcomes import outcome_bytes, read_outcomes

RNG = np.random.default_rng(0)
WRITTEN = {
    (target, language, half): RNG.random((size, 2)).astype(np.float32)
    for target, language, size in (("nli", "sw", 7), ("nli", "yo", 40), ("a/b", "sw", 1))
    for half in ("select", "report")
}


def test_what_was_written_is_read_cell_by_cell(tmp_path):
    path = tmp_path / "outcomes"
    path.write_bytes(outcome_bytes(WRITTEN))
    found = read_outcomes(path)
    assert found.keys() == WRITTEN.keys()
    for cell, array in WRITTEN.items():
        assert found[cell].dtype == np.float32 and np.array_equal(found[cell], array)
        assert np.array_equal(found[cell], load(path.read_bytes())["/".join(cell)])


@pytest.mark.parametrize(
    "arrays",
    [
        {"nli/sw/report": RNG.random((5, 2))},  # double precision
        {"nli/sw/report": RNG.random((5, 2)).astype(np.float32), "nli/sw/select": RNG.random((4, 3)).astype(np.float32)},
        {"nli/sw/report": RNG.random(6).astype(np.float32)},
    ],
)
def test_arrays_of_another_kind_are_what_safetensors_reads(tmp_path, arrays):
    path = tmp_path / "outcomes"
    path.write_bytes(save(arrays, metadata={"by": "another"}))
    found = read_outcomes(path)
    assert {"/".join(cell): array.tolist() for cell, array in found.items()} == {n: a.tolist() for n, a in arrays.items()}


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-8], lambda b: b + b"\0" * 8, lambda b: b[:20], lambda b: b"", lambda b: b[8:]]
)
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "outcomes"
    path.write_bytes(damage(outcome_bytes(WRITTEN)))
    with pytest.raises(Damaged):
        read_outcomes(path)
