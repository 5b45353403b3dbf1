"""Metrics by their names in cards: functions from predictions of one language to per-example outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.own_files import is_reference, referred
from tasksearch.metrics import mlqa, squad
from tasksearch.metrics.chunks import chunk_outcomes
from tasksearch.metrics.outcomes import (
    Outcomes,
    accuracy_outcomes,
    exact_set_outcomes,
    macro_f1_outcomes,
    macro_set_f1_outcomes,
    micro_set_f1_outcomes,
    qqp_outcomes,
    ratio_outcomes,
    token_accuracy_outcomes,
)

Labels = npt.NDArray[np.int64]
Tags = Sequence[Sequence[str]]
Metric = TypeVar("Metric")

LABEL_METRICS: dict[str, Callable[[Labels, Labels], Outcomes]] = {
    "accuracy": accuracy_outcomes,
    "macro_f1": macro_f1_outcomes,
    "qqp": qqp_outcomes,
}
"""(predicted, gold) class indices, (examples,) each. `qqp` takes class 1 for "duplicate"."""

TAG_METRICS: dict[str, Callable[[Tags, Tags], Outcomes]] = {
    "accuracy": token_accuracy_outcomes,
    "seqeval_f1": chunk_outcomes,
    "span_f1": chunk_outcomes,
}
"""(predicted, gold) tag names per sentence. `span_f1` is the name for BIO tags, where all of seqeval's versions agree."""

LABEL_SET_METRICS: dict[str, Callable[[Tags, Tags], Outcomes]] = {
    "micro_f1": micro_set_f1_outcomes,
    "macro_f1": macro_set_f1_outcomes,
    "accuracy": exact_set_outcomes,
}
"""(predicted, gold) label names per example, any number of them. `accuracy` is that of whole sets."""

SQUAD_V2 = "squad_v2"
ANSWER_METRICS = ("em_f1", "mlqa_em_f1", SQUAD_V2)
"""(EM + F1) / 2 of each question. `squad_v2` also needs null scores and a threshold: see `squad_v2.py`."""


def label_metric(name: str) -> Callable[[Labels, Labels], Outcomes]:
    """Return the metric of a classification or choice card, or raise UnknownName with the nearest name."""
    return _known("metric of labels", name, LABEL_METRICS)


def label_set_metric(name: str) -> Callable[[Tags, Tags], Outcomes]:
    """The metric of a multilabel card; UnknownName with the nearest."""
    return _known("metric of label sets", name, LABEL_SET_METRICS)


def tag_metric(name: str) -> Callable[[Tags, Tags], Outcomes]:
    """Return the metric of a tagging card, or raise UnknownName with the nearest name."""
    return _known("metric of tags", name, TAG_METRICS)


def answer_outcomes(name: str, predictions: Sequence[str], golds: Sequence[Sequence[str]], language: str) -> Outcomes:
    """Return outcomes of extracted answers, shape (questions, 2).

    A question without gold answers is right where the prediction is empty.

    Raises:
        UnknownName: there is no such metric of answers, or MLQA's normaliser does not know the language.
    """
    if is_reference(name):
        return own_metric(name)(predictions, golds)
    if name not in ("em_f1", "mlqa_em_f1"):
        raise UnknownName("metric of answers", name, ANSWER_METRICS)

    def score(prediction: str, answers: Sequence[str]) -> float:
        if not answers:
            return float(not prediction)
        return sum(mlqa.em_f1_of(prediction, answers, language)) / 2 if name != "em_f1" else squad.em_f1(prediction, answers)

    return ratio_outcomes([score(prediction, answers) for prediction, answers in zip(predictions, golds, strict=True)])


def check_metric(kind: str, name: str) -> None:
    """Raises UnknownName for a metric that does not score that kind of task."""
    if kind in ("retrieval", "mining", "mlm"):
        return
    if kind == "span":
        if name not in ANSWER_METRICS:
            raise UnknownName("metric of answers", name, ANSWER_METRICS)
        return
    {"tagging": tag_metric, "multilabel": label_set_metric}.get(kind, label_metric)(name)


def own_metric(reference: str) -> Callable[[Any, Any], Outcomes]:
    """A user's function behind a card's metric, what it gives checked.

    Raises:
        BadInput: what it gives is no table of finite numerators and denominators, one row per example, or it fails.
    """
    found, shown = referred(reference, "a metric: (predicted, gold) -> outcomes"), reference.rpartition("@")[0]

    def checked(predicted: Any, gold: Any) -> Outcomes:
        try:
            outcomes = np.asarray(found(predicted, gold), dtype=np.float32)
        except Exception as fault:  # whatever a user's file does
            raise BadInput(f"metric {shown}: {type(fault).__name__}: {fault}") from None
        if outcomes.shape != (len(gold), 2) or not np.isfinite(outcomes).all() or outcomes[:, 1].sum() <= 0:
            raise BadInput(
                f"metric {shown} gave an array of shape {outcomes.shape}; expected ({len(gold)}, 2): a finite numerator and a "
                "denominator for each example, the denominators with a positive sum"
            )
        return outcomes

    return checked


def _known(kind: str, name: str, table: dict[str, Metric]) -> Metric:
    if is_reference(name):
        return own_metric(name)  # type: ignore[return-value]
    if name not in table:
        raise UnknownName(kind, name, table)
    return table[name]
