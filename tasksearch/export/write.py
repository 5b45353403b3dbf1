"""Write the exported folder, and read it back with transformers before it is kept."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from tasksearch.core.errors import ModelUnusable
from tasksearch.evaluation.spans import MAX_ANSWER, N_BEST
from tasksearch.export.card import model_card
from tasksearch.export.facts import Facts, notes
from tasksearch.export.folder import NOTES, whole_folder
from tasksearch.models.encoder import quiet_transformers
from tasksearch.tasks.encode import DOC_STRIDE, MAX_QUERY

EXAMPLE = "example.py"
_SCRIPTS = {"pair": "text", "sentence": "text", "multilabel": "text", "choice": "choice", "tagging": "tagging", "span": "span"}
_PROBE = "The quick brown fox, 42 times: été, мир, ሰላም, สวัสดี, 世界."


def write_export(out: Path, stock: Any, tokenizer: Any, facts: Facts, *, force: bool) -> None:
    """Write weights, tokenizer, notes, card and example, all or nothing.

    Raises:
        BadInput, DiskFull: as `whole_folder`.
        ModelUnusable: the folder does not read back as it was written; nothing of it is kept.
    """
    with whole_folder(out, force=force, room=weight_bytes(stock)) as folder:
        with quiet_transformers():
            stock.save_pretrained(folder, safe_serialization=True)
            tokenizer.save_pretrained(folder)
        script = _SCRIPTS[facts.target.kind] if facts.target else "encoder"
        source = files("tasksearch.export.examples").joinpath(f"{script}.py").read_text(encoding="utf-8")
        _write(folder / EXAMPLE, source)
        _write(folder / NOTES, json.dumps(notes(facts, reading_of(facts)), indent=1, ensure_ascii=False) + "\n")
        _write(folder / "README.md", model_card(facts, EXAMPLE))
        mode = (folder / EXAMPLE).stat().st_mode
        for weights in folder.glob("*.safetensors"):  # safetensors makes them readable by the owner alone
            weights.chmod(mode)
        _check_reads_back(folder, stock, tokenizer)


def reading_of(facts: Facts) -> dict[str, Any]:
    """Return the settings by which the example script encodes texts as for the scores."""
    settings = facts.plan.settings
    how = settings.for_target(facts.target.name) if facts.target else settings.untrained
    reading: dict[str, Any] = {"max_length": how.max_length, "precision": how.precision}
    if facts.target is None:
        kept = settings.retrieval
        reading["retrieval"] = {"layer": kept.layer, "pooling": kept.pooling, "centering": kept.centering}
        reading["retrieval"] |= {"prefix": kept.prefix} if kept.prefix else {}
    elif facts.target.kind == "span":
        reading |= {"stride": DOC_STRIDE, "max_question": MAX_QUERY, "n_best": N_BEST, "longest_answer": MAX_ANSWER}
    return reading


def weight_bytes(model: Any) -> int:
    """Return the bytes of a model's weights, shared ones counted once."""
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _check_reads_back(folder: Path, stock: Any, tokenizer: Any) -> None:
    """Refuse missing weights: transformers would fill them at random and only log it."""
    from transformers import AutoTokenizer

    with quiet_transformers(), torch.random.fork_rng(devices=[]):
        again, info = type(stock).from_pretrained(folder, output_loading_info=True)
        pieces = AutoTokenizer.from_pretrained(folder)(_PROBE)["input_ids"]
    loaded = again.state_dict()
    wrong = sorted({*info["missing_keys"], *info["unexpected_keys"]})
    wrong += [name for name, value in stock.state_dict().items() if not torch.equal(value, loaded[name])]
    if wrong:
        raise ModelUnusable(
            f"transformers reads {folder.name} back without {wrong[0]!r}; the export is not kept, please report it"
        )
    if pieces != tokenizer(_PROBE)["input_ids"]:
        raise ModelUnusable("transformers reads the tokenizer back as another one; the export is not kept, please report it")
