"""`embed_file`: sentence vectors of a text, any layers of any model, as .npy; a run that was cut short is continued."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tasksearch.core.arguments import named_arguments
from tasksearch.core.atomic import make_folder, write_atomic
from tasksearch.core.errors import BadInput, DiskFull
from tasksearch.core.folders import AnyPath
from tasksearch.core.plan import Pooling, Precision, RetrievalSettings
from tasksearch.core.signature import signature_of
from tasksearch.core.sizes import shown_size
from tasksearch.study.bitext import Sentences, read_sentences
from tasksearch.study.own_parts import encoder_name

if TYPE_CHECKING:
    from tasksearch.models.encoder import Pretrained

OnSentences = Callable[[int, int], None]
"""Called with (sentences done, sentences)."""
_SAVE_EVERY = 30.0  # seconds between two savings
_LAYER = "{layer}"


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """How sentences become vectors; every value is printed beside what is found with them.

    Attributes:
        model: hub id or folder.
        layers: hidden states, 0 is the embeddings, negative numbers count from the last; (): the one at jiant's relative depth,
            14 of 24.
        pooling: `mean` counts the special tokens, `mean-content` does not, `cls` is the first token; None: as the model's files
            state (`models.stated_reading`), else `mean`.
        prefix: text before every sentence, such as E5's `query: `; None: as the model's files state, else none.
        centering: whether the mean of each text's vectors is subtracted.
        max_length: tokens per sentence, special ones included, at most the model's.
        precision: `fp32`, or `bf16` autocast.
        encoder: the user's own family of encoders as `FILE.py:NAME`; empty: that of the model's type.
    """

    model: str
    layers: tuple[int, ...] = ()
    pooling: Pooling | None = None
    prefix: str | None = None
    centering: bool = False
    max_length: int = 512
    precision: Precision = "fp32"
    encoder: str = ""

    def __post_init__(self) -> None:
        RetrievalSettings(pooling=self.pooling or "mean", max_length=self.max_length)
        if self.precision not in ("fp32", "bf16"):
            raise BadInput(f"precision is {self.precision!r}; expected 'fp32' or 'bf16'")


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Vectors that were written.

    Attributes:
        files: layer → .npy of shape (sentences, width), fp32.
        embedding: as it was done: layers, length, pooling and prefix as the model has them.
        cut: sentences that were longer than the maximum.
        seconds: that this call took.
    """

    files: dict[int, Path]
    embedding: Embedding
    sentences: int
    width: int
    cut: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self) | {"files": {str(layer): str(path) for layer, path in self.files.items()}}


@named_arguments
def embed_file(
    text: AnyPath,
    out: AnyPath,
    *,
    model: AnyPath,
    layers: Sequence[int] = (),
    pooling: Literal["mean", "mean-content", "cls"] | None = None,
    prefix: str | None = None,
    centering: bool = False,
    max_length: int = 512,
    precision: Literal["fp32", "bf16"] = "fp32",
    ids: bool = False,
    encoder: str = "",
    on_sentences: OnSentences | None = None,
) -> Embedded:
    """Embed a sentence per line and write fp32 vectors in the order of the lines.

    Sentences are batched by length; all layers come out of one pass, which ends at the deepest. A run that was cut short is
    continued by the same call, from `OUT.partial/`.

    Args:
        text: a sentence per line, also .gz.
        out: the .npy; with several layers its name holds `{layer}`.
        ids: lines are `id⇥sentence`.
        model, layers, pooling, prefix, centering, max_length, precision, encoder: as in `Embedding`.
        on_sentences: called with (sentences done, sentences).

    Raises:
        BadInput, DataMissing, ModelUnusable: one line each, before anything is embedded.
    """
    how = Embedding(
        model=str(model), layers=tuple(layers), pooling=pooling, prefix=prefix, centering=centering, max_length=max_length,
        precision=precision, encoder=encoder,
    )  # fmt: skip
    check_names(Path(out), how.layers)
    sentences = read_sentences(Path(text), with_ids=ids)
    return embed_sentences(sentences, Path(out), how, on_sentences)


def check_names(out: Path, layers: Sequence[int]) -> None:
    """Raise BadInput where the name is none of a .npy, or several layers would be one file."""
    if out.suffix != ".npy":
        raise BadInput(f"--out {out}; expected a name that ends in .npy")
    if len(set(layers)) != len(layers):
        raise BadInput(f"--layer {' --layer '.join(map(str, layers))}; expected every layer once")
    if len(layers) > 1 and _LAYER not in out.name:
        raise BadInput(f"--out {out} for {len(layers)} layers; expected {_LAYER} in the name, as in {out.stem}.{_LAYER}.npy")


def embed_sentences(
    sentences: Sentences, out: Path, how: Embedding, on_sentences: OnSentences | None = None, *, loaded: Any = None
) -> Embedded:
    """Embed sentences that were read; as `embed_file`.

    Args:
        loaded: the model that `how` names, where it is loaded already.
    """
    from tasksearch.evaluation.embedding import embed_items
    from tasksearch.forward.batches import Specials
    from tasksearch.forward.device import pick_device

    began = time.monotonic()
    loaded = loaded or load_encoder(how)
    how = fitted(how, loaded)
    specials, items = Specials.of(loaded.tokenizer), encoded(sentences, loaded, how)
    work = out.with_name(f"{out.name}.partial")
    state = _State.open(work, signature_of("vectors", loaded.fingerprint, dataclasses.asdict(how), sentences.texts))
    arrays = {layer: state.array(layer, (len(items), loaded.hidden_size)) for layer in how.layers}
    told = state.sentences

    def on_batch(batches: int, count: int) -> None:
        nonlocal told
        told += count
        if on_sentences is not None:
            on_sentences(told, len(items))
        state.save(batches, told, arrays)

    model = loaded.model.to(pick_device())
    pooling = how.pooling or "mean"
    embed_items(model, items, specials, how.layers, pooling, how.precision, arrays, done=state.batches, on_batch=on_batch)
    files = {layer: out.with_name(out.name.replace(_LAYER, str(layer))) for layer in how.layers}
    state.finish(arrays, files, centering=how.centering)
    return Embedded(
        files=files, embedding=how, sentences=len(items), width=loaded.hidden_size,
        cut=int((items.lengths >= how.max_length).sum()), seconds=time.monotonic() - began,
    )  # fmt: skip


def load_encoder(how: Embedding) -> Pretrained:
    """Load the model; raises ModelUnusable."""
    from tasksearch.models.encoder import load_pretrained
    from tasksearch.tasks.template import template_of

    loaded = load_pretrained(how.model, encoder_name(how.encoder))
    template_of(loaded.tokenizer)
    return loaded


def fitted(how: Embedding, loaded: Pretrained) -> Embedding:
    """The same with layers, length, pooling and prefix as the model has them.

    Raises:
        BadInput: the model has no such layer.
        ModelUnusable: its files state a prefix that cannot be followed, and none is given.
    """
    from tasksearch.evaluation.embedding import layer_of
    from tasksearch.models.stated_reading import StatedReading, stated_reading
    from tasksearch.study.settings import RETRIEVAL_DEPTH

    layers = how.layers or (max(1, round(RETRIEVAL_DEPTH * loaded.layers)),)
    found = tuple(layer_of(loaded.model, layer) for layer in layers)
    stated = StatedReading() if how.prefix is not None and how.pooling is not None else stated_reading(how.model)
    return dataclasses.replace(
        how,
        layers=found,
        pooling=how.pooling or stated.pooling or "mean",
        prefix=stated.prefix if how.prefix is None else how.prefix,
        max_length=min(how.max_length, loaded.family.longest(loaded.model.config)),
    )


def encoded(sentences: Sentences, loaded: Pretrained, how: Embedding) -> Any:
    """Token ids of every sentence, as retrieval targets have them."""
    from tasksearch.tasks.card import TaskCard
    from tasksearch.tasks.encode import encode
    from tasksearch.tasks.examples import PoolSentence

    card = TaskCard(name="text", kind="mining", role="target", languages=("en",))
    pool = [PoolSentence(name, text, True) for name, text in zip(sentences.ids, sentences.texts, strict=True)]
    return encode(pool, card, loaded.tokenizer, how.max_length, how.prefix or "")


@dataclass(kw_only=True)
class _State:
    """Vectors on their way: arrays in a folder beside the output, and how many batches of them are whole."""

    folder: Path
    signature: str
    batches: int = 0
    sentences: int = 0
    saved: float = 0.0

    @classmethod
    def open(cls, folder: Path, signature: str) -> _State:
        state = cls(folder=folder, signature=signature, saved=time.monotonic())
        try:
            kept = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
            if kept["signature"] == signature:
                state.batches, state.sentences = int(kept["batches"]), int(kept["sentences"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or cut short: begin anew
        return state

    def array(self, layer: int, shape: tuple[int, int]) -> Any:
        import numpy as np

        path = self.folder / f"{layer}.npy"
        if self.batches:
            try:
                found = np.lib.format.open_memmap(path, mode="r+")
                if found.shape == shape and found.dtype == np.float32:
                    return found
            except (OSError, ValueError):
                pass
            self.batches = self.sentences = 0
        make_folder(self.folder)
        need, free = 4 * shape[0] * shape[1], shutil.disk_usage(self.folder).free
        if free < need:  # a mapped file that finds no room later ends the process by a signal
            raise DiskFull(f"{path} needs {shown_size(need)}, {shown_size(free)} are free there; free some, then run again")
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)

    def save(self, batches: int, sentences: int, arrays: dict[int, Any]) -> None:
        if time.monotonic() - self.saved < _SAVE_EVERY:
            return
        for array in arrays.values():
            array.flush()
        facts = {"signature": self.signature, "batches": batches, "sentences": sentences}
        write_atomic(self.folder / "progress.json", json.dumps(facts).encode())
        self.saved = time.monotonic()

    def finish(self, arrays: dict[int, Any], files: dict[int, Path], *, centering: bool) -> None:
        import numpy as np

        for layer, array in arrays.items():
            if centering:
                np.subtract(array, array.mean(axis=0, keepdims=True), out=array)
            array.flush()
            os.replace(self.folder / f"{layer}.npy", files[layer])  # noqa: PTH105
        (self.folder / "progress.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something of the user's stands there too
            self.folder.rmdir()
