"""A checkpoint's files on disk: where they are, what they hold, and weights in another type or format.

Pickled weights are read by `torch.load(weights_only=True)`, which builds tensors and plain containers and runs nothing.
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from tasksearch.core.errors import ModelUnusable, first_line

DTYPES: Mapping[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Names of types of weights."""

_KEPT = ("*.json", "*.txt", "*.model", "LICENSE*", "README.md", "1_Pooling/config.json")
"""Files beside the weights that belong to a model."""
_PICKLED = ("pytorch_model.bin", "pytorch_model-*.bin")


def local_folder(source: str) -> Path:
    """Return the folder of a model: `source` itself, or the hub's files of that id, fetched if they are not here.

    Raises:
        ModelUnusable: neither a folder nor a hub id that can be fetched.
    """
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns=[*_KEPT, "*.safetensors", *_PICKLED]))
    except Exception as fault:
        raise ModelUnusable(f"model {source!r} is no folder, and the hub gives none: {first_line(fault)}") from None


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of weights: safetensors where there are any, else pickled ones; empty where there are none."""
    found = sorted(folder.glob("*.safetensors"))
    return tuple(found or sorted(path for pattern in _PICKLED for path in folder.glob(pattern)))


def described(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return name → (shape, type) of every tensor in safetensors files, without reading them."""
    from safetensors import SafetensorError, safe_open

    found = {}
    for path in folder.glob("*.safetensors"):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - not a mapping
                    part = file.get_slice(name)
                    found[name] = tuple(part.get_shape()), str(part.get_dtype())
        except SafetensorError as fault:
            raise ModelUnusable(f"{path} cannot be read: {first_line(fault)}") from None
    return found


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return a checkpoint's tensors by name.

    Raises:
        ModelUnusable: no weights, damaged ones, or pickled ones that hold more than tensors.
    """
    files = weight_files(folder)
    if not files:
        raise ModelUnusable(f"model folder {str(folder)!r} has no weights; expected .safetensors or pytorch_model.bin")
    table: dict[str, torch.Tensor] = {}
    for path in files:
        table |= _read(path)
    return table


def _read(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    try:
        found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ModelUnusable(f"{path} holds more than tensors, which is never unpickled; expected a plain state dict") from None
    except Exception as fault:
        raise ModelUnusable(f"{path} cannot be read: {first_line(fault)}") from None
    if not isinstance(found, Mapping) or not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise ModelUnusable(f"{path} is no table of tensors by name; expected a plain state dict")
    return dict(found)


def write_weights(folder: Path, table: Mapping[str, torch.Tensor], dtype: str | None) -> None:
    """Write `model.safetensors`, and the type of its weights into `config.json`.

    Args:
        dtype: a name of `DTYPES`, for tensors of floating point; None: as they are.
    """
    from safetensors.torch import save_file

    seen: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    kept = {}
    # of tied tensors one is written: the embedding table, from which transformers makes the MLM head's
    for name in sorted(table, key=lambda name: ("embed" not in name, name)):
        tensor = table[name]
        mark = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))
        if tensor.numel() and seen.setdefault(mark, name) != name:
            continue
        kept[name] = tensor.to(DTYPES[dtype]) if dtype and tensor.is_floating_point() else tensor
    save_file({name: kept[name].contiguous().clone() for name in sorted(kept)}, folder / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)
    kinds = {str(one.dtype).removeprefix("torch.") for one in kept.values() if one.is_floating_point()}
    config["dtype"] = next(iter(kinds)) if len(kinds) == 1 else "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def copy_beside(source: Path, out: Path, patterns: Sequence[str] = _KEPT) -> None:
    """Copy what belongs to a model beside its weights: configuration, tokenizer, licence, reading of sentences."""
    for pattern in patterns:
        for path in source.glob(pattern):
            if not path.name.endswith(".index.json"):
                place = out / path.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
