"""Shared fixtures: one tiny lab per session, and a cache that is never the user's own."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
PLANTED_STUDY = Path(__file__).parent / "raytune" / "planted_study.py"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    os.environ.setdefault("TASKSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))


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


@pytest.fixture(scope="session")
def planted():
    if "planted_study" not in sys.modules:
        spec = importlib.util.spec_from_file_location("planted_study", PLANTED_STUDY)
        module = importlib.util.module_from_spec(spec)
        sys.modules["planted_study"] = module
        spec.loader.exec_module(module)
    return sys.modules["planted_study"]


@pytest.fixture(scope="session")
def planted_folder(planted, tmp_path_factory):
    """A complete study over the planted surface, run in this process without Ray: 16 trainings and 2 leaders on 3 seeds."""
    folder = tmp_path_factory.mktemp("planted")
    settings = {"leader_seeds": 3}
    from tasksearch.records.ledger import Ledger

    Ledger(folder).save_config(planted.config(**settings))
    planted.run_in_process(planted.open_manager(folder, **settings), folder)
    return folder
