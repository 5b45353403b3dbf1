"""Zero-shot evaluation against a plain loop over batches of 32 sorted by length: CPU seconds, interleaved, on one thread.

    python benchmarks/evaluation.py DATA TOKENIZER [EXAMPLES]

DATA is a folder of the suite `lowres`, TOKENIZER a model folder. The encoder has 4 layers of width 256 and fresh weights. Both
sides score the same encoded items with the same weights; answers and metrics, equal on both sides, are left out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM

from tasksearch.core.plan import RetrievalSettings
from tasksearch.evaluation.outputs import Outputs
from tasksearch.evaluation.retrieval import sentence_vectors
from tasksearch.forward.batches import Specials
from tasksearch.models.heads import make_head
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.encode import Encoded, select
from tasksearch.tasks.source import TaskSource

LANGUAGES = ("sw", "yo", "ha", "ig", "xh", "zu", "am", "te", "ta", "ur", "th", "my")
BATCH, ROUNDS, LAYER = 32, 3, 2
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


def main(data: Path, tokenizer_folder: str, examples: int) -> None:
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    specials, suite, source = Specials.of(tokenizer), load_suite("lowres"), TaskSource(data, tokenizer)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    model = XLMRobertaForMaskedLM(config).eval()
    ratios, ours_all, plain_all = [], 0.0, 0.0
    for card in suite.targets:
        if card.kind == "mining" or (source.missing(card, ("en",))[1:] and not card.languages):
            continue
        items = {}
        for language in LANGUAGES:
            if language in card.languages:
                try:
                    found = source.evaluation(card, language, 128 if card.kind != "span" else 384, examples)
                except Exception:
                    continue
                items[language] = [select(one, np.arange(min(len(one), 2 * examples))) for one in found]
        if not items:
            continue
        head = None
        if card.kind != "retrieval":
            outputs = max(2, len(card.labels or ())) if card.kind != "choice" else 1
            head = make_head(card.kind, card.name, outputs, hidden_size=256, features="cls", dropout=0.1, seed=0).eval()
        ours = plain = 0.0
        count = 0
        with torch.inference_mode():
            for round_number in range(ROUNDS + 1):
                for parts in items.values():
                    for one in parts:
                        begin = P()
                        _product(model, head, one, specials, card)
                        between = P()
                        plain_loop(model, one, 1, _ending(head, card, specials))
                        if round_number:
                            ours, plain, count = ours + between - begin, plain + P() - between, count + len(one)
        ratios.append(plain / ours)
        ours_all, plain_all = ours_all + ours, plain_all + plain
        print(
            f"{card.name:14} {len(items):2} languages {count // ROUNDS:6} items: {count / ours:7.0f} items/s, plain loop "
            f"{count / plain:7.0f}: {plain / ours:.2f}x",
            flush=True,
        )
    print(f"all targets    {plain_all / ours_all:.2f}x, the least {min(ratios):.2f}x")


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
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)
