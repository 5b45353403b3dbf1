"""How often each language of a task is drawn: against the exponent, exactly, and fairly within a language."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.training.languages import LanguageSampling
from tasksearch.training.order import draw_items, example_order, shown_of

counts = st.lists(st.integers(1, 400), min_size=1, max_size=6).map(lambda n: tuple((f"l{i}", k) for i, k in enumerate(n)))


@given(counts, st.floats(0, 1))
def test_an_epoch_has_every_language_as_often_as_its_share_says(counts, exponent):
    sampling = LanguageSampling(counts=counts, exponent=exponent)
    quotas, total = sampling.quotas(), sum(n for _, n in counts)
    assert sum(quotas.values()) == total and min(quotas.values()) >= 1
    assert sampling.languages_of(sampling.epoch("mlm", 3, 0)) == quotas
    weights = {language: n**exponent for language, n in counts}
    for language, drawn in quotas.items():
        wanted = total * weights[language] / sum(weights.values())
        assert drawn == 1 or abs(drawn - wanted) <= len(counts)


@given(counts, st.integers(0, 3))
def test_no_text_is_shown_twice_before_all_of_its_language_were_shown_once(counts, seed):
    sampling = LanguageSampling(counts=counts, exponent=0.3)
    shown = np.concatenate([sampling.epoch("mlm", seed, number) for number in range(3)])
    begin = 0
    for _, count in counts:
        own = np.bincount(shown[(shown >= begin) & (shown < begin + count)] - begin, minlength=count)
        assert own.max() - own.min() <= 1
        begin += count


def test_batches_follow_the_exponent_and_without_one_the_sizes():
    sizes = (("en", 6_400), ("sw", 100))
    lengths, shown = np.full(6_500, 9), {}
    for exponent in (None, 0.3, 0.0):
        sampling = LanguageSampling(counts=sizes, exponent=exponent)
        steps = draw_items([(("mlm", 32),)] * 200, {"mlm": lengths}, 32, seed=1, skip={}, sampling={"mlm": sampling})
        shown[exponent] = sampling.languages_of(shown_of(steps, "mlm"))["sw"] / 6_400
    assert shown[None] == pytest.approx(100 / 6_500, rel=0.3)
    assert shown[0.3] == pytest.approx(1 / (1 + 64**0.3), rel=0.05)
    assert shown[0.0] == pytest.approx(0.5, rel=0.05)


@given(counts, st.integers(0, 150), st.integers(0, 150))
def test_a_later_stage_goes_on_where_an_earlier_one_stopped(counts, first, second):
    lengths = np.arange(sum(n for _, n in counts)) % 7
    sampling = LanguageSampling(counts=counts, exponent=0.5)
    whole = example_order("mlm", 0, lengths, 4, first + second, 0, sampling)
    parts = (
        example_order("mlm", 0, lengths, 4, first, 0, sampling),
        example_order("mlm", 0, lengths, 4, second, first, sampling),
    )
    assert (whole == np.concatenate(parts)).all()
