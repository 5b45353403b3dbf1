"""A Unigram tokenizer trained on raw text, in XLM-R's shape: special tokens at 0-3, `<mask>` last, `<s> a </s></s> b </s>`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"


def train_unigram(texts: Iterable[str], vocabulary: int, max_length: int, folder: Path) -> None:
    """Train and write `tokenizer.json` and `tokenizer_config.json` (Kudo 2018; NFKC, words marked by `▁`).

    Args:
        vocabulary: size of the vocabulary including special tokens; smaller where the text does not have so many pieces.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("\u200b", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary - 1, special_tokens=list(SPECIALS), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    pieces = _settled(json.loads(tokenizer.to_str())["model"]["vocab"])
    tokenizer.model = models.Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(MASK, lstrip=True)])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_length, "bos_token": "<s>", "eos_token": "</s>",
        "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": MASK,
        "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def _settled(vocabulary: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Order special tokens first, then pieces by rounded score: the trainer's last digits and ties vary between runs."""
    pieces = [(str(piece), round(float(score), 9)) for piece, score in vocabulary if piece not in SPECIALS]
    return [*((special, 0.0) for special in SPECIALS), *sorted(pieces, key=lambda pair: (-pair[1], pair[0]))]
