"""The one door for text files, and that every reader of such files goes through it: formats have their own test beside them."""

import codecs
import gzip
import json

import pytest

from tasksearch.core import text_files
from tasksearch.core.errors import BadInput, DataMissing, TasksearchError
from tasksearch.core.squad_shape import answer_objects, is_impossible
from tasksearch.core.text_files import BadJson, lines, parse_json, shown, unencodable, whole_text
from tasksearch.metrics import files
from tasksearch.tasks.leak_sources import pretraining
from tasksearch.tasks.packed import read_raw_text
from tasksearch.tasks.raw_text import aligned_files

SQUAD = json.dumps({"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": [{"text": "a", "answer_start": 0}]}]}]}]})


def texts_of(path):
    return [example.text_a for example in pretraining(path)[0].examples]


def aligned(path, language):
    """Reads the file at its place below `pretrain/source`."""
    root = path.parent / "root"
    place = root / "pretrain" / "source" / path.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() or place.is_symlink():
        place.unlink()
    place.symlink_to(path)
    (file,) = [one for one in aligned_files(root, [language], ["source"]) if one.language == language]
    return [document.text_a for document in file.documents()]


READERS = {
    # name: (file name, content, what reads it)
    "labels": ("pred.tsv", "yes\nno\n", files.read_lines),
    "tags": ("pred.tsv", "O\nO\n\nO\n", files.read_sentences),
    "pairs": ("pred.tsv", "a\tb\nc\td\n", files.read_pairs),
    "gold": ("gold.json", SQUAD, files.read_gold_questions),
    "answers": ("pred.json", '{"q": "a"}', files.read_answers),
    "null scores": ("null.json", '{"q": 0.5}', files.read_null_scores),
    "raw text": ("raw.jsonl", '{"a": "one"}\n{"a": "two"}\n', read_raw_text),
    "leak .txt": ("t.txt", "one\ntwo\n", texts_of),
    "leak .tsv": ("t.tsv", "one\ttwo\n", texts_of),
    "leak .jsonl": ("t.jsonl", '{"x": "one"}\n', texts_of),
    "aligned text": ("sw.txt.gz", "moja\nmbili\n", lambda path: aligned(path, "sw")),
    "aligned lines": ("en-sw.x.jsonl.gz", '{"en": "one", "sw": "moja"}\n', lambda path: aligned(path, "sw")),
}


@pytest.fixture(params=sorted(READERS))
def reader(request, tmp_path):
    """(write bytes, read them)."""
    name, content, read = READERS[request.param]
    path = tmp_path / name

    def write(data):
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        return path

    return write, read, content.encode()


def test_a_byte_order_mark_and_blank_last_lines_change_nothing(reader):
    write, read, content = reader
    expected = read(write(content))
    assert read(write(codecs.BOM_UTF8 + content)) == expected
    assert [x for x in read(write(content + b"\n \n")) if x] == [x for x in expected if x]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_another_encoding_a_zip_and_a_pointer_are_named(reader, encoding):
    write, read, content = reader
    for data, said in (
        (content.decode().encode(encoding), r"not UTF-8.*UTF-(16|32)"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\xff" + content, r":1: not UTF-8 at byte 0 of the line"),
    ):
        with pytest.raises(BadInput, match=said) as error:
            read(write(data))
        assert "\n" not in str(error.value)


def test_a_file_without_end_a_folder_and_no_file_are_one_line(reader, monkeypatch):
    write, read, _ = reader
    monkeypatch.setattr(text_files, "LONGEST_LINE", 400)
    monkeypatch.setattr(text_files, "LARGEST_WHOLE", 400)
    path = write(b"x" * 3_000)
    with pytest.raises(BadInput, match="more than 400 bytes"):
        read(path)
    path.unlink()
    with pytest.raises((BadInput, DataMissing), match=r"missing|no pretraining text"):
        read(path)
    path.mkdir()
    with pytest.raises(TasksearchError, match=r"is a folder|no pretraining text"):
        read(path)


@pytest.mark.parametrize("name", ["gold", "answers", "null scores", "raw text", "leak .jsonl", "aligned lines"])
def test_deep_json_and_endless_numbers_are_one_line(name, tmp_path):
    file, _, read = READERS[name]
    path = tmp_path / file
    for bad, said in (("[" * 100_000, "nested too deeply"), ('{"a": ' + "9" * 9_000 + "}", "a number of thousands of digits")):
        path.write_bytes(gzip.compress(bad.encode()) if path.suffix == ".gz" else bad.encode())
        with pytest.raises(BadInput, match=said) as error:
            read(path)
        assert len(str(error.value)) < 400


@pytest.mark.parametrize("name", ["raw text", "leak .jsonl", "aligned lines"])
def test_text_that_no_tokenizer_takes_is_named_by_file_and_line(name, tmp_path):
    file, content, read = READERS[name]
    path, half = tmp_path / file, content.replace("o", r"\ud83d").encode()
    path.write_bytes(gzip.compress(half) if path.suffix == ".gz" else half)
    with pytest.raises(BadInput, match=r":1: .*half of a surrogate pair"):
        read(path)


def test_aligned_files_keep_blank_last_lines_for_they_are_missing_sentences(tmp_path):
    folder = tmp_path / "pretrain" / "s"
    folder.mkdir(parents=True)
    (folder / "sw.txt.gz").write_bytes(gzip.compress(b"moja\n\n\n"))
    (folder / "en.txt.gz").write_bytes(gzip.compress(b"one\ntwo\n\n"))
    (file,) = [one for one in aligned_files(tmp_path, ["sw"], ["s"]) if one.language == "sw"]
    assert [(pair.text_a, pair.text_b) for pair in file.pairs()] == [("moja", "one")]


def test_lines_are_numbered_as_a_person_counts_them(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(codecs.BOM_UTF8 + b"a\r\n\nb\xe2\x80\xa8c\n \n\n")
    assert list(lines(path)) == [(1, "a"), (2, ""), (3, "b\u2028c")]
    assert [number for number, _ in lines(path, keep_blank_end=True)] == [1, 2, 3, 4, 5]
    path.write_bytes(b"ok\ncaf\xe9\n")
    with pytest.raises(BadInput, match=r"t:2: not UTF-8 at byte 3 of the line"):
        whole_text(path)
    path.write_bytes(gzip.compress(b"packed"))
    with pytest.raises(BadInput, match=r"does not end in \.gz"):
        whole_text(path)


def test_json_says_where_and_what():
    assert parse_json('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(BadJson, match="Expecting value") as error:
        parse_json('{\n"a": }')
    assert error.value.line == 2
    with pytest.raises(BadJson, match="'a' stands there twice"):
        parse_json('{"a": 1, "a": 2}', unique_keys=True)


def test_a_value_in_a_message_is_short():
    assert shown("maybe") == "'maybe'"
    assert len(shown("x" * 10**6)) < 200
    assert len(shown([[[[[["x"] * 9] * 9] * 9] * 9] * 9])) < 3_000
    assert unencodable("\U0001f600") == "" and "character 2" in unencodable("x\ud83d")


@pytest.mark.parametrize(("value", "said"), [
    (True, True), ("True", True), ("1", True), (1, True), ("false", False), ("False", False), (0, False), (None, False),
    ("maybe", "expected true or false"), (2, "is 2"), ([], "is \\[\\]"), (0.0, "is 0.0"),
])  # fmt: skip
def test_a_truth_value_may_be_text(value, said):
    if isinstance(said, bool):
        assert is_impossible({"is_impossible": value}) is said
        return
    with pytest.raises(ValueError, match=said):
        is_impossible({"is_impossible": value})


def test_answers_have_two_shapes_and_others_are_named():
    both = [{"text": "a", "answer_start": 0}, {"text": "b", "answer_start": 4}]
    assert answer_objects(both) == answer_objects({"text": ["a", "b"], "answer_start": [0, 4]}) == both
    assert answer_objects({"text": [], "answer_start": []}) == []
    for bad, said in (
        ("a", "expected a list"), (None, "is None"), (["a"], "an answer is 'a'"), ({"text": "a"}, "expected lists under"),
        ({"text": ["a"], "answer_start": []}, "0 answer starts but 1 answer texts"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            answer_objects(bad)
