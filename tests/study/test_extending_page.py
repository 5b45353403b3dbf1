"""The examples of docs/extending.md are run: each is a whole file under thirty lines that keeps the contract of its kind."""

import random
import re
import shutil
from pathlib import Path

import pytest

from tasksearch.study.contracts import contract_of

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
EXAMPLES = dict(re.findall(r"^```\w+ file=(\S+)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE))
PARTS = {
    "grid.py": ("grid.py", "search space"),
    "suite.toml": ("suite.toml", "suite"),
    "suite.py": ("suite.py", "suite"),
    "metric.py": ("metric.py:close_enough", "metric"),
    "sampler.py": ("sampler.py:careful", "sampler"),
    "picker.py": ("picker.py:cautious", "picker"),
    "encoder.py": ("encoder.py:DistilBert", "encoder"),
    "trainable.py": ("trainable.py:Told", "trainable"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home, draw = tmp_path_factory.mktemp("page"), random.Random(0)
    for name, text in EXAMPLES.items():
        (home / name).write_text(text)
    for task, columns, languages in (("mood", "text\tmoods\tpage", ("en", "qqa")), ("mood1", "a\tlabel", ("en", "near1"))):
        for language in languages:
            for split in ("train", "dev", "test"):
                rows = [columns]
                for n in range(12):
                    label = draw.choice(["glad|sad", "cross"]) + f"\tp{n}" if task == "mood" else draw.choice(["no", "yes"])
                    rows.append(f"{language} {split} {n}\t{label}")
                path = home / task / f"{language}.{split}.tsv"
                path.parent.mkdir(exist_ok=True)
                path.write_text("\n".join(rows) + "\n")
    return home


def test_every_example_of_the_page_is_tried_and_short():
    assert EXAMPLES.keys() == PARTS.keys()
    assert all(len(text.splitlines()) < 30 for text in EXAMPLES.values())


@pytest.mark.parametrize("name", PARTS)
def test_an_example_keeps_the_contract_of_its_kind(name, folder):
    part, kind = PARTS[name]
    found = contract_of(f"{folder}/{part}")
    assert found.kind == kind and found.requirements
    assert [one for one in found.requirements if not one.kept] == []


BROKEN = {
    "picker.py:cautious": ("return (", "return shown.gains[0] or (", "finite worth of every mix"),
    "metric.py:close_enough": ("np.ones", "np.zeros", "numerator and denominator"),
    "sampler.py:careful": ("return optuna", "optuna", "built from a seed"),
    "encoder.py:DistilBert": ("model.vocab_layer_norm(", "(", "the MLM head on chosen tokens is the model's own"),
    "suite.toml": ('"mood/', '"moo/', "every file is there"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_part_that_breaks_its_contract_is_told_by_the_requirement(part, folder, tmp_path):
    old, new, said = BROKEN[part]
    for name in ("mood", *EXAMPLES):
        place = folder / name
        (shutil.copytree if place.is_dir() else shutil.copy)(place, tmp_path / name)
    file = tmp_path / part.partition(":")[0]
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    broken = [one for one in contract_of(f"{tmp_path}/{part}").requirements if not one.kept]
    assert broken and re.search(said, broken[0].text), broken
