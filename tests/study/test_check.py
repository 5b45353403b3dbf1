"""What `check_data` says of counts: copies of a set may differ, and some authors count their bad lines."""

import gzip
import json

import pytest

from tasksearch.cli import check_tables
from tasksearch.study.check import check_data
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.source import TaskSource


@pytest.mark.parametrize(
    "counts, bad, says",
    [
        ((), 0, (None, "")),
        ((20,), 0, (20, "")),
        ((30, 20), 0, (20, "")),  # the authors' files, and a copy that lost ten
        ((30, 20), 3, (20, "")),  # three bad lines on top, which this source does not count
        ((30, 23), 3, (23, "")),  # … and which this one does
        ((30, 40), 0, (30, "20 examples, 30 expected")),
        ((19,), 3, (19, "20 examples, 19 expected")),
    ],
)
def test_a_count_is_wrong_where_it_is_none_of_those_that_a_copy_may_have(tmp_path, counts, bad, says):
    card = TaskCard(
        name="seen", kind="sentence", role="intermediate", languages=("en",), labels=("a", "b"),
        trains_on=("seen",), summary="x", expected=tuple(("en", "train", n) for n in counts),
    )  # fmt: skip
    (tmp_path / "seen").mkdir()
    with gzip.open(tmp_path / "seen" / "en.train.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"a": f"text {n}", "label": "a"}) + "\n" for n in range(20))
        file.writelines(json.dumps({"a": None, "label": "a"}) + "\n" for _ in range(bad))
    source = TaskSource(tmp_path, None, skip_bad=3)
    (row,) = check_data(source, [card], [], None, lambda _: 128)
    assert (row.found, row.expected, row.problem, row.skipped) == (20, *says, bad)


def test_texts_that_select_here_and_are_reported_there_are_counted(tmp_path):
    """Within a target a reported text never selects; another target may report it, which is said."""
    texts = {"one": {"dev": range(0, 30), "test": range(25, 60)}, "other": {"dev": range(70, 90), "test": range(0, 10)}}
    cards = [TaskCard(name=name, kind="tagging", role="target", languages=("sw",), labels=("X",), fewest=0) for name in texts]
    for name, splits in texts.items():
        (tmp_path / name).mkdir()
        for split, numbers in splits.items():
            rows = [{"words": ["neno", str(n)], "tags": ["X", "X"]} for n in numbers]
            (tmp_path / name / f"sw.{split}.jsonl.gz").write_bytes(
                gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
            )
    rows = [row for row in check_data(TaskSource(tmp_path, None), cards, [], None, lambda _: 128) if not row.training]
    assert [(row.selects, row.reports, row.repeats, row.reported_elsewhere) for row in rows] == [
        (25, 0, 5, {"other": 10}), (0, 35, 0, {}), (20, 0, 0, {}), (0, 10, 0, {}),
    ]  # fmt: skip
    assert list(check_tables._repeats(cards, rows)) == [
        "one: 5 examples (sw 5) would select, but the text is also reported: left out",
        "one: 10 examples (sw 10) select whose text other reports",
    ]
