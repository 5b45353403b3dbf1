"""`embed`, `mine`, `predict` and `score bucc` at the command line; what cannot be mined is one line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import Interrupted, TasksearchError
from tasksearch.core.plan import RetrievalSettings
from tasksearch.study.embedding import Embedding, embed_file, fitted, load_encoder
from tasksearch.study.mining import _signature

TEXTS = ["a b", "b a b", "c", "a c c", "b"]


def invoked(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 8)).astype(np.float32)
    np.save(tmp_path / "a.npy", x)
    np.save(tmp_path / "b.npy", x[::-1] + np.float32(0.1))
    (tmp_path / "a.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    (tmp_path / "gold").write_text("".join(f"{i + 1}\t{5 - i}\n" for i in range(5)))
    return tmp_path


def test_vectors_are_mined_and_scored(files):
    done = invoked("mine", files / "a.npy", files / "b.npy", "--gold", files / "gold", "--threshold", "auto",
                   "--out", files / "out.tsv", "--json")  # fmt: skip
    said = json.loads(done.stdout)
    assert said["scores"] == {"f1": 100.0, "precision": 100.0, "recall": 100.0} and said["tuned"]
    rows = [line.split("\t") for line in (files / "out.tsv").read_text().splitlines()]
    assert {(a, b) for _, a, b in rows} == {(str(i), str(6 - i)) for i in range(1, 6)}
    scored = invoked("score", "bucc", "--gold", files / "gold", "--pred", files / "out.tsv", "--threshold", "auto")
    assert json.loads(scored.stdout)["f1"] == 100.0
    told = invoked("mine", files / "a.npy", files / "b.npy", "--forecast")
    assert "5 x 5 sentences, width 8" in told.stdout
    assert sorted(one.name for one in files.iterdir()) == ["a.npy", "a.txt", "b.npy", "gold", "out.tsv"]


def spoiled(folder, what):
    x = np.load(folder / "a.npy")
    if what == "nan":
        x[2, 3] = np.nan
    elif what == "zero":
        x[1] = 0
    elif what == "wide":
        x = np.concatenate([x, x], axis=1)
    elif what == "whole":
        x = x.astype(np.int64)
    np.save(folder / f"{what}.npy", x)
    return folder / f"{what}.npy"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nan", "b"), "vector 3 holds NaN or infinity"),
        (("zero", "b"), "vector 2 is zero and has no cosine"),
        (("wide", "b"), "vectors of 16 numbers"),
        (("whole", "b"), "int64 of shape (5, 8); expected floating-point"),
        (("a", "b", "--k", "6"), "--k 6; "),
        (("a", "b", "--k", "0"), "--k 0; expected at least 1"),
        (("a", "b", "--gold", "others"), "'x9' is no id of A, whose first is '1'"),
        (("a", "b", "--threshold", "auto"), "--threshold auto needs --gold"),
        (("a", "b", "--threshold", "high"), "--threshold high; expected a number or auto"),
        (("a", "b", "--similarity", "l2"), "--margin ratio with --similarity l2"),
        (("a", "b", "--margin", "ration"), "did you mean 'ratio'?"),
        (("a", "b", "--text-a", "short.txt"), "has 1 sentences, "),
        (("a", "b", "--memory", "5KB"), "--memory 5KB; expected at least 1MB"),
        (("a.txt", "b"), "is a text; expected --model to embed it"),
        (("empty.txt", "b", "--model", "m"), "empty.txt:2: an empty line"),
        (("short.txt", "b", "--model", "m"), "has one sentence; expected at least two"),
        (("twice.txt", "b", "--model", "m", "--ids"), "twice.txt:2: id 'i' stands there twice"),
        (("nowhere.txt", "b", "--model", "m"), "nowhere.txt is missing"),
    ],
)
def test_what_cannot_be_mined_is_one_line(files, words, said, monkeypatch):
    monkeypatch.chdir(files)
    for name, text in {"empty.txt": "a\n\nb\n", "short.txt": "a\n", "twice.txt": "i\ta\ni\tb\n", "others": "x9\ty9\n"}.items():
        (files / name).write_text(text)
    a = spoiled(files, words[0]) if words[0] in ("nan", "zero", "wide", "whole") else words[0] if "." in words[0] else "a.npy"
    done = invoked("mine", a, "b.npy", *words[2:], "--out", "out.tsv")
    if done.exit_code == 0 and words[2:4] == ("--text-a", "short.txt"):
        pytest.fail("a text of another length was taken")
    assert isinstance(done.exception, TasksearchError), done.output
    told = str(done.exception)
    assert "\n" not in told and (said in told or (said == "has 1 sentences, " and "has one sentence" in told)), told
    assert not (files / "out.tsv").exists()


def test_several_layers_in_one_pass_are_those_of_single_ones_and_of_the_targets(tiny_lab, files):
    from tasksearch.evaluation.retrieval import sentence_vectors
    from tasksearch.forward.batches import Specials
    from tasksearch.study.bitext import read_sentences
    from tasksearch.study.embedding import encoded

    both = embed_file(files / "a.txt", files / "v{layer}.npy", model=tiny_lab.model, layers=(0, 1))
    how = Embedding(model=str(tiny_lab.model), layers=(0, 1))
    loaded = load_encoder(how)
    items = encoded(read_sentences(files / "a.txt"), loaded, fitted(how, loaded))
    for layer, path in both.files.items():
        alone = embed_file(files / "a.txt", files / "one.npy", model=tiny_lab.model, layers=(layer,))
        assert np.array_equal(np.load(path), np.load(alone.files[layer]))
        settings = RetrievalSettings(layer=layer)
        target = sentence_vectors(loaded.model, items, Specials.of(loaded.tokenizer), settings, "fp32")
        assert np.array_equal(np.load(path), target)
    centred = embed_file(files / "a.txt", files / "c.npy", model=tiny_lab.model, layers=(1,), centering=True)
    assert np.abs(np.load(centred.files[1]).mean(axis=0)).max() < 1e-6
    assert not list(files.glob("*.partial"))


def test_an_embedding_that_was_cut_short_is_continued_to_the_same_vectors(tiny_lab, files, monkeypatch):
    monkeypatch.setattr("tasksearch.study.embedding._SAVE_EVERY", 0.0)
    monkeypatch.setattr("tasksearch.evaluation.predict.TOKENS", {"cpu": 8})
    whole = np.load(embed_file(files / "a.txt", files / "w.npy", model=tiny_lab.model).files.popitem()[1])

    def stop(done, _):
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_file(files / "a.txt", files / "v.npy", model=tiny_lab.model, on_sentences=stop)
    seen = []
    again = embed_file(
        files / "a.txt", files / "v.npy", model=tiny_lab.model, on_sentences=lambda done, _: seen.append(done)
    )  # fmt: skip
    assert np.array_equal(np.load(again.files.popitem()[1]), whole)
    assert seen[0] > 1, "what was embedded is not embedded again"


def test_retrieval_is_predicted_in_xtreme_s_files_and_scored_to_the_same_number(tiny_lab, tmp_path):
    done = invoked("predict", "--model", tiny_lab.model, "--suite", "lab", "--target", "retrieval", "--data", tiny_lab.data,
                   "--language", "near1", "--layer", "1", "--out", tmp_path / "p", "--labels", tmp_path / "g",
                   "--json")  # fmt: skip
    said = json.loads(done.stdout)
    assert list(said["files"]) == ["near1"]
    scored = invoked("score", "tatoeba", "--gold", said["labels"]["near1"], "--pred", said["files"]["near1"])
    gold = (tmp_path / "g" / "retrieval" / "test-near1.tsv").read_text().split()
    assert sorted(map(int, gold)) == list(range(len(gold)))
    assert json.loads(scored.stdout)["num_examples"] == len(gold)
    assert 0 < json.loads(scored.stdout)["accuracy"] <= 100


def test_ctrl_c_says_how_to_go_on(files, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("tasksearch.study.mining.mine_files", stop)
    done = invoked("mine", files / "a.npy", files / "b.npy", "--out", files / "out.tsv")
    assert isinstance(done.exception, Interrupted)
    assert str(done.exception) == "interrupted; the same command goes on from what is finished"


def test_an_unfinished_search_is_named_by_which_sentences_are_one():
    vectors = [np.ones((3, 2), dtype=np.float32)] * 2
    settings = dict.fromkeys(("similarity", "k", "ties", "duplicates", "device"), 1)
    names = {_signature(vectors, [one, None], settings, 8) for one in (None, [[0, 1], [2]], [[0], [1, 2]], [[0], [1], [2]])}
    assert len(names) == 4
