"""Zero-shot evaluation against a plain loop over batches of 32 sorted by length: CPU seconds, interleaved, on one thread.

    PYTHONPATH=. python benchmarks/evaluation.py DATA TOKENIZER [EXAMPLES] [--targets sib200,udpos] [--rounds 3]

DATA is a folder of the suite `lowres`, TOKENIZER a model folder. The encoder has 4 layers of width 256 and fresh weights. Every
target of the suite is scored in ten languages, low-resource ones first, with at most EXAMPLES examples for each half (a
quarter of them where an example is a passage of several windows). Both sides score the same encoded items with the same
weights; answers and metrics, equal on both sides, are left out. A target's ratio is that of its CPU seconds, the smallest and
the largest ratio of a round beside it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM

from tasksearch.core.errors import DataMissing
from tasksearch.core.plan import RetrievalSettings
from tasksearch.evaluation.outputs import Outputs
from tasksearch.evaluation.retrieval import sentence_vectors
from tasksearch.forward.batches import Specials
from tasksearch.models.heads import make_head
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.encode import Encoded, select
from tasksearch.tasks.source import TaskSource

FIRST = (
    *("sw", "yo", "ha", "ig", "xh", "zu", "am", "te", "ta", "ur", "th", "my", "wo", "rw", "ht", "qu", "bn", "mr", "tl", "ceb"),
    *("id", "vi", "eu", "kk", "sr", "hr", "sk"),
)
"""Languages in the order in which a target takes them; then its others, in the order of their codes."""
MOST, BATCH, LAYER = 10, 32, 2
P = time.process_time


def plain_loop(model: Any, items: Encoded, pad: int, ending: Callable[[torch.Tensor, torch.Tensor], Any]) -> None:
    """Score sequences in sorted batches of 32, as a plain script does."""
    rows = [items.tokens[i].tolist() for i in range(len(items.tokens))]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for begin in range(0, len(order), BATCH):
        chosen = [rows[i] for i in order[begin : begin + BATCH]]
        width = max(map(len, chosen))
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in chosen])
        ending(ids, model.roberta(input_ids=ids, attention_mask=(ids != pad).long()).last_hidden_state)


def main(given: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(given.tokenizer)
    specials, suite, source = Specials.of(tokenizer), load_suite("lowres"), TaskSource(given.data, tokenizer)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(config).eval()
    sums: dict[str, tuple[float, float]] = {}
    for card in suite.targets:
        if given.targets and card.name not in given.targets.split(","):
            continue
        items = _items(source, card, given.examples)
        if not items:
            print(f"{card.name:14} no data", flush=True)
            continue
        rounds = []
        with torch.inference_mode():
            head = _head(card)
            for number in range(given.rounds + 1):
                ours, plain = _round(model, head, items, specials, card)
                if number or not given.rounds:
                    rounds.append((ours, plain))
        ours, plain = (sum(times) for times in zip(*rounds, strict=True))
        sums[card.name] = ours, plain
        count = len(rounds) * sum(len(one) for parts in items.values() for one in parts)
        each = sorted(theirs / own for own, theirs in rounds)
        print(
            f"{card.name:14} {len(items):2} languages {count // len(rounds):6} items: {count / ours:7.0f} items/s, plain loop "
            f"{count / plain:7.0f}: {plain / ours:.2f}x ({each[0]:.2f} to {each[-1]:.2f}) {' '.join(items)}",
            flush=True,
        )
    total, theirs = (sum(times) for times in zip(*sums.values(), strict=True))
    print(f"all targets    {theirs / total:.2f}x, the least {min(plain / ours for ours, plain in sums.values()):.2f}x")


def _items(source: TaskSource, card: Any, examples: int) -> dict[str, list[Encoded]]:
    """Return language → the encoded items of its portions."""
    span = card.kind == "span"
    cap, length = (max(4, examples // 4), 384) if span else (examples, 128)
    items: dict[str, list[Encoded]] = {}
    for language in sorted(card.languages, key=lambda one: (FIRST.index(one) if one in FIRST else len(FIRST), one)):
        if language != "en" and len(items) < MOST:
            with suppress(DataMissing):
                found = source.evaluation(card, language, length, cap)
                items[language] = [select(one, np.arange(min(len(one), 4 * cap))) for one in found]
    return items


def _head(card: Any) -> Any:
    if not card.trained:
        return None
    outputs = max(2, len(card.labels or ())) if card.kind != "choice" else 1
    return make_head(card.kind, card.name, outputs, hidden_size=256, features="cls", dropout=0.1, seed=0).eval()


def _round(model: Any, head: Any, items: dict[str, list[Encoded]], specials: Specials, card: Any) -> tuple[float, float]:
    """Return the CPU seconds of ours and of the plain loop: portion by portion, each side first every second time."""
    ours = plain = 0.0
    for turn, one in enumerate(one for parts in items.values() for one in parts):
        for mine in (True, False) if turn % 2 else (False, True):
            begin = P()
            if mine:
                _product(model, head, one, specials, card)
                ours += P() - begin
            else:
                plain_loop(model, one, 1, _ending(head, card, specials))
                plain += P() - begin
    return ours, plain


def _product(model: Any, head: Any, items: Encoded, specials: Specials, card: Any) -> None:
    if head is None:
        sentence_vectors(model, items, specials, RetrievalSettings(layer=LAYER), "fp32")
        return
    outputs = Outputs(model=model, head=head, specials=specials, precision="fp32")
    if card.kind == "span":
        outputs.windows(items)
    elif card.kind == "tagging":
        outputs.tags(items, int(items.owner.max(initial=-1)) + 1)
    elif card.kind == "multilabel":
        outputs.label_sets(items)
    else:
        outputs.classes(items)


def _ending(head: Any, card: Any, specials: Specials) -> Callable[[torch.Tensor, torch.Tensor], Any]:
    def end(ids: torch.Tensor, hidden: torch.Tensor) -> Any:
        if head is None:
            mask = (ids != 1).unsqueeze(-1)
            return ((hidden * mask).sum(1) / mask.sum(1)).numpy()
        if card.kind in ("tagging", "span"):
            return head(hidden).numpy()
        return head(hidden, ids, specials.marks).argmax(-1).numpy()

    return end


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("tokenizer")
    parser.add_argument("examples", type=int, nargs="?", default=32)
    parser.add_argument("--targets", default="")
    parser.add_argument("--rounds", type=int, default=3)
    main(parser.parse_args())
