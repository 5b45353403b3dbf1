"""What a node must see before the first trial, by faked answers; through two loopback nodes in `test_two_nodes`."""

import dataclasses

import pytest

from tasksearch.engine.preflight import PACKAGES, NodeAnswer, fault_of, fingerprint, summary_of, taking_turns, view_machine


@pytest.fixture
def seen(tmp_path):
    """The driver's own look, and its paths."""
    data, store = tmp_path / "data", tmp_path / "store"
    (data / "en").mkdir(parents=True)
    (data / "en" / "train.arrow").write_bytes(b"1234")
    store.mkdir()
    (store / ".mark").write_text("x")
    return view_machine({"data": str(data)}, {"store": str(store / ".mark")}), {"data": str(data), "store": str(store)}


def test_a_node_that_sees_what_the_driver_sees_is_told_in_one_line(seen):
    here, paths = seen
    answers = [NodeAnswer(node="10.0.0.1 (a)", look=here), NodeAnswer(node="10.0.0.2 (b)", look=here)]
    assert fault_of(here, answers, paths) is None
    told = summary_of(answers, here)
    assert told.startswith("2 nodes see data, store as the driver does") and told.endswith("10.0.0.1 (a), 10.0.0.2 (b)")
    assert set(here.versions) == {*PACKAGES, "Python"}


def test_nodes_where_trials_would_take_turns_on_a_gpu_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    without = NodeAnswer(node="10.0.0.1 (a)", look=view_machine({}, {}))
    (tmp_path / "control").touch()  # what the daemon listens at
    served = NodeAnswer(node="10.0.0.2 (b)", look=view_machine({}, {}))
    assert taking_turns([served, served]) is None
    told = taking_turns([without, served])
    assert told.startswith("no MPS daemon runs on 10.0.0.1 (a): trials that share a GPU take turns there") and "\n" not in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"places": {"data": None}}, "does not see the data {data}"),
        ({"places": {"data": "other"}}, "sees another data at {data} than the driver"),
        ({"places": {"store": None}}, "does not see the store {store}"),
        ({"writable": {"store": False}}, "cannot write the store {store}"),
        ({"versions": {"torch": "1.0"}}, "has torch 1.0, the driver"),
        ({"versions": {"transformers": None}}, "has no transformers, the driver"),
        ({"versions": {"Python": "3.8"}}, "has Python 3.8, the driver"),
    ],
)
def test_what_a_node_lacks_is_named_with_the_node_in_one_line(seen, change, said):
    here, paths = seen
    ((field, changed),) = change.items()
    there = dataclasses.replace(here, **{field: {**getattr(here, field), **changed}})
    answers = [NodeAnswer(node="10.0.0.1 (a)", look=here), NodeAnswer(node="10.0.0.2 (b)", look=there)]
    told = fault_of(here, answers, paths)
    assert told.startswith("1 of 2 nodes cannot run trials: node 10.0.0.2 (b) ")
    assert said.format(**paths) in told and "(a)" not in told and "\n" not in told


def test_all_faults_of_all_nodes_stand_in_that_line(seen):
    here, paths = seen
    blind = dataclasses.replace(here, places=dict.fromkeys(here.places))
    told = fault_of(here, [NodeAnswer(node="b", look=blind), NodeAnswer(node="c", fault="did not answer within 120 s")], paths)
    assert told.count("does not see") == 2 and told.endswith("| node c did not answer within 120 s")


def test_a_fingerprint_changes_with_names_and_sizes_and_not_with_hidden_files(tmp_path):
    assert fingerprint(tmp_path / "nothing") is None
    (tmp_path / "a").write_bytes(b"12")
    first = fingerprint(tmp_path)
    (tmp_path / ".hidden").write_bytes(b"1")
    assert fingerprint(tmp_path) == first
    (tmp_path / "a").write_bytes(b"123")
    second = fingerprint(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    assert len({first, second, fingerprint(tmp_path)}) == 3
