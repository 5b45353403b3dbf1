"""Every table that a command prints fits eighty columns, and no word of it is cut or broken there."""

import shutil

import pytest
import torch
from typer.testing import CliRunner

from tasksearch.cli import data
from tasksearch.cli.app import app
from tasksearch.cli.printing import open_console
from tasksearch.store.segment_store import SegmentStore
from tasksearch.study.leakage import LeakageResult
from tasksearch.tasks.leakage import Leak


@pytest.fixture(scope="module")
def study(planted_folder, tmp_path_factory):
    """A copy, so that its questions are its own, with a store."""
    folder = shutil.copytree(planted_folder, tmp_path_factory.mktemp("eighty") / "study")
    store = SegmentStore(folder / "store")
    for n, kind in enumerate(("intermediate", "target", "scores")):
        label = f"12.5% ccg + 62.5% mnli + 25% qqp, {2**n * 64} steps, seed {n}"
        notes = {"kind": kind, "seconds": 12345.6 * n, "steps": 100000 * n, "label": label}
        store.put(str(n) * 24, {"model": {"w": torch.zeros(2**n)}}, notes)
    return str(folder)


def words(output):
    return sorted(word for word in output.split() if set(word) != {"─"})


def whole(monkeypatch, printed):
    """Whether what is printed at eighty columns fits them and has the words that it has where there is room."""
    outputs = []
    for columns in (80, 400):
        monkeypatch.setenv("COLUMNS", str(columns))
        outputs.append(printed(columns))
    narrow, wide = outputs
    assert max(map(len, narrow.splitlines())) <= 80, narrow
    assert words(narrow) == words(wide), narrow
    assert narrow.strip()


OF_A_STUDY = [
    "best --notes", "best --target tag",
    "best", "best --rules", "best --baselines", "best --portfolio", "best --effects", "best --effects --language far",
    "best --language far", "trials", "store ls", "store du",
]  # fmt: skip
ALONE = [
    "spaces", "languages", "languages --group unseen", "tasks", "tasks --suite xtreme",
    "bench --worlds 1 --trials 14,16,20 --quiet",
]  # fmt: skip


@pytest.mark.parametrize("command", [*OF_A_STUDY, *ALONE])
def test_a_command_s_tables_are_whole_at_eighty_columns(command, study, monkeypatch):
    head, *options = command.split()
    place = [] if command in ALONE else [study]
    called = [head, options.pop(0), *place, *options] if head == "store" else [head, *place, *options]

    def printed(columns):
        done = CliRunner().invoke(app, called, env={"COLUMNS": str(columns)})
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    whole(monkeypatch, printed)


def test_the_table_of_leaks_is_whole_too(monkeypatch, capsys):
    leak = Leak(
        task="bucc2018_sample", language="zh_Hant", split="test", trained="the training data of tydiqa_en", items=123456,
        exact=1234, overlapping=2, short=1023, shown=(("en-000001", "the farmer sold eight brown cows at the market"),),
    )  # fmt: skip
    checked = LeakageResult(leaks=(leak,), trained=("x",), items=123456, absent=("training data of afrisenti",))

    def printed(columns):
        data._print(checked)
        return capsys.readouterr().out

    whole(monkeypatch, printed)
    assert open_console().width == 400
