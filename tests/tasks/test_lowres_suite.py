"""Suite `lowres` against the files of the shared folder, and its cards against each other."""

import pytest

from tasksearch.core.errors import DataMissing
from tasksearch.tasks.catalogue import SUITES, load_suite
from tasksearch.tasks.formats import FORMATS
from tasksearch.tasks.languages import language_of
from tasksearch.tasks.selection_split import evaluation_splits, portions, text_key
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files

SUITE = load_suite("lowres")
EVERY_CARD = [pytest.param(name, card, id=f"{name}-{card.name}") for name in SUITES for card in load_suite(name).cards]


@pytest.mark.parametrize(("suite", "card"), EVERY_CARD)
def test_a_card_says_what_a_reader_must_know(suite, card):
    assert card.summary
    assert card.licence
    assert card.reference
    assert card.trained or not card.trains_on
    assert not card.trained or card.trains_on
    assert len(set(card.languages)) == len(card.languages)
    assert set(card.one_split) <= set(card.languages)
    for source in (card.source, *card.train_sources):
        if isinstance(source, Files):
            assert source.format in FORMATS


@pytest.mark.parametrize("card", SUITE.cards, ids=lambda card: card.name)
def test_languages_are_known_and_every_count_is_of_one(card):
    assert all(language_of(language).code == language for language in card.languages)
    counted = {(language, split) for language, split, _ in card.expected}
    if card.role == "target":
        assert {(lang, split) for lang in card.languages for split in evaluation_splits(card, lang)} <= counted
    else:
        assert ("en", card.train_split) in counted


def test_same_data_follows_from_what_cards_train_on():
    assert {("mnli", "xnli"), ("copa", "xcopa"), ("tydiqa_en", "xquad"), ("udpos_en", "masakhapos")} <= set(SUITE.same_data)
    assert ("mnli", "tydiqa") not in SUITE.same_data


def test_a_first_run_is_bounded_and_can_run():
    assert set(SUITE.first_targets) == {"tatoeba", "tydiqa", "udpos", "xnli"}
    assert set(SUITE.first_tasks) == {"codah", "mnli", "mrpc", "qamr"}
    assert "en" in SUITE.first_languages
    assert len(SUITE.first_languages) < 35
    assert not any(SUITE.card(target).needs for target in SUITE.first_targets)


def test_groups_hold_the_paper_s_small_languages():
    low = set(SUITE.language_groups["low"])
    assert {"af", "eu", "jv", "mr", "my", "sw", "te", "tl", "yo"} <= low
    assert "ur" not in low
    assert "ur" in SUITE.language_groups["low+"]
    assert "hi" not in SUITE.language_groups["low+"]
    assert "yo" in SUITE.language_groups["unseen"]
    assert "sw" not in SUITE.language_groups["unseen"]


# ---- over the real files


@pytest.fixture(scope="module")
def source(shared_data):
    return TaskSource(shared_data, None)


def some(languages, count=6):
    """A few languages of a card, spread over its list; `en` and single-split ones stand at random places."""
    return languages[:: max(1, len(languages) // count)]


@pytest.mark.parametrize("card", [card for card in SUITE.cards if not card.needs], ids=lambda card: card.name)
def test_the_files_hold_what_the_card_counts(card, source):
    expected = {(language, split): count for language, split, count in card.expected}
    if card.train_sources:
        trained = {tuple(getattr(e, "tags", None) or (getattr(e, "label", None),)) for e in source.training_examples(card)}
        assert source.training_size(card) == expected.get(("en", card.train_split), source.training_size(card))
        if card.labels:
            assert {label for labels in trained for label in labels} == set(range(len(card.labels)))
    if card.role == "target":
        for language in {*some(card.languages), *some(card.one_split, 2)}:
            for split in evaluation_splits(card, language):
                assert len(source.split(card, language, split)) == expected[language, split], (language, split)


@pytest.mark.parametrize("card", [card for card in SUITE.targets if not card.needs], ids=lambda card: card.name)
def test_no_example_selects_and_reports(card, source):
    for language in {*some(card.languages, 3), *some(card.one_split, 2)}:
        texts = {"select": set(), "report": set()}
        for portion in source.portions(card, language):
            for half, rows in portion.rows.items():
                texts[half] |= {text_key(portion.examples[int(row)]) for row in rows}
        assert not texts["select"] & texts["report"]
        assert texts["report"]


def test_copa_items_that_xcopa_translated_never_train(source):
    trained = {int(e.document) for e in source.training_examples(SUITE.card("copa"))}
    assert trained == set(range(1, 401))
    assert source.training_examples(SUITE.card("xcopa")) == source.training_examples(SUITE.card("copa"))
    assert {int(e.document) for e in source.split(SUITE.card("copa"), "en", "dev")} == set(range(401, 501))


def test_dates_count_as_nothing_in_named_entities(source):
    card = SUITE.card("masakhaner1")
    assert card.labels == SUITE.card("uner").labels
    assert "DATE" in card.note


def test_parallel_questions_have_one_half_in_every_language(source):
    card = SUITE.card("xquad")
    halves = []
    for language in ("hi", "th"):
        (portion,) = source.portions(card, language)
        halves.append({half: [portion.examples[int(row)].id for row in rows] for half, rows in portion.rows.items()})
    assert halves[0] == halves[1]


def test_languages_below_a_hundred_examples_are_only_reported(source):
    card = SUITE.card("udpos")
    alone = {lang: {h for part in source.portions(card, lang) for h in part.rows} for lang in ("mr", "tl", "yo", "sw")[:3]}
    assert alone == {"mr": {"report"}, "tl": {"report"}, "yo": {"select", "report"}}


def test_answers_of_scattered_tokens_are_left_out_and_counted(source):
    source.training_examples(SUITE.card("qamr"))
    assert source.left_out["qamr en test"] == (("answers of scattered tokens", 18770 - 18304),)


def test_a_target_without_english_training_data_says_what_it_needs(source):
    card = SUITE.card("afrisenti")
    assert "training data" in card.needs
    with pytest.raises(DataMissing, match=r"afrisenti.en.train.jsonl is missing"):
        source.training_examples(card)


def test_tatoeba_s_pool_is_whole_under_a_cap(source):
    card = SUITE.card("tatoeba")
    (portion,) = portions(card, "sw", {"test": source.split(card, "sw", "test")}, cap=20)
    assert len(portion.examples) == 390
    assert {half: len(rows) for half, rows in portion.rows.items()} == {"select": 20, "report": 20}
