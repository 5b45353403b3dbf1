"""What is promised of a GPU: equal bits under `--deterministic`, steps halved when memory runs out, two trials on one card.

    PYTHONPATH=. python benchmarks/gpu/promises.py --out promises.jsonl [--shape base]

- `deterministic`: two trainings in two processes are equal to the bit.
- `halving`: with a quarter of the memory that a step takes, the step is cut and the losses stay (to 2 %, bf16).
- `two on one card`: steps a second of two processes with half of the card each, beside one process alone. Once without, once
  with CUDA's multi-process service (`nvidia-cuda-mps-control -d`), which has to be started before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import Any

import common
import torch

from tasksearch.forward.device import be_deterministic
from tasksearch.training.curves import Curve
from tasksearch.training.loop import train_segment
from tasksearch.training.micro import MicroSizes


def train(shape: str, device: str, steps: int, share: float, *, same: bool) -> dict[str, Any]:
    """Train in this process; return a hash of the weights, losses, seconds, and what memory allowed."""
    if same:
        be_deterministic()
    if device == "cuda" and share < 1:
        torch.cuda.set_per_process_memory_fraction(share)
    sequences, tokens = common.BATCHES["32x60"]
    tasks, chosen = common.work(shape, sequences, tokens, steps)
    ours, sizes, losses = common.learner(shape, device), MicroSizes(), list[float]()
    begun = time.perf_counter()
    train_segment(
        ours,
        tasks,
        chosen,
        common.settings(sequences, tokens, "bf16"),
        Curve(total=steps),
        randomness="x",
        sizes=sizes,
        on_step=lambda _, loss: losses.append(loss),
    )
    common.wait(device)
    seconds = time.perf_counter() - begun
    weights = torch.cat([p.detach().double().flatten().cpu() for _, p in ours.named_parameters()])
    places = torch.arange(len(weights), dtype=torch.double) % 8191 + 1
    return {
        "weights": [float(weights.sum()), float((weights * places).sum())],
        "losses": losses,
        "seconds": seconds,
        "cut": dict(sizes.used),
        "peak_gb": common.peak(device),
    }


def apart(given: argparse.Namespace, shape: str, count: int, share: float, *, same: bool = False) -> list[dict[str, Any]]:
    """Train in `count` processes at once."""
    asked = json.dumps({"shape": shape, "device": given.device, "steps": given.steps, "share": share, "same": same})
    command = [sys.executable, __file__, "--child", asked]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(count)]
    return [json.loads(one.communicate()[0].splitlines()[-1]) for one in running]


def deterministic(given: argparse.Namespace, shape: str) -> dict[str, Any]:
    first, again = (apart(given, shape, 1, 1.0, same=True)[0] for _ in range(2))
    return {"equal": (first["weights"], first["losses"]) == (again["weights"], again["losses"]), "seconds": first["seconds"]}


def halving(given: argparse.Namespace, shape: str) -> dict[str, Any]:
    [whole] = apart(given, shape, 1, 1.0)
    share = 1.0
    if given.device == "cuda":
        # the weights' state must fit: 16 bytes a number, the rest is the step's
        total = torch.cuda.get_device_properties(0).total_memory / 1e9
        size = sum(p.numel() for _, p in common.learner(shape, "cpu").named_parameters()) * 16 / 1e9
        share = (size + (whole["peak_gb"] - size) / 4 + 1) / total
    [cut] = apart(given, shape, 1, share)
    off = max(abs(a - b) / max(abs(a), 1e-9) for a, b in zip(whole["losses"], cut["losses"], strict=True))
    return {
        "share": share,
        "cut": cut["cut"],
        "largest_difference_of_a_loss": off,
        "peak_gb": [whole["peak_gb"], cut["peak_gb"]],
    }


def two(given: argparse.Namespace, shape: str) -> dict[str, Any]:
    [alone], both = apart(given, shape, 1, 1.0), apart(given, shape, 2, 0.5)
    return {
        "gain": 2 * alone["seconds"] / max(one["seconds"] for one in both),
        "milliseconds": 1e3 * alone["seconds"] / given.steps,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(train(**json.loads(sys.argv[2]))))
        raise SystemExit
    asked = common.arguments(__doc__)
    served = "with" if os.environ.get("CUDA_MPS_PIPE_DIRECTORY") else "without"
    parts = {"deterministic": deterministic, "halving": halving, f"two on one card, {served} MPS": two}
    common.run_all(
        asked, [(f"{shape} {name}", partial(part, asked, shape)) for shape in asked.shape for name, part in parts.items()]
    )
