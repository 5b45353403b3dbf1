"""Suite `xtreme`: its cards against XTREME's lists, and each hub table with exactly the columns that are documented."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from search_spaces import phang2020
from tasksearch.core.errors import BadInput, DataMissing, Unreachable
from tasksearch.metrics.registry import ANSWER_METRICS, LABEL_METRICS, TAG_METRICS
from tasksearch.metrics.xtreme import XTREME_TASKS
from tasksearch.tasks import resolve as opening
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.hub import Pin, check_id
from tasksearch.tasks.hub_rows import hub_records
from tasksearch.tasks.labels import with_labels
from tasksearch.tasks.languages import language_of
from tasksearch.tasks.selection_split import evaluation_splits
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.source_spec import Files, FirstOf, Hub
from tasksearch.tasks.xtreme_english import ANLI, COSMOS_QA, MNLI, SNLI
from tasksearch.tasks.xtreme_targets import XTREME_HUB

SUITE = load_suite("xtreme")
COMMIT = "a" * 40


def hubs(source):
    return (
        [hub for copy in source.sources for hub in hubs(copy)]
        if isinstance(source, FirstOf)
        else [source] * isinstance(source, Hub)
    )


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Puts a table of given columns in the hub's place, through the same call of `datasets`."""

    def put(columns, features=None):
        from datasets import Dataset, load_dataset

        path = tmp_path / "0000.parquet"
        if features:
            Dataset.from_dict(columns, features=features).to_parquet(str(path))
        else:
            pq.write_table(pa.table(columns), path)
        table = load_dataset("parquet", data_files={"train": [str(path)]}, split="train", cache_dir=str(tmp_path / "cache"))
        monkeypatch.setattr(opening, "pin", lambda identity, asked="main": Pin(id=identity, asked=asked, commit=COMMIT))
        monkeypatch.setattr(
            opening, "load_table", lambda found, config, split: asked.append((found.id, config, split)) or table
        )
        return table

    asked = []
    put.asked = asked
    return put


def read(card, hub, tmp_path, language="en", split="train"):
    return opening.read_source(tmp_path, card, hub, language, split).examples


# ---- the cards


def test_the_nine_tasks_of_the_paper_and_the_nine_targets_of_xtreme_are_there():
    assert sorted(card.name for card in SUITE.intermediates) == sorted(phang2020.PAPER_TASKS)
    nine = {"xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"}
    assert {card.name for card in SUITE.targets} - {"bucc_pairs_proxy", "bucc2018_sample", "xnli_mixed"} == nine
    assert set(SUITE.first_targets) == nine  # what a run takes that names none
    assert not [card.name for card in SUITE.cards if card.needs]


def test_languages_are_those_that_xtremes_script_averages_over_forty_in_sum():
    ours = {card.name: set(card.languages) for card in SUITE.targets}
    for task in XTREME_TASKS:
        assert ours[task.name] == set(task.languages), task.name
    assert len(set().union(*ours.values())) == 40
    assert all(language_of(code).code == code for code in set().union(*ours.values()))


@pytest.mark.parametrize("card", SUITE.cards, ids=lambda card: card.name)
def test_every_card_has_a_metric_that_exists_and_says_how_to_get_its_data(card):
    known = {"pair": LABEL_METRICS, "choice": LABEL_METRICS, "tagging": TAG_METRICS, "span": ANSWER_METRICS}
    assert card.metric in known.get(card.kind, {"mining_f1"} if card.kind == "mining" else {"accuracy"})
    assert card.how_to_get
    for source in (card.source, *card.train_sources):
        for hub in hubs(source):
            check_id(hub.id)


def test_entailment_labels_stand_in_one_order_and_share_a_head():
    entail = [SUITE.card(name) for name in ("anli_plus", "mnli", "xnli")]
    assert {card.labels for card in entail} == {("contradiction", "entailment", "neutral")}
    assert {card.head for card in entail[:2]} == {"nli"}
    assert len(SUITE.card("anli_plus").train_sources) == 5


def test_what_a_target_trains_on_is_known_where_an_intermediate_task_is_the_same_data():
    pairs = {
        ("mnli", "xnli"),
        ("anli_plus", "xnli"),
        ("mnli", "xnli_mixed"),
        ("anli_plus", "xnli_mixed"),
        ("squad1", "xquad"),
        ("squad1", "mlqa"),
        ("squad2", "xquad"),
        ("squad2", "mlqa"),
    }
    assert pairs == set(SUITE.same_data)


def test_buccs_pairs_are_never_offered_as_bucc():
    assert not hubs(SUITE.card("bucc2018").source)
    proxy = SUITE.card("bucc_pairs_proxy")
    assert "proxy" in proxy.note
    assert [hub.id for hub in hubs(proxy.source)] == [XTREME_HUB]


def test_settings_are_jiants():
    settings = SUITE.settings
    assert [settings.for_target(t).epochs for t in ("xnli", "pawsx", "udpos", "panx", "xquad")] == [2, 5, 10, 10, 2]
    assert (settings.for_target("mlqa").batch_size, settings.for_target("mlqa").max_length) == (16, 384)
    assert {settings.for_target(card.name).learning_rate for card in SUITE.targets} == {1e-5}
    retrieval = settings.retrieval
    assert (retrieval.layer, retrieval.pooling, retrieval.centering, retrieval.max_length) == (14, "mean", False, 512)
    lengths = {card.name: settings.length_of(card.name) for card in SUITE.intermediates}
    assert {name for name, length in lengths.items() if length == 384} == {"squad1", "squad2"}
    assert set(lengths.values()) == {256, 384}


def test_what_is_missing_names_every_copy_that_would_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    (line,) = TaskSource(tmp_path, None).missing(SUITE.card("mnli"), ())
    assert line.startswith(f"{tmp_path}/mnli/en.train.jsonl.gz, nor {tmp_path}/mnli/multinli_1.0_train.jsonl, nor ")
    assert "nyu-mll/glue" in line
    with pytest.raises((DataMissing, Unreachable), match="nyu-mll/glue"):
        TaskSource(tmp_path, None).training_size(SUITE.card("mnli"))


def test_the_first_copy_that_is_there_is_read_and_named(tmp_path):
    row = {"gold_label": "neutral", "sentence1": "a", "sentence2": "b", "pairID": "1n"}
    (tmp_path / "mnli").mkdir()
    (tmp_path / "mnli/multinli_1.0_train.jsonl").write_text(json.dumps(row) + "\n")
    source = TaskSource(tmp_path, None)
    card = SUITE.card("mnli")
    assert source.missing(card, ()) == []
    assert [e.text_a for e in source.training_examples(card)] == ["a"]
    assert source.training_fingerprint(card) == source.training_fingerprint(card)


def test_labels_read_off_files_are_kept_until_the_files_change(tmp_path, monkeypatch):
    path = tmp_path / "ccg/data/AUTO/02/wsj_0201.auto"
    path.parent.mkdir(parents=True)
    for section in ("10", "21"):
        other = tmp_path / f"ccg/data/AUTO/{section}/wsj_{section}01.auto"
        other.parent.mkdir()
        other.write_text(f"ID=wsj_{section}01.1\n(<T S 0 1> (<L N NN NN cat N>) )\n")
    path.write_text("ID=wsj_0201.1\n(<T S 0 1> (<L N NN NN dog N>) )\n")
    assert with_labels(SUITE, tmp_path).card("ccg").labels == ("N",)
    monkeypatch.setattr("tasksearch.tasks.labels._tags", lambda *_: {"read", "again"})
    assert with_labels(SUITE, tmp_path).card("ccg").labels == ("N",)
    path.write_text("ID=wsj_0201.1\n(<T S 0 1> (<L NP NN NN dog NP>) )\n")
    assert with_labels(SUITE, tmp_path).card("ccg").labels == ("again", "read")


def test_ccgs_labels_come_from_its_training_sections(tmp_path):
    for section, text in (
        ("02", "(<T S 0 1> (<L N NN NN dog N>) )"),
        ("21", "(<T S 0 1> (<L S/NP VB VB eats S/NP>) )"),
        ("23", "(<L X X X x X>)"),
    ):
        folder = tmp_path / f"ccg/data/AUTO/{section}"
        folder.mkdir(parents=True)
        (folder / f"wsj_{section}01.auto").write_text(f"ID=wsj_{section}01.1 PARSER=GOLD NUMPARSE=1\n{text}\n")
    (tmp_path / "ccg/data/AUTO/10").mkdir()
    (tmp_path / "ccg/data/AUTO/10/wsj_1001.auto").write_text("ID=wsj_1001.1\n(<T S 0 1> (<L N NN NN cat N>) )\n")
    card = with_labels(SUITE, tmp_path).card("ccg")
    assert card.labels == ("N", "S/NP")
    words = [e.words for e in TaskSource(tmp_path, None).training_examples(card)]
    assert words == [("dog",), ("cat",), ("eats",)]
    assert SUITE.card("ccg").labels == ()


# ---- hub tables with the documented columns


def test_glues_numbers_become_our_labels(loaded, tmp_path):
    from datasets import ClassLabel, Features, Value

    columns = {"premise": list("abc"), "hypothesis": list("def"), "label": [0, 1, 2], "idx": [0, 1, 2]}
    loaded({name: pa.array(values) for name, values in columns.items()})
    (hub,) = hubs(MNLI)
    card = SUITE.card("mnli")
    assert [card.labels[e.label] for e in read(card, hub, tmp_path)] == ["entailment", "neutral", "contradiction"]
    named = ClassLabel(names=["entailment", "neutral", "contradiction"])
    texts = {name: Value("string") for name in ("premise", "hypothesis")}
    loaded(columns, Features(**texts, label=named, idx=Value("int32")))
    assert [card.labels[e.label] for e in read(card, hub, tmp_path)] == ["entailment", "neutral", "contradiction"]
    swapped = ClassLabel(names=["contradiction", "neutral", "entailment"])
    loaded(columns, Features(**texts, label=swapped, idx=Value("int32")))
    with pytest.raises(BadInput, match="label 0 is 'contradiction' in the table and 'entailment' on the card"):
        read(card, hub, tmp_path)


def test_snlis_undecided_pairs_are_left_out_and_counted(loaded, tmp_path):
    loaded({"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": [-1, 2]})
    reading = opening.read_source(tmp_path, SUITE.card("anli_plus"), hubs(SNLI)[0], "en", "train")
    assert len(reading.examples) == 1
    assert reading.left_out[0][1] == 1


def test_a_round_of_anli_is_a_split_of_one_table(loaded, tmp_path):
    loaded({"uid": ["u"], "premise": ["p"], "hypothesis": ["h"], "label": [2], "reason": [""]})
    (example,) = read(SUITE.card("anli_plus"), hubs(ANLI[1])[0], tmp_path)
    assert (example.id, example.label) == ("u", 0)
    assert loaded.asked == [("facebook/anli", "plain_text", "train_r2")]


CHOICES = {
    "hellaswag": (
        {
            "ind": [4], "activity_label": ["x"], "ctx_a": ["A man."], "ctx_b": ["he"], "ctx": ["A man. he"], "source_id": ["s"],
            "endings": [["sings.", "eats.", "runs.", "sits."]], "split": ["train"], "split_type": ["indomain"], "label": ["2"],
        },
        "A man.", "he runs.",
    ),
    "cosmos_qa": (
        {
            "id": ["i"], "context": ["It rained."], "question": ["Why?"], "answer0": ["a"], "answer1": ["b"], "answer2": ["c"],
            "answer3": ["d"], "label": [3],
        },
        "It rained. Why?", "d",
    ),
    "commonsense_qa": (
        {
            "id": ["i"], "question": ["Where?"], "question_concept": ["x"], "answerKey": ["B"],
            "choices": [{"label": list("ABCDE"), "text": ["u", "v", "w", "x", "y"]}],
        },
        "Where?", "v",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_prompts_and_choices_are_put_together_as_the_card_says(loaded, tmp_path, name):
    columns, prompt, right = CHOICES[name]
    loaded(columns)
    card = SUITE.card(name)
    for hub in hubs(card.train_sources[0]):
        (example,) = read(card, hub, tmp_path)
        assert (example.prompt, example.choices[example.label]) == (prompt, right)
    assert name != "cosmos_qa" or [hub.id for hub in hubs(COSMOS_QA)] == ["allenai/cosmos_qa", "Samsoup/cosmos_qa"]


SQUAD = {
    "id": ["english-1-0", "finnish-2-0"], "title": ["T", "U"], "context": ["The cat.", "Kissa."], "question": ["Who?", "Kuka?"],
    "answers": [{"answer_start": [4], "text": ["cat"]}, {"answer_start": [], "text": []}],
}  # fmt: skip


@pytest.mark.parametrize("name", ["squad1", "squad2", "xquad", "mlqa"])
def test_squads_columns_are_read_with_and_without_answers(loaded, tmp_path, name):
    card = SUITE.card(name)
    loaded(SQUAD)
    first, second = read(card, hubs(card.source)[0], tmp_path, "en", "dev")
    assert first.answers == ((4, "cat"),)
    assert second.answers == ()
    called = {"squad1": "plain_text", "squad2": "squad_v2", "xquad": "XQuAD.en", "mlqa": "MLQA.en.en"}
    assert loaded.asked[0][1:] == (called[name], "validation")


def test_tydiqa_takes_a_language_by_the_front_of_its_ids_and_trains_on_english(loaded, tmp_path):
    card = SUITE.card("tydiqa")
    loaded(SQUAD)
    assert [e.id for e in read(card, hubs(card.source)[0], tmp_path, "fi", "dev")] == ["finnish-2-0"]
    assert [e.id for e in read(card, hubs(card.train_sources[0])[0], tmp_path)] == ["english-1-0"]
    assert loaded.asked == [(XTREME_HUB, "tydiqa", "validation"), (XTREME_HUB, "tydiqa", "train")]


def test_pair_targets_are_read_with_their_languages_and_text_labels(loaded, tmp_path):
    xnli, pawsx = SUITE.card("xnli"), SUITE.card("pawsx")
    loaded(
        {"language": ["sw", "ur"], "sentence1": ["a", "b"], "sentence2": ["c", "d"], "gold_label": ["neutral", "contradiction"]}
    )
    assert [(e.text_a, xnli.labels[e.label]) for e in read(xnli, hubs(xnli.source)[0], tmp_path, "ur", "test")] == [
        ("b", "contradiction")
    ]
    loaded({"sentence1": ["a"], "sentence2": ["b"], "label": ["1"]})
    assert [e.label for e in read(pawsx, hubs(pawsx.source)[0], tmp_path, "ko", "dev")] == [1]
    assert loaded.asked == [(XTREME_HUB, "XNLI", "test"), (XTREME_HUB, "PAWS-X.ko", "validation")]


def test_tag_numbers_get_their_names_from_the_table_or_from_the_card(loaded, tmp_path):
    from datasets import ClassLabel, Features, List, Value

    panx, udpos = SUITE.card("panx"), SUITE.card("udpos")
    loaded({"tokens": [["Rome", "fell"]], "ner_tags": [[5, 0]], "langs": [["it", "it"]]})
    (example,) = read(panx, hubs(panx.source)[0], tmp_path, "it", "test")
    assert [panx.labels[tag] for tag in example.tags] == ["B-LOC", "O"]
    features = Features(tokens=List(Value("string")), pos_tags=List(ClassLabel(names=list(udpos.labels))))
    loaded({"tokens": [["Ek", "eet"]], "pos_tags": [[10, 15]]}, features)
    (example,) = read(udpos, hubs(udpos.source)[0], tmp_path, "af", "test")
    assert [udpos.labels[tag] for tag in example.tags] == ["PRON", "VERB"]
    assert loaded.asked[-1] == (XTREME_HUB, "udpos.Afrikans", "test")
    loaded({"tokens": [["Ek"]], "pos_tags": [[10]]})
    with pytest.raises(BadInput, match=r":1: unknown label '10'"):
        read(udpos, hubs(udpos.source)[0], tmp_path, "af", "test")


@pytest.mark.parametrize(("name", "code"), [("tatoeba", "tatoeba.swh"), ("bucc_pairs_proxy", "bucc18.de")])
def test_bitext_has_the_foreign_side_first(loaded, tmp_path, name, code):
    card = SUITE.card(name)
    loaded({"source_sentence": ["Habari"], "target_sentence": ["News"], "source_lang": ["x"], "target_lang": ["eng"]})
    language = "sw" if name == "tatoeba" else "de"
    (example,) = read(card, hubs(card.source)[0], tmp_path, language, "test")
    assert (example.text, example.english) == ("Habari", "News")
    assert loaded.asked[0][1] == code


def test_a_column_that_is_not_there_is_named_with_those_that_are(loaded):
    table = loaded({"premise": ["a"], "hypo": ["b"], "label": [0]})
    with pytest.raises(BadInput, match="no column 'hypothesis'; the table has premise, hypo, label"):
        next(hub_records(table, hubs(MNLI)[0], "pair", "en"))


def test_every_evaluation_split_of_a_language_has_a_place(tmp_path):
    for card in SUITE.targets:
        for language in card.languages:
            for split in evaluation_splits(card, language):
                files = card.source.sources[0] if isinstance(card.source, FirstOf) else card.source
                assert isinstance(files, Files)
                assert opening.paths_of(tmp_path, card, files, language, split)


def test_bucc_needs_the_gold_of_both_parts_and_its_sample_its_own_alone(tmp_path):
    (tmp_path / "bucc2018").mkdir()
    for part in ("sample", "training"):
        for name, text in (("de", "de-1\tHallo\nde-2\tWelt\n"), ("en", "en-1\tWorld\n"), ("gold", "de-2\ten-1\n")):
            if (part, name) != ("training", "gold"):  # as in XTREME's copy
                (tmp_path / f"bucc2018/de-en.{part}.{name}").write_text(text)
    source = TaskSource(tmp_path, None)
    (gone,) = source.missing(SUITE.card("bucc2018"), ("de",))
    assert gone.endswith("bucc2018/de-en.training.gold")
    assert source.missing(SUITE.card("bucc2018_sample"), ("de",)) == []
    (portion,) = source.portions(SUITE.card("bucc2018_sample"), "de")
    assert {half: rows.tolist() for half, rows in portion.rows.items()} == {"report": [1]}  # one pair: only reported
    (tmp_path / "bucc2018/de-en.sample.gold").write_text("")
    with pytest.raises(BadInput, match=r"bucc2018_sample de sample: 2 foreign and 1 English sentences, 0 of them"):
        TaskSource(tmp_path, None).portions(SUITE.card("bucc2018_sample"), "de")


def test_data_check_says_per_task_what_to_get_and_shows_a_damaged_file_as_what_it_is(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from tasksearch.cli.app import app

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TASKSEARCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "squad1").mkdir()
    (tmp_path / "squad1/train-v1.1.json").write_text('{"data": [')
    told = CliRunner().invoke(app, ["data", "check", "--suite", "xtreme", "--data", str(tmp_path)])
    assert told.exit_code == 2
    lines = told.output.splitlines()
    assert any(
        line.startswith("MISSING ccg: en train. To get: CCGbank needs a licence") and "LDC2005T13" in line for line in lines
    )
    assert any(line.startswith("MISSING panx: en train; dev of af ar") and "AmazonPhotos.zip" in line for line in lines)
    assert any(line.startswith("MISSING bucc2018: sample of de fr ru zh") for line in lines)
    assert any(line.startswith("squad1 en train: ") and "train-v1.1.json:1: not JSON" in line for line in lines)
    assert not any(line.startswith("MISSING squad1") for line in lines)
