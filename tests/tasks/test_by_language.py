"""Training data by language: text for MLM and TLM, translations of labelled data; cards of one's own and the real files."""

import gzip

import pytest

from tasksearch.core.errors import BadInput
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.examples import RawText
from tasksearch.tasks.passages import passages
from tasksearch.tasks.source import TaskSource
from tasksearch.training.languages import LanguageSampling
from tasksearch.training.order import example_order

SUITE = """
extends = "lab"
name = "own"

[[task]]
name = "news"
kind = "mlm"
languages = ["en", "sw"]
files = "news/{language}.txt"
licence = "CC0-1.0"

[[task]]
name = "pairs"
kind = "mlm"
languages = ["sw"]
files = "news/{language}.txt"
format = "text_pairs"
licence = "CC0-1.0"

[[task]]
name = "mood"
kind = "sentence"
role = "intermediate"
labels = ["glad", "sad"]
files = "mood/{language}.tsv"
columns = { a = "text" }
translations = { files = "mood/mt.{language}.tsv", languages = ["sw"] }
licence = "CC0-1.0"
"""


@pytest.fixture
def suite(tmp_path):
    for folder in ("news", "mood"):
        (tmp_path / folder).mkdir()
    (tmp_path / "news/en.txt").write_text("one\n\nthree\n")
    (tmp_path / "news/sw.txt").write_text("moja\nmbili\ntatu\n")
    for name in ("en", "mt.sw"):
        (tmp_path / f"mood/{name}.tsv").write_text(f"text\tlabel\n{name} a\tglad\n{name} b\tsad\n")
    (tmp_path / "own.toml").write_text(SUITE)
    return load_suite(str(tmp_path / "own.toml"))


def test_cards_of_ones_own_hold_text_pairs_and_translations(suite, tmp_path):
    source = TaskSource(tmp_path, None)
    assert {card.name for card in suite.texts} == {"mlm", "tlm", "news", "pairs"}
    assert "mood" in {card.name for card in suite.intermediates}
    assert source.training_counts(suite.card("news")) == (("en", 2), ("sw", 3))
    [first, *_] = source.training_examples(suite.card("pairs"))
    assert (first.text_a, first.text_b) == ("moja", "one")
    assert source.training_size(suite.card("pairs")) == 2, "a line that one side lacks is no pair"
    assert [one.text_a for one in source.training_examples(suite.card("mood:all"))] == ["en a", "en b", "mt.sw a", "mt.sw b"]
    assert [one.text_a for one in source.training_examples(suite.card("mood:sw"))] == ["mt.sw a", "mt.sw b"]
    (tmp_path / "news/sw.txt").write_text("moja\nmbili\n")
    with pytest.raises(BadInput, match=r"en\.txt:3: no such line in .*sw\.txt; a translation has as many lines"):
        TaskSource(tmp_path, None).training_examples(suite.card("pairs"))


def test_what_a_card_cannot_hold_is_refused(tmp_path):
    for old, new, why in (
        ("kind = \"sentence\"", "kind = \"sentence\"\nformat = \"text\"", "format 'text' with kind 'sentence'; expected"),
        (", languages = [\"sw\"] }", " }", "translations without 'languages'"),
    ):  # fmt: skip
        path = tmp_path / "bad.toml"
        path.write_text(SUITE.replace(old, new))
        with pytest.raises(BadInput, match=why):
            load_suite(str(path))


def test_a_long_text_is_cut_into_passages_and_loses_no_word():
    words = [f"word{n}" for n in range(2_000)]
    cut = list(passages([RawText("7", " ".join(words), None), RawText("8", "short", None), RawText("9", "x" * 2_500, None)]))
    assert max(len(text.text_a) for text in cut) <= 1_000
    assert " ".join(text.text_a for text in cut if text.id.startswith("7/")).split() == words
    assert [len(text.text_a) for text in cut if text.id.startswith("9/")] == [1_000, 1_000, 500]
    assert len({text.id for text in cut}) == len(cut)


def test_the_real_translations_are_as_long_as_mnli_and_drawn_alike(shared_data):
    """Sixteen languages by their lines; three read and drawn from, which is what the tool does with all."""
    lowres, source = load_suite("lowres"), TaskSource(shared_data, None)
    card = lowres.card("mnli")
    if not (shared_data / "pretrain/mnli_mt").is_dir():
        pytest.skip(f"no translations of MNLI: {shared_data / 'pretrain/mnli_mt'} is missing")
    assert len(card.by_language) == 16
    for language, files in card.by_language:
        with gzip.open(shared_data / files.relative(card.folder, language, "train")) as lines:
            assert sum(1 for _ in lines) == 15_002, language  # a header
    few = lowres.card("mnli:en+sw+ur")
    source.check_translations(few)
    counts = source.training_counts(few)
    assert counts == (("en", 15_001), ("sw", 15_001), ("ur", 15_001))
    sampling = LanguageSampling(counts=counts)
    obtained = sampling.languages_of(example_order(few.name, 0, sampling.epoch("x", 0, 0) % 60, 32, 9_000, 0, sampling))
    assert sum(obtained.values()) == 9_000 and all(abs(n - 3_000) < 200 for n in obtained.values())
    originals = source.training_examples(card)
    urdu = source.training_examples(lowres.card("mnli:ur"))
    assert [one.label for one in originals] == [one.label for one in urdu], "row by row the same pairs"
    assert sum(a.text_a == b.text_a for a, b in zip(originals, urdu, strict=True)) < 150
