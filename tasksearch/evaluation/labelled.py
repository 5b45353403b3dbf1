"""Zero-shot outcomes of a labelled target: one fine-tuned model, every language, every half."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tasksearch.evaluation.predict import batches_by_length
from tasksearch.evaluation.spans import answers
from tasksearch.forward.batches import Batch, Specials
from tasksearch.forward.device import autocast
from tasksearch.forward.passes import encode_batch, label_logits, span_logits
from tasksearch.metrics.outcomes import Outcomes, accuracy_outcomes, ratio_outcomes, token_accuracy_outcomes
from tasksearch.metrics.squad import em_f1
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.examples import Example, SpanExample, TagExample


@torch.inference_mode()
def score_labelled(
    model: Any, head: nn.Module, card: TaskCard, items: Encoded, examples: Sequence[Example], specials: Specials, precision: str
) -> Outcomes:
    """(examples, 2) outcomes of one language and half, in the file's order."""
    model.eval()
    head.eval()
    if card.kind == "span":
        return _score_spans(model, head, items, [e for e in examples if isinstance(e, SpanExample)], specials, precision)
    if card.kind == "tagging":
        return _score_tags(model, head, items, [e for e in examples if isinstance(e, TagExample)], specials, precision)
    predicted = np.empty(len(items), dtype=np.int64)
    for chosen, batch, hidden in _encoded_batches(model, head, items, specials, precision):
        with autocast(hidden.device, precision):
            predicted[chosen] = label_logits(head, hidden, batch, specials).argmax(-1).cpu().numpy()
    return accuracy_outcomes(predicted, items.labels)


def _encoded_batches(
    model: Any, head: nn.Module, items: Encoded, specials: Specials, precision: str
) -> Iterator[tuple[npt.NDArray[np.int64], Batch, torch.Tensor]]:
    """(item indices, batch, token vectors) over all items, on the head's device."""
    device = next(head.parameters()).device
    for chosen, batch in batches_by_length(items, specials):
        moved = batch.to(device)
        with autocast(device, precision):
            hidden = encode_batch(model, moved.ids, specials).last_hidden_state
        yield chosen, moved, hidden


def _score_tags(
    model: Any, head: nn.Module, items: Encoded, examples: Sequence[TagExample], specials: Specials, precision: str
) -> Outcomes:
    per_item: list[Any] = [None] * len(items)
    for chosen, batch, hidden in _encoded_batches(model, head, items, specials, precision):
        with autocast(hidden.device, precision):
            flat = label_logits(head, hidden, batch, specials).argmax(-1).cpu().numpy()
        for item, part in zip(chosen, np.split(flat, np.cumsum(items.positions.lengths[chosen])[:-1]), strict=True):
            per_item[int(item)] = part
    predicted: list[list[int]] = [[] for _ in examples]
    for item in range(len(items)):  # the windows of a long sentence stand in order
        predicted[int(items.owner[item])].extend(int(tag) for tag in per_item[item])
    return token_accuracy_outcomes(predicted, [example.tags for example in examples])


def _score_spans(
    model: Any, head: nn.Module, items: Encoded, examples: Sequence[SpanExample], specials: Specials, precision: str
) -> Outcomes:
    windows: list[Any] = [None] * len(items)
    for chosen, batch, hidden in _encoded_batches(model, head, items, specials, precision):
        with autocast(hidden.device, precision):
            starts, ends = span_logits(head, hidden, batch)
        tables = starts.cpu().numpy(), ends.cpu().numpy()
        for row, item in enumerate(chosen):
            columns = items.positions[int(item)]
            windows[int(item)] = (tables[0][row, columns], tables[1][row, columns])
    texts = answers(items, examples, windows)
    return ratio_outcomes(
        [
            em_f1(text, [gold for _, gold in e.answers]) if e.answers else float(not text)
            for text, e in zip(texts, examples, strict=True)
        ]
    )
