"""Phase 1's outcome, from a hub id or a folder: an encoder of a known family, its MLM head and its tokenizer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tasksearch.core.errors import BadInput, ModelUnusable, first_line
from tasksearch.core.signature import seed_from
from tasksearch.models.families import EncoderFamily, adopt, family_for

_TOKENIZER_FILES = ("tokenizer.json", "sentencepiece.bpe.model", "vocab.txt")


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A loaded checkpoint.

    Attributes:
        source: hub id or folder it came from.
        model: a `…ForMaskedLM` of the family with fp32 weights; `model.base_model` is the encoder.
        tokenizer: its fast tokenizer.
        fingerprint: hash of configuration, weights and tokenizer: the signature of the root segment.
        has_mlm_head: whether the checkpoint held one; without it an MLM task would start from a random head.
        family: how the model is run and exported.
    """

    source: str
    family: EncoderFamily
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


def load_pretrained(source: str, encoder: str = "") -> Pretrained:
    """Loads `source`: an existing folder, else a hub id. Weights are read from safetensors alone, and no remote code is run.

    Args:
        encoder: reference of the user's own family (`core.own_files`); empty: the family of the model's type.

    Raises:
        ModelUnusable: of no known family, no tokenizer, no safetensors, damaged, without some of the encoder's weights, or a
            hub that does not answer.
    """
    family = _family(source, encoder)
    with quiet_transformers():
        try:
            # A checkpoint without an MLM head gets one from a fixed seed, so that its fingerprint is always the same.
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(0)
                model, missing = family.load(source)
            tokenizer = family.tokenizer(source)
        except Exception as fault:
            raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None
    _check_tokenizer(source, model, tokenizer, family)
    encoder = f"{model.base_model_prefix}."
    _check_complete(source, [name for name in missing if name.startswith(encoder)])
    adopt(model, family).eval()
    return Pretrained(
        source=source,
        family=family,
        model=model,
        tokenizer=tokenizer,
        fingerprint=model_fingerprint(model, tokenizer, family),
        has_mlm_head=bool(family.mlm_keys) and tokenizer.mask_token_id is not None and not missing,
    )


def _family(source: str, encoder: str = "", *, weights: bool = True) -> EncoderFamily:
    """The family that serves the source's type of model."""
    check_source(source, encoder, weights=weights)
    return _served(f"model {source!r}", config_of(source).model_type, encoder)


def config_of(source: str) -> Any:
    """The source's configuration; no code of its own is run.

    Raises:
        ModelUnusable: it cannot be read.
    """
    with quiet_transformers():
        from transformers import AutoConfig

        try:
            return AutoConfig.from_pretrained(source, trust_remote_code=False)
        except Exception as fault:
            raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None


def _served(shown: str, model_type: str | None, encoder: str) -> EncoderFamily:
    try:
        return family_for(model_type, encoder)
    except BadInput as fault:
        raise ModelUnusable(f"{shown} {fault}") from None


def check_source(source: str, encoder: str = "", *, weights: bool = True) -> None:
    """Looks at a folder without loading it; a name that is no path is taken for a hub id and passes.

    Args:
        weights: whether it must have safetensors.

    Raises:
        ModelUnusable: a file is missing, or the model is of another shape.
    """
    folder = Path(source)
    if folder.is_dir():
        _check_folder(folder, encoder, weights=weights)
    elif folder.exists() or source.startswith(("/", ".", "~")):
        raise ModelUnusable(
            f"no model folder {source!r}; expected a folder with config.json, model.safetensors and tokenizer.json"
        )


def check_scored(source: str, languages: Iterable[str], kinds: Iterable[str], encoder: str = "") -> None:
    """Looks whether the model can be scored in these languages, on targets of these kinds.

    Raises:
        ModelUnusable: it cannot; the message says which.
    """
    family = _family(source, encoder)
    try:
        family.check_scored(config_of(source), languages, kinds)
    except ValueError as fault:
        raise ModelUnusable(f"model {source!r}: {fault}") from None


def check_mlm_head(source: str, tasks: Iterable[str], encoder: str = "") -> None:
    """Looks whether a folder holds the MLM head that `tasks` train on; of a hub id this is known once it is loaded.

    Raises:
        ModelUnusable: it has none.
    """
    from safetensors import safe_open

    names: list[str] = []
    for path in Path(source).glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            names += file.keys()
    keys = _family_of_folder(Path(source), encoder).mlm_keys if names else ""
    if names and not (keys and any(name.startswith(keys) for name in names)):
        raise no_mlm_head(source, tasks)


def check_masked(source: str, languages: Iterable[str], encoder: str = "") -> None:
    """Looks whether the model can be trained by MLM in these languages.

    Raises:
        ModelUnusable: it cannot; the message says why.
    """
    try:
        _family(source, encoder).check_masked(languages)
    except ValueError as fault:
        raise ModelUnusable(f"model {source!r}: {fault}") from None


def no_mlm_head(source: str, tasks: Iterable[str]) -> ModelUnusable:
    """Return the message about a checkpoint without an MLM head."""
    return ModelUnusable(
        f"model {source!r} has no MLM head and {', '.join(sorted(tasks))} would train a random one; expected a checkpoint with "
        "its MLM head, or a mix without MLM"
    )


def fresh_like(pretrained: Pretrained, seed: int) -> Any:
    """An untrained model of the same shape, its weights drawn from the seed; the random state outside is left alone."""
    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_from("untrained", seed))
        return adopt(pretrained.family.fresh(pretrained.model), pretrained.family).eval()


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Limits for settings: transformer blocks, tokens of the longest sequence, width of a token's vector; and the type."""

    layers: int
    tokens: int
    width: int = 0
    model_type: str = ""


def shape_of(source: str, encoder: str = "", *, weights: bool = True) -> Shape:
    """Shape of a folder's or hub id's model, from its configuration alone.

    Raises:
        ModelUnusable: it cannot be read.
    """
    family, config = _family(source, encoder, weights=weights), config_of(source)
    try:
        return Shape(
            layers=int(config.num_hidden_layers),
            tokens=family.longest(config),
            width=int(config.hidden_size),
            model_type=str(config.model_type),
        )
    except Exception as fault:
        raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None


def _family_of_folder(folder: Path, encoder: str) -> EncoderFamily:
    config = folder / "config.json"
    if not config.is_file():
        raise ModelUnusable(f"model folder {str(folder)!r} has no config.json")
    try:
        model_type = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError):
        raise ModelUnusable(f"model folder {str(folder)!r}: config.json is not a JSON object") from None
    return _served(f"model folder {str(folder)!r}", model_type, encoder)


def _check_folder(folder: Path, encoder: str, *, weights: bool) -> None:
    _family_of_folder(folder, encoder)
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelUnusable(f"model folder {str(folder)!r} has no tokenizer; expected {' or '.join(_TOKENIZER_FILES)}")
    if weights and not any(folder.glob("*.safetensors")):
        raise ModelUnusable(
            f"model folder {str(folder)!r} has no .safetensors weights; pickled weights are not read, convert them first: "
            f"tasksearch model convert {shlex.quote(str(folder))} --out NEW_FOLDER"
        )


def load_tokenizer(source: str, encoder: str = "", *, weights: bool = True) -> Any:
    """A model's tokenizer alone, as `load_pretrained` would have it, before the model has its say on padding.

    Raises:
        ModelUnusable: there is none.
    """
    family = _family(source, encoder, weights=weights)
    with quiet_transformers():
        try:
            return family.tokenizer(source)
        except Exception as fault:
            raise ModelUnusable(f"model {source!r} cannot be loaded: {first_line(fault)}") from None


def _check_tokenizer(source: str, model: Any, tokenizer: Any, family: EncoderFamily) -> None:
    if len(tokenizer) > model.config.vocab_size:
        raise ModelUnusable(
            f"model {source!r}: the tokenizer has {len(tokenizer)} pieces, "
            f"the model {model.config.vocab_size}; they do not belong together"
        )
    if tokenizer.pad_token_id is None:
        raise ModelUnusable(f"model {source!r}: the tokenizer has no padding piece; name one in tokenizer_config.json")
    try:
        family.settle(model, tokenizer)
    except ValueError as fault:
        raise ModelUnusable(f"model {source!r}: {fault}") from None


def _check_complete(source: str, missing: Iterable[str]) -> None:
    """Transformers draws missing weights at random and says so in a log alone."""
    gone = sorted(missing)
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise ModelUnusable(f"model {source!r} lacks the encoder's weights {gone[0]!r}{more}; expected a complete checkpoint")


def model_fingerprint(model: nn.Module, tokenizer: Any, family: EncoderFamily) -> str:
    """Hash of every weight's bytes, the configuration that shapes them, the tokenizer's pieces and what the family adds."""
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
    digest.update((family.reference + family.identity(model.config)).encode())
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
