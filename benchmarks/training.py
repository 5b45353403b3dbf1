"""Our training loop beside Hugging Face's Trainer, as shipped and grouped by length: CPU seconds on one thread, in turn.

    PYTHONPATH=. python benchmarks/training.py --data ../shared/data --tokenizer ../shared/models/e5-small-9-l6-q4
        [--size small | lab | --model FOLDER] [--examples 512] [--seeds 3] [--systems hf,hf-grouped,ours,…] [--out FILE]

`--out` gets a line of JSON per finished training; run again with the same arguments, what stands there is not measured again.

One epoch over the same examples of MNLI, batches of 32, AdamW with the same rate, decay, warmup and clip. `small` is 4 layers x
256 with 250,002 pieces and fresh weights, `lab` 2 layers x 64 with 980 (ids are those of the tokenizer, the rarest folded onto
`<unk>`). Grouping by length sorts within windows of 100 batches, as ours does: as shipped it takes a quarter of so few
examples. Seconds are of the whole training, what is prepared before and put back after the steps included; the model's making
and the reading of data are not. `dev` is the mean loss of 256 other examples after the epoch. Needs `accelerate`.
"""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import numpy as np
import torch
import transformers
import transformers.trainer_pt_utils
from torch import nn
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForSequenceClassification,
)

from tasksearch.core.plan import TrainSettings
from tasksearch.forward.batches import Specials, collate
from tasksearch.forward.passes import loss_sum
from tasksearch.models.heads import make_head
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.encode import select
from tasksearch.tasks.ragged import Ragged
from tasksearch.tasks.source import TaskSource
from tasksearch.training.curves import Curve
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.loop import train_segment
from tasksearch.training.order import StepItems, example_order

BATCH, LENGTH, DEV = 32, 128, 256
SIZES = {
    "lab": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256, "vocab_size": 980},
    "small": {
        "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024, "vocab_size": 250_002
    },
}  # fmt: skip
WINDOW = 100
_group = transformers.trainer_pt_utils.get_length_grouped_indices


def grouped_indices(lengths, batch_size, mega_batch_mult=None, generator=None):
    return _group(lengths, batch_size, min(WINDOW, -(-len(lengths) // batch_size)), generator)


transformers.trainer_pt_utils.get_length_grouped_indices = grouped_indices
SYSTEMS = ("hf", "hf-grouped", "ours", "hf-bf16", "hf-grouped-bf16", "ours-bf16")


def config(size, **more):
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0} if size == "lab" else {}
    rest = {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    return XLMRobertaConfig(pad_token_id=1, bos_token_id=0, eos_token_id=2, **SIZES[size], **rest, **dropout, **more)


def folded(items, size, unknown=3):
    """The items with only the `size` commonest pieces, numbered anew; 0 to 3 keep their numbers."""
    ids, counts = np.unique(items.tokens.flat, return_counts=True)
    common = [i for i in ids[np.argsort(-counts, kind="stable")] if i > unknown][: size - unknown - 2]
    new = np.full(int(ids.max()) + 1, unknown, dtype=np.int32)
    new[: unknown + 1], new[common] = np.arange(unknown + 1), np.arange(unknown + 1, unknown + 1 + len(common))
    return dataclasses.replace(items, tokens=Ragged(flat=new[items.tokens.flat], bounds=items.tokens.bounds))


class Rows(torch.utils.data.Dataset):
    def __init__(self, items):
        self.rows = [{"input_ids": items.tokens[i].tolist(), "labels": int(items.labels[i])} for i in range(len(items))]
        self.rows = [row | {"attention_mask": [1] * len(row["input_ids"])} for row in self.rows]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Bench:
    def __init__(self, given):
        self.given, self.tokenizer = given, AutoTokenizer.from_pretrained(given.model or given.tokenizer)
        self.specials = Specials.of(self.tokenizer)
        card = load_suite("lowres").card("mnli")
        items = TaskSource(Path(given.data), self.tokenizer).training(card, LENGTH)
        if given.size == "lab" and not given.model:
            items = folded(items, SIZES["lab"]["vocab_size"])
        chosen = np.random.default_rng(7).permutation(len(items))
        self.items = select(items, np.sort(chosen[: given.examples]))
        self.dev = select(items, np.sort(chosen[given.examples : given.examples + DEV]))
        self.steps = -(-given.examples // BATCH)

    def settings(self, bf16):
        return TrainSettings(
            batch_size=BATCH, learning_rate=self.given.rate, max_length=LENGTH, precision="bf16" if bf16 else "fp32"
        )

    def ours(self, seed, bf16):
        torch.manual_seed(seed)
        name = self.given.model
        model = XLMRobertaForMaskedLM.from_pretrained(name) if name else XLMRobertaForMaskedLM(config(self.given.size))
        head = make_head("pair", "nli", 3, hidden_size=model.config.hidden_size, features="cls", dropout=0.1, seed=seed)
        learner = Learner(model=model, heads=nn.ModuleDict({"nli": head}), specials=self.specials, device=torch.device("cpu"))
        begin = time.process_time()
        order = example_order("mnli", seed, self.items.lengths, BATCH, len(self.items), 0)
        steps = [StepItems(parts=(("mnli", order[at : at + BATCH]),)) for at in range(0, len(order), BATCH)]
        tasks = {"mnli": TrainingTask(items=self.items, head="nli")}
        train_segment(learner, tasks, steps, self.settings(bf16), Curve(total=len(steps)), randomness=f"x{seed}")
        seconds = time.process_time() - begin

        def loss(batch):
            return loss_sum(model, head, batch, self.specials)

        return (
            seconds,
            self._dev(loss),
            1
            - sum(self.items.lengths)
            / sum(len(step.parts[0][1]) * self.items.lengths[step.parts[0][1]].max() for step in steps),
        )

    def hugging_face(self, seed, bf16, grouped):
        torch.manual_seed(seed)
        name = self.given.model
        model = (
            XLMRobertaForSequenceClassification.from_pretrained(name, num_labels=3)
            if name
            else XLMRobertaForSequenceClassification(config(self.given.size, num_labels=3))
        )
        padding, sizes, begun = DataCollatorWithPadding(self.tokenizer), [], []

        def collated(rows):
            batch = padding(rows)
            sizes.append((int(batch["attention_mask"].sum()), batch["input_ids"].numel()))
            return batch

        class Clock(TrainerCallback):
            def on_train_begin(self, *_, **__):
                begun.append(time.process_time())

        more = {"train_sampling_strategy": "group_by_length"} if grouped else {}
        with tempfile.TemporaryDirectory() as folder:
            how = TrainingArguments(
                output_dir=folder, num_train_epochs=1, per_device_train_batch_size=BATCH, use_cpu=True, report_to=[],
                save_strategy="no", bf16=bf16, seed=seed, learning_rate=self.given.rate, weight_decay=0.01,
                warmup_steps=max(1, self.steps // 10), disable_tqdm=True, logging_strategy="no", **more,
            )  # fmt: skip
            trainer = Trainer(
                model=model, args=how, train_dataset=Rows(self.items), data_collator=collated, callbacks=[Clock()]
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        seconds = time.process_time() - begun[0]
        model.eval()

        def loss(batch):
            logits = model(input_ids=batch.ids, attention_mask=(batch.ids != self.specials.pad).long()).logits
            return nn.functional.cross_entropy(logits, batch.labels, reduction="sum")

        return seconds, self._dev(loss), 1 - sum(real for real, _ in sizes) / sum(padded for _, padded in sizes)

    def _dev(self, loss):
        order = np.argsort(self.dev.lengths, kind="stable").reshape(-1, BATCH)
        with torch.inference_mode():
            return sum(float(loss(collate(self.dev, some, self.specials))) for some in order) / DEV

    def run(self, system, seed):
        name, bf16 = system.removesuffix("-bf16"), system.endswith("-bf16")
        return self.ours(seed, bf16) if name == "ours" else self.hugging_face(seed, bf16, name == "hf-grouped")


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--model")
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--examples", type=int, default=512)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--out")
    given = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    bench, systems = Bench(given), given.systems.split(",")
    tokens = int(bench.items.tokens.bounds[-1])
    shape = Path(given.model).name if given.model else given.size
    setting = {"shape": shape, "examples": given.examples, "rate": given.rate}
    print(f"{date.today()} · {processor()} · torch {torch.__version__}, transformers {transformers.__version__}")
    print(f"{shape}, {given.examples} examples, {tokens:,} tokens, {bench.steps} steps")
    known = read(given.out, setting)
    for seed in range(given.seeds):
        for system in systems:
            if (system, seed) not in known:
                seconds, dev, padding = bench.run(system, seed)
                one = setting | {"system": system, "seed": seed, "seconds": seconds, "dev": dev, "padding": float(padding)}
                one["load"] = os.getloadavg()[0]
                known[system, seed] = one
                if given.out:
                    with Path(given.out).open("a") as file:
                        file.write(json.dumps(one) + "\n")
            one = known[system, seed]
            print(
                f"  seed {seed} {system:16s} {one['seconds']:7.2f} s  dev {one['dev']:.4f}  padding {one['padding']:.3f}",
                flush=True,
            )
    show([[known[system, seed] for seed in range(given.seeds)] for system in systems], tokens)


def read(out, setting):
    """(system, seed) -> what was measured with this setting."""
    lines = Path(out).read_text().splitlines() if out and Path(out).exists() else []
    found = [one for one in map(json.loads, lines) if setting.items() <= one.items()]
    return {(one["system"], one["seed"]): one for one in found}


def show(rows, tokens):
    """A line per system: tokens a second, dev loss with its deviation over seeds, and how much faster `ours` is, by seed."""
    ours = next((row for row in rows if row[0]["system"] == "ours"), rows[0])
    swift = next((row for row in rows if row[0]["system"] == "ours-bf16"), ours)
    print(
        "| system | tokens/s | padding | dev loss | ours in fp32 is faster by | ours in bf16 |\n|---|---:|---:|---:|---:|---:|"
    )
    for row in rows:
        dev = [one["dev"] for one in row]
        noise = f" ± {statistics.stdev(dev):.4f}" if len(dev) > 1 else ""
        cells = [
            f"{tokens / statistics.median(one['seconds'] for one in row):,.0f}",
            f"{100 * row[0]['padding']:.1f} %",
            f"{statistics.fmean(dev):.4f}{noise}",
            *(faster(row, mine) for mine in (ours, swift)),
        ]
        print(f"| {row[0]['system']} | {' | '.join(cells)} |")


def faster(row, mine):
    """Median over seeds of the ratio of seconds, with the smallest and the largest."""
    ratios = [one["seconds"] / own["seconds"] for one, own in zip(row, mine, strict=True)]
    return "" if row is mine else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
