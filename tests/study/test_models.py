"""`tasksearch model`: what a model is, weights in another type or format, and a vocabulary trimmed to some languages."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.core.errors import BadInput, DataMissing, ModelUnusable
from tasksearch.models.encoder import load_pretrained
from tasksearch.models.vocabulary_trim import trimmed_tokenizer
from tasksearch.study.models import TRIMMED, check_trimmed, convert_model, languages_of_model, trim_model
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.testing.tiny_models import write_tiny_model

LAB = lab_suite()


@pytest.fixture
def folder(tiny_lab, tmp_path):
    return shutil.copytree(tiny_lab.model, tmp_path / "model")


def said(*arguments, code=0):
    done = CliRunner().invoke(app, ["model", *map(str, arguments)])
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def pickled(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def test_info_tells_what_a_folder_holds(folder):
    found = json.loads(said("info", folder, "--json"))
    assert (found["type"], found["layers"], found["width"], found["mlm_head"]) == ("xlm-roberta", 2, 64, True)
    assert found["template"] == ["<s>", "A", "</s>", "</s>", "B", "</s>"] and found["dtypes"] == ["F32"]
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    assert "pooling       mean" in said("info", folder) and "prefix        none by default" in said("info", folder)
    prompts = {"query": "query: ", "passage": "passage: ", "plain": ""}
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts, "default_prompt_name": None}))
    assert "prefix        none by default; for --prefix: query 'query: ', passage 'passage: '" in said("info", folder)
    assert "`tasksearch model convert`" in said("info", pickled(folder))


@pytest.mark.parametrize("dtype", [None, "fp16", "bf16"])
def test_pickled_weights_become_the_same_safetensors(folder, tmp_path, dtype):
    plain = load_pretrained(str(folder))
    with pytest.raises(ModelUnusable, match=r"tasksearch model convert .*model --out NEW_FOLDER"):
        load_pretrained(str(pickled(folder)))
    told = convert_model(str(folder), tmp_path / "out", dtype=dtype)
    again = load_pretrained(str(tmp_path / "out"))
    kind = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(dtype, torch.float32)
    for name, tensor in plain.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], tensor.to(kind).float()), name
    assert again.has_mlm_head and (again.fingerprint == plain.fingerprint) == (dtype is None)
    assert not [*(tmp_path / "out").glob("*.bin")]
    if dtype:
        assert told["bytes_after"] < 0.6 * told["bytes_before"]
        assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == str(kind).removeprefix("torch.")


def test_shards_and_an_index_become_one_file(folder, tmp_path):
    plain, table = load_pretrained(str(folder)), load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    table["lm_head.decoder.weight"] = table["roberta.embeddings.word_embeddings.weight"]
    names = sorted(table)
    halves = {f"pytorch_model-0000{i + 1}-of-00002.bin": names[i::2] for i in range(2)}
    for name, part in halves.items():
        torch.save({key: table[key] for key in part}, folder / name)
    index = {"weight_map": {key: name for name, part in halves.items() for key in part}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    out = tmp_path / "out"
    convert_model(str(folder), out)
    assert load_pretrained(str(out)).fingerprint == plain.fingerprint
    assert not list(out.glob("*.bin*")) and (out / "tokenizer.json").is_file()


def test_a_pickle_that_would_run_code_is_refused_in_one_line(folder, tmp_path):
    class Runs:
        def __reduce__(self):
            return (Path(tmp_path / "ran").write_text, ("x",))

    pickled(folder)
    torch.save({"a": Runs()}, folder / "pytorch_model.bin")
    for content in (None, pickle.dumps({"a": Runs()}), b"nonsense"):
        if content is not None:
            (folder / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(ModelUnusable) as error:
            convert_model(str(folder), tmp_path / "out")
        assert "\n" not in str(error.value) and "pytorch_model.bin" in str(error.value)
    torch.save([torch.zeros(2)], folder / "pytorch_model.bin")
    with pytest.raises(ModelUnusable, match="no table of tensors"):
        convert_model(str(folder), tmp_path / "out")
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out").exists()


def test_what_cannot_be_converted_is_one_line_and_nothing_is_written(folder, tmp_path):
    with pytest.raises(ModelUnusable, match="is no folder, and the hub gives none"):
        convert_model(str(tmp_path / "nowhere"), tmp_path / "out")
    table = {n: t for n, t in load_file(folder / "model.safetensors").items() if "layer.1.attention" not in n}
    torch.save(table, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnusable, match="lacks the encoder's weights"):
        convert_model(str(folder), tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(BadInput, match="not empty"):
        convert_model(str(folder), tmp_path / "full")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "model"]


@pytest.mark.parametrize("kind", ["xlm-roberta", "bert", "rembert", "modernbert", "eurobert"])
def test_a_trimmed_model_cuts_its_texts_as_before_and_gives_the_same_vectors(kind, tiny_lab, tiny_bert, tmp_path):
    pieces = tiny_bert if kind in ("bert", "rembert") else Path(tiny_lab.model)
    fields = {} if pieces == tiny_bert else {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    folder = write_tiny_model(kind, pieces, tmp_path / "model", max_position_embeddings=130, **fields)
    longest = sorted(load_pretrained(str(folder)).tokenizer.get_vocab(), key=lambda piece: (-len(piece), piece))[:9]
    prompt = " ".join(piece.removeprefix("##").strip("▁Ġ<>[]") for piece in longest) + ": "
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": prompt}}))
    told = trim_model(
        str(folder), tmp_path / "out", suite=LAB, data=Path(tiny_lab.data), languages=["near1"], targets=["topic"]
    )
    assert told["largest_difference"] == 0.0 and told["languages"] == ["en", "near1"]
    assert told["pieces"] < told["of"] and told["bytes_after"] < told["bytes_before"]
    whole, small = load_pretrained(str(folder)), load_pretrained(str(tmp_path / "out"))
    assert small.model.config.vocab_size == len(small.tokenizer) == told["pieces"]
    assert small.has_mlm_head and languages_of_model(str(tmp_path / "out")) == ("en", "near1")
    for text in ("ba be", f"{prompt}ba be"):  # of a prompt that the files state no piece is left out
        assert [small.tokenizer.convert_ids_to_tokens(i) for i in small.tokenizer(text)["input_ids"]] == [
            whole.tokenizer.convert_ids_to_tokens(i) for i in whole.tokenizer(text)["input_ids"]
        ]


def test_bpe_keeps_every_merge_that_its_texts_need():
    texts = ["low lower lowest", "new newer newest wider", "slow slower"] * 5
    whole = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    whole.train_from_iterator(texts + ["widest highest " * 9] * 9, trainers.BpeTrainer(
        vocab_size=330, show_progress=False, special_tokens=["<s>"], initial_alphabet=alphabet))  # fmt: skip
    used = {i for text in texts for i in whole.encode(text).ids}
    written, kept = trimmed_tokenizer(whole.to_str(), used)
    small = Tokenizer.from_str(written)
    assert len(kept) == small.get_vocab_size() < whole.get_vocab_size()
    for text in texts:
        assert small.encode(text).tokens == whole.encode(text).tokens
        assert [kept[i] for i in small.encode(text).ids] == whole.encode(text).ids
    assert "".join(small.encode("highest").tokens).endswith("highest"), "other words are cut finer, and not lost"


def test_a_kind_of_tokenizer_that_cannot_be_trimmed_and_missing_texts_are_one_line(tiny_lab, tmp_path):
    words = Tokenizer(models.WordLevel({"a": 0, "<unk>": 1}, unk_token="<unk>"))
    with pytest.raises(BadInput, match="of kind WordLevel cannot be trimmed; expected Unigram, WordPiece or BPE"):
        trimmed_tokenizer(words.to_str(), [0])
    with pytest.raises(DataMissing, match="has no texts in en, near1"):
        trim_model(str(tiny_lab.model), tmp_path / "out", suite=LAB, data=tmp_path / "none", languages=["near1"])
    asked = ["model", "trim", tiny_lab.model, "--out", tmp_path / "out", "--data", tmp_path, "--language", "xx"]
    done = CliRunner().invoke(app, [*map(str, asked)])
    assert "no target of this suite is scored in 'xx'" in str(done.exception)


def test_a_language_that_a_model_was_not_trimmed_for_is_refused_unless_told(tiny_lab, tmp_path):
    data = Path(tiny_lab.data)
    trim_model(str(tiny_lab.model), tmp_path / "out", suite=LAB, data=data, languages=["near1"], targets=["topic"])
    cards = [LAB.card("topic")]

    def checked(*languages, allow=False, model=tmp_path / "out"):
        return check_trimmed(str(model), "", data, cards, languages, allow=allow)

    assert checked("en", "near1") == () == checked("en", "script", model=tiny_lab.model)
    with pytest.raises(
        ModelUnusable, match=r"was trimmed to en, near1, and cuts script: \d.* unknown, .*--allow-trimmed"
    ) as error:
        checked("en", "script")
    assert "\n" not in str(error.value)
    [shares] = checked("script", allow=True)
    assert shares.bad and 0 < shares.unknown + shares.single <= 1 and shares.pieces > 100
    (tmp_path / "out" / TRIMMED).write_text("{")
    with pytest.raises(ModelUnusable, match="expected the note of `tasksearch model trim`"):
        checked("en")


def test_the_real_models_pieces_say_which_languages_they_know(shared_data, tmp_path):
    from tasksearch.models.tokenizers import tokenizer_as_written
    from tasksearch.study.models import piece_shares
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.source import TaskSource

    folder = shared_data.parent / "models" / "e5-small-9-l6-q4"
    if not folder.is_dir():
        pytest.skip(f"no real model: {folder} is not there")
    source = TaskSource(shared_data, tokenizer_as_written(str(folder)))
    card = load_suite("lowres").card("sib200")
    shares = {one: piece_shares(source, [card], one) for one in ("yo", "th", "ru", "ur", "id")}
    assert {one: found.bad for one, found in shares.items()} == {"yo": False, "th": False, "ru": True, "ur": True, "id": False}
    assert shares["ru"].single == pytest.approx(0.68, abs=0.02) and np.isfinite(shares["ru"].unknown)
