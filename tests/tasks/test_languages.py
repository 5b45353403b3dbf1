"""Language codes both ways, scripts, groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import UnknownName
from tasksearch.tasks.languages import canonical, codes_of, known_languages, language_groups, language_of

PAIRS = [
    ("no", "nb"), ("no", "nob"), ("sw", "swa"), ("sw", "swh"), ("zh", "cmn"), ("zh", "zho"), ("ar", "ara"), ("ar", "arb"),
    ("et", "est"), ("lv", "lav"), ("lv", "lvs"), ("fa", "pes"), ("ms", "zsm"), ("ig", "ibo"), ("yo", "yor"), ("ne", "npi"),
    ("sq", "als"), ("tl", "fil"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "other"), PAIRS)
def test_other_codes_mean_the_same_language_both_ways(code, other):
    assert canonical(other) == code
    assert other in codes_of(code)
    assert codes_of(other)[0] == code


@given(st.sampled_from(sorted(known_languages())))
def test_every_code_of_a_language_leads_to_it(code):
    assert {canonical(other) for other in codes_of(code)} == {code}


@pytest.mark.parametrize(
    ("code", "meant"),
    [("zho_Hans", "zh"), ("zho_Hant", "zh_Hant"), ("zh-Hant", "zh_Hant"), ("arb_Latn", "ar_Latn"), ("kas_Deva", "ks_Deva"),
     ("swh_Latn", "sw"), ("taq_Tfng", "taq_Tfng"), ("sr_Latn", "sr_Latn"), ("srp_Cyrl", "sr")],
)  # fmt: skip
def test_the_usual_script_is_not_written_and_another_is(code, meant):
    assert canonical(code) == meant
    assert canonical(meant) == meant
    assert language_of(meant).script == (meant.partition("_")[2] or language_of(meant).script)


def test_an_unknown_code_names_its_neighbour_and_a_lab_s_language_stays():
    with pytest.raises(UnknownName, match="no language code 'swg2'; did you mean 'swg'"):
        language_of("swg2")
    assert canonical("lowfar") == "lowfar"


def test_xlm_r_saw_ninety_three_languages_of_which_yoruba_is_none():
    assert sum(language.seen is True for language in known_languages().values()) == 93
    assert language_of("yo").gib == 0.0
    assert not language_of("yo").seen
    assert language_of("nn").seen is None


def test_a_size_that_is_not_known_is_no_number_and_puts_no_language_into_a_group():
    assert language_of("am").seen
    assert language_of("am").gib is None
    groups = language_groups(["am", "sw", "ur", "yo", "hi"])
    assert groups == {"low": ("sw", "yo"), "low+": ("sw", "ur", "yo"), "unseen": ("yo",)}


def test_another_script_of_a_language_is_not_what_xlm_r_saw():
    assert language_of("ar_Latn").seen is None
    assert language_of("ar_Latn").gib is None
    assert language_of("zh_Hant").gib == 16.6
