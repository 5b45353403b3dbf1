import pytest


@pytest.fixture(scope="session")
def local_cluster():
    """One Ray for all tests of this folder: a driver that finds Ray running uses it and leaves it running."""
    from tasksearch.raytune.cluster import cluster

    with cluster(None, 2, {"cpu": 1.0}) as slots:
        yield slots
