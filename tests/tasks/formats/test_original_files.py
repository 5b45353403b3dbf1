"""Files exactly as their authors document them, read by the formats that the cards name."""

import json

import pytest

from tasksearch.core.errors import BadInput, DataMissing
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.reading import read_file
from tasksearch.tasks.source_spec import Files

NLI = ("contradiction", "entailment", "neutral")


def card(kind, *labels):
    return TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=labels)


def read(path, content, kind, form, *labels, language="en", skip_bad=0, **fields):
    path.write_text(content, encoding="utf-8")
    return read_file(path, card(kind, *labels), Files(format=form, **fields), language, "train", skip_bad=skip_bad)


def snli(label, **fields):
    row = {"annotator_labels": [label], "captionID": "1.jpg#4", "gold_label": label, "pairID": f"1.jpg#4r1{label[0]}"}
    return json.dumps(row | {"sentence1": "A man eats.", "sentence2": "Someone eats."} | fields)


# ---- sentence pairs


def test_snli_leaves_out_pairs_without_an_agreed_label_and_counts_them(tmp_path):
    lines = [snli("entailment"), snli("-"), snli("neutral"), snli("-", pairID="x")]
    reading = read(tmp_path / "snli_1.0_train.jsonl", "\n".join(lines), "pair", "nli_jsonl", *NLI)
    assert [e.label for e in reading.examples] == [1, 2]
    assert [e.document for e in reading.examples] == ["1.jpg#4"] * 2
    assert reading.left_out == (("no agreed label ('-')", 2),)
    assert reading.skipped == ()


def test_mnli_reads_the_same_pair_from_json_lines_and_from_the_authors_table(tmp_path):
    row = {"gold_label": "entailment", "sentence1": 'He said "no".', "sentence2": "He spoke.", "promptID": "5", "pairID": "5e"}
    rest = {"genre": "fiction", "label1": "entailment", "sentence1_parse": "(ROOT)"}
    table = "\t".join([*row, *rest]) + "\n" + "\t".join([*row.values(), *rest.values()]) + "\n"
    from_json = read(tmp_path / "a.jsonl", json.dumps(row | rest), "pair", "nli_jsonl", *NLI).examples
    from_table = read(tmp_path / "a.txt", table, "pair", "nli_tsv", *NLI).examples
    assert from_json == from_table
    assert (from_json[0].id, from_json[0].text_a, from_json[0].label) == ("5e", 'He said "no".', 1)


def test_anli_letters_become_the_labels_that_mnli_has(tmp_path):
    rows = [{"uid": f"u{i}", "context": "c", "hypothesis": "h", "label": mark, "emturk": True} for i, mark in enumerate("cen")]
    reading = read(tmp_path / "train.jsonl", "\n".join(map(json.dumps, rows)), "pair", "anli_jsonl", *NLI)
    assert [NLI[e.label] for e in reading.examples] == ["contradiction", "entailment", "neutral"]


def test_xnli_gives_each_language_its_own_pairs_of_the_one_table(tmp_path):
    header = "language\tgold_label\tsentence1\tsentence2\tpromptID\tpairID\n"
    lines = "sw\tneutral\tMoja\tMbili\t1\t1\nur\tentailment\tایک\tدو\t1\t1\nsw\tcontradiction\tTatu\tNne\t2\t2\n"
    swahili = read(
        tmp_path / "xnli.test.tsv", header + lines, "pair", "nli_tsv", *NLI, language="sw", language_column="language"
    ).examples
    assert [(e.text_a, NLI[e.label]) for e in swahili] == [("Moja", "neutral"), ("Tatu", "contradiction")]


def test_pawsx_and_qqp_are_tables_with_columns_named_by_their_cards(tmp_path):
    paws = "id\tsentence1\tsentence2\tlabel\n1\tIn Paris , in 1560\tIn 1560 , in Paris\t1\n"
    columns = (("a", "sentence1"), ("b", "sentence2"), ("id", "id"))
    (example,) = read(tmp_path / "dev_2k.tsv", paws, "pair", "tsv", "0", "1", columns=columns).examples
    assert (example.text_a, example.label) == ("In Paris , in 1560", 1)
    qqp = 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n7\t1\t2\tHow "big"?\tHow large?\t0\n8\t3\t4\tbroken line\n'
    columns = (("a", "question1"), ("b", "question2"), ("label", "is_duplicate"), ("id", "id"))
    with pytest.raises(BadInput, match=r"train.tsv:3: 4 columns; the header has 6"):
        read(tmp_path / "train.tsv", qqp, "pair", "tsv", "0", "1", columns=columns)
    reading = read(tmp_path / "train.tsv", qqp, "pair", "tsv", "0", "1", columns=columns, skip_bad=1)
    assert [e.text_a for e in reading.examples] == ['How "big"?']
    assert len(reading.skipped) == 1


# ---- choices


def test_hellaswag_puts_the_begun_sentence_before_each_ending(tmp_path):
    row = {"ind": 4, "activity_label": "Roof", "ctx_a": "A man is on a roof.", "ctx_b": "he", "ctx": "A man is on a roof. he"}
    row |= {
        "endings": ["sings.", "jumps.", "sleeps.", "rips up tiles."],
        "label": 3,
        "source_id": "activitynet~v_1",
        "split": "train",
    }
    (example,) = read(tmp_path / "hellaswag_train.jsonl", json.dumps(row), "choice", "hellaswag").examples
    assert example.prompt == "A man is on a roof."
    assert example.choices == ("he sings.", "he jumps.", "he sleeps.", "he rips up tiles.")
    assert (example.label, example.document) == (3, "activitynet~v_1")


def test_commonsense_qa_finds_the_answer_by_its_letter(tmp_path):
    choices = [{"label": letter, "text": f"place {letter}"} for letter in "ABCDE"]
    row = {"answerKey": "D", "id": "q1", "question": {"question_concept": "x", "choices": choices, "stem": "Where?"}}
    (example,) = read(tmp_path / "train_rand_split.jsonl", json.dumps(row), "choice", "commonsense_qa").examples
    assert (example.prompt, example.choices[example.label]) == ("Where?", "place D")
    row["answerKey"] = "F"
    with pytest.raises(BadInput, match=r":1: answerKey 'F' is none of A, B, C, D, E"):
        read(tmp_path / "train_rand_split.jsonl", json.dumps(row), "choice", "commonsense_qa")


def test_cosmos_qa_takes_quoted_cells_with_commas_and_line_ends(tmp_path):
    text = 'id,context,question,answer0,answer1,answer2,answer3,label\n3Q9,"It rained,\nhard .",Why ?,a,"b, c",d,e,1\n'
    (example,) = read(tmp_path / "train.csv", text, "choice", "cosmos_csv").examples
    assert example.prompt == "It rained,\nhard . Why ?"
    assert (example.choices[1], example.label) == ("b, c", 1)


def test_a_test_file_without_labels_is_told_apart_from_a_labelled_one(tmp_path):
    text = "id,context,question,answer0,answer1,answer2,answer3,label\n1,c,q,a,b,d,e,\n"
    with pytest.raises(BadInput, match="a test file without labels cannot be scored"):
        read(tmp_path / "test.csv", text, "choice", "cosmos_csv")


# ---- spans


def squad(*questions, context="The cat sat.", title="Cat"):
    return {"version": "1.1", "data": [{"title": title, "paragraphs": [{"context": context, "qas": list(questions)}]}]}


def question(name, *answers, **fields):
    return {"id": name, "question": "Who?", "answers": [{"text": t, "answer_start": s} for s, t in answers]} | fields


def test_squad_2_has_questions_without_an_answer(tmp_path):
    data = squad(
        question("q1", (4, "cat"), (0, "The cat")),
        question("q2", is_impossible=True, plausible_answers=[{"text": "cat", "answer_start": 4}]),
    )
    first, second = read(tmp_path / "dev-v2.0.json", json.dumps(data), "span", "squad_json").examples
    assert first.answers == ((4, "cat"), (0, "The cat"))
    assert (second.id, second.answers, second.document) == ("q2", (), "Cat")


def test_questions_of_an_untitled_paragraph_share_its_context_as_document(tmp_path):
    data = squad(question("finnish-1-0", (4, "cat")), question("finnish-1-1", (8, "sat")), title="")
    examples = read(tmp_path / "tydiqa-goldp-dev-finnish.json", json.dumps(data), "span", "squad_json").examples
    assert {e.document for e in examples} == {"The cat sat."}


def test_a_wrong_offset_is_named_by_line_and_question_with_where_the_answer_stands(tmp_path):
    data = squad(question("q1", (4, "cat")), question("q2", (3, "cat")))
    path = tmp_path / "train-v1.1.json"
    with pytest.raises(BadInput, match=r"train-v1.1.json:1: question 'q2': .*'cat' at character 3; it stands at 4"):
        read(path, json.dumps(data), "span", "squad_json")
    spread = json.dumps(data, indent=1)
    line = next(number for number, text in enumerate(spread.split("\n"), start=1) if '"q2"' in text)
    with pytest.raises(BadInput, match=rf"train-v1.1.json:{line}: question 'q2'"):
        read(path, spread, "span", "squad_json")


@pytest.mark.parametrize("content", ['{"data": [', "[]", '{"data": [1]}', '{"data": [{"paragraphs": 3}]}'])
def test_a_json_that_is_not_squads_is_one_line(tmp_path, content):
    with pytest.raises(BadInput, match=r"train.json:1: "):
        read(tmp_path / "train.json", content, "span", "squad_json")


# ---- tags

AUTO = (
    "ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1\n"
    "(<T S[dcl] 0 2> (<T NP 0 1> (<L N NNP NNP Vinken N>) ) (<T S[dcl]\\NP 0 2> "
    "(<L (S[dcl]\\NP)/NP VBZ VBZ chairs (S[dcl]\\NP_1)/NP_2>) (<L NP PRP PRP it NP>) ) )\n"
)


def test_ccgbank_gives_words_and_their_categories(tmp_path):
    labels = ("N", "(S[dcl]\\NP)/NP", "NP")
    (example,) = read(tmp_path / "wsj_0001.auto", AUTO, "tagging", "ccgbank", *labels).examples
    assert (example.id, example.document) == ("wsj_0001.1", "wsj_0001")
    assert example.words == ("Vinken", "chairs", "it")
    assert [labels[tag] for tag in example.tags] == list(labels)


@pytest.mark.parametrize("cut", [10, 40])
def test_a_derivation_cut_short_is_refused(tmp_path, cut):
    labels = ("N", "(S[dcl]\\NP)/NP", "NP")
    with pytest.raises(BadInput, match=r"wsj_0001.auto:2: "):
        read(tmp_path / "wsj_0001.auto", AUTO[:-cut] + "\n", "tagging", "ccgbank", *labels)


def ud(*rows):
    """Rows of (id, form, upos, head[, deps])."""
    full = [(str(i), form, form, tag, "_", "_", str(head), "dep", deps or "_", "_") for i, form, tag, head, deps in rows]
    return "# sent_id = s1\n# text = …\n" + "\n".join("\t".join(cells) for cells in full) + "\n\n"


def test_a_multiword_token_takes_the_tag_of_the_part_nearest_to_the_root(tmp_path):
    text = ud(
        (1, "vamos", "VERB", 0, ""),
        ("2-3", "al", "_", "_", ""),
        (2, "a", "ADP", 4, ""),
        (3, "el", "DET", 2, ""),
        (4, "mar", "NOUN", 1, ""),
        ("4.1", "ir", "VERB", "_", "1:dep"),
    )
    labels = ("VERB", "ADP", "DET", "NOUN")
    (example,) = read(tmp_path / "es_gsd-ud-dev.conllu", text, "tagging", "conllu", *labels, language="es").examples
    assert example.words == ("vamos", "al", "mar")
    assert [labels[tag] for tag in example.tags] == ["VERB", "ADP", "NOUN"]
    assert example.id == "s1"


def test_parts_at_one_depth_are_ranked_by_their_tags(tmp_path):
    rows = [("1-2", "du", "_", "_", ""), (1, "de", "ADP", 3, ""), (2, "le", "DET", 3, ""), (3, "pain", "NOUN", 0, "")]
    labels = ("ADP", "DET", "NOUN")
    (example,) = read(tmp_path / "fr_gsd-ud-dev.conllu", ud(*rows), "tagging", "conllu", *labels, language="fr").examples
    assert example.words == ("du", "pain")
    assert [labels[tag] for tag in example.tags] == ["ADP", "NOUN"]


def test_withheld_sentences_are_counted_and_odd_spaces_leave_words(tmp_path):
    hidden = ud((1, "_", "NOUN", 0, ""), (2, "_", "PUNCT", 1, ""))
    shown = ud((1, "می\u200cرود", "VERB", 0, ""), (2, "10 000", "NUM", 1, ""), (3, ".", "PUNCT", 1, ""))
    labels = ("NOUN", "PUNCT", "VERB", "NUM")
    reading = read(tmp_path / "fa_x-ud-test.conllu", hidden + shown.replace("s1", "s2"), "tagging", "conllu", *labels)
    assert [e.words for e in reading.examples] == [("میرود", "10000", ".")]
    assert reading.left_out == (("the treebank withholds its words ('_')", 1),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\tword\tNOUN\n\n", r":1: 3 tab-separated columns; expected CoNLL-U's 10"),
        (ud((1, "a", "X", 0, ""), (3, "b", "X", 1, "")), r":1: token ids \[1, 3\]"),
        (ud(("one", "a", "X", 0, "")), r":3: token id 'one' or head '0' is not a number"),
        (ud((1, "a", "NONE", 0, "")), r":1: unknown label 'NONE'"),
        (ud((1, "a", "X", 0, ""), (1, "b", "X", 1, "")), r":4: token id 1 stands twice in the sentence"),
        (
            ud(
                ("1-2", "ab", "_", "_", ""),
                (1, "a", "X", 0, ""),
                ("2-3", "bc", "_", "_", ""),
                (2, "b", "X", 1, ""),
                (3, "c", "X", 1, ""),
            ),
            r":5: multiword token 2-3 overlaps 1-2",
        ),
    ],
)
def test_a_sentence_that_is_not_conllu_is_named_by_its_line(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        read(tmp_path / "en_x-ud-dev.conllu", text, "tagging", "conllu", "X")


def test_panx_is_read_from_the_archives_and_from_xtremes_own_files(tmp_path):
    archive = "en:R.H.\tB-ORG\nen::\tO\n\nen:Rome\tB-LOC\n"
    processed = "R.H.\tB-ORG\n:\tO\n\nRome\tB-LOC\n"
    labels = ("O", "B-ORG", "B-LOC")
    first = read(tmp_path / "en-train", archive, "tagging", "wikiann", *labels).examples
    second = read(tmp_path / "train-en.tsv", processed, "tagging", "token_tag", *labels).examples
    assert first == second
    assert [e.words for e in first] == [("R.H.", ":"), ("Rome",)]
    with pytest.raises(BadInput, match=r"test-en.tsv:1: 1 columns; .*XTREME's test files have no tags"):
        read(tmp_path / "test-en.tsv", "Rome\n", "tagging", "token_tag", *labels)


# ---- bitext


def test_tatoeba_pairs_line_by_line_and_refuses_sides_of_unequal_length(tmp_path):
    (tmp_path / "tatoeba.swh-eng.eng").write_text("I eat.\nI run.\n", encoding="utf-8")
    path = tmp_path / "tatoeba.swh-eng.swh"
    examples = read(path, "Ninakula.\nNinakimbia.\n", "retrieval", "laser_tatoeba").examples
    assert [(e.text, e.english) for e in examples] == [("Ninakula.", "I eat."), ("Ninakimbia.", "I run.")]
    with pytest.raises(BadInput, match=r"swh-eng.swh:2: the file ends here and its other side does not"):
        read(path, "Ninakula.\n", "retrieval", "laser_tatoeba")
    with pytest.raises(BadInput, match=r"swh-eng.eng:3: the file ends here"):
        read(path, "a\nb\nc\n", "retrieval", "laser_tatoeba")
    (tmp_path / "tatoeba.swh-eng.eng").unlink()
    with pytest.raises(DataMissing, match=r"swh-eng.eng is missing"):
        read(path, "a\n", "retrieval", "laser_tatoeba")


def test_bucc_is_two_pools_with_gold_where_it_is_given(tmp_path):
    path = tmp_path / "de-en.sample.de"
    (tmp_path / "de-en.sample.en").write_text("en-1\tWorld\nen-2\tother\n", encoding="utf-8")

    def sentences(foreign="de-1\tHallo\nde-2\tWelt\n", **fields):
        return read(path, foreign, "mining", "bucc", **fields).examples

    assert [e.translations for e in sentences()] == [()] * 4
    (tmp_path / "de-en.sample.gold").write_text("de-2\ten-1\n", encoding="utf-8")
    found = {e.id: e for e in sentences()}
    assert [found[name].english for name in ("de-1", "de-2", "en-1", "en-2")] == [False, False, True, True]
    assert (found["de-2"].text, found["de-2"].translations, found["de-2"].document) == ("Welt", ("en-1",), "World")
    (tmp_path / "de-en.sample.gold").write_text("de-9\ten-1\nde-2\ten-1\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"sample.de:1: line 1 of de-en.sample.gold: no sentence has the id 'de-9'"):
        sentences()
    assert len(sentences(skip_bad=1)) == 4
    (tmp_path / "de-en.sample.gold").write_text("de-1\ten-1\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"sample.de:2: id 'de-1' stands twice"):
        sentences("de-1\tHallo\nde-1\tWelt\n")
    with pytest.raises(BadInput, match=r"sample.de:2: not 'id⇥sentence'"):
        sentences("de-1\tHallo\nWelt\n")
    (tmp_path / "de-en.sample.en").write_bytes(b"en-1\tWorld\nen-2\tcaf\xe9\n")
    with pytest.raises(BadInput, match=r"sample.de:2: line 2 of de-en.sample.en: not UTF-8 at byte 8"):
        sentences()
    (tmp_path / "de-en.sample.en").unlink()
    with pytest.raises(DataMissing, match=r"sample.en is missing"):
        sentences()


def test_an_id_that_stands_twice_is_refused(tmp_path):
    lines = [snli("entailment"), snli("neutral", pairID="1.jpg#4r1e")]
    with pytest.raises(BadInput, match=r":2: a second example with id '1.jpg#4r1e'"):
        read(tmp_path / "x.jsonl", "\n".join(lines), "pair", "nli_jsonl", *NLI)


def test_words_of_universal_dependencies_stay_apart_and_whole(tmp_path):
    rows = ((1, "vamos", "X", 0, ""), ("2-3", "al", "_", "_", ""), (2, "a b", "X", 1, ""), (3, "_", "X", 1, ""))
    columns = (("document", "sent_id"),)
    (example,) = read(tmp_path / "es.conllu", ud(*rows), "tagging", "conllu_words", "X", columns=columns).examples
    assert (example.words, example.id, example.document) == (("vamos", "a b", "_"), "s1", "s1")


def test_a_hash_is_a_token_in_masakhaner_and_a_comment_in_uner(tmp_path):
    columns = (("words", "tokens"),)
    (example,) = read(tmp_path / "t.txt", "# O\n#NoMore O\n\u00a0 O\n\n", "tagging", "conll", "O", columns=columns).examples
    assert example.words == ("#", "#NoMore", "\u00a0")
    text = "# newdoc id = d\n# sent_id = s1\n# text = # x\n1\t#\tO\t-\t-\n2\tx\tO\t-\t-\n\n# only a comment\n\n"
    columns += (("id", "sent_id"),)
    (example,) = read(tmp_path / "t.iob2", text, "tagging", "iob2", "O", columns=columns).examples
    assert (example.words, example.id) == (("#", "x"), "s1")
    with pytest.raises(BadInput, match=r"t.txt:1: 'wordO'; expected a token, a space and its tag"):
        read(tmp_path / "t.txt", "wordO\n", "tagging", "conll", "O", columns=(("words", "tokens"),))


@pytest.mark.parametrize(("label", "said"), [(1, None), ("1", None), (1.0, None), (True, "unknown label True"),
                                             (7, r"unknown label 7; expected one of 0, 1; numbers need names"),
                                             (["1"], r"unknown label \['1'\]"), (None, "unknown label None")])  # fmt: skip
def test_labels_may_be_numbers(tmp_path, label, said):
    row = {"a": "x", "b": "y", "label": label}
    if said:
        with pytest.raises(BadInput, match=said):
            read(tmp_path / "t.jsonl", json.dumps(row), "pair", "jsonl", "0", "1")
        return
    assert read(tmp_path / "t.jsonl", json.dumps(row), "pair", "jsonl", "0", "1").examples[0].label == 1
    named = read(tmp_path / "t.jsonl", json.dumps(row), "pair", "jsonl", "no", "yes", labels=(("0", "no"), ("1", "yes")))
    assert named.examples[0].label == 1
    tags = json.dumps({"words": ["a", "b"], "tags": [0, label]})
    assert read(tmp_path / "t.jsonl", tags, "tagging", "jsonl", "0", "1").examples[0].tags == (0, 1)


@pytest.mark.parametrize("form", ["squad_lines", "squad_json"])
@pytest.mark.parametrize(("value", "answers"), [("false", 1), ("False", 1), (0, 1), ("true", 0), (True, 0), (None, 1)])
def test_a_question_is_impossible_only_where_it_says_so(tmp_path, form, value, answers):
    question = {"id": "q", "question": "?", "answers": {"text": ["Rom"], "answer_start": [0]}, "is_impossible": value}
    row = question | {"title": "t", "context": "Rom ist alt"}
    nested = {"data": [{"title": "t", "paragraphs": [{"context": "Rom ist alt", "qas": [question]}]}]}
    content = json.dumps(row if form == "squad_lines" else nested)
    assert len(read(tmp_path / "t", content, "span", form).examples[0].answers) == answers
    with pytest.raises(BadInput, match="field 'is_impossible' is 'maybe'; expected true or false"):
        read(tmp_path / "t", content.replace('"is_impossible": ' + json.dumps(value), '"is_impossible": "maybe"'), "span", form)
