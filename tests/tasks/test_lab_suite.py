"""The lab's cards against the files that the lab writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasksearch.lab import LabRecipe, write_lab
from tasksearch.lab.intermediates import INTERMEDIATES
from tasksearch.lab.languages import LANGUAGES
from tasksearch.lab.targets import TARGETS
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import LAB_LANGUAGES, LAB_LOW_RESOURCE, lab_suite
from tasksearch.tasks.packed import packed_path, read_packed

CARDS = lab_suite().cards


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("suite") / "lab"
    # the full number of items, so that every label shows; the corpus does not matter here
    write_lab(LabRecipe(document_unit=40, parallel_unit=40), root)
    return root


def splits(card: TaskCard) -> list[tuple[str, str]]:
    if card.role == "intermediate":
        return [("en", "train"), ("en", "dev")]
    train = [("en", "train")] if card.trained else []
    return train + [(language, split) for language in card.languages for split in (card.select_split, card.report_split)]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_card_reads_all_its_files(card: TaskCard, root: Path) -> None:
    for language, split in splits(card):
        examples = read_packed(packed_path(root, card, language, split), card)
        assert len(examples) >= 100


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_no_file_stands_beside_those_that_a_card_names(card: TaskCard, root: Path) -> None:
    written = {path.name for path in (root / card.folder).iterdir()}
    assert written == {packed_path(root, card, language, split).name for language, split in splits(card)}


@pytest.mark.parametrize("card", [card for card in CARDS if card.labels], ids=lambda card: card.name)
def test_every_label_of_a_card_occurs_in_training(card: TaskCard, root: Path) -> None:
    examples = read_packed(packed_path(root, card, "en", "train"), card)
    seen = {tag for example in examples for tag in getattr(example, "tags", None) or (example.label,)}  # type: ignore[union-attr]
    assert seen == set(range(len(card.labels)))


def test_the_cards_are_the_tasks_that_the_lab_makes() -> None:
    suite = lab_suite()
    assert {card.name for card in suite.intermediates} == set(INTERMEDIATES)
    assert {card.name for card in suite.targets} == {*TARGETS, "retrieval"}


def test_languages_are_those_of_the_lab_and_the_low_ones_have_the_least_text() -> None:
    assert tuple(language.code for language in LANGUAGES) == LAB_LANGUAGES
    by_size = sorted(LANGUAGES, key=lambda language: language.documents)
    assert {language.code for language in by_size[:2]} == set(LAB_LOW_RESOURCE)


def test_every_kind_of_task_is_there() -> None:
    suite = lab_suite()
    assert {card.kind for card in suite.intermediates} == {"pair", "choice", "span", "tagging"}
    assert {card.group for card in suite.targets} == {"classification", "tagging", "qa", "retrieval"}


def test_lengths_of_the_intermediate_phase_divide_into_eighths() -> None:
    assert all(steps % 8 == 0 for steps in lab_suite().steps)


def test_no_intermediate_task_trains_on_what_a_target_trains_on() -> None:
    suite = lab_suite()
    targets = {source for card in suite.targets for source in card.trains_on}
    assert not targets & {source for card in suite.intermediates for source in card.trains_on}
    assert "generated" in suite.warning
