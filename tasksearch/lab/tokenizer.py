"""The lab's tokenizer: a Unigram model built from the lexicon, in a folder that `AutoTokenizer.from_pretrained` loads.

It is not trained. A Unigram model trained on generated words cuts them into two pieces or more, and no alignment between
languages emerged within four million tokens; with one piece per stem it does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasksearch.lab.lexicon import Forms

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
MAX_LENGTH = 128
_STEM, _SUFFIX, _LETTER = -7.0, -7.5, -20.0
_BOUNDARY = "▁"  # SentencePiece's character for the space before a word


def vocabulary(lexicons: dict[str, Forms]) -> list[tuple[str, float]]:
    """Return pieces with log probabilities: special tokens at 0-3 as in XLM-R, stems, suffixes, letters, `<mask>` last."""
    stems = {form for forms in lexicons.values() for concept, form in forms.items() if concept.kind != "suffix"}
    suffixes = {form for forms in lexicons.values() for concept, form in forms.items() if concept.kind == "suffix"}
    letters = {letter for form in stems | suffixes for letter in form} | {_BOUNDARY}
    pieces = [(special, 0.0) for special in SPECIALS]
    pieces += [(_BOUNDARY + stem, _STEM) for stem in sorted(stems)]
    pieces += [(suffix, _SUFFIX) for suffix in sorted(suffixes)]
    pieces += [(letter, _LETTER) for letter in sorted(letters)]
    return [*pieces, (MASK, 0.0)]


def write_tokenizer(lexicons: dict[str, Forms], folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`: pairs as `<s> a </s></s> b </s>`, at most 128 tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(_tokenizer_json(vocabulary(lexicons)), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(_config(), indent=1) + "\n", encoding="utf-8")


def _tokenizer_json(pieces: list[tuple[str, float]]) -> str:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([*SPECIALS, AddedToken(MASK, lstrip=True)])
    text: str = tokenizer.to_str()
    return text


def _config() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_LENGTH,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": MASK,
        "model_input_names": ["input_ids", "attention_mask"],
    }
