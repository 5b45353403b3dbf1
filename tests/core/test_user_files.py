"""A user's file reaches another machine as the driver read it: by content, whatever stands at its path there."""

import json
import pickle
import subprocess
import sys
import tracemalloc

import pytest

from tasksearch.core import user_files
from tasksearch.core.errors import BadInput
from tasksearch.core.user_files import load, pack

SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Point:
    x: int

def here():
    return __file__
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def no_modules_left():
    yield
    for name in [name for name in sys.modules if name.startswith("tasksearch_user_file_")]:
        del sys.modules[name]


def written(folder, text, name="mine.py"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def test_a_file_is_loaded_where_its_path_holds_nothing_or_something_else(tmp_path, cache):
    for changed in (None, "raise SystemExit('another file')"):
        path = written(tmp_path / "a", SOURCE)
        packed = json.loads(json.dumps(pack(path)))  # travels as JSON
        path.unlink() if changed is None else path.write_text(changed)
        module = load(packed)
        assert module.Point(3).x == 3
        assert module.here() == str(cache / "user_files" / packed["sha256"] / "mine.py")
        del sys.modules[module.__name__]


def test_where_the_path_holds_the_same_content_it_is_the_modules_file_and_nothing_is_copied(tmp_path, cache):
    path = written(tmp_path / "a", SOURCE)
    assert load(pack(path)).here() == str(path)
    assert not cache.exists()


def test_the_same_content_is_one_module_and_its_values_can_be_pickled(tmp_path, cache):
    path = written(tmp_path / "a", SOURCE)
    module = load(pack(path))
    assert load(pack(written(tmp_path / "b", SOURCE))) is module
    assert pickle.loads(pickle.dumps(module.Point(1))) == module.Point(1)
    assert load(pack(written(tmp_path / "b", SOURCE + "\n"))) is not module


def test_a_file_named_like_a_package_hides_no_package(tmp_path, cache):
    load(pack(written(tmp_path / "a", "MINE = 1", "json.py")))
    done = subprocess.run([sys.executable, "-c", "import json; json.dumps"], cwd=tmp_path, check=False)
    assert done.returncode == 0 and not hasattr(sys.modules["json"], "MINE")


def test_a_damaged_copy_in_the_cache_is_written_again_and_never_run(tmp_path, cache):
    path = written(tmp_path / "a", "VALUE = 1")
    packed = pack(path)
    path.unlink()
    copy = cache / "user_files" / packed["sha256"] / "mine.py"
    copy.parent.mkdir(parents=True)
    copy.write_text("VALUE = 2")
    assert load(packed).VALUE == 1 and copy.read_text() == "VALUE = 1"


@pytest.mark.parametrize("content", ["VkFMVUUgPSAy", ""])
def test_content_that_changed_on_the_way_is_refused(tmp_path, cache, content):
    packed = pack(written(tmp_path / "a", "VALUE = 1")) | {"content": content}
    with pytest.raises(BadInput, match="changed on the way"):
        load(packed)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1/0", "ZeroDivisionError: division by zero"), ("def", "SyntaxError"), ("import sys; sys.exit(3)", "SystemExit: 3")],
)
def test_what_the_file_raises_is_passed_on_in_one_line_and_tried_again_next_time(tmp_path, cache, text, said):
    packed = pack(written(tmp_path / "a", text))
    for _ in range(2):
        with pytest.raises(BadInput, match=said) as caught:
            load(packed)
        assert str(tmp_path / "a" / "mine.py") in str(caught.value)
    assert not any(name.startswith("tasksearch_user_file_") for name in sys.modules)


def test_what_is_no_file_of_reasonable_size_is_refused_at_once(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match=r"no file .*nothing\.py'; expected a Python file with a SUITE"):
        pack(tmp_path / "nothing.py", "a SUITE")
    with pytest.raises(BadInput, match="no file"):
        pack(tmp_path, "a SUITE")
    monkeypatch.setattr(user_files, "MOST_BYTES", 10)
    path = written(tmp_path / "a", "x" * 11)
    with pytest.raises(BadInput, match="larger than 10 bytes"):
        pack(path)
    path.write_text("x" * 10)
    assert pack(path)["path"] == str(path)


def test_a_huge_file_is_not_read_whole(tmp_path):
    path = tmp_path / "huge.py"
    with path.open("wb") as file:
        file.truncate(2**30)
    tracemalloc.start()
    with pytest.raises(BadInput, match="larger than"):
        pack(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
