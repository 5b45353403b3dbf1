"""Bitext retrieval: is the translation of an English sentence its nearest neighbour in the other language's pool?

As in XTREME's and jiant's Tatoeba code the index holds the *other* language, queries are English, nearest by cosine. Layer,
pooling and centering change the score by tens of points, so they are named settings that are printed with every score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tasksearch.core.plan import RetrievalSettings
from tasksearch.core.score import Half
from tasksearch.evaluation.embedding import embed_items
from tasksearch.evaluation.neighbours import nearest, unit_vectors
from tasksearch.forward.batches import Specials
from tasksearch.metrics.outcomes import Outcomes, accuracy_outcomes, value_of
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.selection_split import Portion

Vectors = npt.NDArray[np.float32]


def score_retrieved(
    model: Any,
    scored: Sequence[tuple[Portion, Encoded]],
    specials: Specials,
    settings: RetrievalSettings,
    precision: str,
) -> dict[Half, Outcomes]:
    """Return outcomes of one language by half, each of shape (queries, 2); a pool is searched once for all halves."""
    tables = [(portion, score_retrieval(model, items, specials, settings, precision)) for portion, items in scored]
    return {half: table[rows] for portion, table in tables for half, rows in portion.rows.items()}


@torch.inference_mode()
def score_retrieval(model: Any, items: Encoded, specials: Specials, settings: RetrievalSettings, precision: str) -> Outcomes:
    """Return outcomes of one language and half, shape (pairs, 2); `items` alternate between the language and English."""
    vectors = sentence_vectors(model, items, specials, settings, precision)
    other, english = (unit_vectors(part, centering=settings.centering) for part in (vectors[0::2], vectors[1::2]))
    found = nearest(english, other)
    return accuracy_outcomes(found, np.arange(len(found), dtype=np.int64))


@torch.inference_mode()
def sentence_vectors(model: Any, items: Encoded, specials: Specials, settings: RetrievalSettings, precision: str) -> Vectors:
    """Return pooled vectors of one layer, shape (items, width), in the items' order.

    Raises:
        BadInput: the model has no such layer.
    """
    vectors = np.empty((len(items), int(model.config.hidden_size)), dtype=np.float32)
    embed_items(model, items, specials, (settings.layer,), settings.pooling, precision, {settings.layer: vectors})
    return vectors


@torch.inference_mode()
def layer_accuracies(
    model: Any,
    scored: Sequence[tuple[Portion, Encoded]],
    specials: Specials,
    settings: RetrievalSettings,
    precision: str,
) -> list[float]:
    """Return the accuracy in percent of every layer from the embeddings on, on selection examples alone; empty without any."""
    layers, found = range(int(model.config.num_hidden_layers) + 1), list[float]()
    for portion, items in scored:
        if "select" not in portion.rows:
            continue
        vectors = {layer: np.empty((len(items), int(model.config.hidden_size)), dtype=np.float32) for layer in layers}
        embed_items(model, items, specials, layers, settings.pooling, precision, vectors)
        for each in vectors.values():
            other, english = (unit_vectors(part, centering=settings.centering) for part in (each[0::2], each[1::2]))
            neighbours = nearest(english, other)
            outcomes = accuracy_outcomes(neighbours, np.arange(len(neighbours), dtype=np.int64))
            found.append(value_of(outcomes[portion.rows["select"]]))
    return found
