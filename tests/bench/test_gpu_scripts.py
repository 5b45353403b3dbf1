"""The scripts that measure a GPU, rehearsed on the CPU at a tiny shape: they run, and a rerun measures nothing again."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script, out, steps):
    command = [sys.executable, str(ROOT / "benchmarks/gpu" / script), "--out", str(out), "--shape", "tiny", "--device", "cpu"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--steps", str(steps)], capture_output=True, text=True, check=True, env=environment)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.long
def test_throughput_measures_each_system_once(tmp_path):
    out = tmp_path / "results.jsonl"
    first = run("throughput.py", out, 2)
    systems = {"ours bf16", "ours fp32", "profile"}
    if importlib.util.find_spec("accelerate"):
        systems |= {"Trainer as shipped", "Trainer tuned"}
    assert len(first) == 2 * len(systems) and {one["cell"].split(" ", 2)[2] for one in first} == systems
    profiles = [one for one in first if one["cell"].endswith("profile")]
    assert all(one["tokens_per_second"] > 0 and 0 < one["share_of_matrix_rate"] < 1 for one in first if one not in profiles)
    shares = ("share_copies", "share_products", "share_optimiser")
    assert all(sum(one[share] for share in shares) < 1 and min(one[share] for share in shares) > 0 for one in profiles)
    written = out.read_text()
    assert run("throughput.py", out, 2) == first and out.read_text() == written


@pytest.mark.long
def test_promises_are_kept_on_the_cpu_where_they_can_be_seen(tmp_path, monkeypatch):
    daemon = tmp_path / "nvidia-cuda-mps-control"  # in place of NVIDIA's: it listens as long as it runs
    daemon.write_text('#!/bin/sh\npipes=$CUDA_MPS_PIPE_DIRECTORY\n[ "$1" = -d ] && touch $pipes/control || rm $pipes/control\n')
    daemon.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path / "none"))
    found = {one["cell"]: one for one in run("promises.py", tmp_path / "results.jsonl", 2)}
    assert found["tiny deterministic"]["equal"]
    assert found["tiny halving"]["largest_difference_of_a_loss"] == 0, "nothing runs out of memory here"
    for count, limit in ((2, "100"), (4, "50")):
        apart, served = (found[f"tiny {count} on one card, {how} MPS"] for how in ("without", "with"))
        assert apart["gain"] > 0 < served["gain"]
        assert apart["threads"] == [None] * count and served["threads"] == [limit] * count
