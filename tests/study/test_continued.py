"""`tasksearch pretrain --from`: MLM goes on from a checkpoint in a language it never saw, with further pieces if asked."""

import dataclasses
import gzip
import json
import random
import shutil

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, DataMissing, ModelUnusable
from tasksearch.forward.batches import Specials, collate
from tasksearch.forward.passes import loss_sum
from tasksearch.models.encoder import load_pretrained
from tasksearch.models.vocabulary_extend import extended_tokenizer
from tasksearch.phases.pretrain import PretrainSettings
from tasksearch.study.continued import first_model
from tasksearch.study.pretrain import plan_pretraining, pretrain_model
from tasksearch.tasks.encode import encode_raw
from tasksearch.tasks.examples import RawText

SMALL = PretrainSettings(steps=12, batch_size=8, hidden_size=16, layers=1, heads=2, max_length=32)


def words_of(language):
    draw = random.Random(language)
    return ["".join(draw.choices("abdegiklmnoprstuz", k=draw.randint(4, 7))) for _ in range(60)]


def lines_of(language, count, seed=0):
    draw, words = random.Random(f"{language} {seed}"), words_of(language)
    return [" ".join(draw.choices(words, k=7)) for _ in range(count)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    folder = root / "pretrain" / "news"
    folder.mkdir(parents=True)
    for language in ("eng", "swa", "yor"):
        text = "".join(f"{line}\n" for line in lines_of(language, 200))
        (folder / f"{language}.txt.gz").write_bytes(gzip.compress(text.encode()))
    return root


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    """A model of `tasksearch pretrain` that read English and Swahili."""
    out = tmp_path_factory.mktemp("base") / "model"
    pretrain_model(plan_pretraining(data, ["sw"], SMALL, vocabulary=400), out)
    return out


def loss_on(folder, language):
    """Mean MLM loss on lines of a language that nothing was trained on, per letter: vocabularies differ."""
    one = load_pretrained(str(folder))
    specials, texts = Specials.of(one.tokenizer), lines_of(language, 64, seed=1)
    items = encode_raw([RawText(str(n), text, None) for n, text in enumerate(texts)], one.tokenizer, 32)
    with torch.inference_mode():
        batch = collate(items, np.arange(len(items)), specials, mask_seed=1)
        return float(loss_sum(one.model, None, batch, specials)) / batch.units


def test_it_goes_on_in_a_language_of_its_own_and_is_a_model_like_any_other(data, base, tmp_path):
    out = tmp_path / "yo"
    words = ["pretrain", "--from", base, "--data", data, "--language", "yor", "--steps", 80, "--learning-rate", 5e-3,
             "--batch-size", 16, "--max-length", 32, "--out", out, "--json"]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words])
    told = json.loads(done.stdout)
    assert (told["mlm_head"], told["new_pieces"], told["languages"]) == ("the checkpoint's", 0, ["en", "yo"])
    assert loss_on(out, "yor") < loss_on(base, "yor") - 0.05
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["from"] == "model" and len(recipe["files"]) == 3, "what the checkpoint read, and what was read now"
    assert (out / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()


def test_new_pieces_shorten_the_new_language_and_begin_as_the_mean_of_what_they_replace(data, base, tmp_path):
    plan = plan_pretraining(data, ["yo"], dataclasses.replace(SMALL, steps=2), vocabulary=400, start=str(base), new_pieces=30)
    note = pretrain_model(plan, tmp_path / "yo")
    assert note == {"mlm_head": "the checkpoint's", "new_pieces": 30}
    old, new = load_pretrained(str(base)), load_pretrained(str(tmp_path / "yo"))
    assert len(new.tokenizer) == len(old.tokenizer) + 30 == new.model.config.vocab_size

    def pieces(one, language):
        return sum(len(one.tokenizer(line)["input_ids"]) for line in lines_of(language, 50, seed=2))

    assert pieces(new, "yor") < 0.9 * pieces(old, "yor")
    assert pieces(new, "eng") == pytest.approx(pieces(old, "eng"), rel=0.05)
    begun = first_model(str(base), ["yo"], 32, lambda: lines_of("yor", 200), 30, tmp_path)
    was, now = (one.get_input_embeddings().weight for one in (old.model, begun.model))
    named = old.tokenizer.convert_ids_to_tokens(range(len(old.tokenizer)))
    assert torch.equal(now[begun.tokenizer.convert_tokens_to_ids(named)], was), "a piece keeps its row, whatever its id is now"
    fresh = sorted({*begun.tokenizer.get_vocab()} - {*named})
    assert len(fresh) == 30
    for piece in fresh:
        if piece.startswith("▁"):
            cut = old.tokenizer(piece.replace("▁", " "), add_special_tokens=False)["input_ids"]
            torch.testing.assert_close(now[begun.tokenizer.convert_tokens_to_ids(piece)], was[cut].mean(0))


def test_an_encoder_without_a_head_gets_one_and_that_is_said(data, base, tmp_path):
    bare = shutil.copytree(base, tmp_path / "bare")
    load_pretrained(str(base)).model.roberta.save_pretrained(bare)
    plan = plan_pretraining(data, ["yo"], dataclasses.replace(SMALL, steps=2), vocabulary=400, start=str(bare))
    assert pretrain_model(plan, tmp_path / "yo")["mlm_head"] == "drawn anew"
    assert load_pretrained(str(tmp_path / "yo")).has_mlm_head
    assert "its MLM head was drawn anew" in (tmp_path / "yo/README.md").read_text()


def test_what_cannot_be_gone_on_from_is_refused_before_anything_trains(data, base, tmp_path):
    def refused(*words, why, error=BadInput):
        done = CliRunner().invoke(app, ["pretrain", "--data", str(data), "--language", "yo", "--out", str(tmp_path / "o"),
                                        *map(str, words)])  # fmt: skip
        assert isinstance(done.exception, error) and why in str(done.exception), done.exception
        assert not (tmp_path / "o").exists()

    refused("--from", base, "--layers", 2, why="--layers with --from, which does not use it")
    refused("--new-pieces", 5, why="--new-pieces without --from")
    refused("--from", base, "--max-length", 64, why="--max-length 64; model")
    refused("--from", tmp_path / "none", why="no model folder", error=ModelUnusable)
    refused("--from", base, "--language", "te", why="no raw text of 'te'", error=DataMissing)


def test_wordpiece_takes_further_words_and_other_kinds_are_refused(tiny_bert):
    one = load_pretrained(str(tiny_bert))
    definition = one.tokenizer.backend_tokenizer.to_str()
    written, rows = extended_tokenizer(definition, ["▁zzyzx", "zzyzx", "▁the", "▁zzyzxes"], 3)
    vocab = json.loads(written)["model"]["vocab"]
    assert [piece for piece, n in vocab.items() if n >= len(one.tokenizer)] == ["zzyzx", "##zzyzx", "the"][
        : len(rows) - len(one.tokenizer)
    ]
    assert rows[: len(one.tokenizer)] == [[n] for n in range(len(one.tokenizer))]
    kind = json.loads(definition)
    kind["model"]["type"] = "BPE"
    with pytest.raises(BadInput, match="of kind BPE cannot be extended; expected Unigram or WordPiece"):
        extended_tokenizer(json.dumps(kind), [], 1)
