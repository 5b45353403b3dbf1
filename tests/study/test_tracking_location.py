"""Where MLflow's runs lie: the study keeps the address without its secrets, and the environment gives them back."""

import dataclasses
import os

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.records.ledger import Ledger
from tasksearch.study.locations import TRACKING_VARIABLE, tracking_address
from tasksearch.study.run import configure, run_study
from tasksearch.study.settings import as_begun


@pytest.fixture(autouse=True)
def _no_offer(monkeypatch):
    monkeypatch.setenv(TRACKING_VARIABLE, "")


@pytest.mark.parametrize(
    "uri, kept",
    [
        ("https://me:secretword@host:8/mlflow", "https://host:8/mlflow"),
        ("https://secrettoken@host", "https://host"),
        ("postgresql://me:secretword@host/db?sslpassword=secretkey&sslmode=require", "postgresql://me@host/db?sslmode=require"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("sqlite:////tmp/a b/x.db", "sqlite:////tmp/a b/x.db"),
        ("databricks", "databricks"),
    ],
)
def test_a_study_keeps_the_address_and_the_process_the_secrets(uri, kept, tmp_path):
    config = configure(tracking_uri=uri)
    Ledger(tmp_path).save_config(config)
    assert config.tracking_uri == kept
    assert "secret" not in (tmp_path / "study.json").read_text() + repr(config)
    assert tracking_address(config) == uri
    assert os.environ[TRACKING_VARIABLE] == (uri if uri != kept else "")


def test_the_environment_gives_secrets_and_moves_no_study(monkeypatch):
    config, nowhere = configure(tracking_uri="http://host/one"), configure()
    monkeypatch.setenv(TRACKING_VARIABLE, "http://me:secretword@host/other")
    assert tracking_address(config) == "http://host/one"
    assert tracking_address(nowhere) is None
    monkeypatch.setenv(TRACKING_VARIABLE, "http://me:secretword@host/one")
    assert tracking_address(config) == "http://me:secretword@host/one"


def test_a_study_that_was_begun_with_its_password_in_study_json_goes_on():
    was = dataclasses.replace(configure(), tracking_uri="http://me:secretword@host")
    again = as_begun(configure(tracking_uri="http://me:secretword@host"), was, ())
    assert again == was and tracking_address(again) == "http://me:secretword@host"
    assert as_begun(configure(tracking_uri="http://elsewhere"), was, ()).tracking_uri == "http://elsewhere"


def test_another_address_is_another_study_and_neither_is_told_with_its_secrets(tmp_path):
    old = dataclasses.replace(configure(), tracking_uri="http://me:secretword@host:1")
    Ledger(tmp_path).save_config(old)
    with pytest.raises(BadInput, match="its runs lie at http://host:1, now at http://elsewhere") as caught:
        run_study(configure(tracking_uri="http://me:othersecret@elsewhere"), tmp_path)
    assert "secret" not in str(caught.value)
    with pytest.raises(BadInput, match="now at the study's folder"):
        run_study(configure(), tmp_path)


def test_an_address_that_cannot_be_read_is_not_quoted():
    with pytest.raises(BadInput, match="the tracking address cannot be read") as caught:
        configure(tracking_uri="http://me:secretword@[host")
    assert "secret" not in str(caught.value)
