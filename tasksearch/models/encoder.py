"""The pretrained checkpoint of phase 1, from a hub id or a folder: an XLM-R encoder, its MLM head and its tokenizer."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tasksearch.core.errors import ModelUnusable, first_line
from tasksearch.core.signature import seed_from

_SHAPE = "xlm-roberta"
_TOKENIZER_FILES = ("tokenizer.json", "sentencepiece.bpe.model")


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A loaded checkpoint.

    Attributes:
        source: hub id or folder that it was loaded from.
        model: an `XLMRobertaForMaskedLM`; `model.roberta` is the encoder, `model.lm_head` the MLM head (tied to the
            embeddings).
        tokenizer: its fast tokenizer.
        fingerprint: hash of configuration, weights and tokenizer: the signature of the root segment.
        has_mlm_head: whether the checkpoint has one; without it an MLM task would start from a random head.
    """

    source: str
    model: Any
    tokenizer: Any
    fingerprint: str
    has_mlm_head: bool

    @property
    def hidden_size(self) -> int:
        """Width of a token's vector."""
        return int(self.model.config.hidden_size)

    @property
    def layers(self) -> int:
        """Transformer blocks; hidden states number one more."""
        return int(self.model.config.num_hidden_layers)


def load_pretrained(source: str) -> Pretrained:
    """Load `source`: an existing folder, else a hub id. Weights are read from safetensors only; no remote code is run.

    Raises:
        ModelUnusable: not XLM-R-shaped, no tokenizer, no safetensors, damaged, without some of the encoder's weights, or a hub
            that does not answer.
    """
    check_source(source)
    with quiet_transformers():
        from transformers import AutoTokenizer, XLMRobertaForMaskedLM

        try:
            # A checkpoint without an MLM head gets one from a fixed seed, so that its fingerprint is always the same.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)
                model, info = XLMRobertaForMaskedLM.from_pretrained(source, use_safetensors=True, output_loading_info=True)
            tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True, trust_remote_code=False)
        except Exception as fault:
            raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None
    _check_loaded(source, model, tokenizer)
    _check_complete(source, info["missing_keys"])
    has_head = not any(name.startswith("lm_head") for name in info["missing_keys"])
    model.eval()
    fingerprint = model_fingerprint(model, tokenizer)
    return Pretrained(source=source, model=model, tokenizer=tokenizer, fingerprint=fingerprint, has_mlm_head=has_head)


def check_source(source: str) -> None:
    """Check a folder without loading it; a name that is not a path counts as a hub id and passes.

    Raises:
        ModelUnusable: a file is missing, or the model is of another shape.
    """
    folder = Path(source)
    if folder.is_dir():
        _check_folder(folder)
    elif folder.exists() or source.startswith(("/", ".", "~")):
        raise ModelUnusable(
            f"no model folder {source!r}; expected a folder with config.json, model.safetensors and tokenizer.json"
        )


def check_mlm_head(source: str, tasks: Iterable[str]) -> None:
    """Check that a folder has the MLM head that `tasks` train; for a hub id this is known only after loading.

    Raises:
        ModelUnusable: it has none.
    """
    from safetensors import safe_open

    names: list[str] = []
    for path in Path(source).glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            names += file.keys()
    if names and not any(name.startswith("lm_head.") for name in names):
        raise no_mlm_head(source, tasks)


def no_mlm_head(source: str, tasks: Iterable[str]) -> ModelUnusable:
    """Return the message about a checkpoint without an MLM head."""
    return ModelUnusable(
        f"model {source!r} has no MLM head and {', '.join(sorted(tasks))} would train a random one; expected a checkpoint with "
        "its lm_head, or a mix without MLM"
    )


def fresh_like(pretrained: Pretrained, seed: int) -> Any:
    """Make an untrained model of the same shape with weights drawn from the seed; the global random state is kept."""
    from transformers import XLMRobertaForMaskedLM

    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_from("untrained", seed))
        return XLMRobertaForMaskedLM(copy.deepcopy(pretrained.model.config)).eval()


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Limits for settings: number of transformer blocks, and tokens of the longest sequence."""

    layers: int
    tokens: int


def shape_of(source: str) -> Shape:
    """Read the shape of a folder's or hub id's model from its configuration alone.

    Raises:
        ModelUnusable: it cannot be read.
    """
    check_source(source)
    with quiet_transformers():
        from transformers import AutoConfig

        try:
            config = AutoConfig.from_pretrained(source, trust_remote_code=False)
            # positions are numbered from the padding's index + 1
            room = int(config.max_position_embeddings) - int(config.pad_token_id) - 1
            return Shape(layers=int(config.num_hidden_layers), tokens=room)
        except Exception as fault:
            raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise ModelUnusable(f"model folder {str(folder)!r} has no config.json")
    try:
        shape = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError):
        raise ModelUnusable(f"model folder {str(folder)!r}: config.json is not a JSON object") from None
    if shape != _SHAPE:
        raise ModelUnusable(f"model folder {str(folder)!r} has a {shape!r} model; expected XLM-R's shape, {_SHAPE!r}")
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelUnusable(f"model folder {str(folder)!r} has no tokenizer; expected {' or '.join(_TOKENIZER_FILES)}")
    if not any(folder.glob("*.safetensors")):
        raise ModelUnusable(
            f"model folder {str(folder)!r} has no .safetensors weights; pickled weights are not read, convert them first"
        )


def _check_loaded(source: str, model: Any, tokenizer: Any) -> None:
    if model.config.model_type != _SHAPE:
        raise ModelUnusable(f"model {source!r} is a {model.config.model_type!r}; expected {_SHAPE!r}")
    if len(tokenizer) > model.config.vocab_size:
        raise ModelUnusable(
            f"model {source!r}: the tokenizer has {len(tokenizer)} pieces, "
            f"the model {model.config.vocab_size}; they do not belong together"
        )
    if tokenizer.bos_token_id is None or tokenizer.eos_token_id is None or tokenizer.pad_token_id != model.config.pad_token_id:
        raise ModelUnusable(f"model {source!r}: the tokenizer lacks <s>, </s> or the model's <pad>")


def _check_complete(source: str, missing: Iterable[str]) -> None:
    """Refuse missing weights: transformers would draw them at random and only log it."""
    gone = sorted(name for name in missing if not name.startswith("lm_head"))
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise ModelUnusable(f"model {source!r} lacks the encoder's weights {gone[0]!r}{more}; expected a complete checkpoint")


def model_fingerprint(model: nn.Module, tokenizer: Any) -> str:
    """Return the hash of every weight's bytes, the configuration that shapes them and the tokenizer's vocabulary."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    config = model.config.to_dict()  # type: ignore[union-attr, operator]
    shaping = {
        key: config[key]
        for key in sorted(config)
        if key.endswith(("size", "prob", "layers", "heads", "act", "eps", "embeddings"))
    }
    digest.update(json.dumps(shaping, sort_keys=True).encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    return digest.hexdigest()[:24]


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Context that silences progress bars and load reports of transformers."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging as hf_logging

    level = hf_logging.get_verbosity()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    try:
        yield
    finally:
        hf_logging.set_verbosity(level)
        hf_logging.enable_progress_bar()
