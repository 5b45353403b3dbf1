"""BERT's masking, and batches: what is hidden is what is asked for, specials never, padding never."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.forward.batches import Specials, collate, mask_tokens
from tasksearch.tasks.encode import encode_raw
from tasksearch.tasks.examples import RawText
from tasksearch.tasks.template import Template

SPECIALS = Specials(template=Template.roberta(0, 2), pad=1, mask=99, vocabulary=100, never_drawn=(0, 1, 2))
bodies = st.lists(st.lists(st.integers(4, 98), max_size=20), min_size=1, max_size=6)


def padded(rows):
    width = max(map(len, rows)) + 3
    return np.array([[0, *row, 2, *[1] * (width - 2 - len(row))] for row in rows])


@settings(deadline=None)
@given(bodies, st.integers(0, 10**6), st.floats(0, 1))
def test_labels_are_the_pieces_that_stood_there_and_nothing_else_is_touched(rows, seed, share):
    ids = padded(rows)
    before = ids.copy()
    masked, r, c, labels = mask_tokens(ids, SPECIALS, seed, share)
    assert (ids == before).all()
    assert (ids[r, c] == labels).all()
    assert not np.isin(labels, (0, 1, 2)).any()
    untouched = np.ones(ids.shape, dtype=bool)
    untouched[r, c] = False
    assert (masked[untouched] == ids[untouched]).all()
    assert not np.isin(masked[r, c], (0, 1, 2)).any()
    assert (len(labels) > 0) == any(rows)
    again = mask_tokens(ids, SPECIALS, seed, share)
    assert all((a == b).all() for a, b in zip(again, (masked, r, c, labels), strict=True))


def test_of_the_chosen_four_fifths_are_masked_a_tenth_scrambled_a_tenth_kept():
    ids = padded(np.full((200, 500), 50).tolist())
    masked, r, c, labels = mask_tokens(ids, SPECIALS, 0, 0.15)
    now = masked[r, c]
    assert len(labels) / 100_000 == pytest.approx(0.15, abs=0.005)
    assert (now == SPECIALS.mask).mean() == pytest.approx(0.8 + 0.1 / 97, abs=0.015)
    assert (now == 50).mean() == pytest.approx(0.1 + 0.1 / 97, abs=0.015)
    assert len(np.unique(now)) > 80


def test_reserved_pieces_are_never_drawn_and_pieces_of_text_that_were_added_are():
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = ["zero", "<bos>", "<eos>", "<pad>", "<mask>", *map(str, range(49))]
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="<pad>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", pair="<bos> $A <eos> $B <eos>", special_tokens=[("<bos>", 1), ("<eos>", 2)]
    )
    named = {f"{name}_token": f"<{name}>" for name in ("bos", "eos", "pad", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **named)
    reserved = ["<|reserved_special_token_7|>", "<unused7>", "[unused7]"]
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=True), *reserved, "kiswahili"])
    drawable = {*Specials.of(tokenizer).drawable.tolist()}
    assert not drawable & {*tokenizer.convert_tokens_to_ids(["<|im_start|>", *reserved]), 1, 2, 3, 4}
    assert {tokenizer.convert_tokens_to_ids("kiswahili"), 0, 5, 53} <= drawable


class Letters:
    """One piece per letter."""

    bos_token_id, eos_token_id = 0, 2

    def __call__(self, texts, **options):
        return {"input_ids": [[ord(letter) - 90 for letter in text] for text in texts]}


def test_a_batch_of_raw_text_is_masked_by_its_seed_alone():
    items = encode_raw([RawText("1", "abcdefgh", None), RawText("2", "abc", "hgf")], Letters(), 64)
    first, second, other = (collate(items, np.array([1, 0]), SPECIALS, mask_seed=seed, mask_share=0.5) for seed in (1, 1, 2))
    assert first.ids.equal(second.ids)
    assert first.units == len(first.labels) == len(first.rows)
    assert not first.ids.equal(other.ids)
