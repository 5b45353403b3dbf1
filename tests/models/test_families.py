"""Every encoder family, at tiny size: loaded, run, masked, cut into rows and exported as transformers' own classes do."""

import json
import shutil
from typing import get_args

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tasksearch.core.errors import BadInput, ModelUnusable
from tasksearch.core.plan import Pooling
from tasksearch.evaluation.embedding import embed_items
from tasksearch.forward.batches import Specials, collate, mask_tokens
from tasksearch.forward.device import autocast
from tasksearch.forward.dropout import RowRange, StepDropout
from tasksearch.forward.passes import encode_batch, label_logits, loss_sum
from tasksearch.models.encoder import fresh_like, load_pretrained, shape_of
from tasksearch.models.families import FAMILIES, family_of, known_types
from tasksearch.models.families.base import EXPORTS
from tasksearch.models.heads import make_head
from tasksearch.models.tokenizers import tokenizer_as_written
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import ChoiceExample, PoolSentence, SpanExample, TagExample, TextExample
from tasksearch.tasks.template import template_of
from tasksearch.testing.tiny_models import write_tiny_model

KINDS = {"bert": "bert", "bert, XLM-R's pieces": "bert", **{name: name for name in known_types() if name != "bert"}}
BERT_PIECES = ("distilbert", "deberta-v2", "rembert")
"""Types whose published tokenizers have BERT's template; the others' is XLM-R's, or is read off the file."""
UNBOUNDED = ("deberta-v2", "modernbert", "eurobert")
"""Types without a table of positions: the longest sequence is the configuration's word."""
NOT_EXPORTED = {("eurobert", "choice"), ("eurobert", "span")}
saved = write_tiny_model


@pytest.fixture(scope="module")
def folders(tiny_lab, tiny_bert, tmp_path_factory):
    home = tmp_path_factory.mktemp("families")
    made = {
        "bert": saved("bert", tiny_bert, home / "bert", max_position_embeddings=40),
        # E5 and MiniLM: padding of the configuration is not the tokenizer's, and no class is named
        "bert, XLM-R's pieces": saved("bert", tiny_lab.model, home / "e5", max_position_embeddings=40),
    }
    (home / "e5" / "tokenizer_config.json").write_text("{}")
    for kind in BERT_PIECES:
        made[kind] = saved(kind, tiny_bert, home / kind, max_position_embeddings=40)
    for kind in ("xlm-roberta", "camembert", "xlm-roberta-xl", "xmod"):
        fields = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
        made[kind] = saved(kind, tiny_lab.model, home / kind, max_position_embeddings=42, **fields)
    for kind in ("modernbert", "eurobert"):
        made[kind] = saved(kind, tiny_lab.model, home / kind, max_position_embeddings=40, pad_token_id=1)
    return made


@pytest.fixture(scope="module")
def loaded(folders):
    return {name: load_pretrained(str(folder)) for name, folder in folders.items()}


@pytest.fixture(params=KINDS)
def one(request, loaded):
    return loaded[request.param]


def texts(*pairs):
    return [TextExample(str(n), a, b, 0) for n, (a, b) in enumerate(pairs)]


PAIRS = texts(("ba be", "bo"), ("bu ba bi", "be ba be ba"), ("ba", "ba"))
CARD = TaskCard(name="t", kind="pair", role="target", languages=("en",), labels=("no", "yes"))


def batch_of(one, examples=PAIRS, card=CARD, length=40):
    return collate(encode(examples, card, one.tokenizer, length), np.arange(len(examples)), Specials.of(one.tokenizer))


def head_of(one, kind, *, features="cls", dropout=0.0):
    outputs, shape = {"choice": 1}.get(kind, 2), one.family.head_shape(one.model.config)
    given = {"hidden_size": one.hidden_size, "features": features, "dropout": dropout, "shape": shape}
    return make_head(kind, "h", outputs, seed=0, **given)


def states(one, ids):
    with torch.inference_mode():
        return encode_batch(one.model, ids, Specials.of(one.tokenizer), hidden_states=True)


def test_every_family_is_tried():
    assert {*KINDS.values()} == {*known_types()} == {kind for family in FAMILIES for kind in family.model_types}


def test_rows_and_types_are_those_of_the_tokenizers_own_template(one):
    specials = Specials.of(one.tokenizer)
    for examples, card in ((PAIRS, CARD), (texts(("ba be", None), ("bu", None)), CARD)):
        batch = batch_of(one, examples, card)
        types = specials.type_ids(batch.ids)
        for row, example in enumerate(examples):
            own = one.tokenizer.backend_tokenizer.encode(example.text_a, example.text_b)
            assert batch.ids[row][: len(own.ids)].tolist() == own.ids
            assert (batch.ids[row][len(own.ids) :] == one.tokenizer.pad_token_id).all()
            assert ([0] * len(own.ids) if types is None else types[row][: len(own.ids)].tolist()) == own.type_ids
    assert set(specials.template.ids) <= set(one.tokenizer.all_special_ids)


def test_a_prefix_is_cut_with_its_sentence_and_moves_its_vector_by_every_pooling(one):
    pool = [PoolSentence(str(n), text, True) for n, text in enumerate(("ba be", "bu ba bi bo", "be"))]
    card = TaskCard(name="text", kind="mining", role="target", languages=("en",))
    bare, before = (encode(pool, card, one.tokenizer, 40, prefix) for prefix in ("", "bo: "))
    for row, sentence in enumerate(pool):
        own = one.tokenizer.backend_tokenizer.encode("bo: " + sentence.text).ids
        assert before.tokens[row].tolist() == own != bare.tokens[row].tolist()
    with pytest.raises(BadInput, match=r"the prefix 'bo bo bo bo bo bo bo' has .* pieces, a sentence of retrieval at most"):
        encode(pool, card, one.tokenizer, 6, "bo bo bo bo bo bo bo")
    for pooling in get_args(Pooling):
        found = []
        for items in (bare, before):
            found.append(np.empty((len(pool), one.hidden_size), dtype=np.float32))
            embed_items(one.model, items, Specials.of(one.tokenizer), (1,), pooling, "fp32", {1: found[-1]})
        assert (np.abs(found[0] - found[1]).max(axis=1) > 1e-4).all()


def test_a_padded_batch_gives_what_each_row_gives_alone_in_all_layers(one):
    batch = batch_of(one)
    together = states(one, batch.ids)
    assert len(together.hidden_states) == one.layers + 1
    for row, length in enumerate((batch.ids != one.tokenizer.pad_token_id).sum(1).tolist()):
        alone = states(one, batch.ids[row : row + 1, :length])
        for whole, part in zip(together.hidden_states, alone.hidden_states, strict=True):
            torch.testing.assert_close(whole[row, :length], part[0], atol=5e-6, rtol=1e-5)


def attention_masks(one, ids, monkeypatch):
    """Masks that reach attention, one per layer."""
    seen, own = [], torch.nn.functional.scaled_dot_product_attention

    def noted(*args, attn_mask=None, **given):
        seen.append(attn_mask)
        return own(*args, attn_mask=attn_mask, **given)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", noted)
    states(one, ids)
    return seen


def test_one_mask_of_numbers_reaches_every_layer_and_none_where_nothing_is_padded(one, monkeypatch):
    ids = batch_of(one).ids
    padding = ids == one.tokenizer.pad_token_id
    masks = attention_masks(one, ids, monkeypatch)
    if not one.family.sdpa:
        assert not masks, "DeBERTa and RemBERT have attention of their own"
        return
    assert len(masks) == one.layers
    assert len({mask.untyped_storage().data_ptr() for mask in masks}) == (
        2 if one.model.config.model_type == "modernbert" else 1
    )
    for mask in masks:
        assert mask.shape == (len(ids), 1, ids.shape[1], ids.shape[1]) and mask.dtype == torch.float32
        assert mask.stride(-1) == 1 and all(step % 16 == 0 for step in mask.stride()[:-1]), "CUDA's kernel would copy it"
        assert ((mask == -torch.inf) >= padding[:, None, None, :]).all() and ((mask == 0) | (mask == -torch.inf)).all()
    assert ((masks[0] == -torch.inf) == padding[:, None, None, :]).all()
    alone = ids[:1, : int((~padding[0]).sum())]
    windows = getattr(one.model.config, "layer_types", ["full_attention"] * one.layers)  # ModernBERT's layers of a window
    found = attention_masks(one, alone, monkeypatch)
    assert [mask is None for mask in found] == [kind == "full_attention" for kind in windows]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("training", [False, True])
def test_the_mask_of_numbers_gives_the_bits_of_transformers_own(one, monkeypatch, training, precision):
    batch = batch_of(one, PAIRS[:2] * 9 if training else PAIRS)  # one window of ModernBERT's is shorter than a row
    specials, head = Specials.of(one.tokenizer), head_of(one, "pair")

    def found():
        torch.manual_seed(0)
        one.model.train(training)
        try:
            with autocast(torch.device("cpu"), precision):
                loss = loss_sum(one.model, head, batch, specials)
            loss.backward()
            return [loss.detach(), *(p.grad.clone() for p in one.model.parameters() if p.grad is not None)]
        finally:
            one.model.zero_grad(set_to_none=True)
            one.model.eval()

    assert batch.padded
    ours = found()
    monkeypatch.setattr(type(one.family), "mask_for", lambda self, model, mask: mask)
    theirs = found()
    assert len(ours) == len(theirs) > 1 and all(map(torch.equal, ours, theirs))


def test_token_types_matter_where_the_model_has_them(loaded):
    one = loaded["bert"]
    batch = batch_of(one)
    typed = states(one, batch.ids).last_hidden_state
    kept = (batch.ids != one.tokenizer.pad_token_id).long()
    with torch.inference_mode():
        own = one.tokenizer([(e.text_a, e.text_b) for e in PAIRS], padding=True, return_tensors="pt")
        assert torch.equal(one.model.bert(**own).last_hidden_state, typed)
        assert (one.model.bert(input_ids=batch.ids, attention_mask=kept).last_hidden_state - typed).abs().max() > 0.01


def test_the_mlm_head_on_rows_is_the_whole_models(one):
    batch = batch_of(one)
    if not one.family.mlm_keys:
        assert not one.has_mlm_head, "mDeBERTa's was never trained"
        return
    assert one.has_mlm_head
    specials = Specials.of(one.tokenizer)
    with torch.inference_mode():
        types = specials.type_ids(batch.ids)
        given = {"token_type_ids": types} if types is not None and one.family.has_types else {}
        whole = one.model(input_ids=batch.ids, attention_mask=(batch.ids != specials.pad).long(), **given).logits
        hidden = states(one, batch.ids).last_hidden_state
        torch.testing.assert_close(family_of(one.model).mlm_logits(one.model, hidden[0]), whole[0])


def test_the_longest_sequence_fits_and_one_more_does_not(one):
    longest = shape_of(one.source).tokens
    assert longest == 40
    ids = torch.full((1, longest + 1), max(Specials.of(one.tokenizer).drawable.tolist()))
    states(one, ids[:, :longest])
    if one.model.config.model_type in UNBOUNDED:
        states(one, ids)
        return
    with pytest.raises((IndexError, RuntimeError)):
        states(one, ids)


def test_an_mlm_step_reaches_every_parameter_and_a_cut_step_is_the_uncut_one(one):
    model, specials = fresh_like(one, 0).train(), Specials.of(one.tokenizer)
    batch = batch_of(one)
    head = head_of(one, "pair", features="pair-diff", dropout=0.2).train()
    torch.manual_seed(3)
    whole = loss_sum(model, head, batch, specials)
    torch.manual_seed(3)
    cut = 0.0
    for first in range(3):
        torch.manual_seed(3)
        with StepDropout(RowRange(first=first, last=first + 1, total=3)):
            cut = cut + loss_sum(model, head, batch.part(first, first + 1), specials)
    torch.testing.assert_close(whole, cut)

    if not one.family.mlm_keys:
        return
    ids, rows, columns, labels = mask_tokens(batch.ids.numpy(), specials, 1, 0.5)
    hidden = encode_batch(model, torch.from_numpy(ids), specials).last_hidden_state
    logits = family_of(model).mlm_logits(model, hidden[torch.from_numpy(rows), torch.from_numpy(columns)])
    nn.functional.cross_entropy(logits, torch.from_numpy(labels)).backward()
    parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    assert [name for name, p in parameters if p.grad is None or not p.grad.isfinite().all()] == []
    embeddings = model.get_input_embeddings()
    if not embeddings.weight.requires_grad:
        assert one.model.config.model_type == "xmod", "its recipe trains neither embeddings nor adapters"
        return
    first = specials.template.before[0]
    assert embeddings.weight.grad[first].abs().sum() > 0, "the first piece trains"
    assert embeddings.padding_idx == specials.pad


def test_mlm_never_hides_or_draws_a_piece_of_the_template(one):
    specials = Specials.of(one.tokenizer)
    never = {*specials.template.ids, specials.pad}
    ids = np.tile(batch_of(one).ids.numpy(), (300, 1))
    masked, rows, columns, labels = mask_tokens(ids, specials, 0, 1.0)
    assert not never & {*labels.tolist()}
    assert not never & {*masked[rows, columns].tolist()}
    if specials.template.ids != (0, 2):
        drawn = {*masked[rows, columns][masked[rows, columns] != labels].tolist()} - {specials.mask}
        assert drawn and not drawn & {*one.tokenizer.all_special_ids}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_half_precision_file_trains_in_fp32_from_its_own_values(one, tmp_path, dtype):
    folder = shutil.copytree(one.source, tmp_path / "half")
    table = {name: tensor.to(dtype) for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(table, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": str(dtype).removeprefix("torch.")}))
    half = load_pretrained(str(folder))
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    whole = shutil.copytree(folder, tmp_path / "whole")
    save_file({name: t.float() for name, t in table.items()}, whole / "model.safetensors", metadata={"format": "pt"})
    (whole / "config.json").write_text(json.dumps(config | {"dtype": "float32"}))
    copy = load_pretrained(str(whole))
    assert half.fingerprint == copy.fingerprint
    assert fresh_like(half, 0).dtype == torch.float32
    losses = []
    for each in (half, copy):
        head = head_of(each, "pair")
        optimiser = torch.optim.AdamW([*each.model.parameters(), *head.parameters()], lr=1e-3)
        for _ in range(3):
            loss = loss_sum(each.model, head, batch_of(each), Specials.of(each.tokenizer))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert losses[:3] == losses[3:]
    assert losses[0] != losses[2]
    assert (one.fingerprint == half.fingerprint) is False


EXAMPLES = {
    "pair": PAIRS,
    "sentence": texts(("ba be", None), ("bu", None)),
    "choice": [ChoiceExample("1", "ba be", ("bu", "bi ba bo"), 0), ChoiceExample("2", "bo", ("be", "ba"), 1)],
    "tagging": [TagExample("1", ("ba", "be"), (0, 1)), TagExample("2", ("bu",), (0,))],
    "span": [SpanExample("1", "ba", "be bu bo", ((3, "bu"),)), SpanExample("2", "bo ba", "be", ((0, "be"),))],
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_stock_class_of_an_export_computes_the_same(one, kind):
    from tasksearch.export.hf_classes import stock_model

    card = TaskCard(name="t", kind=kind, role="target", languages=("en",), labels=("no", "yes"))
    batch, specials = batch_of(one, EXAMPLES[kind], card), Specials.of(one.tokenizer)
    head, labels = head_of(one, kind, dropout=0.1).eval(), card.labels if kind in ("pair", "sentence", "tagging") else ()
    if (one.model.config.model_type, kind) in NOT_EXPORTED:
        with pytest.raises(BadInput, match=r"transformers has no \w+ class for 'eurobert' models"):
            stock_model(kind, one.model, head, labels)
        return
    stock = stock_model(kind, one.model, head, labels)
    assert type(stock).__name__.endswith(EXPORTS[kind]) and type(stock).__module__.startswith("transformers.")
    types = specials.type_ids(batch.ids)
    given = {"input_ids": batch.ids, "attention_mask": (batch.ids != specials.pad).long()}
    if types is not None and one.family.has_types:
        given["token_type_ids"] = types
    if kind == "choice":
        given = {name: table.view(2, 2, -1) for name, table in given.items()}
    with torch.inference_mode():
        hidden, found = states(one, batch.ids).last_hidden_state, stock(**given)
        if kind == "span":
            expected = head(hidden)
            torch.testing.assert_close(torch.stack([found.start_logits, found.end_logits], -1), expected)
        else:
            logits = found.logits[batch.rows, batch.columns] if kind == "tagging" else found.logits
            torch.testing.assert_close(logits, label_logits(head, hidden, batch, specials))


def test_saved_and_loaded_again_a_model_has_its_fingerprint(one, tmp_path):
    one.model.save_pretrained(tmp_path / "again")
    one.tokenizer.save_pretrained(tmp_path / "again")
    again = load_pretrained(str(tmp_path / "again"))
    assert again.fingerprint == one.fingerprint
    assert again.has_mlm_head == one.has_mlm_head == bool(one.family.mlm_keys)


def test_the_tokenizer_that_runs_is_the_files_not_one_built_anew_by_class(folders, tmp_path):
    from tokenizers import Tokenizer

    for name in ("bert", "bert, XLM-R's pieces"):
        folder = shutil.copytree(folders[name], tmp_path / str(len(name)))
        if name == "bert":  # a normaliser that BertTokenizer does not have
            written = json.loads((folder / "tokenizer.json").read_text())
            written["normalizer"] = {"type": "Replace", "pattern": {"String": "z"}, "content": "ba"}
            (folder / "tokenizer.json").write_text(json.dumps(written))
        found = load_pretrained(str(folder)).tokenizer
        own = Tokenizer.from_file(str(folder / "tokenizer.json"))
        assert found.backend_tokenizer.encode("ba z be", "bo").ids == own.encode("ba z be", "bo").ids
        assert found.unk_token_id not in found.backend_tokenizer.encode("ba be").ids
        assert len(found) == own.get_vocab_size(with_added_tokens=True)


def test_a_bare_encoder_has_no_mlm_head_and_a_lost_layer_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["bert"], tmp_path / "bare")
    table = load_file(folder / "model.safetensors")
    bare = {name.removeprefix("bert."): tensor for name, tensor in table.items() if name.startswith("bert.")}
    save_file(bare, folder / "model.safetensors", metadata={"format": "pt"})  # as LaBSE and E5 are
    found = load_pretrained(str(folder))
    assert not found.has_mlm_head
    assert torch.equal(found.model.bert.embeddings.word_embeddings.weight, bare["embeddings.word_embeddings.weight"])
    cut = {name: tensor for name, tensor in bare.items() if "layer.1.attention" not in name}
    save_file(cut, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelUnusable, match=r"lacks the encoder's weights 'bert\.encoder\.layer\.1\.attention"):
        load_pretrained(str(folder))


def refused(folder):
    with pytest.raises(ModelUnusable) as error:
        load_pretrained(str(folder))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_tokenizer_that_does_not_belong_is_one_line(folders, tiny_lab, tmp_path):
    pieces = len(load_pretrained(str(folders["bert"])).tokenizer)
    folder = saved("bert", folders["bert"], tmp_path / "small")
    config = json.loads((folder / "config.json").read_text())
    table = load_file(folder / "model.safetensors")
    short = {
        name: t[:50].clone() if "word_embeddings" in name or name == "cls.predictions.bias" else t for name, t in table.items()
    }
    save_file(short, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 50}))
    assert f"the tokenizer has {pieces} pieces, the model 50; they do not belong together" in refused(folder)


@pytest.mark.parametrize(
    ("processor", "said"),
    [
        (None, "special pieces before the first text and between the two"),
        ({"single": ["[CLS]", "A"], "pair": ["[CLS]", "A", "[PAD]", "B"]}, "a padding piece of its own"),
        ({"single": ["[SEP]", "A"], "pair": ["[CLS]", "A", "[SEP]", "B"]}, "to begin alike"),
    ],
)
def test_a_template_that_rows_cannot_be_told_by_is_one_line(folders, tmp_path, processor, said):
    from tokenizers import Tokenizer, processors

    folder = shutil.copytree(folders["bert"], tmp_path / "odd")
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = {"[PAD]": 0, "[CLS]": 2, "[SEP]": 3}
    single, pair = (
        [f"${p}" if p in "AB" else p for p in (processor or {"single": ["A"], "pair": ["A", "B"]})[k]]
        for k in ("single", "pair")
    )
    made.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=[*ids.items()])
    made.save(str(folder / "tokenizer.json"))
    with pytest.raises(BadInput, match=said):
        template_of(tokenizer_as_written(str(folder)))
