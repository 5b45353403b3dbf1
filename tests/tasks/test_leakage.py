"""The leakage check: against a plain restatement, and on leaks that are known in the real data."""

import dataclasses
import gzip
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.examples import BitextExample, ChoiceExample, RawText, SpanExample, TagExample, TextExample
from tasksearch.tasks.leak_sources import evaluated_by, pretraining, trained_by
from tasksearch.tasks.leakage import Evaluated, Leak, TrainingTexts, find_leaks, refuse_leaks
from tasksearch.tasks.ngrams import GRAM, hashed, words_of
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files

LONG = "one two three four five six seven eight nine ten"


def raw(*texts):
    return TrainingTexts(name="corpus", examples=[RawText(str(i), text, None) for i, text in enumerate(texts)], raw=True)


def sentences(*texts, **fields):
    examples = [TextExample(str(i), text, None, 0) for i, text in enumerate(texts)]
    return Evaluated(task="t", language="sw", split="test", examples=examples, **fields)


def counts(trained, evaluated):
    return [(leak.exact, leak.overlapping, leak.short) for leak in find_leaks([trained], [evaluated])]


words = st.lists(st.sampled_from(["a", "b", "ab", "A!", "ß", "कि", "中文", "…", "Ⅳ"]), max_size=14).map(" ".join)


@given(st.lists(words, max_size=8), st.lists(words, min_size=1, max_size=8))
def test_what_is_found_is_what_a_plain_restatement_finds(trained, evaluated):
    grams = {tuple(w[i : i + GRAM]) for w in map(words_of, trained) for i in range(len(w) - GRAM + 1)}
    wholes = {"".join(words_of(text)) for text in trained} - {""}
    exact, overlapping, short = 0, 0, 0
    for text in evaluated:
        found = words_of(text)
        own = [tuple(found[i : i + GRAM]) for i in range(len(found) - GRAM + 1)]
        if "".join(found) in wholes:
            exact += 1
            short += len(found) < GRAM
        elif own and sum(gram in grams for gram in own) >= 0.7 * len(own):
            overlapping += 1
    assert counts(raw(*trained), sentences(*evaluated)) == ([(exact, overlapping, short)] if exact + overlapping else [])


@given(st.text(max_size=20))
def test_texts_are_compared_by_letters_and_digits_alone(text):
    assert all(unicodedata.category(c)[0] in "LNM" for word in words_of(text) for c in word)
    spaced = f"  {text.upper() if text.upper().lower() == text.lower() else text}!!"
    assert (hashed([text]).whole == hashed([spaced]).whole).all()


def test_scripts_without_spaces_have_a_word_in_each_letter_with_its_marks():
    assert words_of("北京2008年") == ["北", "京", "2008", "年"]
    assert words_of("ภาษา 2 ไทย") == ["ภ", "า", "ษ", "า", "2", "ไ", "ท", "ย"]  # vowels that are letters
    assert words_of("สวัสดี") == ["ส", "วั", "ส", "ดี"]
    assert words_of("အဖွဲ့သည်") == ["အ", "ဖွဲ့", "သ", "ည်"]  # eight characters; as words of their own they recur everywhere
    assert words_of("किताब घर") == ["किताब", "घर"]  # vowel signs stay in their word


def test_a_gram_never_spans_two_texts():
    assert not len(hashed(["one two three four", "five six seven eight"]).grams)
    assert hashed([LONG, "", LONG]).bounds.tolist() == [0, 3, 3, 6]


def test_labelled_examples_hold_an_item_where_they_hold_all_its_texts():
    item = ChoiceExample("1", LONG, ("yes indeed", "not at all"), 0)
    part = Evaluated(task="t", language="en", split="test", examples=[item])
    half = TrainingTexts(name="x", examples=[TextExample("1", LONG, "yes indeed", 0)])
    assert not find_leaks([half], [part])
    assert counts(TrainingTexts(name="x", examples=[item]), part) == [(1, 0, 0)]
    assert counts(raw(LONG), part) == [(1, 0, 0)]  # raw text: its longest text is enough


@pytest.mark.parametrize(
    ("item", "told", "not_told"),
    [
        (SpanExample("1", "who?", LONG, ()), LONG, "who?"),
        (TagExample("1", tuple(LONG.split()), ()), LONG, "one two"),
        (TextExample("1", "short one", LONG, 0), LONG, "short one"),
    ],
)
def test_raw_text_finds_an_item_by_its_main_text(item, told, not_told):
    part = Evaluated(task="t", language="en", split="test", examples=[item])
    assert counts(raw(told), part) == [(1, 0, 0)]
    assert counts(raw(not_told), part) == []


def test_a_bitext_is_found_where_both_sides_are():
    part = Evaluated(task="t", language="sw", split="test", examples=[BitextExample("1", "habari za asubuhi", LONG)])
    assert counts(raw(LONG), part) == []
    assert counts(raw(LONG, "Habari za asubuhi?"), part) == [(1, 0, 0)]


def test_short_items_are_named_but_do_not_stop_a_study_and_one_item_alone_does_not():
    short = find_leaks([raw("Thank you.")], [sentences("Thank you .", "Thank you !", LONG)])
    assert (short[0].found, short[0].short, short[0].share) == (2, 2, 0.0)
    refuse_leaks(short)
    refuse_leaks(find_leaks([raw(LONG)], [sentences(LONG, "other")]))
    with pytest.raises(
        BadInput, match=r"t sw test: 2 of 3 items stand in corpus, 2 letter by letter; 66.67 %.*--allow-leakage"
    ):
        refuse_leaks(find_leaks([raw(LONG)], [sentences(LONG, f"{LONG}!", "other")]))


def leak(found, items):
    return Leak(
        trained="x", task="t", language="sw", split="test", items=items, exact=found, overlapping=0, short=0, shown=()
    )  # fmt: skip


def test_half_a_per_cent_is_the_limit():
    refuse_leaks([leak(5, 1000)])
    with pytest.raises(BadInput, match=r"0\.60 %"):
        refuse_leaks([leak(6, 1000)])


def test_translations_of_numbered_items_are_found_by_number():
    items = [TextExample(str(i), f"tafsiri {i}", None, 0, document=str(i)) for i in range(3)]
    part = Evaluated(task="t", language="sw", split="dev", examples=items, translates=("copa", 401))
    examples = [TextExample("x", "anything", None, 0, document="402")]
    assert counts(TrainingTexts(name="x", examples=examples, data=("copa",)), part) == [(1, 0, 0)]
    assert not find_leaks([TrainingTexts(name="x", examples=examples, data=("other",))], [part])


def test_pretraining_files_are_read_by_line_cell_or_string(tmp_path):
    (tmp_path / "a.txt").write_text("one\u2028two\nthree\n", encoding="utf-8")
    (tmp_path / "b.tsv").write_text("four\tfive\n")
    with gzip.open(tmp_path / "c.jsonl.gz", "wt") as file:
        file.write(json.dumps({"en": "six", "n": 7, "more": ["eight"]}) + "\n")
    (tmp_path / "README.md").write_text("not text")
    texts = {one.name.rsplit("/", 1)[-1]: [e.text_a for e in one.examples] for one in pretraining(tmp_path)}
    assert texts == {"a.txt": ["one\u2028two", "three"], "b.tsv": ["four", "five"], "c.jsonl.gz": ["six", "eight"]}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.jsonl", b'{"a": "x"}\n{"a"\n', r"bad\.jsonl:2: not a JSON object"),
        ("bad.txt", b"ok\ncaf\xe9\n", r"bad\.txt:2: not UTF-8 at byte 3"),
        ("bad.txt.gz", b"\x1f\x8bnothing", "bad.txt.gz: damaged gzip file"),
        ("bad.pdf", b"%PDF", "expected one of"),
    ],
)
def test_pretraining_text_that_cannot_be_read_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=said):
        for one in pretraining(tmp_path / name):
            list(one.examples)


def test_a_folder_without_text_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataMissing, match="no pretraining text"):
            pretraining(place)


# ---- the real data


@pytest.fixture(scope="module")
def lowres(shared_data):
    return load_suite("lowres"), TaskSource(shared_data, None)


@pytest.mark.parametrize(
    ("language", "iso", "split", "items", "exact"),
    [
        ("ig", "ibo", "test", 638, 228),
        ("yo", "yor", "test", 645, 81),
        ("sw", "swa", "test", 604, 3),
        ("yo", "yor", "dev", 305, 253),
    ],
)
def test_masakhaner_sentences_are_found_in_lafand(lowres, shared_data, language, iso, split, items, exact):
    suite, source = lowres
    part = [one for one in evaluated_by(source, [suite.card("masakhaner1")], [language]) if one.split == split]
    with gzip.open(shared_data / f"pretrain/lafand/en-{iso}.train.jsonl.gz", "rt", encoding="utf-8", newline="\n") as lines:
        corpus = raw(*(json.loads(line)[iso] for line in lines))
    (found,) = find_leaks([corpus], part)
    assert (found.items, found.exact) == (items, exact)
    if language == "sw":
        assert found.found == found.short  # "5 .", "7 .", "1 ."
    else:
        with pytest.raises(BadInput, match="leakage: masakhaner1"):
            refuse_leaks([found])


def test_copa_items_401_to_500_are_found_in_every_translation_of_xcopas_validation(lowres):
    suite, source = lowres
    xcopa, copa = suite.card("xcopa"), suite.card("copa")
    evaluated = evaluated_by(source, [xcopa], ["et", "qu", "zh"])
    assert not find_leaks(trained_by(source, [copa]), evaluated)
    leaks = find_leaks(trained_by(source, [dataclasses.replace(copa, train_split="dev")]), evaluated)
    assert {(one.language, one.split, one.exact, one.items) for one in leaks} == {
        (language, "dev", 100, 100) for language in ("et", "qu", "zh")
    }


def test_copa_is_found_by_its_text_where_xcopa_was_translated_back(lowres):
    suite, source = lowres
    copa = dataclasses.replace(suite.card("copa"), train_split="dev")
    back = Files(format="xcopa", path="eval/xcopa/data-gmt.{split}.{code}.jsonl.gz", splits=(("dev", "val"),))
    part = [
        dataclasses.replace(one, translates=None)
        for one in evaluated_by(source, [dataclasses.replace(suite.card("xcopa"), source=back)], ["it"])
    ]
    (found,) = find_leaks(trained_by(source, [copa]), part)
    assert found.split == "dev"
    assert (found.exact, found.items) == (4, 100)  # premise and both choices came back word for word


def test_the_first_study_of_lowres_has_no_leak_that_stops_it(lowres):
    suite, source = lowres
    targets = [suite.card(name) for name in suite.first_targets]
    trained = trained_by(source, [*(suite.card(name) for name in suite.first_tasks), *targets])
    leaks = find_leaks(trained, evaluated_by(source, targets, ["en", "sw", "yo"]))
    assert any(one.task == "udpos" and one.language == "en" and one.short > 100 for one in leaks)
    refuse_leaks(leaks)
