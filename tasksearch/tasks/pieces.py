"""Tokenize texts to ids without special tokens.

Text that spells a special token, such as `</s>` or `<pad>`, stays ordinary text.

A tokenizer recognises special tokens in text at two points: before its model, and, if the model's vocabulary lists them
(XLM-R's does), inside it. Texts that spell one are therefore encoded by a copy of the tokenizer that does neither: it splits
them after the first character of the special token before the model sees it. All other texts are encoded normally.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

Offsets = list[tuple[int, int]]


class Tokenizer(Protocol):
    """The part of a fast Hugging Face tokenizer that encoding uses."""

    bos_token_id: int
    eos_token_id: int
    unk_token_id: int

    def __call__(self, text: Any, **options: Any) -> Any: ...  # noqa: D102


def pieces(texts: Sequence[str], tokenizer: Tokenizer) -> list[list[int]]:
    """Return the ids of each text. A fast tokenizer's backend is called directly: its wrapper computes much more than ids."""
    if not texts:
        return []
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return ids
    backend.no_truncation()
    backend.no_padding()
    found = [made.ids for made in backend.encode_batch_fast(list(texts), add_special_tokens=False)]
    for row, made in _spelled(texts, backend):
        found[row] = made.ids
    return found


def pieces_with_offsets(texts: Sequence[str], tokenizer: Tokenizer) -> tuple[list[list[int]], list[Offsets]]:
    """Return the ids of each text, and the characters that each token covers: (first, end)."""
    made = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ids, offsets = list(made["input_ids"]), list(made["offset_mapping"])
    backend = getattr(tokenizer, "backend_tokenizer", None)
    for row, other in _spelled(texts, backend) if backend is not None else ():
        ids[row], offsets[row] = other.ids, other.offsets
    return ids, offsets


def _spelled(texts: Sequence[str], backend: Any) -> list[tuple[int, Any]]:
    """Return (row, encoding) of the texts that spell a special token."""
    specials = tuple(sorted(token.content for token in backend.get_added_tokens_decoder().values() if token.special))
    rows = [row for row, text in enumerate(texts) if any(special in text for special in specials)]
    if not rows:
        return []
    copy = _without_specials(backend.to_str(), specials)
    return list(zip(rows, copy.encode_batch([texts[row] for row in rows], add_special_tokens=False), strict=True))


@lru_cache(maxsize=2)
def _without_specials(definition: str, specials: tuple[str, ...]) -> Any:
    from tokenizers import Regex, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    copy = Backend.from_str(definition)
    copy.no_truncation()
    copy.no_padding()
    copy.encode_special_tokens = True
    begins = "|".join(f"{re.escape(special[0])}(?={re.escape(special[1:])})" for special in specials)
    cut = pre_tokenizers.Split(Regex(begins), "merged_with_previous")
    copy.pre_tokenizer = cut if copy.pre_tokenizer is None else pre_tokenizers.Sequence([copy.pre_tokenizer, cut])
    return copy
