"""Every format under damage at random places and under the same bad inputs: one line that names the file, or a reading that has
lost nothing in silence.
"""

import codecs
import gzip
import io
import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasksearch.core import text_files
from tasksearch.core.errors import BadInput, TasksearchError
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.formats import FORMATS
from tasksearch.tasks.reading import read_file
from tasksearch.tasks.source_spec import Files

WORDS = ["red", "green", "blue", "cat", "dog", "house", "river", "stone"]


def rows(count, make):
    return "".join(json.dumps(make(n)) + "\n" for n in range(count))


def table(header, count, make, tab="\t"):
    return "".join(tab.join(cells) + "\n" for cells in (header, *(make(n) for n in range(count))))


def span(n):
    return {"context": f"{WORDS[n]} sat here", "question": "who?", "id": f"q{n}", "title": f"t{n}"}


def squad(n):
    return {"title": f"t{n}", "paragraphs": [{"context": f"{WORDS[n]} sat", "qas": [
        {"id": f"q{n}", "question": "who?", "answers": [{"text": WORDS[n], "answer_start": 0}]}]}]}  # fmt: skip


def conllu(n):
    lines = [f"# sent_id = s{n}"]
    lines += [f"{i}\t{WORDS[(n + i) % 8]}\t_\tNOUN\t_\t_\t{i - 1}\tdep\t_\t_" for i in (1, 2, 3)]
    return "\n".join(lines) + "\n\n"


def block(n, front=""):
    return "".join(f"{front}{WORDS[(n + i) % 8]}\tO\n" for i in range(3)) + "\n"


def iob2(n):
    return f"# sent_id = s{n}\n" + "".join(f"{i}\t{WORDS[(n + i) % 8]}\tO\t-\t-\n" for i in (1, 2, 3)) + "\n"


def item(n):
    texts = "".join(f"<{name}>{WORDS[n]} {name}</{name}>" for name in ("p", "a1", "a2"))
    return f'<item id="{n + 1}" asks-for="cause" most-plausible-alternative="2">{texts}</item>\n'


NLI = {"gold_label": "neutral", "sentence1": "a cat", "promptID": "1"}
CHOICES = {"choice1": "yes", "choice2": "no", "label": 1}
LETTERS = [{"label": letter, "text": f"place {letter}"} for letter in "ABCDE"]


def parquet():
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"a": WORDS[n], "b": "x", "label": "neutral"} for n in range(6)]), sink)
    return sink.getvalue()


FILES: dict[str, tuple[str, int, str | bytes, dict[str, str]]] = {
    # format: (kind, records, content, files beside it by ending)
    "packed": ("pair", 6, rows(6, lambda n: {"a": WORDS[n], "b": "x", "label": "neutral"}), {}),
    "jsonl": ("pair", 6, rows(6, lambda n: {"a": WORDS[n], "b": "x", "label": "neutral"}), {}),
    "tsv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (WORDS[n], "x", "neutral")), {}),
    "csv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (f'"{WORDS[n]}, and"', '"x ""y"""', "neutral"), ","), {}),
    "tsv_quoted": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (f'"{WORDS[n]}, ""and"""', "x", "neutral")), {}),
    "nli_jsonl": ("pair", 6, rows(6, lambda n: NLI | {"sentence2": WORDS[n], "pairID": str(n)}), {}),
    "nli_tsv": ("pair", 6, table((*NLI, "sentence2", "pairID"), 6, lambda n: (*NLI.values(), WORDS[n], str(n))), {}),
    "anli_jsonl": ("pair", 6, rows(6, lambda n: {"uid": f"u{n}", "context": WORDS[n], "hypothesis": "h", "label": "n"}), {}),
    "squad_json": ("span", 6, json.dumps({"data": [squad(n) for n in range(6)]}, indent=1), {}),
    "squad_lines": ("span", 6, rows(6, lambda n: span(n) | {"answers": [{"answer_start": 0, "text": WORDS[n]}]}), {}),
    "qamr": ("span", 6, rows(6, lambda n: span(n) | {
        "contiguous": True, "answer_tokens": [0], "answer": WORDS[n], "sentence_id": f"s{n}", "target_words": ["w"],
        "worker": 1, "qa_index": 0, "target": "t"}), {}),
    "qamr_files": ("span", 6, "".join(f"s{n}\tw\t1\t0\tt\twho?\t0\t1:0\t2:0\n" for n in range(6)),
                   {"../wiki-sentences.tsv": "".join(f"s{n}\t{WORDS[n]} sat here\n" for n in range(6))}),
    "hellaswag": ("choice", 6, rows(6, lambda n: {
        "ind": n, "ctx_a": WORDS[n], "ctx_b": "he", "endings": ["a", "b", "c", "d"], "label": 3, "source_id": f"v{n}"}), {}),
    "commonsense_qa": ("choice", 6, rows(6, lambda n: {
        "id": f"q{n}", "answerKey": "B", "question": {"stem": WORDS[n], "choices": LETTERS}}), {}),
    "cosmos_csv": ("choice", 6, table(
        ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label"), 6,
        lambda n: (f"i{n}", f'"{WORDS[n]}, he said"', "Why?", "a", "b", "c", '"d, e"', "1"), ","), {}),
    "codah": ("choice", 6, "".join(f"i\t{WORDS[n]}\ta\tb\tc\td\t2\n" for n in range(6)), {}),
    "xcopa": ("choice", 6, rows(6, lambda n: {"idx": n, "premise": WORDS[n], "question": "cause"} | CHOICES), {}),
    "copa": ("choice", 6, rows(6, lambda n: {"id": n + 1, "premise": WORDS[n], "asks_for": "cause"} | CHOICES), {}),
    "copa_xml": ("choice", 6, f"<copa-corpus>\n{''.join(map(item, range(6)))}</copa-corpus>\n", {}),
    "ccgbank": ("tagging", 6, "".join(f"ID=wsj_0001.{n} X\n(<T S 0 1> (<L N NN NN {WORDS[n]} N>) )\n" for n in range(6)), {}),
    "conllu": ("tagging", 6, "".join(map(conllu, range(6))), {}),
    "conllu_words": ("tagging", 6, "".join(map(conllu, range(6))), {}),
    "conll": ("tagging", 6, "".join(map(block, range(6))).replace("\t", " "), {}),
    "iob2": ("tagging", 6, "".join(map(iob2, range(6))), {}),
    "token_tag": ("tagging", 6, "".join(map(block, range(6))), {}),
    "wikiann": ("tagging", 6, "".join(block(n, "en:") for n in range(6)), {}),
    "laser_tatoeba": ("retrieval", 6, "".join(f"{WORDS[n]} moja\n" for n in range(6)),
                      {".eng": "".join(f"{WORDS[n]} one\n" for n in range(6))}),
    "flat_tsv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (WORDS[n], "x", "neutral")), {}),
    "flat_csv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (f'"{WORDS[n]}, and"', '"x ""y"""', "neutral"), ","), {}),
    "flat_jsonl": ("pair", 6, rows(6, lambda n: {"a": WORDS[n], "b": "x", "label": "neutral"}), {}),
    "parquet": ("pair", 6, parquet(), {}),
    "flat_conll": ("tagging", 6, "".join(map(block, range(6))), {}),
    "text": ("mlm", 6, "".join(f"{WORDS[n]} sat here\n" for n in range(6)), {}),
    "text_pairs": ("mlm", 6, "".join(f"{WORDS[n]} moja\n" for n in range(6)),
                   {"en.text_pairs": "".join(f"{WORDS[n]} one\n" for n in range(6))}),
    "bucc": ("mining", 12, "".join(f"de-{n}\t{WORDS[n]}\n" for n in range(6)),
             {".en": "".join(f"en-{n}\t{WORDS[n]}\n" for n in range(6)), ".gold": "de-1\ten-1\nde-2\ten-2\n"}),
}  # fmt: skip
LABELS = {"pair": ("contradiction", "entailment", "neutral"), "tagging": ("O", "N", "NOUN")}
COLUMNS = {"conll": (("words", "tokens"),), "iob2": (("words", "tokens"), ("id", "sent_id")),
           "jsonl": (("document", "title"),)}  # fmt: skip
HEADED = ("tsv", "tsv_quoted", "csv", "nli_tsv", "cosmos_csv")
WHOLE = ("squad_json", "copa_xml")
DRAWS = 150


def path_of(folder: Path, name: str) -> Path:
    names = {"laser_tatoeba": "tatoeba.swh-eng.swh", "bucc": "de-en.train.de", "qamr_files": "filtered/t.tsv"}
    return folder / names.get(name, f"t.{name}")


def read(path, name, skip_bad=0):
    kind = FILES[name][0]
    card = TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=LABELS.get(kind, ()))
    columns = COLUMNS.get(name, ())
    if name == "jsonl" and not (path.is_file() and b"title" in path.read_bytes()):
        columns = ()
    return read_file(path, card, Files(format=name, columns=columns), "en", "train", skip_bad=skip_bad)


@pytest.fixture(params=sorted(FILES))
def written(request, tmp_path):
    """(format, path of its file, the file's bytes), with what stands beside it."""
    _, _, content, beside = FILES[request.param]
    path = path_of(tmp_path, request.param)
    path.parent.mkdir(exist_ok=True)
    for ending, text in beside.items():
        (path.with_suffix(ending) if ending.startswith(".e") or ending == ".gold" else path.parent / ending).write_text(text)
    path.write_bytes(raw := content if isinstance(content, bytes) else content.encode())
    return request.param, path, raw


def told(fault, path):
    assert "\n" not in str(fault)
    assert str(path.with_suffix("")) in str(fault)  # a file beside it has the same name but for its ending


def test_every_format_has_its_place_here_and_every_whole_file_is_read(written):
    assert set(FILES) == set(FORMATS)
    name, path, _ = written
    assert len(read(path, name).examples) == FILES[name][1]


def test_bytes_lost_added_or_changed_never_end_in_a_traceback(written):
    name, path, content = written
    draw = random.Random(name)
    for _ in range(DRAWS):
        begin = draw.randrange(len(content))
        damage = bytes(draw.randrange(256) for _ in range(draw.randrange(4)))
        path.write_bytes(content[:begin] + damage + content[begin + draw.choice((0, 1, 3, 40, len(content))) :])
        for allowed in (0, 3):
            try:
                read(path, name, allowed)
            except TasksearchError as fault:
                told(fault, path)


def test_one_changed_byte_loses_no_record_in_silence(written):
    name, path, content = written
    if name in ("copa", *WHOLE):  # an id decides the split; a damaged JSON is refused whole
        return
    draw, header = random.Random(name), name in (*HEADED, "flat_tsv", "flat_csv")
    places = [i for i, byte in enumerate(content) if byte != 10 and not (header and i < content.index(b"\n"))]
    for _ in range(DRAWS):
        place, byte = draw.choice(places), draw.choice([*b'\t",:{}\\ x0', 0xFF])
        path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        try:
            reading = read(path, name, 1000)
        except BadInput as fault:
            told(fault, path)
            continue
        seen = len(reading.examples) + len(reading.skipped) + sum(count for _, count in reading.left_out)
        assert seen >= FILES[name][1], (path.read_bytes(), reading)


def test_a_sentence_with_a_bad_word_is_passed_over_whole(tmp_path):
    for name in ("token_tag", "wikiann", "conllu", "conll"):
        path, content = path_of(tmp_path, name), FILES[name][2].encode()
        path.write_bytes(content.replace(b"green", b"gr\xffn", 1))
        reading = read(path, name, 1)
        assert (len(reading.examples), len(reading.skipped)) == (5, 1), name
        assert {len(e.words) for e in reading.examples} == {3}
        assert "not UTF-8" in reading.skipped[0]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_of_a_table(tmp_path):
    for name in ("csv", "cosmos_csv", "flat_csv"):
        path = path_of(tmp_path, name)
        path.write_text(FILES[name][2].replace('green, and"', "green, and").replace('green, he said"', "green, he said"))
        with pytest.raises(BadInput, match=rf"t.{name}:\d+: "):
            read(path, name, 3)


def test_a_packed_file_cut_anywhere_is_one_line(written):
    name, path, content = written
    if FILES[name][3] or name == "parquet":  # the files beside it are named after it; parquet packs itself
        return
    packed, draw = gzip.compress(content, mtime=0), random.Random(name)
    place = path.with_name(f"{path.name}.gz")
    for end in (0, *(draw.randrange(1, len(packed)) for _ in range(10))):
        place.write_bytes(packed[:end])
        with pytest.raises(BadInput, match=r"damaged gzip file|holds no example|not JSON|not XML"):
            read(place, name)


def test_a_folder_in_a_files_place_is_one_line(written):
    name, path, _ = written
    path.unlink()
    path.mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        read(path, name)


# ---- the same bad inputs for every format


JSON = ("packed", "jsonl", "nli_jsonl", "anli_jsonl", "squad_json", "squad_lines", "qamr", "hellaswag", "commonsense_qa",
        "xcopa", "copa")  # fmt: skip


def refused(path, name, *words, skip_bad=0):
    with pytest.raises(BadInput) as error:
        read(path, name, skip_bad)
    told(error.value, path)
    assert any(word in str(error.value) for word in words), str(error.value)
    assert len(str(error.value)) < 700


@pytest.fixture
def text(written):
    """As `written`, of the formats whose files are text."""
    if written[0] == "parquet":
        pytest.skip("parquet is no text: it has no lines and no encoding of its own")
    return written


def test_a_byte_order_mark_blank_last_lines_and_windows_line_ends_change_nothing(text):
    name, path, content = text
    expected = read(path, name).examples
    for changed in (codecs.BOM_UTF8 + content, content + b"\n\n  \n", content.replace(b"\n", b"\r\n")):
        path.write_bytes(changed)
        reading = read(path, name)
        assert (reading.examples, reading.skipped) == (expected, ()), changed[:40]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_another_encoding_is_named(text, encoding):
    name, path, content = text
    path.write_bytes(content.decode().encode(encoding))
    refused(path, name, "UTF-16", "UTF-32")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    refused(path, name, "a Git LFS pointer")


def test_half_of_a_surrogate_pair_is_named_with_its_line_and_costs_no_other_record(text):
    name, path, content = text
    in_json = name in JSON
    half = b"gr\\ud83den" if in_json else b"gr\xed\xa0\xbden"
    if b"green" not in content:
        pytest.skip("no text in this file: its sentences stand beside it")
    path.write_bytes(content.replace(b"green", half))
    with pytest.raises(BadInput, match=rf"{re.escape(str(path))}:\d+: .*(surrogate pair|not UTF-8)") as error:
        read(path, name)
    told(error.value, path)
    if name in WHOLE and not in_json:
        return
    reading = read(path, name, 9)
    assert 0 < len(reading.skipped) <= 3  # a word stands in up to three sentences
    assert len(reading.examples) + len(reading.skipped) == FILES[name][1] + (name == "bucc")  # its gold pair falls too


def test_a_null_never_becomes_a_word_and_never_decides_a_split(written):
    name, path, content = written
    if name not in JSON:
        return
    text = (
        content.decode().replace('"a":', '"document": "d", "title": "d", "id": "i", "a":')
        if name in ("packed", "jsonl")
        else content.decode()
    )
    keys = sorted(set(re.findall(r'"(\w+)":', text)))
    for key in keys:
        for nothing in ("null", "NaN", '""', '"  "'):
            path.write_text(re.sub(rf'"{key}": ("[^"]*"|-?\d+)', f'"{key}": {nothing}', text))
            try:
                reading = read(path, name, 99)
            except TasksearchError as fault:
                told(fault, path)
                continue
            for example in reading.examples:
                assert not {example.id, example.document} & {"None", "nan", "null", "NaN"}, (key, nothing, example)
                assert example.id.strip()


@pytest.mark.parametrize("nothing", ["null", "NaN", '""', '" "'])
@pytest.mark.parametrize("name", ["squad_lines", "squad_json"])
def test_questions_of_an_article_without_a_title_stand_together(tmp_path, name, nothing):
    path = path_of(tmp_path, name)
    path.write_text(re.sub(r'"title": "[^"]*"', f'"title": {nothing}', FILES[name][2]))
    examples = read(path, name).examples
    assert [e.document for e in examples] == [e.context for e in examples]
    if name == "squad_json":
        one = {"title": None, "paragraphs": [squad(n)["paragraphs"][0] for n in range(4)]}
        path.write_text(json.dumps({"data": [one, squad(5)]}))
        assert [e.document for e in read(path, name).examples] == [f"{WORDS[0]} sat"] * 4 + ["t5"]


def test_a_line_without_an_end_is_not_held_in_memory(text, monkeypatch):
    name, path, _ = text
    monkeypatch.setattr(text_files, "LONGEST_LINE", 500)
    monkeypatch.setattr(text_files, "LARGEST_WHOLE", 500)
    path.write_bytes(b"x" * 5_000)
    refused(path, name, "a line of more than 500 bytes", "more than 500 bytes")


def test_json_that_is_nested_too_deeply_or_holds_an_endless_number_is_one_short_line(written):
    name, path, content = written
    if name not in JSON:
        return
    for bad in ("[" * 100_000, '{"a": ' * 100_000, f'{{"a": {"9" * 10_000}}}'):
        path.write_text(bad)
        refused(path, name, "JSON")
    deep = "[" * 400 + "]" * 400
    for key in sorted(set(re.findall(rb'"(\w+)":', content))):
        path.write_text(
            re.sub(rf'"{key.decode()}": ("[^"]*"|-?\d+)', lambda found: f"{found[0].split(':')[0]}: {deep}", content.decode())
        )
        try:
            read(path, name)
        except BadInput as fault:
            assert len(str(fault)) < 700, (key, str(fault)[:1000])


@pytest.mark.parametrize("name", HEADED)
def test_a_header_that_cannot_be_read_is_not_swallowed(tmp_path, name):
    path = path_of(tmp_path, name)
    path.write_bytes(b"\xff" + FILES[name][2].encode())
    with pytest.raises(BadInput, match=r"t\.\w+:1: not UTF-8 at byte 0 of the line; convert the file; the header names"):
        read(path, name, 9)
