"""Neighbours of both directions against brute force: tiles, ties, devices and a resumed search change nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.evaluation import tiles
from tasksearch.evaluation.neighbours import Search, both_ways, unit_vectors
from tasksearch.evaluation.tiles import Progress


def brute(x, y, k, similarity, *, last=False):
    """The definition: similarities in double precision, rounded to fp32; of equal ones the first row, or the last."""
    if similarity == "cosine":
        x, y = unit_vectors(x, centering=False), unit_vectors(y, centering=False)
    x, y = x.astype(np.float64), y.astype(np.float64)
    s = -((x[:, None] - y[None]) ** 2).sum(-1) if similarity == "l2" else x @ y.T
    s = s.astype(np.float32)
    rows = np.broadcast_to(np.arange(s.shape[1]), s.shape)
    order = np.lexsort((-rows if last else rows, -s), axis=1)[:, :k]
    return np.take_along_axis(s, order, 1), order


@st.composite
def pools(draw):
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    n, m, d = draw(st.integers(1, 150)), draw(st.integers(1, 150)), draw(st.sampled_from([2, 7, 32]))
    x, y = (rng.normal(size=(count, d)).astype(np.float32) for count in (n, m))
    if draw(st.booleans()):  # many equal vectors and exact ties
        x, y = np.round(x) + np.float32(0.5), np.round(y) + np.float32(0.5)
        y[m // 2 :] = y[0]
    return x, y


@given(pools(), st.sampled_from(["cosine", "inner", "l2"]), st.sampled_from(["first", "last"]), st.integers(1, 5))
def test_neighbours_are_those_of_brute_force_under_the_tie_rule_in_tiles_of_any_size(drawn, similarity, ties, k):
    x, y = drawn
    found = [both_ways(x, y, k, Search(similarity=similarity, ties=ties, memory=memory)) for memory in (1, 2**30)]
    for side, (a, b) in enumerate(((x, y), (y, x))):
        similarities, rows = brute(a, b, min(k, len(b)), similarity, last=ties == "last")
        assert np.array_equal(found[0][side].rows, rows)
        assert np.abs(found[0][side].similarities - similarities).max() <= 1.2e-7 * max(1, np.abs(similarities).max())
        assert np.array_equal(found[0][side].similarities, found[1][side].similarities)
        assert np.array_equal(found[0][side].rows, found[1][side].rows)


def test_the_gpu_s_way_of_choosing_finds_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(count, 8)).astype(np.float32) for count in (300, 200))
    expected = both_ways(x, y, 4, Search(memory=1))
    monkeypatch.setattr(tiles, "_by_bar", tiles._by_topk)
    found = both_ways(x, y, 4, Search(memory=1))
    for side in (0, 1):
        assert np.array_equal(found[side].rows, expected[side].rows)


def test_rounding_of_the_tiles_alone_would_swap_neighbours_and_is_mended():
    rng = np.random.default_rng(0)
    base = rng.normal(size=1024).astype(np.float32)
    y = np.stack([base * np.float32(1 + i * 2**-22) for i in range(60)])  # products that differ by less than fp32 sums do
    x = base[None] + np.float32(0.1) * rng.normal(size=(5, 1024)).astype(np.float32)
    found = both_ways(x, y, 4, Search(similarity="inner"))[0]
    assert np.array_equal(found.rows, brute(x, y, 4, "inner")[1])


def test_a_search_that_was_cut_short_goes_on_where_it_was(tmp_path):
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(count, 8)).astype(np.float32) for count in (300, 200))
    path, seen = tmp_path / "unfinished", []

    def stop(done, every):
        seen.append(done)
        if done > every / 2:
            raise KeyboardInterrupt

    keep = {"path": path, "signature": "these", "save_every": 0.0}
    with pytest.raises(KeyboardInterrupt):
        both_ways(x, y, 4, Search(memory=1, progress=Progress(on_tile=stop, **keep)))
    assert path.is_file()
    begun = []
    again = both_ways(x, y, 4, Search(memory=1, progress=Progress(on_tile=lambda done, _: begun.append(done), **keep)))
    assert begun[0] >= seen[-1], "the rows of tiles that were saved are not searched again"
    whole = both_ways(x, y, 4)
    assert all(np.array_equal(a.rows, b.rows) for a, b in zip(again, whole, strict=True))
    other = Progress(path=path, signature="others", save_every=1e9)
    assert np.array_equal(both_ways(y, y, 1, Search(memory=1, progress=other))[0].rows[:, 0], np.arange(200))


def test_memory_bounds_the_side_of_a_tile():
    for memory in (10**6, 10**8, 10**9):
        side = tiles.tile_side(memory, 1024)
        assert side == 64 or side**2 * 6 + side * 1024 * 16 <= memory
    assert tiles.tile_side(10**9, 1024) == 4096
