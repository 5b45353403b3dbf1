"""Memory of a process that trains short trials one after the other, as a worker does: where it goes, after every part.

    PYTHONPATH=. python benchmarks/worker_memory.py DATA MODEL [TRIALS] [--targets …] [--languages …] [--memory 1.5]
        [--precision bf16] [--batch-size 16] [--max-length 128] [--steps 28] [--target-steps 8]

Suite `lowres` with a six-layer encoder. Columns in MiB: what is private (not mapped from files), the most that was in the part,
and of what there is now: files mapped (libraries, the model), which processes share, blocks of the C library in use, its free
blocks, and tensors alive.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
from dataclasses import replace
from pathlib import Path
from threading import Thread

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
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[0].startswith("Rss")}


class Most(Thread):
    """Looks a hundred times a second at what is private: the system keeps a largest value only of files and memory together."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.anonymous = 0.0

    def run(self) -> None:
        while True:
            self.anonymous = max(self.anonymous, status()["RssAnon"])
            time.sleep(0.01)


def told(name: str, began: float, most: Most) -> None:
    now, held = status(), blocks()
    tensors = {
        one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in gc.get_objects() if torch.is_tensor(one)
    }
    most.anonymous = max(most.anonymous, now["RssAnon"])
    in_use, tensors_held = (held.uordblks + held.hblkhd) / 2**20, sum(tensors.values()) / 2**20
    cells = [now["RssAnon"], most.anonymous, now["RssFile"], in_use, held.fordblks / 2**20, tensors_held]
    print(f"| {name} | {' | '.join(f'{cell:.0f}' for cell in cells)} | {time.process_time() - began:.1f} |", flush=True)
    most.anonymous = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("model")
    parser.add_argument("trials", type=int, nargs="?", default=4)
    parser.add_argument("--targets", default="sib200,udpos,tydiqa,tatoeba")
    parser.add_argument("--languages", default="sw,te,ta,yo")
    parser.add_argument("--memory", type=float, default=1.5)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--tasks", default="copa,mrpc")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--target-steps", type=int, default=2)
    given = parser.parse_args()
    began, most = time.process_time(), Most()
    most.start()
    print("| after | private | largest | files | blocks in use | free blocks | tensors | CPU s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    told("imports", began, most)
    suite = load_suite("lowres")
    context = open_context(suite, given.data, given.model, None, "cpu", memory=int(given.memory * 1e9))
    told("the model", began, most)
    training = TrainSettings(
        batch_size=given.batch_size, max_length=given.max_length, steps=given.target_steps, precision=given.precision
    )
    settings = PhaseSettings(
        intermediate=training, target=training, retrieval=RetrievalSettings(layer=6), evaluation_examples=60
    )
    plan = Plan(
        suite="lowres",
        schedule=Schedule.joint(Mixture.uniform(*given.tasks.split(",")), given.steps),
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
            told(f"{seed} {part}", began, most)


if __name__ == "__main__":
    main()
