"""A bitext made by hand in which the answer of every stage is known, and the known defects of the public scripts.

A's vectors and B's lie in a plane, so every cosine can be read off: a0 is at 0°, a1 at 90°; b0 at 0°, b1 at 60°, b2 at 90°.

         b0     b1     b2
    a0   1      0.5    0
    a1   0      0.866  1
"""

import numpy as np
import pytest

from tasksearch.evaluation.margins import margin_pairs
from tasksearch.evaluation.mining import Mining, mine
from tasksearch.evaluation.neighbours import both_ways, unit_vectors
from tasksearch.metrics.mining import best_cut
from tasksearch.metrics.scoring import Cut, score_files

A = np.array([[1, 0], [0, 1]], dtype=np.float32)
B = np.array([[1, 0], [0.5, np.sqrt(0.75)], [0, 1]], dtype=np.float32)
HIGH = float(np.sqrt(0.75))


def neighbours():
    return both_ways(A, B, 2)


def test_neighbours():
    forward, backward = neighbours()
    assert forward.rows.tolist() == [[0, 1], [2, 1]]
    assert forward.similarities == pytest.approx(np.array([[1, 0.5], [1, HIGH]]), abs=1e-7)
    assert backward.rows.tolist() == [[0, 1], [1, 0], [1, 0]]
    assert backward.similarities == pytest.approx(np.array([[1, 0], [HIGH, 0.5], [1, 0]]), abs=1e-7)


MEAN_A, MEAN_B = [0.75, (1 + HIGH) / 2], [0.5, (HIGH + 0.5) / 2, 0.5]


def margin_of(kind, i, j, cosine):
    mean = (MEAN_A[i] + MEAN_B[j]) / 2
    return {"ratio": cosine / mean, "distance": cosine - mean, "absolute": cosine}[kind]


@pytest.mark.parametrize("kind", ["ratio", "distance", "absolute"])
def test_margins_and_every_way_of_retrieval(kind):
    a0, a1, b1 = (margin_of(kind, *cell) for cell in ((0, 0, 1.0), (1, 2, 1.0), (1, 1, HIGH)))
    expected = {
        "forward": {(0, 0): a0, (1, 2): a1},
        "backward": {(0, 0): a0, (1, 1): b1, (1, 2): a1},
        "intersection": {(0, 0): a0, (1, 2): a1},
        "max": {(0, 0): a0, (1, 2): a1},
    }
    for retrieval, pairs in expected.items():
        found, scores = margin_pairs(*neighbours(), kind, retrieval)
        assert dict(zip(map(tuple, found.tolist()), scores.tolist(), strict=True)) == pytest.approx(pairs, abs=1e-6)
        assert (np.diff(scores) <= 0).all(), "best first"


def test_ties_between_proposals_go_to_the_first_or_the_last():
    square = np.eye(2, dtype=np.float32)
    for last, first_pair in ((False, [0, 0]), (True, [1, 1])):
        pairs, _ = margin_pairs(*both_ways(square, square, 1), last=last)
        assert pairs[0].tolist() == first_pair


@pytest.mark.parametrize(
    ("duplicates", "expected"),
    [("drop", {("a0", "b0")}), ("first", {("a0", "b0"), ("a1", "b2")}), ("last", {("a0", "b0"), ("a3", "b2")}),
     ("all", {("a0", "b0"), ("a1", "b2"), ("a3", "b2")})],
)  # fmt: skip
def test_a_repeated_sentence_has_the_id_that_is_asked_for_and_is_one_neighbour(duplicates, expected):
    a = {"a0": "x", "a1": "y", "a2": "z", "a3": "y"}
    b = {"b0": "X", "b1": "V", "b2": "Y"}
    vectors = np.concatenate([A, [[-1, -0.2]], A[1:]]).astype(np.float32)
    mined = mine(a, b, vectors, B, Mining(k=2, duplicates=duplicates))
    assert set(mined.ids) & {(i, j) for i in a for j in ("b0", "b2")} >= expected
    assert not any(i in ("a1", "a3") for i, _ in mined.ids) or duplicates != "drop"


def write(folder, name, rows):
    (folder / name).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return folder / name


@pytest.fixture
def judged(tmp_path):
    """Candidates and gold of a development and of a test set whose best cuts differ."""
    dev = write(tmp_path, "dev.tsv", [(2.0, "a", "A"), (1.5, "b", "B"), (1.0, "c", "X")])
    test = write(tmp_path, "test.tsv", [(1.9, "d", "D"), (1.2, "e", "E"), (1.1, "f", "F")])
    gold = [("a", "A"), ("b", "B")], [("d", "D"), ("e", "E"), ("f", "F")]
    return dev, write(tmp_path, "dev.gold", gold[0]), test, write(tmp_path, "test.gold", gold[1])


def test_defects_1_and_4_the_test_part_has_its_own_candidates_and_takes_the_cut_of_dev(judged):
    dev, dev_gold, test, gold = judged
    applied = score_files("bucc", gold, test, cut=Cut(gold=dev_gold, predictions=dev))
    assert applied.values == pytest.approx(
        {"threshold": 1.25, "f1": 50.0, "precision": 100.0, "recall": 100 / 3, "num_examples": 3}
    )
    assert applied.notes == ()
    tuned = score_files("bucc", gold, test, cut=Cut())
    assert tuned.values["f1"] == 100.0 and "upper bound" in tuned.notes[0]


def test_defect_2_a_threshold_that_is_given_is_the_one_that_is_used(judged):
    _, _, test, gold = judged
    assert score_files("bucc", gold, test, cut=Cut(threshold=1.15)).values["recall"] == pytest.approx(200 / 3)
    assert score_files("bucc", gold, test).values["f1"] == 100.0, "scored candidates, all of them"


def test_defect_3_ids_of_the_target_side_are_those_of_its_own_language():
    mined = mine({"de-1": "x", "de-2": "y"}, {"en-1": "X", "en-2": "V", "en-3": "Y"}, A, B, Mining(k=2))
    assert set(mined.ids) == {("de-1", "en-1"), ("de-2", "en-3")}


def test_defect_5_the_best_cut_may_be_after_the_last_candidate():
    assert best_cut(np.array([2.0, 1.0]), np.array([True, True]), 2) == 1.0


def test_defect_6_forward_and_backward_run_and_differ():
    found = {way: margin_pairs(*neighbours(), "ratio", way)[0].tolist() for way in ("forward", "backward")}
    assert len(found["forward"]) == 2 and len(found["backward"]) == 3


def test_pooling_and_layer_are_what_is_asked_for(tiny_lab, tmp_path):
    """`--pool_type` was ignored by the first public scripts."""
    from tasksearch.study.embedding import embed_file

    (tmp_path / "t.txt").write_text("a\nb a\na b b\n")
    made = {
        (pooling, layer): np.load(embed_file(
            tmp_path / "t.txt", tmp_path / "v.npy", model=tiny_lab.model, pooling=pooling, layers=(layer,)
        ).files[layer])
        for pooling in ("mean", "mean-content", "cls") for layer in (0, 1)
    }  # fmt: skip
    tables = list(made.values())
    assert all(not np.allclose(a, b) for i, a in enumerate(tables) for b in tables[i + 1 :])
    assert np.allclose(np.linalg.norm(unit_vectors(tables[0], centering=False), axis=1), 1)
