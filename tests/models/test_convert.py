"""Pickled weights become safetensors with the same values, and a pickle that would run code is refused without running it."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from tasksearch.core.errors import BadInput, ModelUnusable
from tasksearch.models.convert import convert
from tasksearch.models.encoder import check_source, load_pretrained


@pytest.fixture
def pickled(tiny_lab, tmp_path):
    folder = shutil.copytree(tiny_lab.model, tmp_path / "pickled")
    table = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    table["lm_head.decoder.weight"] = table.get(
        "lm_head.decoder.weight", table.get("roberta.embeddings.word_embeddings.weight")
    )
    names = sorted(table)
    halves = {f"pytorch_model-0000{i + 1}-of-00002.bin": names[i::2] for i in range(2)}
    for name, part in halves.items():
        torch.save({key: table[key] for key in part}, folder / name)
    index = {"weight_map": {key: name for name, part in halves.items() for key in part}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return folder


def test_the_converted_model_is_the_model(tiny_lab, pickled, tmp_path):
    with pytest.raises(ModelUnusable, match=r"python -m tasksearch\.models\.convert .*pickled NEW_FOLDER"):
        check_source(str(pickled))
    out = convert(pickled, tmp_path / "out")
    assert load_pretrained(str(out)).fingerprint == load_pretrained(str(tiny_lab.model)).fingerprint
    assert not list(out.glob("*.bin*")) and (out / "tokenizer.json").is_file()
    with pytest.raises(BadInput, match="exists"):
        convert(pickled, out)


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def test_code_in_a_pickle_is_not_run_and_nothing_is_written(pickled, tmp_path):
    torch.save({"weight": Evil(tmp_path / "ran")}, pickled / "pytorch_model-00001-of-00002.bin")
    with pytest.raises(ModelUnusable, match="holds more than weights") as error:
        convert(pickled, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out").exists()
