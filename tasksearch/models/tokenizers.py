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
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=named.model_max_length, model_input_names=gives, **names
    )
    if pad := _other_padding(made):
        made.pad_token = pad
    return made


def _other_padding(tokenizer: Any) -> str | None:
    """A special piece that nothing uses, where padding is also a piece of the template (EuroBERT pads with its end of text).

    Padding is masked by its id, so any piece will do that no text and no template has.
    """
    probe = tokenizer.backend_tokenizer.encode("a", "b")
    template = {piece for piece, text in zip(probe.ids, probe.sequence_ids, strict=True) if text is None}
    if tokenizer.pad_token_id not in template:
        return None
    used = {*template, *tokenizer.all_special_ids}
    added = sorted(tokenizer.added_tokens_decoder.items())
    return next((token.content for piece, token in added if token.special and piece not in used), None)
