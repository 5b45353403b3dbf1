"""Mining beside two faiss flat searches in one run, and BUCC's real size: forecast, and a tenth of it run.

    python benchmarks/mining.py                     # 50,000 x 50,000, width 1,024: about 4 minutes on two idle cores
    python benchmarks/mining.py --sentences 12000 --faiss-share 1 --bucc 0

faiss searches both directions in slices of queries that alternate with a part of ours, so that a busy machine is busy for both;
`--faiss-share` of all queries is searched, and its time scaled up. Prints one JSON object. Needs faiss (extra `cpu`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import torch

from tasksearch.evaluation.margins import margin_pairs
from tasksearch.evaluation.neighbours import Search, both_ways, unit_vectors
from tasksearch.study.mining import forecast_of, peak_memory

BUCC_RU = (460_000, 374_000)
K = 4


def vectors(count: int, width: int, seed: int) -> Any:
    """Unit vectors with a direction in common, as sentence vectors have it."""
    rng = np.random.default_rng(seed)
    made = np.empty((count, width), dtype=np.float32)
    for begin in range(0, count, 10_000):
        made[begin : begin + 10_000] = rng.standard_normal((min(10_000, count - begin), width), dtype=np.float32) + np.float32(
            1
        )
    return unit_vectors(made, centering=False)


def parallel(x: Any, count: int, seed: int) -> Any:
    """As many vectors, of which every second is near its row in x."""
    y = vectors(count, x.shape[1], seed)
    y[: len(x) : 2] = unit_vectors(x[:count:2] + np.float32(0.7) * (y[: len(x) : 2] - x[:count:2]), centering=False)
    return y


def clocked(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sentences", type=int, default=50_000)
    ask.add_argument("--width", type=int, default=1024)
    ask.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    ask.add_argument("--faiss-share", type=float, default=0.1)
    ask.add_argument("--memory", type=int, default=10**9)
    ask.add_argument("--bucc", type=float, default=0.1, help="share of BUCC ru-en's sentences on both sides; 0: none")
    args = ask.parse_args()
    torch.set_num_threads(args.threads)
    faiss.omp_set_num_threads(args.threads)
    said: dict[str, Any] = {
        "machine": f"{platform.machine()}, {args.threads} threads, load {os.getloadavg()[0]:.1f}",
        "torch": torch.__version__, "faiss": faiss.__version__, "sentences": args.sentences, "width": args.width,
    }  # fmt: skip
    x = vectors(args.sentences, args.width, 0)
    y = parallel(x, args.sentences, 1)
    said["ours"], said["faiss"] = compare(x, y, args.faiss_share, args.memory)
    said["ratio"] = {name: round(said["ours"][name] / said["faiss"][name], 3) for name in ("wall", "cpu")}
    print(json.dumps(said), flush=True)
    if args.bucc:
        del x, y
        print(json.dumps({"bucc": bucc(args.bucc, args.width, args.memory)}), flush=True)


def compare(x: Any, y: Any, share: float, memory: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ours over everything, cut into as many parts of x as faiss gets slices, and faiss over a share of the queries."""
    indices = []
    for pool in (y, x):
        indices.append(faiss.IndexFlatIP(pool.shape[1]))
        indices[-1].add(pool)
    slices = 5
    each = max(1, int(share * len(x) / slices))
    theirs, answers = [0.0, 0.0], []

    def one_slice(number: int) -> None:
        at = number * (len(x) // slices)
        part = slice(at, at + each)
        answer, wall, cpu = clocked(lambda: [index.search(q[part], K) for index, q in zip(indices, (x, y), strict=True)])
        theirs[0], theirs[1] = theirs[0] + wall, theirs[1] + cpu
        answers.append((part, answer))

    spent, done, paused = [0.0, 0.0], [0], [0.0, 0.0]

    def on_tile(now: int, every: int) -> None:
        while done[0] < slices and now / every >= (done[0] + 0.5) / slices:
            _, wall, cpu = clocked(lambda: one_slice(done[0]))
            paused[0], paused[1], done[0] = paused[0] + wall, paused[1] + cpu, done[0] + 1

    from tasksearch.evaluation.tiles import Progress

    before = peak_memory()
    found, spent[0], spent[1] = clocked(lambda: both_ways(x, y, K, Search(memory=memory, progress=Progress(on_tile=on_tile))))
    while done[0] < slices:
        one_slice(done[0])
        done[0] += 1
    pairs, scores = margin_pairs(*found)
    same = [float((found[side].rows[part] == answer[side][1]).mean()) for part, answer in answers for side in (0, 1)]
    apart = max(
        float(np.abs(found[side].similarities[part] - answer[side][0]).max()) for part, answer in answers for side in (0, 1)
    )
    right = float((pairs[:, 0] == pairs[:, 1])[scores > 1.2].mean()) if (scores > 1.2).any() else 0.0
    ours = {
        "wall": round(spent[0] - paused[0], 1), "cpu": round(spent[1] - paused[1], 1), "candidates": len(pairs),
        "memory_beside_vectors": peak_memory() - before, "right_above_1.2": round(right, 4),
    }  # fmt: skip
    scale = len(x) / (slices * each)
    return ours, {
        "wall": round(theirs[0] * scale, 1), "cpu": round(theirs[1] * scale, 1), "share_run": round(1 / scale, 3),
        "same_neighbours": min(same), "largest_difference": apart,
    }  # fmt: skip


def bucc(share: float, width: int, memory: int) -> dict[str, Any]:
    """Forecast of BUCC ru-en, and a share of both its sides run."""
    a, b = (int(share * count) for count in BUCC_RU)
    whole, part = (forecast_of(*size, width, k=K, memory=memory) for size in (BUCC_RU, (a, b)))
    x = vectors(a, width, 2)
    y = parallel(x, b, 3) if b >= a else parallel(x[:b], b, 3)
    _, wall, cpu = clocked(lambda: both_ways(x, y, K, Search(memory=memory)))
    return {
        "whole": whole.line, "whole_seconds": round(whole.seconds), "part": part.line, "part_seconds": round(part.seconds, 1),
        "part_wall": round(wall, 1), "part_cpu": round(cpu, 1), "whole_from_part_wall": round(wall / share**2),
    }  # fmt: skip


if __name__ == "__main__":
    main()
