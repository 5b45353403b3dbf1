"""Shared fixtures: one tiny lab per session, and a cache that is never the user's own."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    os.environ.setdefault("TASKSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))  # logs of errors


@pytest.fixture(scope="session")
def tiny_lab(tmp_path_factory):
    """A small world whose model had forty steps of pretraining: numbers near chance, every path real."""
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab

    recipe = LabRecipe(
        phase1_steps=40, document_unit=300, parallel_unit=200, intermediate_train=128, intermediate_dev=10, target_train=64,
        target_dev=20, target_test=20, pool=30,
    )  # fmt: skip
    return ensure_lab(recipe, tmp_path_factory.mktemp("tiny-lab"))


@pytest.fixture(scope="session")
def shared_data():
    """Folder of the real data: TASKSEARCH_DATA, else ../shared/data beside the repository."""
    here = Path(__file__).parents[1]
    places = [Path(own)] if (own := os.environ.get("TASKSEARCH_DATA")) else [here.parent / "shared/data"]
    found = next((place for place in places if (place / "eval").is_dir()), None)
    if found is None:
        pytest.skip(f"no real data: {places[0]} holds no folder 'eval'; set TASKSEARCH_DATA to a copy of it")
    return found
