"""Aligned text for phase 1."""

import gzip

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
