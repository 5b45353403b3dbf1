"""`tasksearch pretrain`: resumable to the bit, never over what is there, and what it makes can be loaded."""

import gzip
import json
import random

import pytest
import torch

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.models.encoder import load_pretrained, shape_of
from tasksearch.phases.pretrain import PretrainSettings
from tasksearch.study.pretrain import plan_pretraining, pretrain_model

SMALL = PretrainSettings(steps=12, batch_size=4, hidden_size=16, layers=1, heads=2, max_length=32, dropout=0.1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    folder = root / "pretrain" / "news"
    folder.mkdir(parents=True)
    draw = random.Random(0)
    words = ["".join(draw.choices("abdegiklmnoprstuz", k=draw.randint(2, 7))) for _ in range(400)]
    for language in ("eng", "swa", "tel"):
        lines = (" ".join(draw.choices(words, k=9)) for _ in range(300))
        (folder / f"{language}.txt.gz").write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return root


def planned(data, **changes):
    return plan_pretraining(data, ["sw"], SMALL, **({"vocabulary": 400, "save_every_steps": 5} | changes))


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("calm") / "model"
    pretrain_model(planned(data), out)
    return out


def test_a_killed_pretraining_goes_on_to_the_same_weights(data, undisturbed, tmp_path):
    class Killed(BaseException):
        pass

    def kill(step, steps, loss):
        if step == 8:
            raise Killed

    out, steps = tmp_path / "model", []
    with pytest.raises(Killed):
        pretrain_model(planned(data), out, on_step=kill)
    assert not out.exists()
    pretrain_model(planned(data), out, on_step=lambda step, total, loss: steps.append(step))
    assert steps == list(range(6, 13))  # it went on from the state after step 5
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_another_recipe_does_not_take_up_the_state_of_the_first(data, tmp_path):
    def kill(step, steps, loss):
        if step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain_model(planned(data), tmp_path / "model", on_step=kill)
    steps = []
    other = plan_pretraining(data, ["te"], SMALL, vocabulary=400)
    pretrain_model(other, tmp_path / "model", on_step=lambda step, total, loss: steps.append(step))
    assert steps[0] == 1


def test_what_it_makes_is_a_model_that_a_search_can_load(undisturbed):
    loaded = load_pretrained(str(undisturbed))
    assert loaded.has_mlm_head
    assert shape_of(str(undisturbed)).tokens == 32
    tokenizer = loaded.tokenizer
    assert tokenizer("")["input_ids"] == [tokenizer.bos_token_id, tokenizer.eos_token_id]
    assert [tokenizer.convert_tokens_to_ids(t) for t in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert tokenizer.mask_token_id == len(tokenizer) - 1
    ids = tokenizer("abdegik zut", return_tensors="pt")
    assert torch.isfinite(loaded.model(**ids).logits).all()


def test_a_folder_that_is_not_empty_is_left_alone_unless_forced(data, tmp_path):
    out = tmp_path / "model"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    with pytest.raises(BadInput, match="is not empty; choose another --out, or replace it with --force"):
        pretrain_model(planned(data), out)
    assert (out / "mine.txt").read_text() == "keep"
    pretrain_model(planned(data), out, force=True)
    assert (out / "config.json").is_file()


def test_the_recipe_names_every_file_and_the_licence_note_says_what_is_not_known(undisturbed):
    recipe = json.loads((undisturbed / "recipe.json").read_text())
    assert recipe["languages"] == ["en", "sw"]
    assert [name.split(" ")[0] for name in recipe["files"]] == ["news/eng.txt.gz", "news/swa.txt.gz"]
    assert recipe["settings"]["steps"] == 12
    assert "unknown: the user's own text" in (undisturbed / "README.md").read_text()


def test_a_non_commercial_source_is_left_out_and_named_where_it_is_asked_for(data, tmp_path):
    for name in ("lafand", "ntrex"):
        (tmp_path / "pretrain" / name).mkdir(parents=True)
        for language in ("eng", "swa"):
            (tmp_path / f"pretrain/{name}/{language}.txt.gz").write_bytes(gzip.compress(b"x\n"))
    assert {f.source for f in plan_pretraining(tmp_path, ["sw"], SMALL, vocabulary=400).files} == {"ntrex"}
    both = plan_pretraining(tmp_path, ["sw"], SMALL, vocabulary=400, non_commercial=True)
    assert {f.source for f in both.files} == {"lafand", "ntrex"}
    with pytest.raises(BadInput, match=r"source 'lafand' is CC BY-NC 4.0 \(LAFAND-MT\); --non-commercial"):
        plan_pretraining(tmp_path, ["sw"], SMALL, vocabulary=400, sources=["lafand"])
    with pytest.raises(UnknownName, match="did you mean 'ntrex'"):
        plan_pretraining(tmp_path, ["sw"], SMALL, vocabulary=400, sources=["ntrx"])
