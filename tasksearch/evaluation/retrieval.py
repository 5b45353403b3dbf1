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

from tasksearch.core.errors import BadInput
from tasksearch.core.plan import RetrievalSettings
from tasksearch.core.score import Half
from tasksearch.evaluation.index import nearest
from tasksearch.evaluation.predict import batches_by_length
from tasksearch.forward.batches import Specials
from tasksearch.forward.device import autocast
from tasksearch.forward.passes import hidden_state
from tasksearch.metrics.outcomes import Outcomes, accuracy_outcomes
from tasksearch.models.pooling import pool
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
    model.eval()
    layers = int(model.config.num_hidden_layers)
    if not -layers - 1 <= settings.layer <= layers:
        raise BadInput(f"retrieval layer {settings.layer}; the model has layers 0 (embeddings) to {layers}")
    device = next(model.parameters()).device
    vectors = np.empty((len(items), int(model.config.hidden_size)), dtype=np.float32)
    layer = settings.layer if settings.layer >= 0 else layers + 1 + settings.layer
    for chosen, batch in batches_by_length(items, specials, device):
        with autocast(device, precision):
            hidden = hidden_state(model, batch.ids, specials, layer)
            pooled = pool(hidden, batch.ids, settings.pooling, specials.marks)
        vectors[chosen] = pooled.float().cpu().numpy()
    return vectors


def unit_vectors(vectors: Vectors, *, centering: bool) -> Vectors:
    """Scale rows to length one, after subtracting their mean where wanted."""
    shifted = vectors - vectors.mean(axis=0, keepdims=True) if centering else vectors
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    return np.asarray(shifted / np.maximum(norms, 1e-12), dtype=np.float32)
