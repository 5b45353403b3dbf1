"""`tasksearch tasks`, `languages` and `data check`."""

import gzip
import json
import shutil

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import DataMissing


def said(*arguments, code=0):
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_tasks_lists_every_card_with_what_it_needs_and_its_limits():
    rows = {row["name"]: row for row in said("tasks", "--suite", "lowres")["tasks"]}
    assert len(rows) == 24
    assert "training data" in rows["afrisenti"]["needs"]
    assert "DATE counts as O" in rows["masakhaner1"]["note"]
    assert rows["masakhaner1"]["non_commercial"]
    assert "sw" in rows["tatoeba"]["languages"]
    assert "yo" in rows["udpos"]["cut_by_document"]
    assert CliRunner().invoke(app, ["tasks"]).exit_code == 0


def test_languages_says_what_is_not_known():
    rows = {row["code"]: row for row in said("languages")["languages"]}
    assert rows["sw"]["other_codes"] == ["swh", "swa"]
    assert rows["nn"]["cc100_gib"] is None and rows["am"]["groups"] == ["low", "low+"]
    assert rows["yo"] | {"family": ""} == {
        "code": "yo", "name": "Yoruba", "other_codes": ["yor"], "script": "Latn", "family": "", "xlm_r_saw_it": False,
        "cc100_gib": 0.0, "groups": ["low", "low+", "unseen"],
    }  # fmt: skip
    assert "sw" not in {row["code"] for row in said("languages", "--group", "unseen")["languages"]}


@pytest.fixture
def part(shared_data, tmp_path):
    """A copy of what tydiqa reads in two languages, so that it can be spoilt."""
    folder = tmp_path / "eval" / "tydiqa_goldp"
    folder.mkdir(parents=True)
    for name in ("english.train", "english.dev", "swahili.dev"):
        shutil.copy(shared_data / "eval/tydiqa_goldp" / f"{name}.jsonl.gz", folder)
    return tmp_path


CHECK = ("data", "check", "--suite", "lowres", "--target", "tydiqa", "--language", "swh", "--language", "en")


def test_data_that_is_there_is_counted_by_split_and_half(part):
    found = said(*CHECK, "--data", str(part))
    assert found["ok"]
    rows = {(row["language"], row["training"]): row for row in found["rows"]}
    assert rows["en", True]["found"] == rows["en", True]["expected"] == 3696
    swahili = rows["sw", False]
    assert (swahili["found"], swahili["selects"] + swahili["reports"]) == (499, 499)
    assert swahili["truncated"] is None
    assert found["licences"] == {"tydiqa": "Apache-2.0"}


def test_a_tokenizer_says_what_is_too_long(part, tiny_lab):
    arguments = (*CHECK, "--data", str(part), "--model", str(tiny_lab.model))
    long, short = (said(*arguments, "--max-length", str(n))["rows"][0]["truncated"] for n in (2000, 60))
    assert 0 <= long < short <= 1


def test_a_missing_file_is_named_and_ends_with_another_code(part):
    (part / "eval/tydiqa_goldp/swahili.dev.jsonl.gz").unlink()
    found = said(*CHECK, "--data", str(part), code=2)
    assert not found["ok"]
    (problem,) = [row["problem"] for row in found["rows"] if row["language"] == "sw"]
    assert problem.startswith(f"{part}/eval/tydiqa_goldp/swahili.dev.jsonl.gz, nor {part}/tydiqa/")
    output = CliRunner().invoke(app, [*CHECK, "--data", str(part)]).output
    assert "MISSING tydiqa: dev of sw. To get: " in output
    assert f"to fetch what is missing: tasksearch data get --suite lowres --data {part}" in output


def test_a_bad_line_is_named_or_passed_over_and_told(part):
    path = part / "eval/tydiqa_goldp/swahili.dev.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    path.write_bytes(gzip.compress(b"\n".join([lines[0], b'{"id": 1}', *lines[2:]])))
    row = next(row for row in said(*CHECK, "--data", str(part), code=2)["rows"] if row["language"] == "sw")
    assert f"{path}:2: field 'question' is missing" in row["problem"]
    row = next(row for row in said(*CHECK, "--data", str(part), "--skip-bad", "1")["rows"] if row["language"] == "sw")
    assert (row["skipped"], row["found"], row["problem"]) == (1, 498, "")


def test_a_short_file_is_not_what_the_card_expects(part):
    path = part / "eval/tydiqa_goldp/swahili.dev.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(gzip.decompress(path.read_bytes()).split(b"\n")[:150])))
    row = next(row for row in said(*CHECK, "--data", str(part), code=2)["rows"] if row["language"] == "sw")
    assert row["problem"] == "150 examples, 499 expected"


def test_a_task_that_needs_something_is_told_and_spoils_nothing(shared_data):
    found = said("data", "check", "--suite", "lowres", "--target", "afrisenti", "--language", "sw", "--data", str(shared_data))
    assert found["ok"]
    assert "needs English training data" in found["rows"][0]["problem"]


def test_without_a_folder_both_ways_to_give_one_are_named(monkeypatch):
    monkeypatch.delenv("TASKSEARCH_DATA", raising=False)
    result = CliRunner().invoke(app, list(CHECK))
    assert isinstance(result.exception, DataMissing)
    assert "--data DIR, or set TASKSEARCH_DATA" in str(result.exception)


def test_a_suites_own_file_is_listed_and_checked_as_the_package_is(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[languages.qqa]\nname = "Quqa"\ngib = 0.1\n[[task]]\nname = "t"\nkind = "sentence"\nlabels = ["no", "yes"]\n'
        'languages = ["en", "qqa"]\nfiles = "{language}.{split}.csv"\nfewest = 1\n'
    )
    (row,) = said("tasks", "--suite", str(path))["tasks"]
    assert (row["suite"], row["name"], row["languages"]) == ("mine", "t", ["en", "qqa"])
    (language,) = [
        row for row in said("languages", "--suite", str(path), "--group", "low")["languages"] if row["code"] == "qqa"
    ]
    assert (language["name"], language["cc100_gib"]) == ("Quqa", 0.1)
    assert "qqa.dev.csv" in "".join(row["problem"] for row in said("data", "check", "--suite", str(path), code=2)["rows"])
    for name in ("en.train", "en.dev", "en.test", "qqa.dev", "qqa.test"):
        (tmp_path / f"{name}.csv").write_text("a,label\n" + "".join(f"{name} {n},{('no', 'yes')[n % 2]}\n" for n in range(6)))
    told = said("data", "check", "--suite", str(path))
    assert told["ok"] and {row["found"] for row in told["rows"]} == {6}
