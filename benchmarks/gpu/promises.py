"""What is promised of a GPU: equal bits under `--deterministic`, steps halved when memory runs out, trials that share a card.

    PYTHONPATH=. python benchmarks/gpu/promises.py --out promises.jsonl [--shape base]

- `deterministic`: two trainings in two processes are equal to the bit.
- `halving`: with a quarter of the memory that a step takes, the step is cut and the losses stay (to 2 %, bf16).
- `2 on one card`, `4 on one card`: steps a second of two and four processes with their shares of memory, beside one process
  alone: without and with CUDA's multi-process service, whose daemon is started and ended here where `nvidia-cuda-mps-control`
  is found and none runs; where one runs, with it alone. With it each process asks for its multiprocessors as a trial of a study does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import common
import torch

from tasksearch.core.gpu_sharing import ask_for, mps_runs
from tasksearch.forward.device import be_deterministic
from tasksearch.training.curves import Curve
from tasksearch.training.loop import train_segment
from tasksearch.training.micro import MicroSizes

DAEMON = "nvidia-cuda-mps-control"


def train(shape: str, device: str, steps: int, share: float, *, same: bool) -> dict[str, Any]:
    """Train in this process; return a hash of the weights, losses, seconds, and what memory allowed."""
    if same:
        be_deterministic()
    if share < 1 and mps_runs() and not same:
        ask_for(share, os.environ)
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
        "threads": os.environ.get("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"),
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


def several(given: argparse.Namespace, shape: str, count: int, served: bool) -> dict[str, Any]:
    """Measure `count` processes at once with their shares of the card beside one process that has all of it."""
    with multi_process_service() if served else nullcontext():
        [alone], both = apart(given, shape, 1, 1.0), apart(given, shape, count, 1 / count)
    return {
        "gain": count * alone["seconds"] / max(one["seconds"] for one in both),
        "milliseconds": 1e3 * alone["seconds"] / given.steps,
        "milliseconds_of_each": [1e3 * one["seconds"] / given.steps for one in both],
        "peak_gb": [one["peak_gb"] for one in both],
        "threads": [one["threads"] for one in both],
    }


@contextmanager
def multi_process_service() -> Iterator[None]:
    """Run a control daemon of our own meanwhile, unless one runs already."""
    if mps_runs():
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        before = dict(os.environ)
        os.environ.update(CUDA_MPS_PIPE_DIRECTORY=folder, CUDA_MPS_LOG_DIRECTORY=folder)
        subprocess.run([DAEMON, "-d"], check=True)
        try:
            yield
        finally:
            subprocess.run([DAEMON], input="quit\n", text=True, check=False)
            os.environ.clear()
            os.environ.update(before)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(train(**json.loads(sys.argv[2]))))
        raise SystemExit
    asked = common.arguments(__doc__)
    parts: dict[str, Callable[[argparse.Namespace, str], dict[str, Any]]] = {"deterministic": deterministic, "halving": halving}
    for served in (True,) if mps_runs() else (False, True) if shutil.which(DAEMON) else (False,):
        for count in (2, 4):
            name = f"{count} on one card, {'with' if served else 'without'} MPS"
            parts[name] = partial(several, count=count, served=served)
    common.run_all(
        asked, [(f"{shape} {name}", partial(part, asked, shape)) for shape in asked.shape for name, part in parts.items()]
    )
