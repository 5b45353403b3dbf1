"""`tasksearch pretrain --from`: go on with MLM and TLM from a checkpoint, in languages it may never have seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, ModelUnusable

CHECKPOINT_RATE = 1e-4
"""Peak learning rate by default; the weights are trained already, so it is a tenth of that from scratch."""
CHECKPOINT_MASKS = 0.15
"""Share of tokens to predict, as such checkpoints were pretrained."""


@dataclass(frozen=True, kw_only=True)
class FirstModel:
    """A checkpoint as its continued pretraining begins.

    Attributes:
        folder: of the checkpoint's files.
        definition: text of the new `tokenizer.json`; None where the vocabulary is as it was.
        new_pieces: pieces that were added.
        head_added: whether the checkpoint had no MLM head, so that a random one is trained.
    """

    folder: Path
    model: Any
    tokenizer: Any
    definition: str | None
    new_pieces: int
    head_added: bool

    @property
    def note(self) -> dict[str, Any]:
        """Return what a user must know of the start."""
        return {"mlm_head": "drawn anew" if self.head_added else "the checkpoint's", "new_pieces": self.new_pieces}


def first_model(
    source: str, languages: Iterable[str], max_length: int, lines: Callable[[], Iterable[str]], new_pieces: int, aside: Path
) -> FirstModel:
    """Load a checkpoint and extend its vocabulary if asked.

    Args:
        source: hub id or folder.
        languages: of the text.
        lines: function that yields the lines from which new pieces are made.
        new_pieces: how many pieces are wanted; 0: none.
        aside: folder for files on the way.

    Raises:
        ModelUnusable: the model cannot be trained by MLM, or not in one of the languages.
        BadInput: a sequence that is too long for it, or a vocabulary that cannot be extended.
    """
    from tasksearch.models.checkpoint_files import local_folder
    from tasksearch.models.encoder import check_masked, load_pretrained

    folder = local_folder(source)
    one = load_pretrained(str(folder))
    if not one.family.mlm_keys:
        raise ModelUnusable(f"model {source!r}: its family has no MLM head to train; expected such as XLM-R or mBERT")
    if one.tokenizer.mask_token_id is None:
        raise ModelUnusable(f"model {source!r}: its tokenizer has no mask piece; expected one for MLM")
    check_masked(str(folder), languages)
    if (longest := one.family.longest(one.model.config)) < max_length:
        raise BadInput(f"--max-length {max_length}; model {source!r} has positions for {longest}")
    model, tokenizer, definition, added = one.model, one.tokenizer, None, 0
    if new_pieces:
        definition, rows = _extended(one.tokenizer, lines, new_pieces, aside)
        added = len(rows) - len(one.tokenizer)
        model, tokenizer = _resized(one, folder, definition, rows, aside / "extended")
    return FirstModel(
        folder=folder, model=model, tokenizer=tokenizer, definition=definition, new_pieces=added,
        head_added=not one.has_mlm_head,
    )  # fmt: skip


def _extended(tokenizer: Any, lines: Callable[[], Iterable[str]], new_pieces: int, aside: Path) -> tuple[str, list[list[int]]]:
    """Return the extended `tokenizer.json` and the rows of the new vocabulary."""
    from tasksearch.models.unigram import train_unigram
    from tasksearch.models.vocabulary_extend import extended_tokenizer

    backend = tokenizer.backend_tokenizer

    def normal() -> Iterator[str]:
        for line in lines():
            yield backend.normalizer.normalize_str(line) if backend.normalizer is not None else line

    place = aside / "candidates"
    train_unigram(normal(), 2 * new_pieces + 500, 512, place)
    vocabulary = json.loads((place / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    shutil.rmtree(place)
    candidates = [piece for piece, score in sorted(vocabulary, key=lambda entry: (-entry[1], entry[0])) if score < 0]
    return extended_tokenizer(backend.to_str(), candidates, new_pieces)


def _resized(one: Any, folder: Path, definition: str, rows: list[list[int]], place: Path) -> tuple[Any, Any]:
    """Return the model with the new rows, and its tokenizer as it is read from a folder."""
    from tasksearch.models.checkpoint_files import copy_beside
    from tasksearch.models.encoder import quiet_transformers
    from tasksearch.models.families import adopt
    from tasksearch.models.vocabulary_trim import resized_model
    from tasksearch.study.models import write_tokenizer

    place.mkdir(parents=True, exist_ok=True)
    copy_beside(folder, place)
    write_tokenizer(place, folder, definition)
    with quiet_transformers():
        tokenizer = one.family.tokenizer(str(place))
        model = adopt(resized_model(one.model, rows), one.family)
    one.family.mend(model)
    one.family.settle(model, tokenizer)
    return model, tokenizer


def keep(first: FirstModel, model: Any, place: Path) -> None:
    """Write the trained model into a folder, with its tokenizer and what belongs to the checkpoint."""
    from tasksearch.export.hf_classes import stock_encoder
    from tasksearch.models.checkpoint_files import copy_beside
    from tasksearch.models.encoder import quiet_transformers
    from tasksearch.study.models import write_tokenizer

    copy_beside(first.folder, place)
    with quiet_transformers():
        stock_encoder(model, has_mlm_head=True).save_pretrained(place, safe_serialization=True)
    if first.definition is not None:
        write_tokenizer(place, first.folder, first.definition)
