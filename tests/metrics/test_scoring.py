"""Prediction files in XTREME's formats: scores worked by hand, and what cannot be scored refused in one line."""

import json
from pathlib import Path

import pytest

from tasksearch.core.errors import BadInput, DataMissing, UnknownName
from tasksearch.metrics.scoring import Answering, score_files
from tasksearch.metrics.xtreme import LOW_RESOURCE, XTREME_TASKS, missing_line, score_benchmark


@pytest.fixture
def files(tmp_path):
    def write(gold, predicted, null=None):
        paths = []
        for name, content in (("gold", gold), ("pred", predicted), ("null", null)):
            path = tmp_path / name
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            paths.append(path)
        return paths[:2] if null is None else paths

    return write


def squad(**answers):
    qas = [
        {"id": name, "question": "?", "answers": [{"text": t, "answer_start": 0} for t in texts]}
        for name, texts in answers.items()
    ]
    return {"data": [{"paragraphs": [{"context": "", "qas": qas}]}]}


def test_accuracy_compares_stripped_lines_as_strings(files):
    found = score_files("accuracy", *files("neutral\nentailment \n1\n", "neutral\nentailment\n01\n"))
    assert found.values == {"accuracy": 2 / 3 * 100, "num_examples": 3}


def test_tatoeba_scores_a_bracketed_number_0_and_says_why(files):
    found = score_files("tatoeba", *files("3\n1\n", "[3]\n[1]\n"))
    assert found.values == {"accuracy": 0.0, "num_examples": 2}
    assert "write 3, not [3]" in found.notes[0]


def test_qqp_has_accuracy_f1_and_their_mean(files):
    found = score_files("qqp", *files("1\n1\n0\n0\n", "1\n0\n1\n0\n"))
    assert found.values == {
        "accuracy": 50.0, "f1": 50.0, "precision": 50.0, "recall": 50.0, "acc_and_f1": 50.0, "num_examples": 4,
    }  # fmt: skip


def test_seqeval_reads_one_tag_per_line_and_blank_lines_between_sentences(files):
    found = score_files("seqeval", *files("B-PER\nI-PER\nO\n\nB-LOC\n\n", "B-PER\nI-PER\nB-LOC\n\nO\n"))
    assert found.values == {"f1": 50.0, "precision": 50.0, "recall": 50.0, "num_examples": 2}


def test_bucc_counts_distinct_pairs(files):
    found = score_files("bucc", *files("de-1\ten-1\nde-2\ten-2\n", "de-1\ten-1\nde-1\ten-1\nde-9\ten-9\nde-8\ten-8\n"))
    assert found.values == {
        "f1": pytest.approx(40.0), "precision": pytest.approx(100 / 3), "recall": 50.0, "num_examples": 2,
    }  # fmt: skip
    assert score_files("bucc", *files("de-1\ten-1\n", "")).values["f1"] == 0.0


def test_an_unanswered_question_scores_0_and_is_named(files):
    found = score_files("squad", *files(squad(q1=["the cat"], q2=["dog"]), {"q1": "Cat"}))
    assert found.values == {"exact_match": 50.0, "f1": 50.0, "num_examples": 2}
    assert "1 question ('q2')" in found.notes[0]


def test_mlqa_needs_a_language_it_knows(files):
    paths = files(squad(q1=["die Katze"]), {"q1": "Katze"})
    assert score_files("mlqa", *paths, language="de").values["exact_match"] == 100.0
    assert score_files("squad", *paths).values["exact_match"] == 0.0
    with pytest.raises(BadInput, match="mlqa needs --language"):
        score_files("mlqa", *paths)
    with pytest.raises(UnknownName, match="'sw'"):
        score_files("mlqa", *paths, language="sw")


def test_squad_2_with_null_scores_gives_the_best_that_a_threshold_on_this_file_gives(files):
    gold = squad(q1=["cat"], q2=[], q3=[], q4=["dog"])
    answers = {"q1": "cat", "q2": "dog", "q3": "cow", "q4": "bird"}
    found = score_files("squad_v2", *files(gold, answers)).values
    assert found == {
        "exact_match": 25.0, "f1": 25.0, "HasAns_exact": 50.0, "HasAns_f1": 50.0, "NoAns_exact": 0.0, "NoAns_f1": 0.0,
        "num_examples": 4,
    }  # fmt: skip
    gold_path, pred, null = files(gold, answers, {"q1": 0.1, "q2": 0.8, "q3": 0.4, "q4": 0.2})
    best = score_files("squad_v2", gold_path, pred, null_scores=null).values
    assert (best["best_exact"], best["best_exact_thresh"]) == (75.0, 0.1)
    assert best["exact_match"] == 25.0


def test_a_question_without_a_prediction_scores_0_in_squad_2_too(files):
    gold_path, pred, null = files(squad(q1=["cat"], q2=[]), {"q1": "cat"}, {"q1": 0.1})
    found = score_files("squad_v2", gold_path, pred, null_scores=null).values
    assert (found["exact_match"], found["best_f1"]) == (50.0, 50.0)


def test_answers_to_other_questions_are_passed_over_on_request(files):
    paths = files(squad(q1=["cat"]), {"q1": "cat", "q9": "x"})
    for metric in ("squad", "squad_v2"):
        found = score_files(metric, *paths, answering=Answering(allow_extra=True))
        assert (found.values["exact_match"], found.values["num_examples"]) == (100.0, 1)
        assert "answers to 1 question ('q9')" in found.notes[0] and "passed over" in found.notes[0]


def test_missing_answers_are_empty_ones_on_request(files):
    gold, predicted = squad(q1=["cat"], q2=[], q3=[]), {"q1": "cat", "q3": "dog"}
    assert score_files("squad_v2", *files(gold, predicted)).values["exact_match"] == pytest.approx(100 / 3)
    found = score_files("squad_v2", *files(gold, predicted), answering=Answering(missing_as_empty=True))
    assert found.values["exact_match"] == pytest.approx(200 / 3)  # q2 has no answer, and none was given
    assert "1 question ('q2'): taken for the empty answer" in found.notes[0]
    none = score_files("squad", *files(squad(q1=["cat"]), {}), answering=Answering(missing_as_empty=True))
    assert none.values == {"exact_match": 0.0, "f1": 0.0, "num_examples": 1}


def test_a_threshold_answers_with_nothing_as_evaluate_v2_does(files):
    gold = squad(q1=["cat"], q2=[], q3=["dog"])
    gold_path, pred, null = files(gold, {"q1": "cat", "q2": "x", "q3": "dog"}, {"q1": 0.1, "q2": 0.8, "q3": 0.5})
    plain = score_files("squad_v2", gold_path, pred, null_scores=null).values
    at = {t: score_files("squad_v2", gold_path, pred, null_scores=null, null_threshold=t).values for t in (1.0, 0.5, 0.4)}
    assert at[1.0] == plain
    assert at[0.5]["exact_match"] == 100.0  # a score at the threshold is not above it
    assert (at[0.4]["exact_match"], at[0.4]["HasAns_exact"], at[0.4]["NoAns_exact"]) == (pytest.approx(200 / 3), 50.0, 100.0)
    assert {t: values["best_exact"] for t, values in at.items()} == dict.fromkeys(at, 100.0)  # tuned on the scores as given


@pytest.mark.parametrize(("metric", "options", "said"), [
    ("accuracy", {"answering": Answering(allow_extra=True)}, "--allow-extra is for squad, squad_v2, mlqa; accuracy matches"),
    ("bucc", {"answering": Answering(missing_as_empty=True)}, "--missing-as-empty is for squad"),
    ("squad", {"null_scores": Path("null")}, "--na-prob is for squad_v2"),
    ("squad_v2", {"null_threshold": 0.5}, "--na-prob-thresh needs --na-prob"),
])  # fmt: skip
def test_an_option_that_a_metric_has_no_use_for_is_refused(files, metric, options, said):
    with pytest.raises(BadInput, match=said):
        score_files(metric, *files("a\n", "a\n"), **options)


def test_blank_lines_are_no_pairs_and_no_labels(files):
    assert score_files("bucc", *files("a\tb\n\n", "\na\tb\n\n\n")).values["f1"] == 100.0
    assert score_files("accuracy", *files("x\ny\n", "x\ny\n\n \n")).values == {"accuracy": 100.0, "num_examples": 2}
    assert score_files("accuracy", *files("x\n\n", "x\n\n")).values["num_examples"] == 2  # as in XTREME's evaluation
    assert score_files("qqp", *files("1\n0\n\n", "1\n0\n")).values["accuracy"] == 100.0
    with pytest.raises(BadInput, match="has 2 lines"):
        score_files("accuracy", *files("x\ny\nz\n", "x\n\n"))


def test_gold_answers_in_the_shape_of_datasets_are_read(files):
    gold = squad(q1=["cat", "dog"])
    gold["data"][0]["paragraphs"][0]["qas"][0]["answers"] = {"text": ["cat", "dog"], "answer_start": [0, 4]}
    assert score_files("squad", *files(gold, {"q1": "dog"})).values["exact_match"] == 100.0
    gold["data"][0]["paragraphs"][0]["qas"][0]["answers"] = {"text": "cat"}
    with pytest.raises(BadInput, match="expected lists under 'text'"):
        score_files("squad", *files(gold, {"q1": "dog"}))


@pytest.mark.parametrize(
    ("metric", "gold", "predicted", "said"),
    [
        ("accuracy", "a\nb\n", "a\n", "has 1 lines, .*gold has 2"),
        ("accuracy", "", "", "the file is empty"),
        ("qqp", "1\n", "yes\n", "pred:1: label 'yes'"),
        ("seqeval", "O\nO\n", "O\n", "sentence 1 has 1 tags; .*gold has 2"),
        ("seqeval", "O\n\nO\n", "O\n", "has 1 sentences, .*gold has 2"),
        ("seqeval", "the O\n", "O\n", "gold:1: 'the O'; expected one tag alone"),
        ("bucc", "a b\n", "a\tb\n", "gold:1: 'a b'; expected two sentence ids"),
        ("squad", squad(q1=["x"]), {"q1": "x", "q2": "y"}, r"answers to 1 question \('q2'\), which .*gold does not have"),
        ("squad", squad(q1=["x"]), {"q1": 3}, "the answer to 'q1' is 3; expected text"),
        ("squad", squad(q1=["x"]), {}, "no answer to any of the 1 questions"),
        ("squad", squad(q1=[]), {"q1": ""}, "'q1' has no gold answer; `score squad_v2`"),
        ("squad", '{"data": [', {}, "gold:1: not JSON"),
        ("squad", squad(q1=["x"]), '{"q1": "a", "q1": "b"}', "'q1' stands there twice"),
        ("squad", {"data": [{"paragraphs": [{"qas": [{"id": "q"}]}]}]}, {}, "field 'answers' is missing"),
        ("squad", {"version": 1}, {}, "no list of articles under 'data'"),
        ("squad", squad(q1=["x"]), ["x"], "pred: a list; expected an object"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_line(files, metric, gold, predicted, said):
    with pytest.raises(BadInput, match=said) as told:
        score_files(metric, *files(gold, predicted))
    assert "\n" not in str(told.value)


def test_bytes_that_are_not_text_and_files_that_are_not_there_are_named(tmp_path):
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    with pytest.raises(BadInput, match="latin:1: not UTF-8 at byte 3"):
        score_files("accuracy", tmp_path / "latin", tmp_path / "latin")
    with pytest.raises(DataMissing, match="nowhere is missing"):
        score_files("accuracy", tmp_path / "nowhere", tmp_path / "latin")
    with pytest.raises(UnknownName, match="did you mean 'seqeval'"):
        score_files("seqevel", tmp_path / "latin", tmp_path / "latin")


@pytest.fixture
def benchmark(tmp_path):
    """Both folders, every file: English is right throughout, every other language half right."""
    for task in XTREME_TASKS:
        for language in task.languages:
            right = language == "en"
            gold, predicted = {
                "accuracy": ("1\n0\n", "1\n0\n" if right else "1\n1\n"),
                "tatoeba": ("1\n0\n", "1\n1\n"),
                "bucc": ("a\tb\nc\td\n", "a\tb\ne\tf\n"),
                "seqeval": ("NOUN\nVERB\n", "NOUN\nVERB\n" if right else "NOUN\nADJ\n"),
            }.get(task.metric, (json.dumps(squad(a=["x"], b=["y"])), json.dumps({"a": "x", "b": "y" if right else "z"})))
            for folder, content in (("gold", gold), ("pred", predicted)):
                path = tmp_path / folder / task.name / f"test-{language}.{task.suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
    return tmp_path


def test_the_benchmark_is_the_mean_of_nine_tasks_with_english_and_stands_beside_the_mean_without(benchmark):
    said = score_benchmark(benchmark / "gold", benchmark / "pred").to_json()
    assert said["xnli"]["avg_metric"] == pytest.approx(50 + 50 / 15)
    assert said["tydiqa"]["avg_metric"] == pytest.approx(50 + 50 / 9)
    assert said["retrieval"] == 50.0
    assert said["all_task"] == pytest.approx(sum(said[t.name]["avg_metric"] for t in XTREME_TASKS) / 9)
    assert said["without_english"]["all_task"] == 50.0
    assert said["low_resource"]["low"]["all_task"] == 50.0
    assert set(said["low_resource"]["low"]) == {"languages", "all_task", "xnli", "panx", "udpos", "tatoeba", "tydiqa"}
    assert said["complete"] and not said["missing"]


def test_a_missing_language_leaves_its_means_empty_and_is_named(benchmark):
    (benchmark / "pred" / "xnli" / "test-sw.tsv").unlink()
    found = score_benchmark(benchmark / "gold", benchmark / "pred")
    said = found.to_json()
    assert said["xnli"]["avg_metric"] is None and said["xnli"]["avg_accuracy"] is None
    assert said["xnli"]["accuracy"]["ur"] == 50.0
    assert said["all_task"] is None and said["classification"] is None and said["without_english"]["xnli"] is None
    assert said["low_resource"]["low"]["all_task"] is None
    assert said["qa"] is not None
    assert said["missing"] == {"xnli": ["sw"]} and not said["complete"]
    assert "xnli (sw)" in missing_line(found)


def test_folders_without_a_file_of_the_benchmark_are_refused(tmp_path):
    with pytest.raises(DataMissing, match="no XTREME file is in both"):
        score_benchmark(tmp_path, tmp_path)
    with pytest.raises(DataMissing, match="no folder"):
        score_benchmark(tmp_path / "no", tmp_path)


def test_the_tasks_hold_xtremes_40_languages():
    assert len({language for task in XTREME_TASKS for language in task.languages}) == 40
    assert [len(task.languages) for task in XTREME_TASKS] == [7, 15, 40, 33, 4, 36, 11, 7, 9]
    assert set(LOW_RESOURCE["low"]) < set(LOW_RESOURCE["low+"])
