from scipy import stats

from tasksearch.analysis.many_rows import standing
from tasksearch.results.estimate import Estimate


def gain(chance, df=10.0):
    """A gain whose two-sided test has this p-value."""
    ratio, reach = stats.t.isf(chance / 2, df), stats.t.isf(0.025, df)
    return Estimate(value=ratio, low=ratio - reach, high=ratio + reach, seed_error=1, example_error=0, df=df, noise_df=9,
                    seeds=3, examples=100)  # fmt: skip


def test_it_is_the_step_up_procedure():
    chances = [0.001, 0.012, 0.03, 0.04, 0.5]
    wanted = stats.false_discovery_control(chances) <= 0.05
    assert standing([gain(chance) for chance in chances], 0.95) == tuple(wanted)


def test_without_an_interval_nothing_stands():
    none = Estimate(value=9, low=None, high=None, seed_error=1, example_error=0, df=1, noise_df=1, seeds=2, examples=100)
    assert standing([none, gain(1e-6)], 0.95) == (False, True)
    assert standing([none], 0.95) == (False,)
