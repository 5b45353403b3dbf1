"""What `write_lab` leaves on the disk."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from tasksearch.core.errors import BadInput, DiskFull
from tasksearch.lab import LabRecipe, write_lab
from tasksearch.lab import write as writing

SMALL = LabRecipe(
    document_unit=100,
    parallel_unit=100,
    intermediate_train=40,
    intermediate_dev=10,
    target_train=20,
    target_dev=10,
    target_test=10,
    pool=12,
)


def bytes_of(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files") / "lab"
    write_lab(SMALL, root)
    return root


def test_the_same_recipe_gives_the_same_bytes(lab: Path, tmp_path: Path) -> None:
    write_lab(SMALL, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(lab)


def test_another_world_seed_gives_other_words(lab: Path, tmp_path: Path) -> None:
    write_lab(LabRecipe(**SMALL.to_json() | {"world_seed": 1}), tmp_path / "other")
    other, same = bytes_of(tmp_path / "other"), bytes_of(lab)
    assert other.keys() == same.keys()
    assert all(other[name] != same[name] for name in same if name != "tokenizer/tokenizer_config.json")


def test_the_packed_headers_hold_no_time_and_no_name(lab: Path) -> None:
    header = (lab / "nli" / "en.train.jsonl.gz").read_bytes()[:10]
    assert header[4:8] == b"\0\0\0\0"
    assert not header[3] & 8


def test_every_file_has_as_many_rows_as_the_recipe_says(lab: Path) -> None:
    assert len(rows(lab / "entail" / "en.train.jsonl.gz")) == 40
    assert len(rows(lab / "topic" / "lowfar.test.jsonl.gz")) == 10
    assert len(rows(lab / "retrieval" / "sov.dev.jsonl.gz")) == 12
    assert len(rows(lab / "corpus" / "near2.jsonl.gz")) == 80
    assert len(rows(lab / "parallel" / "lowfar.jsonl.gz")) == 3
    assert not (lab / "parallel" / "en.jsonl.gz").exists()


def test_lab_json_names_the_recipe(lab: Path) -> None:
    card = json.loads((lab / "lab.json").read_text())
    assert LabRecipe.from_json(card["recipe"]) == SMALL
    assert card["signature"] == SMALL.signature


def test_a_folder_that_holds_the_recipe_is_left_as_it_is(lab: Path) -> None:
    before = (lab / "lab.json").stat().st_mtime_ns
    write_lab(SMALL, lab)
    assert (lab / "lab.json").stat().st_mtime_ns == before


def test_a_folder_that_holds_another_recipe_is_refused(lab: Path) -> None:
    with pytest.raises(BadInput, match="is the lab"):
        write_lab(LabRecipe(**SMALL.to_json() | {"world_seed": 3}), lab)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match="is not a lab"):
        write_lab(SMALL, tmp_path / "lab")
    assert (tmp_path / "lab" / "thesis.tex").read_text() == "years of work"


def test_a_writer_that_dies_leaves_nothing_under_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_tokenizer", fail)
    with pytest.raises(DiskFull, match="no room left"):
        write_lab(SMALL, tmp_path / "lab")
    assert list(tmp_path.iterdir()) == []


def test_of_two_writers_the_later_keeps_what_the_first_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, write_all = tmp_path / "lab", writing._write_all

    def overtaken(recipe: LabRecipe, fresh: Path) -> None:
        monkeypatch.setattr(writing, "_write_all", write_all)
        write_lab(recipe, root)
        write_all(recipe, fresh)

    monkeypatch.setattr(writing, "_write_all", overtaken)
    write_lab(SMALL, root)
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]
    assert (root / "lab.json").exists()


@pytest.mark.parametrize(("field", "value"), [("pool", 301), ("target_train", 0), ("world_seed", -1), ("document_unit", 1.5)])
def test_a_recipe_that_cannot_be_written_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=field):
        LabRecipe(**SMALL.to_json() | {field: value})


def test_every_field_of_the_recipe_enters_the_signature() -> None:
    signatures = {LabRecipe(**SMALL.to_json() | {name: value * 3 + 3}).signature for name, value in SMALL.to_json().items()}
    assert len(signatures | {SMALL.signature}) == len(SMALL.to_json()) + 1
