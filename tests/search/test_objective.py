import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.study import Objective
from tasksearch.search.objective import Baseline, BaselineCell, binomial_error, objective, objective_so_far

GROUPS = {"nli": "classification", "topic": "classification", "tag": "tagging"}
CELLS = {("nli", "en"): 70.0, ("nli", "xx"): 50.0, ("nli", "yy"): 60.0, ("topic", "xx"): 40.0, ("tag", "xx"): 80.0}


def flat(cells, deviation=2.0):
    return Baseline(cells={cell: BaselineCell(mean=mean, deviation=deviation) for cell, mean in cells.items()})


def shifted(toy, **by):
    """CELLS with each target moved by so many points, English by a thousandth part of it."""
    return toy.table({(t, lang): v + by.get(t, 0.0) * (0.001 if lang == "en" else 1) for (t, lang), v in CELLS.items()})


def test_the_baseline_is_the_mean_and_the_sample_deviation_of_its_seeds(toy):
    records = [toy.record(n, scores=toy.table({("nli", "xx"): v}, examples=10**6)) for n, v in enumerate((50.0, 52.0, 57.0))]
    cell = Baseline.of(records).cells["nli", "xx"]
    assert cell.mean == pytest.approx(53.0)
    assert cell.deviation == pytest.approx(math.sqrt(((3**2) + 1 + 4**2) / 2))


def test_a_deviation_is_never_below_the_binomial_error_of_one_score(toy):
    records = [toy.record(n, scores=toy.table({("nli", "xx"): 50.0}, examples=100)) for n in range(3)]
    assert Baseline.of(records).cells["nli", "xx"].deviation == pytest.approx(5.0)


@given(st.floats(0, 100), st.integers(0, 10_000))
def test_the_binomial_error_is_positive_even_for_a_perfect_score(percent, examples):
    assert 0 < binomial_error(percent, examples) <= 50


def test_only_finished_baselines_count_and_fewer_than_three_are_refused(toy):
    table = toy.table({("nli", "xx"): 50.0})
    two = [toy.record(n, scores=table) for n in range(2)]
    others = [toy.record(2, status="failed"), toy.record(3, role="design", scores=table)]
    with pytest.raises(StudyNotReady, match="2 baseline seeds"):
        Baseline.of(two + others)


def test_seeds_scored_in_different_cells_are_refused(toy):
    tables = [toy.table({("nli", "xx"): 50.0})] * 2 + [toy.table({("nli", "yy"): 50.0})]
    with pytest.raises(StudyNotReady, match="different"):
        Baseline.of(toy.record(n, scores=t) for n, t in enumerate(tables))


def test_groups_weigh_equally_whatever_their_number_of_targets_and_languages(toy):
    assert objective(shifted(toy, tag=4.0), flat(CELLS), GROUPS, Objective()) == pytest.approx(
        1.0
    )  # 2 deviations, one group of two
    assert objective(shifted(toy, nli=4.0), flat(CELLS), GROUPS, Objective()) == pytest.approx(0.5)
    assert objective(shifted(toy, nli=4.0, topic=4.0), flat(CELLS), GROUPS, Objective()) == pytest.approx(1.0)


def test_english_counts_only_where_it_is_asked_for(toy):
    table = toy.table({**CELLS, ("nli", "en"): 80.0})
    assert objective(table, flat(CELLS), GROUPS, Objective()) == pytest.approx(0.0)
    assert objective(table, flat(CELLS), GROUPS, Objective(languages=("en",))) == pytest.approx(5.0)


def test_weights_of_targets_replace_the_groups(toy):
    wanted = Objective(targets=(("nli", 3.0), ("tag", 1.0)))
    assert objective(shifted(toy, nli=2.0, tag=6.0, topic=50.0), flat(CELLS), GROUPS, wanted) == pytest.approx(
        (3 * 1 + 1 * 3) / 4
    )


def test_the_reporting_half_is_never_read(toy):
    report = toy.table(dict.fromkeys(CELLS, 99.0), half="report")
    assert objective(shifted(toy) + report, flat(CELLS), GROUPS, Objective()) == pytest.approx(0.0)


@given(st.floats(0.5, 20), st.floats(-30, 30))
def test_the_objective_is_linear_in_the_gain_and_inverse_in_the_deviation(toy, deviation, gain):
    table = toy.table({cell: value + gain for cell, value in CELLS.items()})
    assert objective(table, flat(CELLS, deviation), GROUPS, Objective()) == pytest.approx(gain / deviation)


def test_a_missing_cell_is_named(toy):
    cells = {cell: v for cell, v in CELLS.items() if cell != ("nli", "yy")}
    with pytest.raises(StudyNotReady, match="nli/yy"):
        objective(toy.table(cells), flat(CELLS), GROUPS, Objective())


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (Objective(targets=(("nlii", 1.0),)), "'nlii' was not scored"),
        (Objective(targets=(("nli", 0.0),)), "positive"),
        (Objective(languages=("qq",)), "'qq' was not scored"),
    ],
)
def test_what_cannot_be_averaged_is_refused(toy, wanted, text):
    with pytest.raises(BadInput, match=text):
        objective(toy.table(CELLS), flat(CELLS), GROUPS, wanted)


def test_a_study_of_english_alone_says_so(toy):
    cells = {("nli", "en"): 70.0}
    with pytest.raises(BadInput, match="English"):
        objective(toy.table(cells), flat(cells), GROUPS, Objective())


def test_the_objective_so_far_is_that_of_the_targets_scored(toy):
    part = toy.table({("tag", "xx"): 84.0})
    assert objective_so_far(part, flat(CELLS), GROUPS, Objective()) == pytest.approx(2.0)
    assert objective_so_far(toy.table({}), flat(CELLS), GROUPS, Objective()) is None
    assert objective_so_far(part, flat(CELLS), GROUPS, Objective(targets=(("nli", 1.0),))) is None
    whole = shifted(toy, nli=4.0, tag=1.0)
    assert objective_so_far(whole, flat(CELLS), GROUPS, Objective()) == objective(whole, flat(CELLS), GROUPS, Objective())
