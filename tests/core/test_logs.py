"""The log of a study: where it is written, what it leaves alone, what it masks."""

import logging
from contextlib import contextmanager

import pytest

from tasksearch.core.address import without_secrets_in
from tasksearch.core.logs import driver_log, log_to, log_to_terminal, log_unexpected, study_log

LOG = logging.getLogger("tasksearch.raytune.somewhere")


def state():
    own = logging.getLogger("tasksearch")
    return own.level, own.propagate, tuple(own.handlers)


@contextmanager
def users_handler(level=logging.NOTSET):
    """A handler of the user's at the root; what it got."""
    got = []

    class Mine(logging.Handler):
        def emit(self, record):
            got.append(record.getMessage())

    mine = Mine(level)
    logging.getLogger().addHandler(mine)
    try:
        yield got
    finally:
        logging.getLogger().removeHandler(mine)


def test_records_go_to_the_file_while_it_lasts_and_nowhere_afterwards(tmp_path):
    before = state()
    LOG.info("before")
    with study_log(tmp_path) as path:
        LOG.info("trial %d proposed", 3)
        LOG.debug("too fine")
        logging.getLogger("someone.else").warning("not ours")
    LOG.info("after")
    (line,) = path.read_text().splitlines()
    assert path == driver_log(tmp_path) and line.endswith("tasksearch.raytune.somewhere: trial 3 proposed")
    assert state() == before


def test_the_handler_is_gone_after_an_error_too(tmp_path):
    before = state()
    with pytest.raises(KeyboardInterrupt), study_log(tmp_path):
        raise KeyboardInterrupt
    assert state() == before


def test_what_the_user_configured_sees_what_it_saw_without_a_study(tmp_path):
    with users_handler() as got, study_log(tmp_path):
        LOG.info("the root's level is WARNING")
        LOG.warning("worth it")
    assert got == ["worth it"]


def test_a_user_who_wants_more_gets_more_in_the_file_too(tmp_path):
    own = logging.getLogger("tasksearch")
    own.setLevel(logging.DEBUG)
    try:
        with users_handler() as got, study_log(tmp_path) as path:
            LOG.debug("fine")
    finally:
        own.setLevel(logging.NOTSET)
    assert got == ["fine"] and "fine" in path.read_text()


def test_a_study_that_was_refused_leaves_no_folder_and_one_that_begins_keeps_its_first_lines(tmp_path):
    with study_log(tmp_path / "study"):
        LOG.info("checking")
    assert not (tmp_path / "study").exists()
    with study_log(tmp_path / "study") as path:
        LOG.info("checking")
        (tmp_path / "study").mkdir()
        LOG.info("begun")
    assert [line.rpartition(" ")[2] for line in path.read_text().splitlines()] == ["checking", "begun"]


def test_a_log_is_bounded(tmp_path):
    path = tmp_path / "small.log"
    with log_to(path, most_bytes=2000, older=2):
        for number in range(200):
            LOG.info("line %d of some length", number)
    kept = sorted(tmp_path.iterdir())
    assert [one.name for one in kept] == ["small.log", "small.log.1", "small.log.2"]
    assert all(one.stat().st_size <= 2000 for one in kept)
    assert "line 199" in path.read_text()


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path, capsys):
    (tmp_path / "driver.log").mkdir()
    with study_log(tmp_path):
        LOG.info("into nowhere")
    assert capsys.readouterr() == ("", "")


def test_the_terminal_shows_fine_records_and_the_file_keeps_them(tmp_path, capsys):
    with log_to_terminal(), study_log(tmp_path) as path:
        LOG.debug("a pause")
    assert "DEBUG   tasksearch.raytune.somewhere: a pause" in capsys.readouterr().err
    assert "a pause" in path.read_text()


SECRETS = (
    "mysql://me:hunter2@db/x",
    "postgresql+psycopg://me:hun@ter2hunter2@db:5432/x?sslmode=require",
    "https://h/x?a=1&token=hunter2&b=2",
    "password: hunter2",
    "{'sslpassword': 'hunter2'}",
    "Authorization: Bearer hunter2hunter2",
    "MLFLOW_TRACKING_PASSWORD=hunter2",
)


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_masked_in_lines_and_in_tracebacks(tmp_path, text):
    with study_log(tmp_path) as path:
        LOG.warning("cannot open %s", text)
        try:
            raise ValueError(text)
        except ValueError:
            LOG.exception("failed")
    written = path.read_text()
    assert "Traceback" in written and "hunter2" not in written


@pytest.mark.parametrize("text", ["trial 3: 512 tokens = 2 batches", "tokenizer=xlm-r", "https://h:5000/a/b?c=1", "a@b"])
def test_what_is_no_secret_stays(text):
    assert without_secrets_in(text) == text


def unexpected():
    try:
        raise RuntimeError("no one foresaw mysql://me:hunter2@db")
    except RuntimeError as error:
        return error


def test_an_unexpected_error_goes_to_the_studys_log(tmp_path):
    assert log_unexpected(unexpected(), tmp_path) == driver_log(tmp_path)
    written = driver_log(tmp_path).read_text()
    assert "RuntimeError: no one foresaw mysql://***@db" in written and "tasksearch " in written and "Traceback" in written


def test_without_a_study_it_goes_to_the_users_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = log_unexpected(unexpected(), tmp_path / "no such study")
    assert path == tmp_path / "state" / "tasksearch" / "errors.log" and "RuntimeError" in path.read_text()
    assert not (tmp_path / "no such study").exists()


def test_where_nothing_can_be_written_it_goes_to_a_temporary_file(tmp_path, monkeypatch):
    (tmp_path / "state").write_text("a file, no folder")
    (tmp_path / "driver.log").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = log_unexpected(unexpected(), tmp_path)
    assert "RuntimeError" in path.read_text()
    path.unlink()
