"""`python -m tasksearch.models.convert FOLDER OUT`: a model folder of pickled weights as one of safetensors.

`torch.load(weights_only=True)` builds tensors and plain containers alone: nothing that the file names is called.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from tasksearch.core.errors import BadInput, ModelUnusable, TasksearchError, first_line

_PICKLED = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.msgpack", "*.h5", "*.index.json")


def convert(folder: Path, out: Path) -> Path:
    """Write the folder's weights to `out/model.safetensors`, in their own dtype, and copy its other files beside them.

    Raises:
        BadInput: `out` exists already.
        ModelUnusable: there are no pickled weights, or they hold more than tensors.
    """
    parts = sorted(folder.glob("pytorch_model*.bin"))
    if not parts:
        raise ModelUnusable(f"model folder {str(folder)!r} has no pytorch_model*.bin; expected pickled weights to convert")
    if out.exists():
        raise BadInput(f"{str(out)!r} exists; expected a new folder for the converted model")
    tensors: dict[str, torch.Tensor] = {}
    for path in parts:
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as fault:
            raise ModelUnusable(f"{str(path)!r} is not read, it holds more than weights: {first_line(fault)}") from None
        tensors |= {name: tensor for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}
    begun = out.with_name(f".{out.name}.part")
    shutil.rmtree(begun, ignore_errors=True)
    left_out = shutil.ignore_patterns(*_PICKLED)
    shutil.copytree(folder, begun, ignore=left_out)
    # tensors that share memory, such as a tied MLM head, are written out each; transformers ties them again
    save_file(
        {name: tensor.clone().contiguous() for name, tensor in tensors.items()}, begun / "model.safetensors", {"format": "pt"}
    )
    begun.rename(out)
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tasksearch.models.convert FOLDER OUT")
    try:
        print(convert(Path(sys.argv[1]), Path(sys.argv[2])))
    except TasksearchError as fault:
        sys.exit(str(fault))
