"""Phase 1 from raw text: MLM on documents and TLM on translation pairs, for the lab's generated text and for real text."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import seed_from, signature_of
from tasksearch.forward.batches import Specials
from tasksearch.forward.device import one_thread, pick_device
from tasksearch.models.encoder import quiet_transformers
from tasksearch.models.families.roberta import new_xlm_r
from tasksearch.phases.checkpoints import CheckpointPolicy, clear, latest, saving
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.encode import Encoded, encode_raw
from tasksearch.tasks.examples import RawText
from tasksearch.tasks.ragged import Ragged
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import Saving, train_segment
from tasksearch.training.order import StepItems

_WINDOW = 16
"""Steps whose rows are drawn together and sorted by length: little padding, while every step remains a fresh draw."""


@dataclass(frozen=True, kw_only=True)
class PretrainSettings:
    """Model size and training settings of phase 1. The defaults give the lab's tiny model.

    Attributes:
        tlm_share: share of rows that are translation pairs.
        language_exponent: a language's share is its number of rows to this power, normalised.
        mask_share: share of tokens to predict.
        hidden_size, layers, heads: size of the encoder; its feed-forward layers are four times as wide.
        initializer_range: standard deviation of initial weights.
    """

    steps: int = 5000
    batch_size: int = 32
    learning_rate: float = 3e-3
    adam_beta2: float = 0.98
    weight_decay: float = 0.01
    warmup: float = 0.05
    tlm_share: float = 0.3
    language_exponent: float = 0.5
    mask_share: float = 0.2
    max_length: int = 128
    hidden_size: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.0
    initializer_range: float = 0.05
    precision: str = "fp32"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Raw text by language: documents for MLM, and sentences with their English translations for TLM.

    Texts are read once and not kept: only their tokens stay in memory, four bytes each.
    """

    documents: Mapping[str, Iterable[RawText]]
    parallel: Mapping[str, Iterable[RawText]]


@dataclass(frozen=True, kw_only=True)
class PretrainProgress:
    """Where a long pretraining saves its state, from which it continues bit-exactly after a kill.

    Attributes:
        store: store of the snapshots.
        policy: how often the state is saved.
        data: fingerprint of corpus and tokenizer: only an identical run continues from a saved state.
    """

    store: SegmentStore
    policy: CheckpointPolicy
    data: str


def fresh_model(settings: PretrainSettings, tokenizer: Any) -> Any:
    """An XLM-R of the settings' size with weights drawn from the settings' seed."""
    torch.manual_seed(seed_from("pretrain", settings.seed))
    with quiet_transformers():
        return new_xlm_r(
            tokenizer,
            max_length=settings.max_length,
            hidden_size=settings.hidden_size,
            layers=settings.layers,
            heads=settings.heads,
            dropout=settings.dropout,
            initializer_range=settings.initializer_range,
        )


def pretrain(
    corpus: Corpus,
    tokenizer: Any,
    settings: PretrainSettings,
    out: Path,
    *,
    device: str | None = None,
    progress: PretrainProgress | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> None:
    """Train a model from scratch and save it with its tokenizer; `out` appears complete or not at all.

    Args:
        progress: where the state is saved during training; None: nowhere.
        on_step: called with (step, steps, loss).
    """
    model = fresh_model(settings, tokenizer)
    trained = train_mlm(corpus, model, tokenizer, settings, device=device, progress=progress, on_step=on_step)
    save_pretrained(trained, tokenizer, out)
    if progress:
        clear(progress.store, signature_of("pretraining", 2, settings, progress.data))


def train_mlm(
    corpus: Corpus,
    model: Any,
    tokenizer: Any,
    settings: PretrainSettings,
    *,
    device: str | None = None,
    progress: PretrainProgress | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Any:
    """Train a model by MLM and TLM, from its latest saved state if there is one; return it.

    Args:
        model: of a family, with an MLM head; trained in place.
    """
    where = pick_device(device)
    one_thread(where)
    model = model.to(where)
    items, pools = pool_rows(corpus, tokenizer, settings.max_length)
    steps = draw_rows(items.lengths, pools, settings)
    signature = signature_of("pretraining", 2, settings, progress.data) if progress else ""
    begun = latest(progress.store, signature, ("model", "optimizer")) if progress else None
    if begun is not None:
        model.load_state_dict(begun.tables["model"], strict=False)  # tied weights are stored once
        model.tie_weights()
    train_segment(
        Learner(model=model, heads=nn.ModuleDict(), specials=Specials.of(tokenizer), device=where),
        {"mlm": TrainingTask(items=items, head=None)},
        steps,
        train_settings(settings),
        Curve(total=settings.steps, warmup=settings.warmup),
        randomness=signature_of("pretrain", settings),
        optimizer_state=begun.tables["optimizer"] if begun else None,
        first=begun.step if begun else 0,
        saving=_saving(progress, signature, model) if progress else None,
        mask_share=settings.mask_share,
        on_step=None if on_step is None else lambda step, loss: on_step(step, settings.steps, loss),
    )
    return model


def _saving(progress: PretrainProgress, signature: str, model: Any) -> Saving | None:
    began = time.monotonic()

    def tables() -> dict[str, dict[str, torch.Tensor]]:
        weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.named_parameters()}
        return {"model": weights}

    return saving(progress.store, signature, progress.policy, tables, lambda: time.monotonic() - began, "pretraining")


def save_pretrained(model: Any, tokenizer: Any, out: Path) -> None:
    """Write a Hugging Face folder (safetensors, tokenizer.json) under a temporary name and rename it."""
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        with quiet_transformers():
            model.to("cpu").save_pretrained(temporary, safe_serialization=True)
            tokenizer.save_pretrained(temporary)
        if out.exists():
            shutil.rmtree(out)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def train_settings(settings: PretrainSettings) -> TrainSettings:
    """Convert the settings to those of the training loop."""
    return TrainSettings(
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        adam_beta2=settings.adam_beta2,
        weight_decay=settings.weight_decay,
        warmup=settings.warmup,
        max_length=settings.max_length,
        precision="bf16" if settings.precision == "bf16" else "fp32",
    )


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Rows of one language and kind, and the share of a batch's rows that are drawn from them."""

    name: str
    begin: int
    size: int
    share: float


def pool_rows(corpus: Corpus, tokenizer: Any, max_length: int) -> tuple[Encoded, list[Pool]]:
    """Encode all rows into one list.

    Returns:
        The rows, and the position of each language's documents (`mono/sw`) and translations (`tlm/sw`) in them.
    """
    parts, pools, begin = [], [], 0
    for kind, texts_by_language in (("mono", corpus.documents), ("tlm", corpus.parallel)):
        for language, texts in sorted(texts_by_language.items()):
            encoded = [encode_raw(batch, tokenizer, max_length) for batch in _batches(texts)]
            size = sum(len(part) for part in encoded)
            if size:
                parts += encoded
                pools.append(Pool(name=f"{kind}/{language}", begin=begin, size=size, share=0.0))
                begin += size
    tokens = Ragged.concatenate([part.tokens for part in parts])
    count = len(tokens)
    empty = parts[0]
    merged = Encoded(
        kind="mlm",
        tokens=tokens,
        first=np.arange(count + 1, dtype=np.int64),
        owner=np.arange(count, dtype=np.int64),
        labels=empty.labels,
        positions=empty.positions,
        tags=empty.tags,
        spans=empty.spans,
        offsets=empty.offsets,
    )
    return merged, pools


def _batches(texts: Iterable[RawText]) -> Iterator[list[RawText]]:
    left = iter(texts)
    while batch := list(islice(left, 10_000)):
        yield batch


def pool_shares(pools: list[Pool], settings: PretrainSettings) -> npt.NDArray[np.float64]:
    """Return probabilities of shape (pools,): documents and translations are weighted separately, each by size to the exponent.

    Without translations all the probability goes to documents.
    """
    sizes = np.array([pool.size for pool in pools], dtype=np.float64) ** settings.language_exponent
    tlm = np.array([pool.name.startswith("tlm/") for pool in pools])
    shares = np.where(tlm, 0.0, sizes / max(sizes[~tlm].sum(), 1e-12))
    if tlm.any():
        shares = shares * (1 - settings.tlm_share) + np.where(tlm, sizes / sizes[tlm].sum() * settings.tlm_share, 0.0)
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def draw_rows(lengths: npt.NDArray[np.int64], pools: list[Pool], settings: PretrainSettings) -> list[StepItems]:
    """Draw the rows of every step with replacement by pool share.

    Rows are sorted by length within a window of steps, and the steps of a window are shuffled.
    """
    draw = np.random.default_rng(seed_from("rows", settings.seed))
    shares = pool_shares(pools, settings)
    begins, sizes = (np.array([getattr(pool, name) for pool in pools], dtype=np.int64) for name in ("begin", "size"))
    steps: list[StepItems] = []
    while len(steps) < settings.steps:
        chosen = draw.choice(len(pools), size=_WINDOW * settings.batch_size, p=shares)
        rows = begins[chosen] + (draw.random(len(chosen)) * sizes[chosen]).astype(np.int64)
        rows = rows[np.argsort(lengths[rows], kind="stable")].reshape(_WINDOW, settings.batch_size)
        steps += [StepItems(parts=(("mlm", rows[i]),)) for i in draw.permutation(_WINDOW)]
    return steps[: settings.steps]
