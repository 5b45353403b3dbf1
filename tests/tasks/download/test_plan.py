"""What is published against what the cards read: every card of every suite, and nothing without a reader."""

import re
from pathlib import Path

import pytest

from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.download.plan import Table, address_of, copies_of, plan_download
from tasksearch.tasks.download.published import ARCHIVES, Archive, published_files
from tasksearch.tasks.download.transfer import Download, check_address, place_of
from tasksearch.tasks.source import wanted

NOWHERE = Path("/nonexistent")
CARDS = [pytest.param(card, id=f"{name}-{card.name}") for name in ("lowres", "xtreme") for card in load_suite(name).cards]
BY_HAND = {("afrisenti", "en train"), ("ccg", "en train")}


@pytest.mark.parametrize("card", CARDS)
def test_all_that_a_card_reads_can_be_fetched_or_its_words_say_how_it_is_got(card):
    plan = plan_download(NOWHERE, [card], ())
    assert {(task, line) for task, lines in plan.by_hand.items() for line in lines} <= BY_HAND
    assert plan.items or card.how_to_get
    assert all(card.how_to_get or card.needs for task in plan.by_hand)


def test_languages_bound_what_is_fetched_and_english_training_stays():
    plan = plan_download(NOWHERE, [load_suite("lowres").card("tatoeba"), load_suite("lowres").card("xcopa")], ["sw"])
    assert [item.place for item in plan.items] == [
        "tatoeba/tatoeba.swh-eng.swh", "tatoeba/tatoeba.swh-eng.eng", "copa/balanced-copa-dev-all.xml",
        "xcopa/sw/val.sw.jsonl", "xcopa/sw/test.sw.jsonl",
    ]  # fmt: skip


def test_every_published_file_has_a_reader():
    read = set()
    for name in ("lowres", "xtreme"):
        for card in load_suite(name).cards:
            for source, language, split in wanted(card, card.languages):
                for copy in copies_of(card, source, language, split):
                    read |= {item.place if isinstance(item, Download) else item for item in copy}
    unread = {place for place in published_files() if place not in read and "LICENCE" not in place}
    assert not unread
    assert not {archive.file.url for archive in ARCHIVES if archive not in read}


def test_facts_are_of_the_form_that_fetching_needs():
    places = [*published_files().values(), *(archive.file for archive in ARCHIVES)]
    assert len({file.place for file in places}) == len(places)
    assert len({file.url for file in places}) == len(places)
    for file in places:
        check_address(file.url)
        assert file.url.startswith("https://")
        place_of(NOWHERE, file.place)
        assert not file.sha256 or re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert not file.git_blob or re.fullmatch("[0-9a-f]{40}", file.git_blob)
        if "raw.githubusercontent.com" in file.url:
            assert re.search("/[0-9a-f]{40}/", file.url), "a branch is no pin"
            assert file.sha256 or file.git_blob


def test_files_that_are_there_are_not_fetched_and_a_half_unpacked_archive_is(tmp_path):
    card = load_suite("xtreme").card("mlqa")
    plan = plan_download(tmp_path, [card], ["de"])
    (archive,) = [item for item in plan.items if isinstance(item, Archive)]
    for split in ("dev", "test"):
        path = tmp_path / f"mlqa/MLQA_V1/{split}/{split}-context-de-question-de.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    assert archive not in plan_download(tmp_path, [card], ["de"]).items
    (tmp_path / ".downloads").mkdir()
    (tmp_path / archive.file.place).write_bytes(b"not unpacked to its end")
    assert archive in plan_download(tmp_path, [card], ["de"]).items


def test_the_next_copy_stands_in_for_one_that_cannot_be_had():
    card = load_suite("xtreme").card("pawsx")
    (archive,) = plan_download(NOWHERE, [card], ["de"]).items
    tables = plan_download(NOWHERE, [card], ["de"], failed=[archive]).items
    assert all(isinstance(item, Table) for item in tables)
    assert [address_of(item) for item in tables] == [
        "hub: google/xtreme (PAWS-X.en, train)", "hub: google/xtreme (PAWS-X.de, validation)",
        "hub: google/xtreme (PAWS-X.de, test)",
    ]  # fmt: skip
    assert plan_download(NOWHERE, [card], ["de"], failed=[archive, *tables]).by_hand == {
        "pawsx": ("en train", "de dev", "de test")
    }
