"""Phase 1 of the lab: its files and its pretrained model, created on first use and kept in the user's cache."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tasksearch.core.folders import cache_folder
from tasksearch.core.signature import signature_of
from tasksearch.lab.recipe import LabRecipe
from tasksearch.lab.write import write_lab
from tasksearch.phases.pretrain import Corpus, PretrainSettings, pretrain
from tasksearch.tasks.packed import read_raw_text

OnProgress = Callable[[int, int, float], None]


@dataclass(frozen=True, kw_only=True)
class LabFolders:
    """Location of the lab: `data` in the packed layout, `model` as a Hugging Face folder."""

    data: Path
    model: Path


def lab_settings(recipe: LabRecipe) -> PretrainSettings:
    """Return the pretraining settings of a recipe: the defaults with the recipe's number of steps and seed."""
    return PretrainSettings(steps=recipe.phase1_steps, seed=recipe.world_seed)


def ensure_lab(recipe: LabRecipe, cache: Path | None = None, on_progress: OnProgress | None = None) -> LabFolders:
    """Write and pretrain the lab of a recipe unless it exists (about 45 s on one core); safe to call from several processes."""
    settings, plain = lab_settings(recipe), dataclasses.replace(recipe, shuffled_labels=False)
    folder = _folder(plain, cache)  # shuffled labels leave the text unchanged, and so the model
    text, model = ensure_lab_data(plain, cache), folder / f"model-{signature_of('lab model', settings, _CODE)}"
    with FileLock(str(folder / "lock")):
        if not (model / "config.json").is_file():
            _pretrain(text, model, settings, on_progress)
    return LabFolders(data=ensure_lab_data(recipe, cache), model=model)


def ensure_lab_data(recipe: LabRecipe, cache: Path | None = None) -> Path:
    """Write the lab's files without pretraining, for use with another model; return their folder."""
    folder = _folder(recipe, cache)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder / "lock")):
        if not (folder / "data" / "lab.json").is_file():
            write_lab(recipe, folder / "data")
    return folder / "data"


def _folder(recipe: LabRecipe, cache: Path | None) -> Path:
    """Return the folder of a recipe's data.

    Data do not depend on phase 1's length, so recipes that differ only in it share files.
    """
    return (cache or cache_folder()) / "lab" / dataclasses.replace(recipe, phase1_steps=1).signature


_CODE = 2
"""Raised by hand when a change of phase 1's code changes its numbers."""


def _pretrain(data: Path, model: Path, settings: PretrainSettings, on_progress: OnProgress | None) -> None:
    from transformers import AutoTokenizer

    from tasksearch.models.encoder import quiet_transformers

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(data / "tokenizer"))
    corpus = Corpus(documents=_texts(data / "corpus"), parallel=_texts(data / "parallel"))
    pretrain(corpus, tokenizer, settings, model, on_step=on_progress, device="cpu")


def _texts(folder: Path) -> dict[str, list]:  # type: ignore[type-arg]
    return {path.name.removesuffix(".jsonl.gz"): read_raw_text(path) for path in sorted(folder.glob("*.jsonl.gz"))}
