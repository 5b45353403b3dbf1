"""Memory of a process that trains short trials one after the other, as a worker does: where it goes, after every part.

    PYTHONPATH=. python benchmarks/worker_memory.py DATA MODEL [TRIALS] [--targets …] [--languages …] [--memory 1.5]

Suite `lowres` with a six-layer encoder. Columns in MiB: what is resident, the largest it was in the part, and of what is
resident now: files mapped (libraries, the model), blocks of the C library in use, its free blocks, and tensors alive.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
from dataclasses import replace
from pathlib import Path

import torch

import trainables.three_phase  # noqa: F401 - what a worker has imported
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan, RetrievalSettings, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.forward.memory import settle
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun
from tasksearch.tasks.catalogue import load_suite


class Blocks(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]  # fmt: skip


def blocks() -> Blocks:
    ask = ctypes.CDLL("libc.so.6").mallinfo2
    ask.restype = Blocks
    found: Blocks = ask()
    return found


def status() -> dict[str, float]:
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[0].startswith(("VmHWM", "VmRSS", "Rss"))}


def told(name: str, began: float) -> None:
    now, held = status(), blocks()
    tensors = {
        one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in gc.get_objects() if torch.is_tensor(one)
    }
    cells = [
        now["VmRSS"], now["VmHWM"], now["RssFile"], (held.uordblks + held.hblkhd) / 2**20, held.fordblks / 2**20,
        sum(tensors.values()) / 2**20,
    ]  # fmt: skip
    print(f"| {name} | {' | '.join(f'{cell:.0f}' for cell in cells)} | {time.process_time() - began:.1f} |", flush=True)
    Path("/proc/self/clear_refs").write_text("5")  # the largest is counted anew


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("model")
    parser.add_argument("trials", type=int, nargs="?", default=4)
    parser.add_argument("--targets", default="sib200,udpos,tydiqa,tatoeba")
    parser.add_argument("--languages", default="sw,te,ta,yo")
    parser.add_argument("--memory", type=float, default=1.5)
    given = parser.parse_args()
    began = time.process_time()
    print("| after | resident | largest | files | blocks in use | free blocks | tensors | CPU s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    told("imports", began)
    suite = load_suite("lowres")
    context = open_context(suite, given.data, given.model, None, "cpu", memory=int(given.memory * 1e9))
    told("the model", began)
    training = TrainSettings(batch_size=16, max_length=256, steps=2)
    settings = PhaseSettings(
        intermediate=training, target=training, retrieval=RetrievalSettings(layer=6), evaluation_examples=60
    )
    plan = Plan(
        suite="lowres",
        schedule=Schedule.joint(Mixture.uniform("copa", "mrpc"), 2),
        targets=tuple(given.targets.split(",")),
        languages=("en", *given.languages.split(",")),
        settings=settings,
        seed=0,
    )
    settle()
    for seed in range(given.trials):
        run = PlanRun(replace(plan, seed=seed), context)
        for part in run.parts:
            run.run(part)
            told(f"{seed} {part}", began)


if __name__ == "__main__":
    main()
