"""A world whose intermediate tasks have nothing to learn: same texts, same labels as often, no tie between them."""

import gzip
import json
from collections import Counter

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.lab.recipe import LabRecipe
from tasksearch.lab.write import write_lab
from tasksearch.study.run import configure

SMALL = {"document_unit": 40, "parallel_unit": 20, "intermediate_train": 300, "intermediate_dev": 30,
         "target_train": 12, "target_dev": 6, "target_test": 6, "pool": 6}  # fmt: skip


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    root = tmp_path_factory.mktemp("shuffled")
    for name, shuffled in (("plain", False), ("shuffled", True)):
        write_lab(LabRecipe(**SMALL, shuffled_labels=shuffled), root / name)
    return root / "plain", root / "shuffled"


def test_nothing_but_the_intermediate_tasks_changes(both):
    plain, shuffled = both
    intermediate = {"restate", "entail", "follow", "sort", "find", "senses", "marks", "coin"}
    for path in sorted(plain.rglob("*.jsonl.gz")):
        other = shuffled / path.relative_to(plain)
        same = path.read_bytes() == other.read_bytes()
        assert same == (path.relative_to(plain).parts[0] not in intermediate), path


@pytest.mark.parametrize("task", ["restate", "entail", "follow", "sort", "coin"])
def test_labels_are_as_frequent_as_before_and_stand_elsewhere(both, task):
    before, after = (rows(root / task / "en.train.jsonl.gz") for root in both)
    assert [{k: v for k, v in row.items() if k != "label"} for row in before] == [
        {k: v for k, v in row.items() if k != "label"} for row in after
    ]
    assert Counter(row["label"] for row in before) == Counter(row["label"] for row in after)
    kept = sum(a["label"] == b["label"] for a, b in zip(before, after, strict=True)) / len(before)
    labels = len({row["label"] for row in before})
    assert abs(kept - 1 / labels) < 0.13  # 300 rows: four standard errors and more


@pytest.mark.parametrize("task", ["senses", "marks"])
def test_tags_are_dealt_among_all_words(both, task):
    before, after = (rows(root / task / "en.train.jsonl.gz") for root in both)
    assert [row["words"] for row in before] == [row["words"] for row in after]
    flat = [[tag for row in part for tag in row["tags"]] for part in (before, after)]
    assert Counter(flat[0]) == Counter(flat[1])
    assert sum(a == b for a, b in zip(*flat, strict=True)) / len(flat[0]) < 0.4


def test_an_answer_is_still_a_word_of_its_context(both):
    before, after = (rows(root / "find" / "en.train.jsonl.gz") for root in both)
    for row in after:
        (answer,) = row["answers"]
        assert row["context"][answer["start"] :].startswith(answer["text"]) and answer["text"] in row["context"].split(" ")
    assert sum(a["answers"] == b["answers"] for a, b in zip(before, after, strict=True)) < 0.4 * len(before)


def test_the_plain_world_keeps_its_name_and_the_shuffled_one_has_its_own():
    assert LabRecipe().signature == LabRecipe(shuffled_labels=False).signature != LabRecipe(shuffled_labels=True).signature
    assert LabRecipe.from_json(LabRecipe(shuffled_labels=True).to_json()).shuffled_labels


def test_only_the_lab_can_be_shuffled():
    with pytest.raises(BadInput, match="--shuffled-labels with suite 'lowres'"):
        configure(suite="lowres", shuffled_labels=True, model="x", data=".")
    config = configure(shuffled_labels=True)
    assert config.name == "joint_vs_seq-lab-shuffled-seed0" and dict(config.suite_options)["shuffled_labels"] is True
