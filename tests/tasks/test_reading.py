"""Files against their cards: what is bad is one line with file and line number, or told when it is passed over."""

import gzip
import hashlib
import json
from dataclasses import replace

import pytest

from tasksearch.core.errors import BadInput, DataMissing, UnknownName
from tasksearch.core.signature import signature_of
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.formats import FORMATS, Broken
from tasksearch.tasks.reading import file_fingerprint, path_of, read_file, records_of
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files

PAIR = {"labels": ("yes", "no")}


def card(kind="pair", **fields):
    return TaskCard(name="t", kind=kind, role="target", languages=("en", "sw"), **fields)


def write(path, text, packed=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


TABLE = Files(format="tsv", path="t.tsv", columns=(("a", "premise"), ("b", "hypo")))


def test_a_table_is_read_by_the_columns_that_the_card_names(tmp_path):
    path = write(tmp_path / "t.tsv", 'premise\thypo\tlabel\nsaid "so\tso\tyes\n\u2028odd\tline\tno\n')
    examples = read_file(path, card(**PAIR), TABLE, "en", "train").examples
    assert [(e.text_a, e.text_b, e.label) for e in examples] == [('said "so', "so", 0), ("\u2028odd", "line", 1)]


def test_commas_may_stand_in_quotes(tmp_path):
    path = write(tmp_path / "t.csv", 'premise,hypo,label\n"a, ""b""\nc",d,no\n')
    files = Files(format="csv", path="t.csv", columns=TABLE.columns)
    assert read_file(path, card(**PAIR), files, "en", "train").examples[0].text_a == 'a, "b"\nc'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("premise\thypo\tlabel\na\tb\tyes\na\tb\n", r"t.tsv:3: 2 columns; the header has 3 \(premise, hypo, label\)"),
        ("premise\thypo\tlabel\na\tb\tmaybe\n", r"t.tsv:2: unknown label 'maybe'; expected one of yes, no"),
        ("premise\tlabel\na\tyes\n", r"t.tsv:2: field 'hypo' is missing"),
        ("premise\thypo\tlabel\n", r"t.tsv: the file holds no example"),
        (b"premise\thypo\tlabel\na\tb\tyes\n\xff\xfe\tb\tyes\n", r"t.tsv:3: not UTF-8 at byte 0"),
    ],
)
def test_a_bad_line_of_a_table_is_named(tmp_path, text, said):
    path = write(tmp_path / "t.tsv", text)
    with pytest.raises(BadInput, match=said):
        read_file(path, card(**PAIR), TABLE, "en", "train")


def test_a_truncated_and_an_empty_packed_file_are_told(tmp_path):
    whole = gzip.compress(b"premise\thypo\tlabel\n" + b"a\tb\tyes\n" * 500)
    for name, data, said in (("cut", whole[:-12], "damaged gzip"), ("none", b"", "holds no example")):
        path = write(tmp_path / f"{name}.tsv.gz", data)
        with pytest.raises(BadInput, match=said):
            read_file(path, card(**PAIR), TABLE, "en", "train")


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_an_id_that_comes_twice_is_refused(tmp_path):
    path = write(tmp_path / "t.jsonl", lines({"a": "x", "b": "y", "label": "yes", "id": 7}) * 2)
    with pytest.raises(BadInput, match=r"t.jsonl:2: a second example with id '7'"):
        read_file(path, card(**PAIR), Files(), "en", "train")


def test_an_answer_that_does_not_stand_where_it_should_is_refused(tmp_path):
    row = {"question": "q", "context": "one two", "answers": [{"start": 3, "text": "two"}]}
    path = write(tmp_path / "t.jsonl", lines(row))
    with pytest.raises(BadInput, match=r"t.jsonl:1: the context does not hold the answer 'two' at character 3"):
        read_file(path, card("span"), Files(), "en", "train")


def test_up_to_so_many_bad_lines_are_passed_over_and_told(tmp_path):
    good, bad = {"a": "x", "b": "y", "label": "yes"}, {"a": "x", "label": "yes"}
    path = write(tmp_path / "t.jsonl", lines(good, bad, good, bad))
    reading = read_file(path, card(**PAIR), Files(), "en", "train", skip_bad=2)
    assert len(reading.examples) == 2
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in reading.skipped] == ["2", "4"]
    with pytest.raises(BadInput, match=r":4: field 'b' is missing .*; 2 bad records, 1 allowed by --skip-bad"):
        read_file(path, card(**PAIR), Files(), "en", "train", skip_bad=1)


MANY = Files(format="tsv", path="all.tsv", columns=(("a", "text"),), language_column="lang", codes=(("sw", "swh"),))


def test_a_file_of_several_languages_gives_each_its_lines_with_their_numbers(tmp_path):
    path = write(tmp_path / "all.tsv", "lang\ttext\tlabel\nswh\thabari\tyes\neng\thello\tyes\nswh\tndiyo\twhat\n")
    sentence = card("sentence", **PAIR)
    assert read_file(path, sentence, MANY, "eng", "test").examples[0].text_a == "hello"
    with pytest.raises(BadInput, match=r"all.tsv:4: unknown label 'what'"):
        read_file(path, sentence, MANY, "sw", "test")
    with pytest.raises(BadInput, match=r"no example of 'yo'"):
        read_file(path, sentence, MANY, "yo", "test")


def test_a_long_file_of_several_languages_gives_each_line_as_it_stands_in_the_file(tmp_path):
    languages = [("eng", "swh")[n % 3 == 0] for n in range(200)]
    rows = [{"lang": each, "text": f"\ud800 {n}", "n": [n, None, 0.1]} for n, each in enumerate(languages)]
    rows[50:50] = [{"text": "of no language"}]
    path = write(tmp_path / "all.jsonl", lines(*rows))
    files = replace(MANY, format="jsonl", path="all.jsonl")
    alone = list(FORMATS["jsonl"].records(path))
    for code in ("eng", "swh"):
        found = list(records_of(path, files, code))
        assert found == list(records_of(path, files, code))  # read once, given as often as it is asked for
        assert [one for one in found if not isinstance(one[1], Broken)] == [one for one in alone if one[1].get("lang") == code]
        assert [number for number, content in found if isinstance(content, Broken)] == [51]
        assert [number for number, _ in found] == sorted(number for number, _ in found)


def test_labels_of_the_files_are_mapped_to_the_cards(tmp_path):
    path = write(tmp_path / "t.jsonl", lines({"words": ["a", "b"], "tags": ["B-DATE", "B-LOC"]}))
    files = Files(labels=(("B-DATE", "O"),))
    (example,) = read_file(path, card("tagging", labels=("O", "B-LOC")), files, "en", "test").examples
    assert example.tags == (0, 1)


def test_the_document_is_what_the_pattern_finds(tmp_path):
    rows = [{"a": "x", "label": "yes", "document": d} for d in ("n01001011", "n01001012", "dev-s7")]
    path = write(tmp_path / "t.jsonl", lines(*rows))
    files = Files(documents=(("*", r"([nw]\d{5})\d{3}$"),))
    documents = [e.document for e in read_file(path, card("sentence", **PAIR), files, "en", "test").examples]
    assert documents == ["n01001", "n01001", ""]


def test_an_unknown_format_names_its_neighbour(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'jsonl'"):
        read_file(write(tmp_path / "t", "x"), card(), Files(format="jsonlines"), "en", "train")


def test_a_path_stays_in_the_data_folder(tmp_path):
    for path in ("../t.tsv", "/etc/passwd"):
        with pytest.raises(BadInput, match="leaves the data folder"):
            path_of(tmp_path, card(), Files(path=path), "en", "train")


def test_a_target_may_train_on_several_files_one_after_the_other(tmp_path):
    for name, text in (("one", "a"), ("two", "b")):
        write(tmp_path / f"{name}.jsonl", lines({"a": text, "b": text, "label": "yes"}))
    two = card(train=tuple(Files(path=f"{name}.jsonl") for name in ("one", "two")), **PAIR)
    source = TaskSource(tmp_path, None)
    assert [e.text_a for e in source.training_examples(two)] == ["a", "b"]
    assert source.training_size(two) == 2


def test_the_name_of_data_changes_with_its_bytes_and_with_how_it_is_read(tmp_path):
    write(tmp_path / "t.jsonl", lines({"a": "a", "b": "b", "label": "yes"}))
    source = TaskSource(tmp_path, None)
    one, other = (card(train=(Files(path="t.jsonl", labels=labels),), **PAIR) for labels in ((), (("y", "yes"),)))
    names = {source.training_fingerprint(one), source.training_fingerprint(other)}
    write(tmp_path / "t.jsonl", lines({"a": "other", "b": "b", "label": "yes"}))
    assert len(names | {source.training_fingerprint(one)}) == 3
    with pytest.raises(DataMissing, match="gone"):
        file_fingerprint(tmp_path / "gone")


def test_missing_files_are_named(tmp_path):
    wanted = card(train=(Files(path="train.jsonl"),), one_split=("sw",), **PAIR)
    missing = TaskSource(tmp_path, None).missing(wanted, ("en", "sw"))
    assert [str(path.relative_to(tmp_path)) for path in map(type(tmp_path), missing)] == [
        "train.jsonl", "t/en.dev.jsonl.gz", "t/en.test.jsonl.gz", "t/sw.test.jsonl.gz",
    ]  # fmt: skip


def test_only_data_that_is_read_otherwise_than_before_has_another_name(tmp_path):
    """A null title and a byte-order mark change the name of the data; files without them keep the names of earlier versions."""
    span = card("span", source=Files(format="squad_lines", path="t.jsonl"), select_split="dev", report_split="dev")

    def names(text):
        """(the name now, the name that earlier versions gave)."""
        path = write(tmp_path / "t.jsonl", text)
        earlier = f"dev {hashlib.sha256(path.read_bytes()).hexdigest()[:24]}/{signature_of(1, span.source)}"
        return TaskSource(tmp_path, None).evaluation_fingerprint(span, "en")[1], earlier

    row = {"id": "q", "title": "t", "question": "?", "context": "Rom", "answers": [{"answer_start": 0, "text": "Rom"}]}
    now, earlier = names(lines(row))
    assert now == earlier
    for text in (*(lines(row | {"title": title}) for title in (None, "", " ")), "\ufeff" + lines(row)):
        now, earlier = names(text)
        assert now != earlier, text


def test_the_plain_form_of_a_source_is_that_of_versions_without_its_languages():
    assert "languages" not in Files().to_json()
    assert Files(languages=("sw",)).to_json()["languages"] == ["sw"]
    assert signature_of(Files()) == "27b82835fb92a099697093ee"  # as earlier versions have it
