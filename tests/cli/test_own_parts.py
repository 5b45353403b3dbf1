"""One study made of a user's own parts: suite, sampler, picker and encoder by file; resumed, read and exported without them."""

import json
import random
import shutil
import subprocess
import sys

import pytest

from tasksearch.core.own_files import look_in
from tasksearch.models.encoder import load_pretrained
from tasksearch.records.ledger import Ledger

SUITE = """
name = "moods"
extends = "lab"
only = ["restate", "marks"]
[languages.qqa]
name = "Quqa"
gib = 0.1
[[task]]
name = "mood"
kind = "multilabel"
labels = ["glad", "sad", "cross"]
languages = ["en", "near1", "qqa"]
files = "mood/{language}.{split}.tsv"
columns = { a = "text", labels = "moods", document = "page" }
metric = "macro_f1"
fewest = 10
licence = "CC0-1.0"
settings = { steps = 3 }
"""
PARTS = """
import optuna

from tasksearch.models.families.roberta import XlmR


class Mine(XlmR):
    pass


def sampler():
    return optuna.samplers.RandomSampler()


def worst(shown):
    return -shown.gains
"""


def tasksearch(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "tasksearch", *arguments], capture_output=True, text=True, cwd=cwd, timeout=400, check=False
    )


def write_data(folder):
    words, draw = ["bako", "tiru", "mesa", "lopi", "zenu", "rada", "fiko", "wona"], random.Random(0)
    for language in ("en", "near1", "qqa"):
        for split, count in (("train", 60), ("dev", 20), ("test", 20)):
            rows = []
            for n in range(count):
                moods = [m for m in ("glad", "sad", "cross") if draw.random() < 0.4]
                text = " ".join(draw.choices(words, k=9)) + f" {language} {split} {n}"
                rows.append("\t".join((text, "|".join(moods), f"p{n // 2}")))
            path = folder / "mood" / f"{language}.{split}.tsv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("\n".join(("text\tmoods\tpage", *rows)) + "\n")


ARGUMENTS = [
    "run", "--suite", "mine.toml", "--sampler", "parts.py:sampler", "--picker", "parts.py:worst", "--trials", "6",
    "--encoder", "parts.py:Mine",
    "--baseline-seeds", "3", "--leaders", "2", "--leader-seeds", "1", "--most-seeds", "1", "--controls", "none", "--steps", "8",
    "--language", "near1", "--language", "qqa", "--concurrency", "1",
    "--out", "study", "--json",
]  # fmt: skip


@pytest.fixture(scope="module")
def study(tiny_lab, tmp_path_factory):
    home = tmp_path_factory.mktemp("own")
    (home / "mine.toml").write_text(SUITE)
    (home / "parts.py").write_text(PARTS)
    write_data(home)
    places = ["--model", str(tiny_lab.model), "--data", str(tiny_lab.data)]
    done = tasksearch(*ARGUMENTS, *places, cwd=home)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout), places


def test_a_study_of_the_users_own_parts_runs_and_keeps_them(study, tiny_lab):
    home, said, _ = study
    config = Ledger(home / "study").config()
    look_in(home / "study" / "files")
    assert config.suite.startswith("moods@") and config.sampler.startswith("parts.py:sampler@")
    plain, own = (load_pretrained(str(tiny_lab.model), name).fingerprint for name in ("", config.encoder))
    assert {dict(r.facts)["model"] for r in Ledger(home / "study").records()} == {own} != {plain}
    assert said["summary"]["failed"] == 0 and said["summary"]["done"] == 8
    assert said["reproducible"] is False
    kept = sorted(path.name for path in (home / "study" / "files").glob("*/*") if path.name != "file.json")
    assert kept == ["mine.toml", "parts.py"]
    cells = {(s.target, s.language) for r in Ledger(home / "study").records() for s in r.scores}
    assert cells == {("mood", "en"), ("mood", "near1"), ("mood", "qqa")}


def test_it_is_read_resumed_reported_and_exported_after_the_files_are_gone(study):
    home, said, _ = study
    away = home / "away"
    away.mkdir()
    for name in ("mine.toml", "parts.py"):
        shutil.move(home / name, away / name)
    try:
        again = tasksearch("resume", "study", "--json", cwd=home)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["verdict"] == said["verdict"]
        worst = json.loads(tasksearch("best", "study", "--json", cwd=home).stdout)
        assert worst == said["verdict"]
        report = tasksearch("report", "study", cwd=home)
        assert report.returncode == 0, report.stderr
        page = next((home / "study").rglob("*.html")).read_text()
        assert "takes no seed" in page and "parts.py:sampler" in page and f"{home}/mine.toml" in page
        best = Ledger(home / "study").records()[-1].plan.schedule
        from tasksearch.records.mix_file import schedule_toml

        (home / "mix.toml").write_text(schedule_toml(best))
        made = tasksearch("train", "--mix", "mix.toml", "--study", "study", "--target", "mood", "--features", "cls", "--out",
                          "model", cwd=home)  # fmt: skip
        assert made.returncode == 0, made.stderr
        config = json.loads((home / "model" / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification"
        assert config["id2label"] == {"0": "glad", "1": "sad", "2": "cross"}
        ask = [sys.executable, "model/example.py", "bako tiru"]
        asked = subprocess.run(ask, capture_output=True, text=True, cwd=home, check=True)
        assert set(asked.stdout.split()) <= {"glad", "sad", "cross"}
    finally:
        for name in ("mine.toml", "parts.py"):
            shutil.move(away / name, home / name)


def test_a_changed_file_is_refused_in_one_line(study):
    home, _, places = study
    (home / "mine.toml").write_text(SUITE + "note = 'changed'\n")
    done = tasksearch(*ARGUMENTS, *places, cwd=home)
    (home / "mine.toml").write_text(SUITE)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "its suite" in done.stderr and "mine.toml has changed since" in done.stderr and done.stderr.count("\n") == 1
    (kept,) = (home / "study" / "files").glob("*/mine.toml")
    text = kept.read_text()
    kept.write_text(text + "# later\n")
    done = tasksearch("resume", "study", cwd=home)
    kept.write_text(text)
    assert done.returncode == 2 and "was changed after the study began" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
