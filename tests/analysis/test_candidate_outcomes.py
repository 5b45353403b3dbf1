"""An arm's cells are worked out together, and give what each cell gives alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.analysis.candidate_outcomes import CandidateOutcomes, linearised, score_of
from tasksearch.analysis.clustering import Documents, freedom
from tasksearch.analysis.evidence import Reader, candidate_outcomes_of
from tasksearch.analysis.influence import Influence
from tasksearch.analysis.run_outcomes import RunOutcomes
from tasksearch.core.errors import BadInput

TARGETS, LANGUAGES = ("nli", "qa", "tag"), ("am", "sw", "yo")


@st.composite
def arms(draw):
    """An arm, its cells of a few sizes and its documents known for some targets; and weights of some cells."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    cells = [(target, language) for target in TARGETS for language in LANGUAGES]
    sizes = {cell: draw(st.sampled_from((4, 9))) for cell in cells}
    seeds = [{cell: rng.integers(0, 3, (size, 2)).astype(np.float32) for cell, size in sizes.items()} for _ in range(3)]
    known = draw(st.sets(st.sampled_from(TARGETS)))
    numbers = {cell: rng.integers(0, 6, size) for cell, size in sizes.items() if cell[0] in known}
    chosen = draw(st.lists(st.sampled_from(cells), min_size=1, unique=True))
    weights = {cell: draw(st.sampled_from((0.0, 0.25, -1.0, 2.0))) for cell in chosen}
    return CandidateOutcomes(seeds=tuple(seeds), documents=Documents(numbers), fixed=frozenset({"tag"})), weights


@settings(deadline=None)
@given(arms())
def test_cells_together_are_what_each_is_alone(drawn):
    arm, weights = drawn
    used = {cell: weight for cell, weight in weights.items() if weight}
    if not used:
        return
    scores, blocks, masses = 0.0, {}, {}
    for cell, place in arm.places(used).items():
        name = (cell[0], place.count, place.index is not None)
        scores = scores + used[cell] * np.array([score_of(seed[cell]) for seed in arm.seeds])
        influence = place.summed(np.stack([linearised(seed[cell]) for seed in arm.seeds]))
        blocks[name] = blocks.get(name, 0.0) + used[cell] * influence
        masses[name] = masses.get(name, 0.0) + abs(used[cell]) * place.share
    found = Influence.of(arm, weights)
    assert np.array_equal(found.scores, scores)
    assert found.blocks.keys() == blocks.keys() == set(found.names)
    assert all(np.allclose(found.blocks[name], blocks[name]) for name in blocks)
    assert found.freedom == pytest.approx({name: freedom(mass) for name, mass in masses.items()})
    assert found.documents == {name: int((mass > 0).sum()) for name, mass in masses.items() if name[2]}
    assert found.trained == {cell[0] for cell in used} - {"tag"}
    assert sorted(found.examples) == sorted(len(arm.seeds[0][cell]) for cell in used)


def test_a_cell_that_a_seed_lacks_or_has_in_another_size_is_told():
    one, two = np.ones((5, 2)), np.ones((6, 2))
    arm = CandidateOutcomes(
        seeds=({("nli", "sw"): one, ("nli", "yo"): one, ("qa", "sw"): one}, {("nli", "sw"): two, ("qa", "sw"): one})
    )
    assert Influence.of(arm, {("qa", "sw"): 1.0}).seeds == 2
    with pytest.raises(BadInput, match="no outcomes of nli in 'yo' for one of the seeds"):
        Influence.of(arm, {("nli", "yo"): 1.0})
    with pytest.raises(BadInput, match=r"outcomes of nli in 'sw' have shapes \[\(5, 2\), \(6, 2\)\]"):
        Influence.of(arm, {("nli", "sw"): 1.0})


def test_outcomes_of_no_shape_for_a_score_are_refused_where_they_are_asked_for():
    arm = CandidateOutcomes(seeds=({("nli", "sw"): np.ones((5, 3)), ("qa", "sw"): np.ones((5, 2))},))
    assert Influence.of(arm, {("qa", "sw"): 1.0}).scores == [100.0]
    with pytest.raises(BadInput, match="shapes"):
        Influence.of(arm, {("nli", "sw"): 1.0})
    with pytest.raises(BadInput, match="shape"):
        RunOutcomes(arm.seeds[0]).scores()


def test_a_trial_is_read_once_for_all_arms_that_hold_it(toy):
    cells = {("nli", "sw"): 50.0}
    records = [toy.record(n, seed=n, scores=toy.table(cells) + toy.table(cells, half="report")) for n in range(3)]
    read = []

    def outcomes(number):
        read.append(number)
        return {("nli", "sw", "report"): np.array([[1, 1], [0, 1]], dtype=np.float32)}

    reader = Reader(outcomes)
    first, second = candidate_outcomes_of(records, reader), candidate_outcomes_of(records[1:], reader)
    assert read == [0, 1, 2] and second.seeds[0] is first.seeds[1]
    assert Reader.of(reader) is reader
