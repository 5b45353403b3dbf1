"""Tokens a second, share of the matrix rate and memory of a training step, beside Hugging Face's Trainer as shipped and tuned.

    PYTHONPATH=. python benchmarks/gpu/throughput.py --out throughput.jsonl [--shape base --shape large]

Base and large shapes at 32 x 60 and at 32 x 256 tokens a step. Tuned: bf16, TF32, fused AdamW, grouped by length, pinned
batches from two processes. Without the package `accelerate` the Trainer is left out.

`profile`: the profiler over 16 steps in bf16: the operations that a step launches, how much of the time the device works, and
the shares of that work that are copies (casts to bf16 and batches), matrix products and the optimiser. It says what bf16 copies
of the weights, batches fetched ahead and CUDA graphs could gain at most.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from functools import partial
from typing import Any

import common
import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, XLMRobertaForSequenceClassification

from tasksearch.training.curves import Curve
from tasksearch.training.loop import train_segment

TRAINERS = ("Trainer as shipped", "Trainer tuned") if importlib.util.find_spec("accelerate") else ()
SYSTEMS = ("ours bf16", "ours fp32", "profile", *TRAINERS)
KINDS = {
    "copies": ("aten::copy_",),
    "products": ("mm", "linear", "attention"),
    "optimiser": ("adam", "foreach_norm", "vector_norm"),
}
"""What a profile sums up → parts of the names of its operations."""


def ours(given: argparse.Namespace, shape: str, sequences: int, tokens: int, precision: Any) -> float:
    tasks, steps = common.work(shape, sequences, tokens, given.steps + common.WARM)
    clock = common.Clock(given.device, len(steps))
    train_segment(
        common.learner(shape, given.device),
        tasks,
        steps,
        common.settings(sequences, tokens, precision),
        Curve(total=len(steps)),
        randomness="x",
        on_step=clock,
    )
    return clock.seconds


def profile(given: argparse.Namespace, shape: str, sequences: int, tokens: int) -> dict[str, Any]:
    on_gpu, steps = given.device == "cuda", common.WARM
    tasks, chosen = common.work(shape, sequences, tokens, 2 * steps)
    learner, how = common.learner(shape, given.device), common.settings(sequences, tokens, "bf16")
    kinds = [torch.profiler.ProfilerActivity.CPU, *([torch.profiler.ProfilerActivity.CUDA] if on_gpu else [])]
    train_segment(learner, tasks, chosen[:steps], how, Curve(total=steps), randomness="x")
    common.wait(given.device)
    begun = time.perf_counter()
    with torch.profiler.profile(activities=kinds) as seen:
        train_segment(learner, tasks, chosen[steps:], how, Curve(total=steps), randomness="y")
        common.wait(given.device)
    wall = time.perf_counter() - begun
    # the operations alone: under them stands what they launched, which is listed once more
    rows = [one for one in seen.key_averages() if one.device_type == torch.autograd.DeviceType.CPU]
    spent = {one.key.lower(): one.self_device_time_total if on_gpu else one.self_cpu_time_total for one in rows}
    launched = "cudalaunch" if on_gpu else "aten::"
    busy = sum(spent.values())
    shares = {
        f"share_{kind}": sum(took for name, took in spent.items() if any(part in name for part in parts)) / busy
        for kind, parts in KINDS.items()
    }
    return {
        "milliseconds_with_profiler": 1e3 * wall / steps,
        "device_works": busy / 1e6 / wall,
        "launches": sum(one.count for one in rows if one.key.lower().startswith(launched)) / steps,
        **shares,
    }


def trainer(given: argparse.Namespace, shape: str, sequences: int, tokens: int, *, tuned: bool) -> float:
    torch.manual_seed(0)
    model = XLMRobertaForSequenceClassification(common.config(shape, num_labels=3))
    found = common.items(shape, tokens)
    rows = [{"input_ids": found.tokens[i].tolist(), "labels": int(found.labels[i])} for i in range(len(found))]
    last = given.steps + common.WARM
    clock = common.Clock(given.device, last)

    class Begin(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock(state.global_step)

    def collated(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(row["input_ids"]) for row in batch)
        ids = torch.tensor([row["input_ids"] + [1] * (width - len(row["input_ids"])) for row in batch])
        return {"input_ids": ids, "attention_mask": (ids != 1).long(), "labels": torch.tensor([row["labels"] for row in batch])}

    on_gpu = given.device == "cuda"
    better: dict[str, Any] = {
        "bf16": True,
        "tf32": on_gpu or None,
        "optim": "adamw_torch_fused",
        "train_sampling_strategy": "group_by_length",
        "dataloader_num_workers": 2 if on_gpu else 0,
    }
    with tempfile.TemporaryDirectory() as folder:
        how = TrainingArguments(
            output_dir=folder, max_steps=last, per_device_train_batch_size=sequences, use_cpu=not on_gpu,
            report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True, learning_rate=1e-5,
            **(better if tuned else {}),
        )  # fmt: skip
        trainer = Trainer(model=model, args=how, train_dataset=rows, data_collator=collated, callbacks=[Begin()])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.seconds


def measure(given: argparse.Namespace, shape: str, batch: str, system: str) -> dict[str, Any]:
    sequences, tokens = common.BATCHES[batch]
    common.peak(given.device)
    if system == "profile":
        return profile(given, shape, sequences, tokens)
    if system.startswith("ours"):
        seconds = ours(given, shape, sequences, tokens, system.split()[1])
    else:
        seconds = trainer(given, shape, sequences, tokens, tuned=system.endswith("tuned"))
    rate = given.steps / seconds
    return {
        "milliseconds": 1e3 / rate,
        "tokens_per_second": rate * sequences * tokens * 0.95,  # lengths are drawn from nine tenths to all of it
        "share_of_matrix_rate": rate * common.operations(shape, sequences, tokens) / common.MATRIX_RATE,
        "peak_gb": common.peak(given.device),
    }


if __name__ == "__main__":
    asked = common.arguments(__doc__)
    common.run_all(
        asked,
        [
            (f"{shape} {batch} {system}", partial(measure, asked, shape, batch, system))
            for batch in common.BATCHES
            for shape in asked.shape
            for system in SYSTEMS
        ],
    )
