"""A checkpoint's tokenizer, run as its `tokenizer.json` has it.

`AutoTokenizer` takes vocabulary and added tokens from that file and builds normaliser and template anew from the class that the
folder names, so a retrained or multilingual checkpoint can be read as other ids than it was trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_USUAL = {
    "unk": ("[UNK]", "<unk>"), "pad": ("[PAD]", "<pad>"), "mask": ("[MASK]", "<mask>"), "cls": ("[CLS]", "<s>"),
    "sep": ("[SEP]", "</s>"), "bos": (), "eos": (),
}  # fmt: skip
"""Names of special pieces where the checkpoint says none that its vocabulary has."""


def tokenizer_as_written(source: str, *, types: bool = False) -> Any:
    """The fast tokenizer of a folder or hub id; `AutoTokenizer`'s where there is no `tokenizer.json`.

    Args:
        types: whether it gives `token_type_ids` by itself, as an export's reader expects.
    """
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer, PreTrainedTokenizerFast
    from transformers.utils import cached_file

    named = AutoTokenizer.from_pretrained(source, use_fast=True, trust_remote_code=False)
    found = Path(source) / "tokenizer.json"
    path = str(found) if Path(source).is_dir() else cached_file(
        source, "tokenizer.json", _raise_exceptions_for_missing_entries=False, _raise_exceptions_for_connection_errors=False
    )  # fmt: skip
    if path is None or not Path(path).is_file():
        return named
    backend = Tokenizer.from_file(path)
    pieces = backend.get_vocab(with_added_tokens=True)
    names = {}
    for role, usual in _USUAL.items():
        said = (getattr(named, f"{role}_token", None), *usual)
        if known := next((token for token in said if token in pieces), None):
            names[f"{role}_token"] = known
    gives = ["input_ids", *(["token_type_ids"] if types else []), "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=named.model_max_length, model_input_names=gives, **names
    )
