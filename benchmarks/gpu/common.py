"""What the GPU measurements share: fresh models, items of one length, and a file of results that a rerun continues.

Every script takes `--out FILE` (a JSON line per finished measurement; what stands there is not measured again), `--minutes`
(begin no measurement after so long) and `--shape tiny --device cpu`, which rehearses it without a GPU.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from tasksearch.core.plan import Precision, TrainSettings
from tasksearch.forward.batches import Specials
from tasksearch.forward.device import hardware_of
from tasksearch.models.heads import make_head
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.ragged import Ragged
from tasksearch.tasks.template import Template
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.order import StepItems

SHAPES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 300},
    "small": {
        "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536, "vocab_size": 48_366
    },
    "base": {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 250_002
    },
    "large": {
        "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
        "vocab_size": 250_002,
    },
}  # fmt: skip
BATCHES: dict[str, tuple[int, int]] = {"32x60": (32, 60), "8k": (32, 256)}
"""Name → (sequences, tokens of each)."""
TRAINING_SET = 2_048
WARM = 16
"""Steps before the clock starts: on a GPU losses are read sixteen at a time, so it starts when step 16 has ended."""
MATRIX_RATE = 790e12
"""Multiplications and additions a second of an H200 in bf16 without sparsity, in practice."""


def arguments(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shape", action="append", choices=sorted(SHAPES))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=7.0)
    given = parser.parse_args()
    given.shape = given.shape or ["base", "large"]
    return given


def config(shape: str, **more: Any) -> XLMRobertaConfig:
    ends = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    return XLMRobertaConfig(
        **SHAPES[shape], **ends, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, **more
    )


def items(shape: str, tokens: int, count: int = TRAINING_SET) -> Encoded:
    """Sequences of random pieces of a natural spread (Zipf), nine tenths to all of `tokens` long, with three classes."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(tokens * 9 // 10, tokens + 1, count)
    lengths[::16] = tokens
    pieces = 4 + (draw.zipf(1.2, int(lengths.sum())) % (SHAPES[shape]["vocab_size"] - 5))
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    none = np.empty(0, dtype=np.int64)
    return Encoded(
        kind="pair",
        tokens=Ragged(flat=pieces.astype(np.int32), bounds=bounds),
        first=np.arange(count + 1, dtype=np.int64),
        owner=np.arange(count, dtype=np.int64),
        labels=draw.integers(0, 3, count).astype(np.int64),
        positions=Ragged.of(()),
        tags=Ragged.of(()),
        spans=none.reshape(0, 2),
        offsets=Ragged.of(()),
    )


def learner(shape: str, device: str) -> Learner:
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(config(shape))
    head = make_head("pair", "nli", 3, hidden_size=model.config.hidden_size, features="cls", dropout=0.1, seed=0)
    heads = nn.ModuleDict({"nli": head})
    vocabulary = SHAPES[shape]["vocab_size"]
    specials = Specials(
        template=Template.roberta(0, 2), pad=1, mask=vocabulary - 1, vocabulary=vocabulary, never_drawn=(0, 1, 2)
    )
    return Learner(model=model.to(device), heads=heads.to(device), specials=specials, device=torch.device(device))


def work(shape: str, sequences: int, tokens: int, steps: int) -> tuple[dict[str, TrainingTask], list[StepItems]]:
    found = items(shape, tokens)
    order = np.random.default_rng(1).permutation(len(found))
    chosen = [order[np.arange(n * sequences, (n + 1) * sequences) % len(order)] for n in range(steps)]
    return {"nli": TrainingTask(items=found, head="nli")}, [StepItems(parts=(("nli", one),)) for one in chosen]


def settings(sequences: int, tokens: int, precision: Precision, micro: int | None = None) -> TrainSettings:
    return TrainSettings(
        batch_size=sequences, micro_batch_size=micro, learning_rate=1e-5, max_length=tokens, precision=precision
    )


def operations(shape: str, sequences: int, tokens: int) -> float:
    """Return multiplications and additions of a step: three times those of the forward pass's matrix products."""
    size = SHAPES[shape]
    width, inner = size["hidden_size"], size["intermediate_size"]
    per_token = size["num_hidden_layers"] * (8 * width * width + 4 * width * inner + 4 * tokens * width)
    return 3.0 * sequences * tokens * per_token


class Clock:
    """Seconds from the end of step `WARM` to the end of the last one, without what is copied after it."""

    def __init__(self, device: str, last: int) -> None:
        self._device, self._last, self._begin, self.seconds = device, last, 0.0, 0.0

    def __call__(self, step: int, _loss: float = 0.0) -> None:
        """Note the end of a step, counted from 1."""
        if step == WARM:
            wait(self._device)
            self._begin = time.perf_counter()
        elif step == self._last:
            wait(self._device)
            self.seconds = time.perf_counter() - self._begin


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak(device: str) -> float:
    """Return the GB that tensors took at most since the last call; 0 on a CPU."""
    if device != "cuda":
        return 0.0
    found = torch.cuda.max_memory_allocated() / 1e9
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return found


def run_all(given: argparse.Namespace, cells: Sequence[tuple[str, Callable[[], dict[str, Any]]]]) -> None:
    """Measure what the file of results lacks, until the time is over; print each result."""
    done = {}
    if given.out.exists():
        done = {one["cell"]: one for one in map(json.loads, given.out.read_text().splitlines())}
    begun, left = time.monotonic(), []
    for name, measure in cells:
        if name not in done:
            if time.monotonic() - begun > 60 * given.minutes:
                left.append(name)
                continue
            found = {"cell": name, "hardware": hardware_of(torch.device(given.device)), "torch": torch.__version__} | measure()
            with given.out.open("a") as file:
                file.write(json.dumps(found) + "\n")
            done[name] = found
        print(json.dumps(done[name]), flush=True)
    if left:
        print(f"not measured, run again: {', '.join(left)}")
