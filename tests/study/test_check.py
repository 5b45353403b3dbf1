"""What `check_data` says of counts: copies of a set may differ, and some authors count their bad lines."""

import gzip
import json

import pytest

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
