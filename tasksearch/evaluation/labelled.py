"""Zero-shot outcomes of a labelled target: one fine-tuned model, one language, by the card's metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tasksearch.core.score import Half
from tasksearch.evaluation.outputs import Outputs
from tasksearch.evaluation.spans import answers, answers_and_null
from tasksearch.forward.batches import Specials
from tasksearch.metrics.outcomes import Outcomes, ratio_outcomes
from tasksearch.metrics.registry import SQUAD_V2, answer_outcomes, label_metric, label_set_metric, tag_metric
from tasksearch.metrics.squad_v2 import after_threshold, best_threshold, em_f1_of
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.examples import Example, LabelSetExample, SpanExample, TagExample
from tasksearch.tasks.selection_split import Portion

Scored = Sequence[tuple[Portion, Encoded]]
"""Selection and reporting examples of one language with their encoded items."""


@torch.inference_mode()
def score_labelled(
    model: Any, head: nn.Module, card: TaskCard, language: str, scored: Scored, specials: Specials, precision: str
) -> dict[Half, Outcomes]:
    """Return outcomes of selection and of reporting examples, each of shape (examples, 2), in the order of the rows.

    A `squad_v2` card's no-answer threshold is chosen on the language's selection examples and applied to both. Without
    selection examples it is 0: "no answer" where its logits are larger, as in jiant.

    Raises:
        UnknownName: the metric does not score this kind, or MLQA's normaliser does not know the language.
    """
    model.eval()
    head.eval()
    outputs = Outputs(model=model, head=head, specials=specials, precision=precision)
    if card.kind == "span" and card.metric == SQUAD_V2:
        return _score_nullable(outputs, scored)
    return {half: table for portion, items in scored for half, table in _by_half(outputs, card, language, portion, items)}


def _by_half(
    outputs: Outputs, card: TaskCard, language: str, portion: Portion, items: Encoded
) -> Iterator[tuple[Half, Outcomes]]:
    predicted, gold = predicted_and_gold(outputs, card, portion.examples, items)
    for half, rows in portion.rows.items():
        ours, theirs = [predicted[row] for row in rows], [gold[row] for row in rows]
        if card.kind == "span":
            yield half, answer_outcomes(card.metric, ours, theirs, language)
        elif card.kind == "multilabel":
            yield half, label_set_metric(card.metric)(ours, theirs)
        elif card.kind == "tagging":
            yield half, tag_metric(card.metric)(ours, theirs)
        else:
            yield half, label_metric(card.metric)(np.asarray(ours, dtype=np.int64), np.asarray(theirs, dtype=np.int64))


def predicted_and_gold(
    outputs: Outputs, card: TaskCard, examples: Sequence[Example], items: Encoded
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return predictions and gold per example: a text and the gold answers, names of tags or labels, or a class."""
    if card.kind == "span":
        spans = _spans(examples)
        return answers(items, spans, outputs.windows(items)[0]), [_golds(e) for e in spans]
    if card.kind == "tagging":
        gold = [[card.labels[tag] for tag in e.tags] for e in examples if isinstance(e, TagExample)]
        return [[card.labels[tag] for tag in tags] for tags in outputs.tags(items, len(gold))], gold
    if card.kind == "multilabel":
        gold = [[card.labels[label] for label in e.labels] for e in examples if isinstance(e, LabelSetExample)]
        return [[card.labels[label] for label in labels] for labels in outputs.label_sets(items)], gold
    return outputs.classes(items).tolist(), items.labels.tolist()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Nullable:
    """Scores of SQuAD 2 questions: (EM + F1) / 2 of the best answer, whether one exists, and the lead of "no answer"."""

    scores: npt.NDArray[np.float64]
    answerable: npt.NDArray[np.bool_]
    null: npt.NDArray[np.float64]

    def at(self, rows: npt.NDArray[np.int64]) -> _Nullable:
        return _Nullable(scores=self.scores[rows], answerable=self.answerable[rows], null=self.null[rows])

    def best_threshold(self) -> float:
        return best_threshold(self.scores, self.answerable, self.null)[0]

    def after(self, threshold: float) -> npt.NDArray[np.float64]:
        return after_threshold(self.scores, self.answerable, self.null, threshold)


def _score_nullable(outputs: Outputs, scored: Scored) -> dict[Half, Outcomes]:
    halves: dict[Half, _Nullable] = {}
    for portion, items in scored:
        whole = _nullable(outputs, items, _spans(portion.examples))
        halves |= {half: whole.at(rows) for half, rows in portion.rows.items()}
    threshold = halves["select"].best_threshold() if "select" in halves else 0.0
    return {half: ratio_outcomes(scores.after(threshold).tolist()) for half, scores in halves.items()}


def _nullable(outputs: Outputs, items: Encoded, examples: Sequence[SpanExample]) -> _Nullable:
    texts, null = answers_and_null(items, examples, *outputs.windows(items))
    scores = [sum(em_f1_of(text, _golds(e))) / 2 for text, e in zip(texts, examples, strict=True)]
    answerable = np.asarray([bool(e.answers) for e in examples], dtype=np.bool_)
    return _Nullable(scores=np.asarray(scores, dtype=np.float64), answerable=answerable, null=null)


def _spans(examples: Sequence[Example]) -> list[SpanExample]:
    return [e for e in examples if isinstance(e, SpanExample)]


def _golds(example: SpanExample) -> list[str]:
    return [text for _, text in example.answers]
