"""Batches for scoring: every item once, little padding; layers that nobody asked for are not run."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForMaskedLM, XLMRobertaConfig, XLMRobertaForMaskedLM

from tasksearch.evaluation.predict import FEWEST, PADDING, _cut
from tasksearch.forward.passes import encode_batch, hidden_state

SHAPE = {
    "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16,
    "max_position_embeddings": 40, "pad_token_id": 1,
}  # fmt: skip


class OnlyPadding:
    pad = 1

    def type_ids(self, ids):
        return None


@given(st.lists(st.integers(1, 300), max_size=200), st.integers(1, 3000))
def test_batches_cut_the_whole_list_within_their_bounds(lengths, most):
    ordered = np.sort(np.array(lengths, dtype=np.int64))
    parts = list(_cut(ordered, np.ones(len(ordered), dtype=np.int64), ordered, most))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(len(ordered)))
    for part in parts:
        batch = ordered[part]
        width = len(batch) * int(batch[-1])
        assert len(batch) == 1 or width <= most
        assert len(batch) <= FEWEST or width - int(batch.sum()) <= PADDING * width
    for left, right in itertools.pairwise(parts):  # a batch ends only where the next item would pass a bound
        longer = ordered[left.start : right.start + 1]
        width = len(longer) * int(longer[-1])
        assert width > most or (len(longer) > FEWEST and width - int(longer.sum()) > PADDING * width)


@pytest.mark.parametrize("make", [lambda: XLMRobertaForMaskedLM(XLMRobertaConfig(**SHAPE)),
                                  lambda: BertForMaskedLM(BertConfig(**SHAPE))])  # fmt: skip
@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_a_hidden_state_is_that_of_the_whole_model_and_no_layer_above_it_is_run(make, layer):
    torch.manual_seed(0)
    model = make().eval()
    ids = torch.randint(2, 50, (3, 9))
    ids[1, 5:] = 1
    with torch.inference_mode():
        whole = encode_batch(model, ids, OnlyPadding(), hidden_states=True).hidden_states[layer]
        ran = []
        hooks = [block.register_forward_hook(lambda *_, at=at: ran.append(at)) for at, block in enumerate(blocks(model))]
        assert torch.equal(hidden_state(model, ids, OnlyPadding(), layer), whole)
        assert ran == list(range(layer))
        for hook in hooks:
            hook.remove()
        assert torch.equal(encode_batch(model, ids, OnlyPadding(), hidden_states=True).hidden_states[layer], whole)


def blocks(model):
    return model.base_model.encoder.layer
