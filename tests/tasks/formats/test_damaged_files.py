"""Every format under damage at random places: one line that names the file, or a reading that has lost nothing in silence."""

import gzip
import io
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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
    "nli_jsonl": ("pair", 6, rows(6, lambda n: NLI | {"sentence2": WORDS[n], "pairID": str(n)}), {}),
    "nli_tsv": ("pair", 6, table((*NLI, "sentence2", "pairID"), 6, lambda n: (*NLI.values(), WORDS[n], str(n))), {}),
    "anli_jsonl": ("pair", 6, rows(6, lambda n: {"uid": f"u{n}", "context": WORDS[n], "hypothesis": "h", "label": "n"}), {}),
    "squad_json": ("span", 6, json.dumps({"data": [squad(n) for n in range(6)]}, indent=1), {}),
    "squad_lines": ("span", 6, rows(6, lambda n: span(n) | {"answers": [{"answer_start": 0, "text": WORDS[n]}]}), {}),
    "qamr": ("span", 6, rows(6, lambda n: span(n) | {
        "contiguous": True, "answer_tokens": [0], "answer": WORDS[n], "sentence_id": f"s{n}", "target_words": ["w"],
        "worker": 1, "qa_index": 0, "target": "t"}), {}),
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
    "ccgbank": ("tagging", 6, "".join(f"ID=wsj_0001.{n} X\n(<T S 0 1> (<L N NN NN {WORDS[n]} N>) )\n" for n in range(6)), {}),
    "conllu": ("tagging", 6, "".join(map(conllu, range(6))), {}),
    "token_tag": ("tagging", 6, "".join(map(block, range(6))), {}),
    "wikiann": ("tagging", 6, "".join(block(n, "en:") for n in range(6)), {}),
    "laser_tatoeba": ("retrieval", 6, "".join(f"{WORDS[n]} moja\n" for n in range(6)),
                      {".eng": "".join(f"{WORDS[n]} one\n" for n in range(6))}),
    "flat_tsv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (WORDS[n], "x", "neutral")), {}),
    "flat_csv": ("pair", 6, table(("a", "b", "label"), 6, lambda n: (f'"{WORDS[n]}, and"', '"x ""y"""', "neutral"), ","), {}),
    "flat_jsonl": ("pair", 6, rows(6, lambda n: {"a": WORDS[n], "b": "x", "label": "neutral"}), {}),
    "parquet": ("pair", 6, parquet(), {}),
    "conll": ("tagging", 6, "".join(map(block, range(6))), {}),
    "bucc": ("mining", 12, "".join(f"de-{n}\t{WORDS[n]}\n" for n in range(6)),
             {".en": "".join(f"en-{n}\t{WORDS[n]}\n" for n in range(6)), ".gold": "de-1\ten-1\nde-2\ten-2\n"}),
}  # fmt: skip
LABELS = {"pair": ("contradiction", "entailment", "neutral"), "tagging": ("O", "N", "NOUN")}
DRAWS = 150


def path_of(folder: Path, name: str) -> Path:
    return folder / ("tatoeba.swh-eng.swh" if name == "laser_tatoeba" else "de-en.train.de" if name == "bucc" else f"t.{name}")


def read(path, name, skip_bad=0):
    kind = FILES[name][0]
    card = TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=LABELS.get(kind, ()))
    return read_file(path, card, Files(format=name), "en", "train", skip_bad=skip_bad)


@pytest.fixture(params=sorted(FILES))
def written(request, tmp_path):
    """(format, path of its file, the file's bytes), with what stands beside it."""
    _, _, content, beside = FILES[request.param]
    path = path_of(tmp_path, request.param)
    for ending, text in beside.items():
        path.with_suffix(ending).write_text(text, encoding="utf-8")
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
    if name in ("copa", "squad_json"):  # an id decides the split; a damaged JSON is refused whole
        return
    draw, header = random.Random(name), name in ("tsv", "csv", "nli_tsv", "cosmos_csv", "flat_tsv", "flat_csv")
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
        with pytest.raises(BadInput, match=r"damaged gzip file|holds no example|not JSON"):
            read(place, name)


def test_a_folder_in_a_files_place_is_one_line(written):
    name, path, _ = written
    path.unlink()
    path.mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        read(path, name)
