"""Suite `lowres` from its authors' own files: what they hold is what the packed copies hold, written back from these."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tasksearch.core.text_files import lines
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.selection_split import evaluation_splits
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files, FirstOf

SUITE = load_suite("lowres")
FEW = 40
"""Records of each file that are written back."""


def packed_rows(root, card, language, split):
    """(source, its first records) of the packed copy, as plain objects."""
    source = card.source.sources[0]
    path = root / source.relative(card.folder, language, split)
    rows = []
    header = None
    for _, line in lines(path):
        if source.format == "tsv":
            header, row = (header, dict(zip(header, line.split("\t"), strict=True))) if header else (line.split("\t"), None)
            if row is None:
                continue
        else:
            row = json.loads(line)
        if source.language_column and row[source.language_column] != source.code(language):
            continue
        rows.append(row)
        if len(rows) == FEW:
            break
    return rows


def spaced(rows, tags):
    return "".join("".join(f"{w} {t}\n" for w, t in zip(row["tokens"], row[tags], strict=True)) + "\n" for row in rows)


def quoted(rows, *columns):
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    return sink.getvalue()


def conllu(rows):
    def line(number, word, tag):
        return f"{number}\t{word}\t_\t{tag}\t_\t_\t{number - 1}\tdep\t_\t_\n"

    return "".join(f"# sent_id = {row['sent_id']}\n{numbered(row, 'upos', line)}\n" for row in rows)


def numbered(row, tags, line):
    pairs = zip(row["tokens"], row[tags], strict=True)
    return "".join(line(number, word, tag) for number, (word, tag) in enumerate(pairs, 1))


def iob2(rows):
    def line(number, word, tag):
        return f"{number}\t{word}\t{tag}\t-\t-\n"

    return "".join(f"# newdoc id = d\n# sent_id = {row['sent_id']}\n{numbered(row, 'tags', line)}\n" for row in rows)


def nested(rows):
    def article(row):
        question = {name: row[name] for name in ("id", "question", "answers")}
        return {"title": row["title"], "paragraphs": [{"context": row["context"], "qas": [question]}]}

    return json.dumps({"version": "1.1", "data": [article(row) for row in rows]})


def comma(rows):
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(("premise", "hypo", "label"))
    writer.writerows((row["premise"], row["hypothesis"], row["label"]) for row in rows)
    return sink.getvalue()


def crlf(rows):
    return "".join(f"{json.dumps(row)}\r\n" for row in rows)


LAYOUT = {
    # card: (language, split → {place below the data folder: content})
    "masakhaner1": ("sw", lambda s, rows: {f"masakhaner1/swa/{s}.txt": "\ufeff" + spaced(rows, "tags")}),
    "masakhaner2": ("zu", lambda s, rows: {f"masakhaner2/zul/{s}.txt": spaced(rows, "tags")}),
    "masakhapos": ("yo", lambda s, rows: {f"masakhapos/yor/{s}.txt": spaced(rows, "upos")}),
    "sib200": ("he", lambda s, rows: {f"sib200/heb_Hebr/{s}.tsv": quoted(rows, "index_id", "category", "text")}),
    "afrisenti": ("pt", lambda s, rows: {f"afrisenti/por/{s}.tsv": quoted(rows, "tweet", "label")}),
    "udpos": ("et", lambda s, rows: {f"udpos/UD_Estonian-EDT/et_edt-ud-{s}.conllu": conllu(rows)}),
    "uner": ("hr", lambda s, rows: {f"uner/UNER_Croatian-SET/hr_set-ud-{s}.iob2": iob2(rows)}),
    "xcopa": ("sw", lambda s, rows: {f"xcopa/sw/{'val' if s == 'dev' else s}.sw.jsonl": crlf(rows)}),
    "tydiqa": ("sw", lambda s, rows: {f"tydiqa/language_data/swahili/swahili_tydiqa_{s}.json": nested(rows)}),
    "xquad": ("vi", lambda s, rows: {"xquad/xquad.vi.json": nested(rows)}),
    "tatoeba": ("sw", lambda s, rows: {
        "tatoeba/tatoeba.swh-eng.swh": "".join(f"{row['src']}\n" for row in rows),
        "tatoeba/tatoeba.swh-eng.eng": "".join(f"{row['eng']}\n" for row in rows)}),
    "xnli": ("hr", lambda s, rows: {f"xnli/C-XNLI/xnli.{s}.hr.csv": comma(rows)}),
}  # fmt: skip
UNNAMED = ("masakhaner1", "masakhaner2", "masakhapos", "afrisenti", "xnli")
"""Cards whose packed copies give no ids: an example's id is its line, which is another one in another file."""


@pytest.mark.parametrize("name", sorted(LAYOUT))
def test_the_authors_files_give_the_examples_of_the_packed_copy(name, shared_data, tmp_path):
    card, (language, files_of) = SUITE.card(name), LAYOUT[name]
    packed = TaskSource(shared_data, None)
    own = TaskSource(tmp_path, None)
    for split in evaluation_splits(card, language):
        for place, content in files_of(split, packed_rows(shared_data, card, language, split)).items():
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(content, encoding="utf-8", newline="")
        found, wanted = own.split(card, language, split), packed.split(card, language, split)[:FEW]
        if name in UNNAMED:
            found, wanted = ([replace(example, id="") for example in examples] for examples in (found, wanted))
        assert list(found) == list(wanted)


def test_every_target_but_none_has_an_authors_copy_and_says_where_it_is_from():
    for card in SUITE.cards:
        assert isinstance(card.source, FirstOf), card.name
        assert card.how_to_get, card.name
    own = {card.name for card in SUITE.targets if not card.second_language}  # the others read two files of one of these
    assert set(LAYOUT) == own


def test_quoting_is_a_property_of_a_source():
    quoted_by = {
        card.name
        for card in SUITE.cards
        for source in (card.source, *card.train)
        for copy in (source.sources if isinstance(source, FirstOf) else (source,))
        if isinstance(copy, Files) and copy.format == "tsv_quoted"
    }
    assert quoted_by == {"sib200", "sib200_en", "afrisenti"}


@pytest.mark.parametrize(("name", "place", "content"), [
    ("mrpc", "mrpc/msr-para-train.tsv",
     '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t1\t2\t"He said\tHe "spoke"\r\n0\t3\t4\tshe\t"They\r\n'),
    ("codah", "codah/fold_0/train.tsv", 'i\t"He said\t"a\tb\tc\td\t2\ni\tx\t"a"\tb\tc\td\t0\n'),
    ("mnli", "mnli15k/multinli.train.en.tsv", 'premise\thypo\tlabel\n"He said\tHe "spoke"\tcontradictory\nx\t"y\tneutral\n'),
    ("qamr", "qamr/filtered/test.tsv", 's1\tw\t1\t0\tt\t"who?\t0 1\t1:0\t2:0\ns1\tw\t1\t1\tt\twhat"?\t0 2\t1:0\t2:0\n'),
])  # fmt: skip
def test_raw_quotes_stay(name, place, content, tmp_path):
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(content, encoding="utf-8", newline="")
    (tmp_path / "qamr").mkdir(exist_ok=True)
    (tmp_path / "qamr/wiki-sentences.tsv").write_text('s1\t"Ana sat down\n')
    examples = TaskSource(tmp_path, None).training_examples(SUITE.card(name))
    assert '"' in repr(examples[0])
    assert len(examples) == (1 if name == "qamr" else 2)  # an answer of scattered tokens is left out


def test_copa_s_xml_gives_items_and_mirrors_by_the_rule_of_the_packed_copy(shared_data, tmp_path):
    card = SUITE.card("copa")
    rows = [json.loads(line) for _, line in lines(shared_data / "intermediate/copa_en/balanced_copa_dev.jsonl.gz")]
    items = "".join(
        f'<item id="{row["id"]}" asks-for="{row["asks_for"]}" most-plausible-alternative="{row["label"] + 1}">'
        f"<p>{escape(row['premise'])}</p><a1>{escape(row['choice1'])}</a1><a2>{escape(row['choice2'])}</a2></item>\n"
        for row in rows
    )
    (tmp_path / "copa").mkdir()
    path = tmp_path / "copa/balanced-copa-dev-all.xml"
    path.write_text(f'<?xml version="1.0"?>\n<!DOCTYPE copa-corpus SYSTEM "copa.dtd">\n<copa-corpus>\n{items}</copa-corpus>\n')
    assert TaskSource(tmp_path, None).training_examples(card) == TaskSource(shared_data, None).training_examples(card)
    path.write_text('<!DOCTYPE c [<!ENTITY a "b">]><c>&a;</c>')
    with pytest.raises(Exception, match="declares XML entities"):
        TaskSource(tmp_path, None).training_examples(card)


def test_the_summary_counts_the_languages_and_the_licence_names_the_exceptions():
    assert f" {len(SUITE.card('udpos').languages)} languages" in SUITE.card("udpos").summary
    assert re.search(r"German and Russian \(PUD\) CC BY-SA 3\.0", SUITE.card("uner").licence)


def test_files_of_other_languages_are_no_copy_of_a_language(tmp_path):
    place = tmp_path / "xnli/Meta4XNLI/xnli_dev_met.tsv"
    place.parent.mkdir(parents=True)
    place.write_text("language\tgold_label\tsentence1\tsentence2\nes\tneutral\ta\tb\n")
    source, card = TaskSource(tmp_path, None), SUITE.card("xnli")
    assert len(source.split(card, "es", "dev")) == 1
    missing = source.missing(card, ("sw",))
    assert not any("Meta4XNLI" in line or "other languages" in line for line in missing), missing
    assert any(str(Path("xnli/myXNLI/sw/sw.genre.dev.tsv")) in line for line in missing)
