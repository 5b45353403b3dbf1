"""The recorded study of real languages that comes with the project: small, without weights or places, judged by its records."""

import shutil
from pathlib import Path

import pytest

from tasksearch.core.told_apart import any_before
from tasksearch.records.ledger import Ledger
from tasksearch.study.best import best_of

RECORD = Path(__file__).parents[2] / "benchmarks/data/real_study"
pytestmark = pytest.mark.skipif(not RECORD.is_dir(), reason="the recorded study is in the repository, not in the wheel")


def test_it_is_small_and_names_no_place():
    files = [path for path in RECORD.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6 * 2**20
    assert not any(any(place in path.read_bytes() for place in (b"/work/", b"/root/", b"/tmp/")) for path in files)
    config = Ledger(RECORD).config()
    assert (config.preset, config.space.learning_rates) == ("small", (2e-5, 2e-4)) and len(config.languages) == 9


def test_its_verdict_is_made_from_the_records_alone(tmp_path):
    folder = shutil.copytree(RECORD, tmp_path / "real")
    records = [record for record in Ledger(folder).records() if record.status == "done"]
    roles = {record.role for record in records}
    assert roles >= {"baseline", "design", "pair", "finalist", "control"} and len(records) >= 20
    verdict = best_of(folder)
    assert {choice.name for choice in verdict.choices} >= {"sw", "yo", "ha", "ig", "te", "hi", "ar", "th"}
    gains = {choice.name: choice.gain for choice in verdict.choices}
    assert {name for name, gain in gains.items() if gain.low is None} == {"yo", "unseen"}, "61 sentences of Yoruba's tags"
    assert gains["all"].low < 0 < gains["all"].high, "no mix is shown to be better: docs/real.md and the README say so"
    assert not any_before(Ledger(folder).written()), "no score of another language's text"
