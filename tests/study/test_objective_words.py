"""`--objective`: words become targets, weights and languages; what they leave out counts no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.study import Objective, StudyConfig
from tasksearch.search.objective import Baseline, BaselineCell, objective
from tasksearch.study.objective import read_objective
from tasksearch.study.run import configure
from tasksearch.tasks.lab_suite import lab_suite

SUITE = lab_suite()
TARGETS = tuple(card.name for card in SUITE.targets)


def said(words, targets=TARGETS, languages=SUITE.languages):
    return read_objective(words, SUITE, targets, languages)


@pytest.mark.parametrize(
    ("words", "targets", "languages"),
    [
        ("nli", {"nli": 1.0}, ()),
        ("classification", {"nli": 0.5, "topic": 0.5}, ()),
        ("sov", {}, ("sov",)),
        ("low-resource", {}, ("lowfar", "lownear")),
        ("nli=2,qa=1", {"nli": 2.0, "qa": 1.0}, ()),
        (" tagging , sov, near1 ", {"tag": 1.0}, ("near1", "sov")),
        ("classification=3,nli", {"nli": 2.5, "topic": 1.5}, ()),
        ("en,nli", {"nli": 1.0}, ("en",)),
        ("retrieval,en,near1", {"retrieval": 1.0}, ("en", "near1")),
    ],
)
def test_words_are_targets_weights_and_languages(words, targets, languages):
    assert said(words) == Objective(targets=tuple(sorted(targets.items())), languages=languages)


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        ("nly", UnknownName, "did you mean 'nli'"),
        ("clasification", UnknownName, "did you mean 'classification'"),
        ("sow", UnknownName, "did you mean 'sov'"),
        ("", UnknownName, "no target, group or language of the study ''"),
        ("nli=0", BadInput, "'0' is no weight; expected a positive number"),
        ("nli=much", BadInput, "'much' is no weight"),
        ("nli=nan", BadInput, "'nan' is no weight"),
        ("sov=2", BadInput, "'sov' is a language; expected a weight on a target or a group alone"),
        ("retrieval,en", BadInput, "retrieval is not scored in en; expected some of agglu"),
    ],
)
def test_a_word_that_means_nothing_here_is_one_line(words, error, text):
    with pytest.raises(error, match=text) as caught:
        said(words)
    assert "\n" not in str(caught.value)


def test_a_target_or_language_that_the_study_left_out_is_unknown():
    with pytest.raises(UnknownName, match="nli"):
        said("nli", targets=("tag", "topic"))
    with pytest.raises(UnknownName, match="sov"):
        said("sov", languages=("en", "near1"))


CELLS = [(t, lang) for t in ("nli", "topic", "tag") for lang in ("en", "near1", "sov")]
BASELINE = Baseline(cells={cell: BaselineCell(mean=50.0, deviation=2.0) for cell in CELLS})
gains = st.dictionaries(st.sampled_from(CELLS), st.integers(-20, 20)).map(lambda some: dict.fromkeys(CELLS, 0) | some)


def value(gain, words):
    rows = [
        Score(target=t, language=lang, half="select", metric="m", value=50.0 + 2.0 * g, examples=100, seed=0)
        for (t, lang), g in gain.items()
    ]
    wanted = said(words, targets=("nli", "tag", "topic"), languages=("en", "near1", "sov")) if words else Objective()
    return objective(ScoreTable.of(rows), BASELINE, SUITE.groups, wanted)


def mean(gain, target, languages=("near1", "sov")):
    return sum(gain[target, language] for language in languages) / len(languages)


@given(gains)
def test_the_objective_is_what_the_words_say(gain):
    near = pytest.approx
    assert value(gain, "tag") == near(mean(gain, "tag"))
    assert value(gain, "classification") == near((mean(gain, "nli") + mean(gain, "topic")) / 2)
    assert value(gain, "nli=2,tag=1") == near((2 * mean(gain, "nli") + mean(gain, "tag")) / 3)
    assert value(gain, "tag,sov") == near(gain["tag", "sov"])
    in_sov = {target: gain[target, "sov"] for target in ("nli", "topic", "tag")}
    assert value(gain, "sov") == near(((in_sov["nli"] + in_sov["topic"]) / 2 + in_sov["tag"]) / 2)
    assert value(gain, "classification,tagging") == near(value(gain, None)), "the default, in words"


def test_it_is_kept_with_the_study():
    config = configure(targets=["nli", "tag"], objective="nli=2,tagging=1,sov")
    assert config.objective == Objective(targets=(("nli", 2.0), ("tag", 1.0)), languages=("sov",))
    assert StudyConfig.from_json(config.to_json()).objective == config.objective
    assert configure(targets=["nli"]).objective == Objective()
