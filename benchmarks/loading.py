"""400k sentence pairs from a packed file to token ids: ours against `datasets.map` with the same fast tokenizer and processes.

    PYTHONPATH=. python benchmarks/loading.py [--pairs 400000] [--processes 1]

Pairs are the lab's entailment pairs, repeated with edits (a number in each). Every measurement is a process of its own; RSS
is the process's peak, and of it what is anonymous memory (not pages of mapped files) at the end.
"""

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

COMMON = """
import json, os, resource, sys, time
def done(seconds, n, **more):
    own = sum(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "items": n, "peak_mib": peak / 1024, "anonymous_mib": own / 1024, **more}))
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
data = sys.argv[2]
"""
OURS = """
from pathlib import Path
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.source import TaskSource
labels = ("entailment", "neutral", "contradiction")
card = TaskCard(name="pairs", kind="pair", role="intermediate", languages=("en",), labels=labels)
import pyarrow, tasksearch.tasks.stored
begin = time.perf_counter()
items = TaskSource(Path(data), tokenizer).training(card, 128)
total = int(items.tokens.flat[:: max(1, len(items.tokens.flat) // 1000)].sum())
done(time.perf_counter() - begin, len(items))
"""
THEIRS = """
import datasets
datasets.disable_progress_bars()
begin = time.perf_counter()
files = {"train": data + "/pairs/en.train.jsonl.gz"}
table = datasets.load_dataset("json", data_files=files, split="train", cache_dir=data + "/hf")
read = time.perf_counter() - begin
table = table.map(
    lambda rows: tokenizer(rows["a"], rows["b"], truncation=True, max_length=128, return_attention_mask=False),
    batched=True, num_proc=PROCESSES if PROCESSES > 1 else None, remove_columns=["a", "b"],
)
total = sum(len(row) for row in table[:1000]["input_ids"])
done(time.perf_counter() - begin, len(table), reading=read)
"""


def measure(program, model, data, cache, threads):
    environment = os.environ | {
        "TASKSEARCH_CACHE": str(cache), "HF_HOME": str(cache / "hf"), "RAYON_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "true", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-c", COMMON + program, str(model), str(data)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(run.stderr[-2000:])
    return json.loads(run.stdout.strip().splitlines()[-1])


def write_pairs(lab, folder, count):
    from tasksearch.lab.write import write_lab

    write_lab(lab, folder / "lab")
    with gzip.open(folder / "lab/entail/en.train.jsonl.gz", "rt") as lines:
        pairs = [json.loads(line) for line in lines]
    (folder / "pairs").mkdir()
    with gzip.open(folder / "pairs/en.train.jsonl.gz", "wt", compresslevel=1) as out:
        for i in range(count):
            row = pairs[i % len(pairs)]
            edited = {"a": f"{row['a']} {i}", "b": f"{i % 97} {row['b']}", "label": row["label"]}
            out.write(json.dumps(edited) + "\n")


def main():
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab

    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=400_000)
    arguments.add_argument("--processes", type=int, default=1)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        recipe = LabRecipe(phase1_steps=2, document_unit=40, parallel_unit=40)
        model = ensure_lab(recipe, root / "labs").model
        write_pairs(recipe, root, asked.pairs)
        rows = {
            "datasets.map": measure(THEIRS.replace("PROCESSES", str(asked.processes)), model, root, root / "cache", 1),
            "ours, first": measure(OURS, model, root, root / "cache", asked.processes),
            "ours, second": measure(OURS, model, root, root / "cache", asked.processes),
        }
    base = rows["datasets.map"]["seconds"]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{date.today()} · {machine} · {asked.pairs} pairs, {asked.processes} process(es) or tokenizer threads")
    for name, row in rows.items():
        print(f"{name:14} {row['seconds']:7.1f} s  {row['seconds'] / base:5.2f} x  peak {row['peak_mib']:6.0f} MiB, "
              f"anonymous {row['anonymous_mib']:6.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
