"""A suite from a user's file: cards of every kind and format, languages that nobody knows, and one line for every mistake."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasksearch.core.errors import BadInput, DataMissing, TasksearchError
from tasksearch.core.own_files import is_reference
from tasksearch.metrics.registry import label_metric
from tasksearch.tasks.catalogue import load_suite, suite_name
from tasksearch.tasks.labels import with_labels
from tasksearch.tasks.resolve import absent, choose, fingerprint, read_source
from tasksearch.tasks.source import TaskSource

HEAD = 'name = "mine"\n[[task]]\nname = "t"\nlanguages = ["en", "sw"]\n'
CARD = HEAD + 'kind = "sentence"\nlabels = ["no", "yes"]\nfiles = "t/{language}.{split}.tsv"\n'


@pytest.fixture
def written(tmp_path):
    def write(text, name="mine.toml", **files):
        for path, content in files.items():
            place = tmp_path / path.replace("__", "/").replace("_DOT_", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def parquet(rows, folder):
    pq.write_table(pa.Table.from_pylist(rows), folder / "x.parquet")
    return (folder / "x.parquet").read_bytes()


TABLES = {
    "sentence": (
        'labels = ["0", "1"]\ncolumns = { a = "text", label = "class", document = "page" }\n',
        [{"text": "one", "class": 0, "page": "p1"}, {"text": "two", "class": 1, "page": "p2"}],
        lambda e: [(one.text_a, one.label, one.document) for one in e] == [("one", 0, "p1"), ("two", 1, "p2")],
    ),
    "pair": (
        'labels = ["no", "yes"]\ncolumns = { a = "s1", b = "s2" }\nrename = { f = "no", t = "yes" }\n',
        [{"s1": "one", "s2": "eins", "label": "t"}],
        lambda e: (e[0].text_a, e[0].text_b, e[0].label) == ("one", "eins", 1),
    ),
    "multilabel": (
        'labels = ["glad", "sad", "cross"]\ncolumns = { a = "text" }\nseparator = ";"\n',
        [{"text": "one", "labels": "cross;glad"}, {"text": "two", "labels": ""}],
        lambda e: [one.labels for one in e] == [(0, 2), ()],
    ),
    "choice": (
        'columns = { prompt = "ctx", choices = ["e0", "e1"], label = "gold" }\n',
        [{"ctx": "he", "e0": "ran", "e1": "sat", "gold": 1}],
        lambda e: (e[0].choices, e[0].label) == (("ran", "sat"), 1),
    ),
    "span": (
        'columns = { question = "q", context = "c", answer = "text", start = "at" }\n',
        [{"q": "who?", "c": "a cat sat", "text": "cat", "at": 2}],
        lambda e: e[0].answers == ((2, "cat"),),
    ),
    "tagging": (
        'labels = ["D", "N"]\n',
        [{"words": "the cat", "tags": "D N"}],
        lambda e: (e[0].words, e[0].tags) == (("the", "cat"), (0, 1)),
    ),
    "retrieval": ("", [{"text": "paka", "english": "cat"}], lambda e: (e[0].text, e[0].english) == ("paka", "cat")),
}


def as_text(rows, tab):
    return "\n".join(tab.join(str(cell) for cell in cells) for cells in (rows[0], *(row.values() for row in rows))) + "\n"


@pytest.mark.parametrize("ending", ["tsv", "csv", "jsonl", "parquet"])
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_of_any_kind_and_format_is_read_by_a_card_of_a_few_lines(kind, ending, written, tmp_path):
    lines, rows, right = TABLES[kind]
    made = {
        "tsv": lambda: as_text(rows, "\t"), "csv": lambda: as_text(rows, ","), "parquet": lambda: parquet(rows, tmp_path),
        "jsonl": lambda: "".join(json.dumps(row) + "\n" for row in rows),
    }[ending]()  # fmt: skip
    card = HEAD + f'kind = "{kind}"\nfiles = "data/{{language}}.{{split}}.{ending}"\n{lines}'
    suite = load_suite(str(written(card, **{f"data__sw_DOT_test_DOT_{ending}": made})))
    reading = read_source(tmp_path, suite.card("t"), suite.card("t").source, "sw", "test")
    assert right(reading.examples), reading.examples


def test_tagged_lines_with_any_columns_and_comments_are_read(written, tmp_path):
    lines = "-DOCSTART- X\n\n# id 1\n1 the D\n2 cat N\n\n1 runs V\n"
    card = HEAD + 'kind = "tagging"\nlabels = ["D", "N", "V"]\nfiles = "{language}.{split}.conll"\ncolumns = { words = "1" }\n'
    suite = load_suite(str(written(card, sw_DOT_test_DOT_conll=lines)))
    found = read_source(tmp_path, suite.card("t"), suite.card("t").source, "sw", "test").examples
    assert [(one.words, one.tags) for one in found] == [(("the", "cat"), (0, 1)), (("runs",), (2,))]


def test_a_card_names_files_by_language_and_split_and_training_files_apart(written, tmp_path):
    card = HEAD + 'kind = "sentence"\nlabels = ["no", "yes"]\ntrain = ["a.tsv", "b.tsv"]\nselect_split = "test"\n'
    card += '[task.files]\nen = { test = "english.tsv" }\nsw = "kiswahili.tsv"\n'
    row = "a\tlabel\n{}\tyes\n"
    files = {name + "_DOT_tsv": row.format(name) for name in ("a", "b", "english", "kiswahili")}
    suite = load_suite(str(written(card, **files)))
    one, source = suite.card("t"), TaskSource(tmp_path, None)
    assert [e.text_a for e in source.training_examples(one)] == ["a", "b"]
    assert [e.text_a for e in source.split(one, "sw", "test")] == ["kiswahili"]
    assert [e.text_a for e in source.split(one, "en", "test")] == ["english"]
    assert source.missing(one, ("en", "sw")) == []
    with pytest.raises(DataMissing, match="names no file for language 'en', split 'dev'"):
        choose(tmp_path, one, one.source, "en", "dev")


def test_files_are_looked_for_beside_the_card_first_and_then_under_the_data_folder(written, tmp_path):
    own, data = tmp_path, tmp_path / "data"
    row = "a\tlabel\n{}\tyes\n"
    under = {f"data__t__sw_DOT_{split}_DOT_tsv": row.format("under") for split in ("dev", "test")}
    suite = load_suite(str(written(CARD, t__sw_DOT_test_DOT_tsv=row.format("beside"), **under)))
    card = suite.card("t")
    said = {split: read_source(data, card, card.source, "sw", split).examples[0].text_a for split in ("dev", "test")}
    assert said == {"dev": "under", "test": "beside"}
    assert absent(data, card, card.source, "en", "test") == str(data / "t/en.test.tsv")
    there = fingerprint(own, card, card.source, "sw", "test")
    moved = dataclasses.replace(card, source=dataclasses.replace(card.source, home=""))
    assert there == fingerprint(own, moved, moved.source, "sw", "test"), "where a file lies does not name its content"


def test_labels_that_a_card_does_not_name_are_read_off_its_training_files(written, tmp_path):
    card = CARD.replace('labels = ["no", "yes"]\n', 'rename = { y = "yes" }\n')
    suite = load_suite(str(written(card, t__en_DOT_train_DOT_tsv="a\tlabel\none\ty\ntwo\tmaybe\nthree\tno\n")))
    assert with_labels(suite, tmp_path).card("t").labels == ("maybe", "no", "yes")


EXTENDS = """
name = "two-more"
extends = "lowres"
[languages.qqa]
name = "Quqa"
family = "Isolate"
script = "Latn"
gib = 0.2
[languages.qqb]
name = "Bibi"
seen = false
[[task]]
adds_to = "udpos"
languages = ["qqa"]
files = "pos/{language}.{split}.conllu"
format = "conllu"
[[task]]
name = "court"
kind = "sentence"
languages = ["en", "qqa", "qqb", "swh"]
labels = ["guilty", "free"]
files = "court/{language}.{split}.jsonl"
"""


def test_a_suite_file_extends_one_of_the_package_by_languages_that_no_table_knows(written):
    suite, base = load_suite(str(written(EXTENDS))), load_suite("lowres")
    assert {"qqa", "qqb"} <= set(suite.languages) and suite.world == "lowres" and suite.needs_data
    old, new = base.card("udpos"), suite.card("udpos")
    assert new.languages == (*old.languages, "qqa") and new.source.of("sw", "test") == old.source
    assert new.train_sources == old.train_sources and new.labels == old.labels
    assert [c for c in suite.cards if c.name not in ("udpos", "court")] == [c for c in base.cards if c.name != "udpos"]
    assert suite.card("court").languages[-1] == "sw", "codes of the table are the project's own"
    assert "qqa" in suite.language_groups["low"] and "qqb" in suite.language_groups["unseen"]
    assert set(base.language_groups["low"]) < set(suite.language_groups["low"])
    assert "court" in suite.first_targets and set(base.first_targets) < set(suite.first_targets)
    assert suite.card("court").chance == 50


def test_a_python_file_holds_a_suite_and_the_metric_of_its_card(written, tmp_path):
    text = """
from tasksearch.metrics.outcomes import ratio_outcomes
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.suite_file import extended
from tasksearch.tasks.source_spec import Files


def half_marks(predicted, gold):
    return ratio_outcomes([1.0 if p == g else 0.5 for p, g in zip(predicted, gold)])


CARD = TaskCard(name="t", kind="sentence", role="target", languages=("en", "near1"), labels=("a", "b"),
                metric="mine.py:half_marks", source=Files(format="flat_tsv", path="t.tsv"), select_split="test")
SUITE = extended("lab", name="mine", cards=(CARD,), only=("restate", "retrieval"))
"""
    name = suite_name(str(written(text, "mine.py", t_DOT_tsv="a\tlabel\none\ta\n")))
    suite = load_suite(name)
    assert is_reference(name) and name.startswith("mine@") and suite.world == "lab"
    assert [card.name for card in suite.cards] == ["restate", "retrieval", "t"]
    card = suite.card("t")
    assert read_source(tmp_path / "nowhere", card, card.source, "near1", "test").examples[0].text_a == "one"
    outcomes = label_metric(card.metric)(np.array([0, 1]), np.array([0, 0]))
    assert outcomes.tolist() == [[1, 1], [0.5, 1]]
    (tmp_path / "mine.py").write_text(text.replace("0.5", "2 * [1]"))
    worse = load_suite(str(tmp_path / "mine.py")).card("t").metric
    with pytest.raises(BadInput, match=r"metric mine\.py:half_marks: "):
        label_metric(worse)(np.array([0, 1]), np.array([0, 0]))


def test_a_metric_in_a_file_of_its_own_keeps_its_name_when_the_cards_change(written, tmp_path):
    (tmp_path / "scores.py").write_text("def ours(predicted, gold):\n    return [[1, 1]] * len(gold)\n")
    card = CARD + 'metric = "scores.py:ours"\n'
    first = load_suite(str(written(card))).card("t").metric
    assert load_suite(str(written(card + 'note = "x"\n'))).card("t").metric == first
    (tmp_path / "scores.py").write_text("def ours(predicted, gold):\n    return [[0, 1]] * len(gold)\n")
    assert load_suite(str(written(card))).card("t").metric != first


def test_what_a_suite_holds_decides_its_name_and_where_it_lies_does_not(written, tmp_path):
    here = suite_name(str(written(CARD)))
    (tmp_path / "elsewhere").mkdir()
    there = tmp_path / "elsewhere" / "mine.toml"
    there.write_text(CARD)
    assert suite_name(str(there)) == here and load_suite(here).home == str(there.parent)
    there.write_text(CARD + "fewest = 3\n")
    assert suite_name(str(there)) != here


MISTAKES = [
    (CARD.replace("kind", "knd"), "did you mean 'kind'"),
    (CARD.replace('"sentence"', '"sentense"'), "no kind of task 'sentense'; did you mean 'sentence'?"),
    (CARD.replace('["en", "sw"]', '["en", "xqx"]'), "[languages.xqx]"),
    (CARD.replace("t/{language}", "../{language}"), "leaves its folder"),
    (CARD.replace("t/{language}", "/etc/{language}"), "leaves its folder"),
    (CARD.replace("{split}", "{spilt}"), "expected no braces but {language}"),
    (CARD.replace(".tsv", ".xls"), "ends in '.xls'; expected .tsv"),
    (CARD + 'format = "tvs"\n', "no file format 'tvs'; did you mean 'tsv'?"),
    (CARD + "fewest = -1\n", "fewest is -1; expected a whole number"),
    (CARD + 'labels = "no"\n', "not TOML"),
    (CARD.replace('labels = ["no", "yes"]', 'labels = "no"'), "labels is 'no'; expected a list of texts"),
    (CARD + 'columns = { text = "a" }\n', "no field in columns 'text'"),
    (CARD + 'document = "[0-9]+"\n', "first group is the document"),
    (CARD + 'document = "("\n', "is not a regular expression"),
    (CARD + 'metric = "gone.py:f"\n', "No such file"),
    (CARD + 'metric = "../gone.py:f"\n', "leaves the file's folder"),
    (CARD + 'role = "tarket"\n', "expected 'target' or 'intermediate'"),
    (CARD + 'hub = "a/b"\n', "'hub' beside 'files'"),
    (CARD + "settings = { epoch = 3 }\n", "did you mean 'epochs'?"),
    (CARD + "settings = { epochs = -3 }\n", "epochs is -3"),
    (CARD + "[[task]]\n" + CARD.split("[[task]]\n")[1], "two cards of one name"),
    (CARD.replace('"mine"', '"lab"'), "no name of a suite that there is"),
    ('extends = "lowers"\n' + CARD, "did you mean 'lowres'?"),
    ('only = ["mnli"]\n' + CARD, "'only' without 'extends'"),
    ('name = "x"\n', "expected at least one [[task]]"),
    ('extends = "lowres"\n[[task]]\nadds_to = "udpos"\nlanguages = ["et"]\nfiles = "x.tsv"\n', "does not have yet"),
    (CARD.replace("[[task]]", "[languages.sw]\nnme = 'x'\n[[task]]"), "did you mean 'name'"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_in_a_suite_file_is_one_line_that_names_the_file(text, said, written):
    path = written(text)
    with pytest.raises(TasksearchError) as told:
        suite_name(str(path))
    assert said in str(told.value) and "\n" not in str(told.value)
    assert str(path.parent) in str(told.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.py", "SUITE = 3\n", "no SUITE that is a"),
        ("mine.py", "1 / 0\n", "ZeroDivisionError"),
        ("mine.py", "import nowhere_to_be_found\n", "ModuleNotFoundError"),
        ("mine.json", "{}", "expected a .toml file of cards, or a .py file"),
    ],
)
def test_a_python_file_that_cannot_be_used_is_one_line(name, text, said, written):
    with pytest.raises(BadInput) as told:
        suite_name(str(written(text, name)))
    assert said in str(told.value) and "\n" not in str(told.value)
