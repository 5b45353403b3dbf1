"""A model folder is loaded whole and the same every time, or refused in one line that says what it lacks."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from tasksearch.core.errors import ModelUnusable
from tasksearch.models.encoder import check_source, load_pretrained

WEIGHTS = "model.safetensors"


@pytest.fixture
def folder(tiny_lab, tmp_path):
    """A copy of the tiny lab's model, to be spoiled."""
    return shutil.copytree(tiny_lab.model, tmp_path / "model")


def keep_weights(folder, keep):
    table = {name: tensor for name, tensor in load_file(folder / WEIGHTS).items() if keep(name)}
    save_file(table, folder / WEIGHTS, metadata={"format": "pt"})


def refusal(folder):
    with pytest.raises(ModelUnusable) as error:
        load_pretrained(str(folder))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_two_loads_have_one_fingerprint_and_another_weight_another(folder):
    first = load_pretrained(str(folder))
    assert load_pretrained(str(folder)).fingerprint == first.fingerprint
    assert first.has_mlm_head
    assert (first.hidden_size, first.layers) == (64, 2)
    table = load_file(folder / WEIGHTS)
    table["lm_head.bias"][0] += 1
    save_file(table, folder / WEIGHTS, metadata={"format": "pt"})
    assert load_pretrained(str(folder)).fingerprint != first.fingerprint


def test_a_checkpoint_without_an_mlm_head_says_so_and_has_one_fingerprint(folder):
    keep_weights(folder, lambda name: not name.startswith("lm_head"))
    state = torch.get_rng_state()
    first, second = load_pretrained(str(folder)), load_pretrained(str(folder))
    assert not first.has_mlm_head
    assert first.fingerprint == second.fingerprint
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_that_lacks_a_layer_is_refused_not_filled_at_random(folder):
    keep_weights(folder, lambda name: "layer.1.attention.self.query" not in name)
    assert "lacks the encoder's weights 'roberta.encoder.layer.1.attention.self.query.bias' and 1 more" in refusal(folder)


def test_another_architecture_is_named_with_the_one_expected(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}))
    known = "bert, camembert, deberta-v2, distilbert, eurobert, modernbert, rembert, xlm-roberta, xlm-roberta-xl, xmod"
    assert (
        f"holds a 'roberta' model; known encoder families are {known} (nearest: xlm-roberta); another is given by --encoder"
        in refusal(folder)
    )


@pytest.mark.parametrize("text", ["{", "[]", '"xlm-roberta"'])
def test_a_config_that_is_no_json_object_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    assert "config.json is not a JSON object" in refusal(folder)


@pytest.mark.parametrize(
    ("gone", "said"), [("config.json", "no config.json"), ("tokenizer.json", "no tokenizer"), (WEIGHTS, "no .safetensors")]
)
def test_a_missing_file_is_named(folder, gone, said):
    (folder / gone).unlink()
    assert said in refusal(folder)


def test_pickled_weights_are_not_read(folder):
    (folder / WEIGHTS).unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert "pickled weights are not read" in refusal(folder)


def test_truncated_weights_are_refused(folder):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])
    assert "cannot be loaded" in refusal(folder)


def test_a_tokenizer_of_another_model_is_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    keep_weights(folder, lambda name: "word_embeddings" not in name and name != "lm_head.bias")
    table = load_file(folder / WEIGHTS)
    table["roberta.embeddings.word_embeddings.weight"] = torch.zeros(50, 64)
    table["lm_head.bias"] = torch.zeros(50)
    save_file(table, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 50}))
    assert "they do not belong together" in refusal(folder)


def test_a_path_that_is_not_there_is_no_hub_id_but_a_name_without_slashes_may_be_one(tmp_path):
    with pytest.raises(ModelUnusable, match="no model folder"):
        check_source(str(tmp_path / "nothing"))
    check_source("xlm-roberta-base")
