"""`tasksearch store ls`: ordered and cut short for people, complete for scripts."""

import json
import os

import pytest
import torch
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.store.segment_store import SegmentStore

COUNT = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty segments; number n cost n seconds, is the larger the smaller n, was used n times, and last 7n mod 40 hours ago."""
    folder = tmp_path_factory.mktemp("list") / "store"
    store = SegmentStore(folder)
    for n in range(COUNT):
        name = f"{17 * n % COUNT:02d}" * 12
        store.put(
            name, {"model": {"w": torch.zeros(64 * (COUNT - n))}}, {"kind": "intermediate", "seconds": n, "label": f"n{n}"}
        )
        for _ in range(n):
            store.use(name)
        uses = store.folder(name) / "uses"
        uses.touch()
        os.utime(uses, (1.7e9 - 3600 * (7 * n % COUNT),) * 2)
    return str(folder)


def listed(folder, *options):
    done = CliRunner().invoke(app, ["store", "ls", folder, *options], env={"COLUMNS": "160"}, catch_exceptions=True)
    assert done.exit_code == 0, done.output
    return done.output


def numbers(folder, *options):
    return [int(entry["label"][1:]) for entry in json.loads(listed(folder, "--json", *options))["segments"]]


def test_a_table_shows_the_costliest_and_says_how_many_there_are(folder):
    lines = listed(folder).splitlines()
    assert len(lines) == 1 + 30 + 1
    assert " n39 " in lines[1] and " n10 " in lines[30]
    assert lines[-1].startswith("30 of 40 segments (") and lines[-1].endswith("--limit 0 shows all")


def test_a_limit_is_what_was_asked_for_and_0_is_none(folder):
    assert len(listed(folder, "--limit", "5").splitlines()) == 1 + 5 + 1
    whole = listed(folder, "--limit", "0").splitlines()
    assert len(whole) == 1 + COUNT and "segments (" not in whole[-1]


def test_json_is_complete_unless_a_limit_was_asked_for(folder):
    assert numbers(folder) == list(reversed(range(COUNT)))
    assert numbers(folder, "--limit", "3") == [39, 38, 37]


@pytest.mark.parametrize(
    ("order", "key"),
    [("used", lambda n: 7 * n % COUNT), ("size", lambda n: n), ("reused", lambda n: -n), ("name", lambda n: 17 * n % COUNT)],
)
def test_every_order_and_its_reverse(folder, order, key):
    wanted = sorted(range(COUNT), key=key)
    assert numbers(folder, "--sort", order) == wanted
    assert numbers(folder, "--sort", order, "--reverse") == wanted[::-1]


def test_an_order_that_there_is_not_names_its_neighbour(folder):
    done = CliRunner().invoke(app, ["store", "ls", folder, "--sort", "costs"])
    assert done.exit_code != 0 and "did you mean 'cost'" in str(done.exception or done.output)
