import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("planted_study.py")


@pytest.fixture(scope="session")
def planted():
    spec = importlib.util.spec_from_file_location("planted_study", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted_study"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def local_cluster():
    """One Ray for all tests of this folder: a driver that finds Ray running uses it and leaves it running."""
    from tasksearch.raytune.cluster import cluster

    with cluster(None, 2, {"cpu": 1.0}) as slots:
        yield slots
