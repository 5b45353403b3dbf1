"""`tasksearch data leakage`, and the check that a study makes before it starts."""

import gzip
import json
import sys

import pytest

from tasksearch.cli.app import app, run_app
from tasksearch.core.errors import BadInput
from tasksearch.study import setup
from tasksearch.study.run import configure
from tasksearch.tasks import catalogue
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import lab_settings
from tasksearch.tasks.suite import Suite

LINES = [f"the farmer number {n} sold eight brown cows at the market on sunday" for n in range(20)]


def card(name, role, languages):
    return TaskCard(
        name=name, kind="sentence", role=role, languages=languages, labels=("a", "b"), trains_on=(name,), fewest=1, summary="x"
    )


@pytest.fixture
def leaky(tmp_path, monkeypatch):
    """A suite whose Swahili test set holds three of twenty training sentences, and the folder of its data."""
    suite = Suite(
        name="leaky",
        cards=(card("seen", "intermediate", ("en",)), card("asked", "target", ("en", "sw"))),
        settings=lab_settings(),
        steps=(96,),
    )
    monkeypatch.setitem(catalogue.SUITES, "leaky", lambda: suite)
    catalogue.packaged_suite.cache_clear()
    other = [line.replace("cows", "goats").replace("market", "fair") for line in LINES]
    for name, language, split, texts in (
        ("seen", "en", "train", LINES),
        ("asked", "en", "train", [f"{n} quite different" for n in range(20)]),
        *(("asked", language, split, other) for language in ("en", "sw") for split in ("dev", "test")),
    ):
        kept = [*texts[:17], *LINES[:3]] if (language, split) == ("sw", "test") else texts
        path = tmp_path / name / f"{language}.{split}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps({"a": text, "label": "a"}) + "\n" for text in kept)
    yield tmp_path
    catalogue.packaged_suite.cache_clear()


@pytest.fixture
def leakage(monkeypatch, capsys, leaky):
    def run(*arguments):
        monkeypatch.setattr(
            sys, "argv", ["tasksearch", "data", "leakage", "--suite", "leaky", "--data", str(leaky), *arguments]
        )
        with pytest.raises(SystemExit) as done:
            run_app()
        said = capsys.readouterr()
        return done.value.code or 0, said.out, said.err

    return run


def test_leaking_items_are_named_and_the_exit_code_says_so(leakage):
    code, out, err = leakage("--json")
    (found,) = json.loads(out)["leaks"]
    assert code == 2
    assert (found["task"], found["language"], found["split"], found["exact"], found["items"]) == ("asked", "sw", "test", 3, 20)
    assert found["trained"] == "the training data of seen"
    assert found["shown"][0] == ["18", LINES[0][:57] + "…"]
    assert err.startswith("tasksearch: leakage: asked sw test: 3 of 20 items") and err.count("\n") == 1


def test_allowed_leakage_is_shown_and_the_rest_of_the_suite_has_none(leakage):
    code, out, err = leakage("--allow-leakage")
    assert (code, err) == (0, "")
    assert "15.00" in out
    code, out, _ = leakage("--language", "en")
    assert code == 0
    assert "40 evaluation items" in out and "items of 0 splits found" in out


def test_pretraining_text_is_checked_too_and_what_is_not_there_is_named(leakage, leaky):
    (leaky / "corpus.txt").write_text("\n".join(LINES).replace("cows", "goats").replace("market", "fair"))
    (leaky / "seen" / "en.train.jsonl.gz").unlink()
    code, out, _ = leakage("--language", "en", "--pretraining", str(leaky / "corpus.txt"), "--json")
    said = json.loads(out)
    assert code == 2
    assert {(one["split"], one["exact"]) for one in said["leaks"]} == {("dev", 20), ("test", 20)}
    assert said["absent"] == ["training data of seen"]


def check(leaky, *arguments):
    from typer.testing import CliRunner

    return CliRunner().invoke(app, ["data", "check", "--suite", "leaky", "--data", str(leaky), *arguments])


def test_data_check_shows_leakage_per_task_and_ends_with_another_code_where_a_study_would_be_refused(leaky):
    told = check(leaky)
    assert told.exit_code == 2
    lines = told.output.splitlines()
    assert lines[0].split() == ["task", "lang.", "found", "expected", "select", "report", "long", "%", "leak", "%", "chance"]
    assert max(map(len, lines[:4])) <= 80
    assert next(line.split() for line in lines if line.startswith("asked  ")) == [
        "asked", "2", "80", "–", "3", "40", "–", "15.00", "–",  # the other 37 stand in the test set too
    ]  # fmt: skip
    assert any(line.startswith("LEAKAGE asked sw test: 3 of 20 items stand in the training data of seen") for line in lines)
    said = json.loads(check(leaky, "--json").stdout)
    assert not said["ok"]
    assert [(leak["language"], leak["found"]) for leak in said["leaks"]] == [("sw", 3)]
    assert check(leaky, "--language", "en").exit_code == 0
    assert "leak %: not looked at" in check(leaky, "--no-leakage").output
    assert check(leaky, "--no-leakage").exit_code == 0


def test_what_is_too_long_is_told_at_each_tasks_own_length_or_at_the_one_asked_for(leaky, tiny_lab):
    def lengths(*more):
        rows = json.loads(check(leaky, "--no-leakage", "--model", str(tiny_lab.model), "--json", *more).stdout)["rows"]
        return {row["max_length"] for row in rows}, max(row["truncated"] for row in rows)

    assert lengths() == ({lab_settings().target.max_length}, 0.0)
    assert lengths("--max-length", "9") == ({9}, 1.0)


def test_data_check_looks_at_pretraining_text_too_and_past_a_file_that_cannot_be_read(leaky):
    (leaky / "corpus.txt").write_text("\n".join(LINES).replace("cows", "goats").replace("market", "fair"))
    found = check(leaky, "--language", "en", "--pretraining-text", str(leaky / "corpus.txt"))
    assert found.exit_code == 2
    assert "LEAKAGE asked en dev: 20 of 20 items stand in" in found.output
    (leaky / "asked/en.train.jsonl.gz").write_bytes(b"no gzip")
    broken = check(leaky)
    assert broken.exit_code == 2
    assert "asked en train: " in broken.output and "damaged gzip file" in broken.output
    assert "LEAKAGE" not in broken.output


def test_what_looks_at_training_data_before_a_study_never_holds_it_whole(leaky, tiny_lab, monkeypatch):
    from tasksearch.tasks.source import TaskSource

    monkeypatch.setattr(TaskSource, "training_examples", lambda *_: pytest.fail("a whole training set in memory"))
    assert check(leaky, "--language", "en").exit_code == 0
    config = configure(space="single_task", suite="leaky", model=str(tiny_lab.model), data=str(leaky), languages=["en"])
    assert setup.prepare(config).sizes == {"seen": 20}


def test_a_study_on_leaking_data_does_not_start_unless_told_to(leaky, tiny_lab):
    def prepared(**fields):
        config = configure(space="single_task", suite="leaky", model=str(tiny_lab.model), data=str(leaky), **fields)
        return setup.prepare(config)

    with pytest.raises(BadInput, match="leakage: asked sw test: 3 of 20 items"):
        prepared()
    assert prepared(languages=["en"]).sizes == {"seen": 20}
    assert prepared(allow_leakage=True).sizes == {"seen": 20}
