"""A study that an earlier version began: its own command goes on with it, and once it has ended it stays ended."""

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput
from tasksearch.core.study import StudyConfig
from tasksearch.records.ledger import Ledger
from tasksearch.search import proposals
from tasksearch.search.search_so_far import search_so_far
from tasksearch.study import run as running
from tasksearch.study.extend import _check_finished
from tasksearch.study.run import configure, run_study
from tasksearch.tasks.lab_suite import lab_suite

COMMAND = {"space": "joint", "targets": ["topic"], "languages": ["near1"], "trials": 9}
BEFORE_RACES = (
    "most_seeds",
    "controls",
    "pairs",
    "twins",
    "twin_seeds",
    "more_baseline",
    "widened",
    "deterministic",
    "pretraining_text",
)
HEAD = ("format", "checksum")
"""Earlier versions wrote neither, and no copy of study.json."""


def asked_today(*options):
    """What `tasksearch run` asks for, its defaults among it."""
    asked = {}

    def note(config, folder, **_):
        asked["config"] = config
        raise BadInput("noted")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "run_study", note)
        CliRunner().invoke(
            app, ["run", "--space", "joint", "--target", "topic", "--language", "near1", "--trials", "9", *options]
        )
    return asked["config"]


@pytest.fixture
def resumed(monkeypatch):
    """Studies that were begun or gone on with, none of them run."""
    seen = []
    monkeypatch.setattr(running, "drive", lambda ledger, config, *_: seen.append(config))
    return seen


def old_study(folder, absent, **fields):
    config = configure(**COMMAND, **fields)
    Ledger(folder).save_config(config)
    path = folder / "study.json"
    plain = {key: value for key, value in json.loads(path.read_text()).items() if key not in (*absent, *HEAD)}
    path.write_text(json.dumps(plain) + "\n")
    (folder / "trials" / "study.json").unlink()
    return config


@pytest.mark.parametrize("absent", [BEFORE_RACES, BEFORE_RACES[1:]])
def test_the_command_that_began_a_study_goes_on_with_it_as_it_was(tmp_path, resumed, absent):
    most = 3 if "most_seeds" in absent else 5
    old_study(tmp_path, absent, leader_seeds=3, most_seeds=most)
    run_study(asked_today(), tmp_path)
    (went_on,) = resumed
    assert went_on == Ledger(tmp_path).config()
    assert (went_on.controls, went_on.leader_seeds, went_on.most_seeds) == ((), 3, most)


def test_a_study_that_began_without_what_a_guess_scores_goes_on_without_it(tmp_path, resumed):
    old_study(tmp_path, ("guesses",))
    run_study(asked_today(), tmp_path)
    assert asked_today().guesses and [one.guesses for one in resumed] == [()]
    config = resumed[0]
    assert "guesses" not in config.to_json() and StudyConfig.from_json(config.to_json()) == config
    assert StudyConfig.from_json(json.loads(json.dumps(asked_today().to_json()))) == asked_today()


@pytest.mark.parametrize("options", [["--controls", "soup"], ["--leader-seeds", "4"], ["--twins", "3"], ["--seed", "1"]])
def test_what_an_old_study_is_asked_for_beyond_defaults_is_another_study(tmp_path, resumed, options):
    old_study(tmp_path, BEFORE_RACES, leader_seeds=3)
    with pytest.raises(BadInput, match="holds another study"):
        run_study(asked_today(*options), tmp_path)
    assert resumed == []


def test_a_study_of_this_version_is_not_read_so(tmp_path, resumed):
    old_study(tmp_path, (), leader_seeds=3, most_seeds=5)
    with pytest.raises(BadInput, match=r"its leader_seeds is 3, now 2|its controls"):
        run_study(asked_today(), tmp_path)


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_before_races_every_leader_got_its_first_seeds_and_no_more(seeds):
    config = dataclasses.replace(configure(**COMMAND), leader_seeds=seeds)
    fields = {key: value for key, value in config.to_json().items() if key != "most_seeds"}
    assert StudyConfig.from_json(fields).most_seeds == seeds


def test_a_study_that_has_ended_gets_no_trainings_that_a_later_version_would_propose(planted, tmp_path, monkeypatch):
    Ledger(tmp_path).save_config(planted.config())
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path)
    manager.close()
    now = proposals.choose_finalists
    monkeypatch.setattr(proposals, "choose_finalists", lambda config, *rest: now(dataclasses.replace(config, leaders=4), *rest))
    again = planted.open_manager(tmp_path)
    assert again.complete and again.next() == "finished" and len(again.records) == 18
    _check_finished(Ledger(tmp_path), planted.config(), lab_suite())

    wider = planted.open_manager(tmp_path, leader_seeds=2)  # asked for more, it goes on
    assert not wider.complete and wider.next().role == "finalist"


def begun_before(folder, config):
    """The study's folder as a version left it that knew no controls and wrote no end."""
    Ledger(folder).save_config(config)
    path = folder / "study.json"
    plain = {key: value for key, value in json.loads(path.read_text()).items() if key not in (*BEFORE_RACES, *HEAD)}
    path.write_text(json.dumps(plain) + "\n")
    (folder / "trials" / "study.json").unlink()
    (folder / "ended.json").unlink(missing_ok=True)


def test_a_study_that_ended_before_ends_were_written_keeps_the_leaders_it_had(planted, tmp_path, monkeypatch):
    asked = {"leader_seeds": 3, "most_seeds": 3}
    now = proposals.choose_finalists

    def once(config, *rest):
        return now(dataclasses.replace(config, leaders=4), *rest)[2:]

    with monkeypatch.context() as then:
        then.setattr(proposals, "choose_finalists", once)  # an earlier rule, by which others led
        planted.run_in_process(planted.open_manager(tmp_path, **asked), tmp_path)
    begun_before(tmp_path, planted.config(**asked))
    again = planted.open_manager(tmp_path, **asked)
    assert len(again.records) == 16 + 6 + 1 and again.complete and again.next() == "finished"
    Ledger(tmp_path).save_config(planted.config(**asked))  # begun by this version it would not have ended
    today = planted.open_manager(tmp_path, **asked)
    assert not today.complete and today.next().role == "finalist"


@pytest.mark.parametrize("most", [9, 17, 21])
def test_a_study_that_was_cut_off_before_ends_were_written_goes_on(planted, tmp_path, most):
    asked = {"leader_seeds": 3, "most_seeds": 3}
    manager = planted.open_manager(tmp_path, **asked)
    planted.run_in_process(manager, tmp_path, most=most)
    begun_before(tmp_path, planted.config(**asked))
    again = planted.open_manager(tmp_path, **asked)
    assert not again.complete
    planted.run_in_process(again, tmp_path)
    assert again.complete and len(again.records) == 16 + 6 + 1  # the baseline on the one seed that only the finalists had


def test_a_study_that_has_not_ended_is_not_taken_for_one(planted, tmp_path):
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path, most=17)
    manager.close()
    assert not (tmp_path / "ended.json").exists()
    planted.run_in_process(manager, tmp_path)
    manager.close()
    end = tmp_path / "ended.json"
    whole = end.read_bytes()
    Ledger(tmp_path).record_path(9).write_bytes(b'{"cut')
    mended = planted.open_manager(tmp_path)
    assert not mended.complete and mended.next().number == 9, "what is damaged is trained again"
    for left in (0, 7, len(whole) - 2):
        end.write_bytes(whole[:left])
        assert not Ledger(tmp_path).has_ended(planted.config(), 18)


def test_an_ended_study_is_extended_from_its_end(planted, tmp_path):
    Ledger(tmp_path).save_config(planted.config())
    manager = planted.open_manager(tmp_path)
    planted.run_in_process(manager, tmp_path)
    manager.close()
    Ledger(tmp_path).extend_config(planted.config(trials=20))
    longer = planted.open_manager(tmp_path, trials=20)
    planted.run_in_process(longer, tmp_path)
    assert longer.complete and len(search_so_far(longer.config, longer.records).records) == 20
