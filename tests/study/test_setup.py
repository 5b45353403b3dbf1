"""What a study needs is found or made, and nothing is made that was given."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.study.run import configure
from tasksearch.study.setup import prepare


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_lab_with_a_model_from_elsewhere_pretrains_none_of_its_own(tiny_lab, own_cache, monkeypatch):
    monkeypatch.setattr("tasksearch.phases.lab_model._pretrain", lambda *_: pytest.fail("the lab's own model is not wanted"))
    setup = prepare(configure(targets=["topic"], model=str(tiny_lab.model)))
    assert setup.model == str(tiny_lab.model)
    assert setup.sizes["restate"] > 128, "the lab's own files, whole"
    assert not list(own_cache.rglob("model-*"))


def test_the_lab_with_data_and_model_from_elsewhere_makes_nothing(tiny_lab, own_cache):
    setup = prepare(configure(targets=["topic"], model=str(tiny_lab.model), data=str(tiny_lab.data)))
    assert (setup.data, setup.model, setup.sizes["restate"]) == (str(tiny_lab.data), str(tiny_lab.model), 128)
    assert not own_cache.exists()


def test_other_data_under_the_labs_own_model_are_refused_before_anything_is_made(tiny_lab, own_cache):
    with pytest.raises(BadInput, match="needs --model"):
        prepare(configure(targets=["topic"], data=str(tiny_lab.data)))
    assert not own_cache.exists()
