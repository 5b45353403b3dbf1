"""Answer texts from start and end logits: the best pair among the 20 best starts and ends of each window of a question.

SQuAD's script for BERT and jiant differ in one point: they count a token that is in several windows only in the one with most
context around it (`token_is_max_context`). Here it counts in each, and the best window decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.examples import SpanExample

N_BEST, MAX_ANSWER = 20, 30
Floats = npt.NDArray[np.float32]


def best_span(starts: Floats, ends: Floats) -> tuple[float, int, int]:
    """Return (score, first, last) of the best pair with first <= last < first + MAX_ANSWER among the N_BEST best ends."""
    first = np.argsort(-starts, kind="stable")[:N_BEST]
    last = np.argsort(-ends, kind="stable")[:N_BEST]
    scores = starts[first][:, None] + ends[last][None, :]
    width = last[None, :] - first[:, None]
    scores = np.where((width >= 0) & (width < MAX_ANSWER), scores, -np.inf)
    best = int(np.argmax(scores))
    i, j = divmod(best, len(last))
    return float(scores[i, j]), int(first[i]), int(last[j])


def answers(items: Encoded, examples: Sequence[SpanExample], windows: Sequence[tuple[Floats, Floats]]) -> list[str]:
    """Return one text per example, from the best window.

    Args:
        windows: per item, logits of start and end at each of the item's context tokens.
    """
    return [text for _, text in _best_answers(items, examples, windows)]


def answers_and_null(
    items: Encoded, examples: Sequence[SpanExample], windows: Sequence[tuple[Floats, Floats]], nulls: Sequence[float]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return one text per example as `answers` does, and the lead of "no answer" over it (BERT's null score difference).

    Args:
        nulls: per item, the logits of start and end at `<s>`, summed. An example's null score is the lowest of its windows.
    """
    best = _best_answers(items, examples, windows)
    lowest = np.full(len(examples), np.inf)
    np.minimum.at(lowest, items.owner, np.asarray(nulls, dtype=np.float64))
    return [text for _, text in best], lowest - np.asarray([score for score, _ in best], dtype=np.float64)


def _best_answers(
    items: Encoded, examples: Sequence[SpanExample], windows: Sequence[tuple[Floats, Floats]]
) -> list[tuple[float, str]]:
    """Return (score, text) per example; (-inf, "") where no window contains a context token."""
    best: list[tuple[float, str]] = [(-np.inf, "")] * len(examples)
    for item, (starts, ends) in enumerate(windows):
        if not len(starts):
            continue
        owner = int(items.owner[item])
        score, first, last = best_span(starts, ends)
        if score > best[owner][0]:
            edges = items.offsets[item]
            best[owner] = (score, examples[owner].context[int(edges[2 * first]) : int(edges[2 * last + 1])])
    return best
