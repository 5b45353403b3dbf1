"""The lab's phase 1: its files and its pretrained model, made on first use and kept under the user's cache."""

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
    """Where the lab stands: `data` in the packed layout, `model` as a Hugging Face folder."""

    data: Path
    model: Path


def lab_settings(recipe: LabRecipe) -> PretrainSettings:
    """Phase 1 of a recipe: the defaults, at the recipe's length and seed."""
    return PretrainSettings(steps=recipe.phase1_steps, seed=recipe.world_seed)


def ensure_lab(recipe: LabRecipe, cache: Path | None = None, on_progress: OnProgress | None = None) -> LabFolders:
    """The lab of a recipe, written and pretrained where it is not there yet (about 45 s of one core); safe to call from
    several processes.
    """
    settings, plain = lab_settings(recipe), dataclasses.replace(recipe, shuffled_labels=False)
    folder = _folder(plain, cache)  # a world with shuffled labels has the same text, and so the same model
    text, model = ensure_lab_data(plain, cache), folder / f"model-{signature_of('lab model', settings, _CODE)}"
    with FileLock(str(folder / "lock")):
        if not (model / "config.json").is_file():
            _pretrain(text, model, settings, on_progress)
    return LabFolders(data=ensure_lab_data(recipe, cache), model=model)


def ensure_lab_data(recipe: LabRecipe, cache: Path | None = None) -> Path:
    """The lab's files alone, for another model than its own: nothing is pretrained."""
    folder = _folder(recipe, cache)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder / "lock")):
        if not (folder / "data" / "lab.json").is_file():
            write_lab(recipe, folder / "data")
    return folder / "data"


def _folder(recipe: LabRecipe, cache: Path | None) -> Path:
    """Data do not depend on phase 1's length: worlds that differ in it alone share their files."""
    return (cache or cache_folder()) / "lab" / dataclasses.replace(recipe, phase1_steps=1).signature


_CODE = 1
"""Raised by hand when phase 1's code changes its numbers."""


def _pretrain(data: Path, model: Path, settings: PretrainSettings, on_progress: OnProgress | None) -> None:
    from transformers import AutoTokenizer

    from tasksearch.models.encoder import quiet_transformers

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(data / "tokenizer"))
    corpus = Corpus(documents=_texts(data / "corpus"), parallel=_texts(data / "parallel"))
    pretrain(corpus, tokenizer, settings, model, on_step=on_progress, device="cpu")


def _texts(folder: Path) -> dict[str, list]:  # type: ignore[type-arg]
    return {path.name.removesuffix(".jsonl.gz"): read_raw_text(path) for path in sorted(folder.glob("*.jsonl.gz"))}
