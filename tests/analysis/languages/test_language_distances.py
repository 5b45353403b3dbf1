"""Distances between languages: what urielplus would say, with the count behind each; clusters; which languages to label."""

import dataclasses
import importlib.util
import itertools
import math

import numpy as np
import pytest

from tasksearch.analysis.languages import uriel
from tasksearch.analysis.languages.choices import clusters_of, to_label
from tasksearch.analysis.languages.distances import OWN_PARTS, LanguageDistances, combined_distances, language_distances
from tasksearch.core.errors import BadInput
from tasksearch.tasks.languages import language_of

real = pytest.mark.skipif(
    importlib.util.find_spec("urielplus") is None, reason="urielplus is not installed; pip install 'tasksearch[distances]'"
)
MEASURED = {
    "sw": {"syntactic": (0.69, 85), "phonological": (0.27, 25), "inventory": (0.48, 158), "geographic": (0.29, None)},
    "yo": {"syntactic": (0.59, 91), "phonological": (0.53, 25), "inventory": (0.51, 158), "geographic": (0.20, None)},
    "hi": {"syntactic": (0.55, 82), "phonological": (0.34, 25), "inventory": (0.47, 158), "geographic": (0.27, None)},
    "ar": {"syntactic": (0.53, 98), "phonological": (0.46, 25), "inventory": (0.46, 158), "geographic": (0.16, None)},
    "qu": {"syntactic": (0.63, 82), "phonological": (0.45, 24), "inventory": (0.49, 158), "geographic": (0.37, None)},
    "ta": {"syntactic": (0.66, 70), "phonological": (None, 0), "inventory": (0.50, 158), "geographic": (0.32, None)},
}
"""From English, as `URIELPlus().new_distance` gave them, and how many features were shared."""


@real
def test_the_arrays_give_the_package_s_own_distances_and_the_features_behind_them():
    found = language_distances([language_of(code) for code in ("en", *MEASURED)])
    for code, parts in MEASURED.items():
        for kind, (distance, shared) in parts.items():
            ours = found.parts[kind][0, found.place(code)]
            assert math.isnan(ours) if distance is None else abs(ours - distance) <= 0.0051, (code, kind)
            assert shared is None or found.shared[kind][0, found.place(code)] == shared, (code, kind)
    assert found.read["ar"] == "ara" and found.read["qu"] == "que", "of a language's codes the best documented"
    assert "urielplus" not in __import__("sys").modules, "importing it would set up the root logger"


@pytest.fixture
def small_uriel(tmp_path, monkeypatch):
    """Three languages, four syntactic features from two sources."""
    folder = tmp_path / "urielplus" / "database" / "original_uriel"
    folder.mkdir(parents=True)
    (tmp_path / "urielplus" / "__init__.py").write_text("raise ImportError('never imported')")
    data = -np.ones((3, 5, 2), np.float32)
    data[0, :4, 0], data[1, :3, 1], data[2, 0] = (1, 1, 0, 1), (1, 0, 0), (0, 1)
    feats = ["S_A", "S_B", "S_C", "S_D", "P_A"]
    np.savez(folder / "features.npz", data=data, langs=["eng", "swh", "que"], feats=feats, sources=["x", "y"])
    np.savez(
        folder / "geocoord_features.npz", data=np.ones((3, 2, 1), np.float32), langs=["eng", "swh", "que"], feats=["g", "h"]
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(uriel.KINDS, "syntactic", dataclasses.replace(uriel.KINDS["syntactic"], fewest=2))
    return folder


def test_only_shared_features_count_and_too_few_are_no_distance(small_uriel):
    found = language_distances([language_of(code) for code in ("en", "sw", "qu")])
    distance, shared = found.parts["syntactic"], found.shared["syntactic"]
    assert shared.tolist() == [[4, 3, 1], [3, 3, 1], [1, 1, 1]]
    assert distance[0, 1] == pytest.approx(2 / math.pi * math.acos(1 / math.sqrt(2))), "(1, 1, 0) and (1, 0, 0)"
    assert math.isnan(distance[0, 2]), "one shared feature says nothing, though the cosine would be 1"
    assert found.known[0, 1] == found.known[0, 2] + 1 == 5
    parts = [matrix[0, 1] for matrix in found.parts.values() if not math.isnan(matrix[0, 1])]
    assert found.combined[0, 1] == pytest.approx(np.mean(parts))


def test_without_urielplus_script_family_and_size_are_left(monkeypatch):
    languages = [language_of(code) for code in ("en", "de", "hi", "ur", "sw", "yo", "zh_Hant")]
    found = language_distances(languages, uriel=False)
    assert tuple(found.parts) == OWN_PARTS and not found.shared
    assert found.parts["script"][found.place("hi"), found.place("ur")] == 1 == found.parts["family"][0, found.place("sw")]
    assert found.parts["family"][0, found.place("de")] == 0 < found.parts["family"][0, found.place("hi")] < 1
    assert found.parts["size"][0, found.place("yo")] == pytest.approx(1.0), "English has the most text, Yoruba none"
    assert np.allclose(found.combined, found.combined.T) and not found.combined.diagonal().any()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match=r"need the package urielplus; install it: pip install 'tasksearch\[distances\]'"):
        language_distances(languages)
    with pytest.raises(BadInput, match="1 language; expected two or more"):
        language_distances(languages[:1])


def on_a_line(**places):
    """Languages at points of a line, as far apart as the points."""
    points = np.array(list(places.values()))
    apart = np.abs(points[:, None] - points[None, :])
    return LanguageDistances(codes=tuple(places), read={}, parts={"line": apart}, shared={})


LINE = on_a_line(en=0.0, a=0.05, b=0.5, c=0.55, d=0.6, e=1.0)


def test_clusters_are_what_stands_together():
    assert clusters_of(LINE, 3) == (("b", "c", "d"), ("en", "a"), ("e",))
    assert clusters_of(LINE, 1) == (("en", "a", "b", "c", "d", "e"),)
    with pytest.raises(BadInput, match="--clusters 7; expected 1 to 6"):
        clusters_of(LINE, 7)


def test_what_to_label_is_near_many_and_costs_little():
    first, second = to_label(LINE, 2)
    assert (first.code, second.code) == ("c", "e") and second.apart == pytest.approx((0.05 + 0.05 + 0.05) / 6)
    assert to_label(LINE, 2, costs={"c": 3.0})[0].code in ("b", "d"), "a neighbour that is cheaper"
    assert [one.code for one in to_label(LINE, 1, given=("en", "c"))] == ["e"]
    for budget, told in ((0.5, "--label 0.5 buys no language; expected at least 1"), (float("nan"), "buys no language")):
        with pytest.raises(BadInput, match=told):
            to_label(LINE, budget)
    with pytest.raises(BadInput, match="--cost of 'x', which is not among the languages"):
        to_label(LINE, 2, costs={"x": 1.0})
    with pytest.raises(BadInput, match="--cost c=0; expected a positive number"):
        to_label(LINE, 2, costs={"c": 0.0})


def test_the_greedy_choice_is_at_least_a_third_of_the_best():
    draw = np.random.default_rng(0)
    for _ in range(20):
        world = on_a_line(en=0.0, **{f"l{n}": float(x) for n, x in enumerate(draw.random(6))})
        costs = {code: float(cost) for code, cost in zip(world.codes, draw.uniform(0.5, 2, 7), strict=True)}
        start = world.combined[0]
        best = 0.0
        for some in itertools.chain.from_iterable(itertools.combinations(range(1, 7), n) for n in range(1, 7)):
            if sum(costs[world.codes[p]] for p in some) <= 3:
                best = max(best, float((start - np.minimum(start, world.combined[list(some)].min(axis=0))).mean()))
        found = to_label(world, 3, costs=costs)
        assert sum(one.cost for one in found) <= 3 and start.mean() - found[-1].apart >= best / 3


def test_every_pair_of_known_languages_has_a_combined_distance_and_the_lab_s_have_none():
    found = combined_distances(["sw", "yo", "hi", "sw"])
    assert set(found) == {("sw", "yo"), ("sw", "hi"), ("yo", "hi")} and all(0 < distance < 1 for distance in found.values())
    assert found["sw", "yo"] < found["sw", "hi"], "one family and script"
    assert combined_distances(["sw", "near1"]) == combined_distances(["sw"]) == {}
    assert combined_distances(["sw", "near1", "yo", "hi"]) == found, "one language of no table hides no other pair"
