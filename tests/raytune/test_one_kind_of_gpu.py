"""`--deterministic` on GPUs of several models is refused before anything is trained."""

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.raytune import nodes


def node(name, model):
    return {
        "Alive": True, "NodeID": name, "NodeManagerAddress": name, "NodeManagerHostname": f"{name}.cluster",
        "Resources": {"CPU": 16.0, "GPU": 4.0, f"accelerator_type:{model}": 1.0},
    }  # fmt: skip


@pytest.fixture
def cluster(monkeypatch):
    def of(*models):
        monkeypatch.setattr(nodes.ray, "nodes", lambda: [node(f"10.0.0.{i}", model) for i, model in enumerate(models)])
        monkeypatch.setattr(nodes, "_ask", lambda *_: [])
        monkeypatch.setattr(nodes, "fault_of", lambda *_: None)
        monkeypatch.setattr(nodes, "summary_of", lambda *_: "fine")

    return of


def test_a_mixed_cluster_is_refused_under_deterministic_alone(cluster):
    cluster("H200", "A100", "H200")
    with pytest.raises(BadInput, match=r"GPUs of 2 models \(A100 in 10.0.0.1 .*; H200 in 10.0.0.0 .*, 10.0.0.2 ") as told:
        nodes.preflight({"deterministic": True}, {"cpu": 1, "gpu": 1})
    assert "\n" not in str(told.value)
    assert nodes.preflight({"deterministic": False}, {"cpu": 1, "gpu": 1}) == "fine"
    assert nodes.preflight({"deterministic": True}, {"cpu": 1, "gpu": 0}) == "fine", "trials on CPUs"


def test_nodes_of_one_model_and_nodes_that_do_not_tell_pass(cluster):
    cluster("H200", "H200")
    assert nodes.preflight({"deterministic": True}, {"cpu": 1, "gpu": 0.5}) == "fine"
