"""Aligned text for phase 1."""

import gzip
import json

import pytest

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.raw_text import DOCUMENT_CHARACTERS, aligned_files, sources_in


def source(root, name="news", **files):
    folder = root / "pretrain" / name
    folder.mkdir(parents=True, exist_ok=True)
    for language, lines in files.items():
        path = folder / f"{language.replace('__', '-')}.txt.gz"
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return root


def test_pairs_are_lines_that_both_sides_have_and_documents_are_runs_of_lines(tmp_path):
    source(tmp_path, eng=["one", "two", "", "four"], swa=["moja", "", "tatu", "nne"])
    english, swahili = aligned_files(tmp_path, ["en", "sw"], sources_in(tmp_path))
    assert [(t.text_a, t.text_b) for t in swahili.pairs()] == [("moja", "one"), ("nne", "four")]
    assert [t.text_a for t in swahili.documents()] == ["moja tatu nne"]
    assert list(english.pairs()) == []
    assert list(swahili.documents()) == list(swahili.documents())  # read anew, never used up


def test_documents_are_about_as_long_as_a_sequence_and_lose_nothing(tmp_path):
    sentences = [f"sentence number {n}." for n in range(300)]
    source(tmp_path, eng=sentences)
    (file,) = aligned_files(tmp_path, ["en"], ["news"])
    documents = [text.text_a for text in file.documents()]
    assert " ".join(documents) == " ".join(sentences)
    assert max(map(len, documents)) <= DOCUMENT_CHARACTERS + len(sentences)
    assert len(documents) > 5


def test_bitext_of_unequal_lengths_names_the_line_that_has_no_other_side(tmp_path):
    source(tmp_path, eng=["one", "two", "three"], swa=["moja", "mbili"])
    (file,) = aligned_files(tmp_path, ["sw"], ["news"])
    with pytest.raises(BadInput, match=r"eng.txt.gz:3: no such line in .*swa.txt.gz; aligned files have equal lengths"):
        list(file.pairs())


def test_files_are_found_by_any_code_and_a_plain_name_goes_before_a_region_s(tmp_path):
    source(tmp_path, eng=["x"], fra=["plain"], fra__CA=["regional"], zho__CN=["simplified"], zho__TW=["traditional"])
    source(tmp_path, "more", en=["x"], swa=["y"])
    found = {f.language: f.path.name for f in aligned_files(tmp_path, ["fr", "zh", "zh_Hant", "sw"], ["more", "news"])}
    assert found == {"fr": "fra.txt.gz", "zh": "zho-CN.txt.gz", "zh_Hant": "zho-TW.txt.gz", "sw": "swa.txt.gz"}


def test_a_file_of_both_sides_gives_its_language_and_its_own_english(tmp_path):
    folder = tmp_path / "pretrain" / "lafand"
    folder.mkdir(parents=True)
    for code, rows in (("hau", [("one", "daya"), ("two", "")]), ("swa", [("three", "tatu")])):
        text = "".join(json.dumps({"en": english, code: ours}) + "\n" for english, ours in rows)
        (folder / f"en-{code}.train.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    assert sources_in(tmp_path) == ("lafand",)
    files = aligned_files(tmp_path, ["en", "ha"], ["lafand"])
    assert [file.language for file in files] == ["en", "ha"]
    assert [[t.text_a for t in file.documents()] for file in files] == [["one two"], ["daya"]]
    assert [(t.text_a, t.text_b) for t in files[1].pairs()] == [("daya", "one")]
    (folder / "en-hau.train.jsonl.gz").write_bytes(gzip.compress(b'{"en": "one"}\n'))
    with pytest.raises(BadInput, match=r"en-hau.train.jsonl.gz:1: no text under 'hau'"):
        list(files[1].documents())


def test_lafand_is_read_where_it_is_asked_for_and_its_texts_are_its_own(shared_data):
    files = aligned_files(shared_data, ["en", "ha", "yo"], ["lafand"])
    assert {file.language for file in files} == {"en", "ha", "yo"}
    assert sum(1 for file in files if file.language == "yo" for _ in file.pairs()) == 6644


def test_a_language_without_text_and_a_folder_without_sources_are_named(tmp_path):
    with pytest.raises(DataMissing, match=r"no raw text: expected .*pretrain/SOURCE/LANGUAGE.txt.gz"):
        sources_in(tmp_path)
    source(tmp_path, eng=["x"])
    with pytest.raises(DataMissing, match=r"no raw text of 'yo' under .*pretrain in news"):
        aligned_files(tmp_path, ["yo"], ["news"])


def test_a_line_that_is_not_utf_8_is_named(tmp_path):
    source(tmp_path, eng=["x"])
    (tmp_path / "pretrain/news/swa.txt.gz").write_bytes(gzip.compress(b"moja\n\xff\xfe\n"))
    (file,) = aligned_files(tmp_path, ["sw"], ["news"])
    with pytest.raises(BadInput, match=r"swa.txt.gz:2: not UTF-8 at byte 0"):
        list(file.documents())
