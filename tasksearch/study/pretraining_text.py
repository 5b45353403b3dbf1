"""The text that a study's model was pretrained on, as far as it is known from the study or the model's own folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasksearch.core.study import StudyConfig
from tasksearch.study.folder_notes import keep_note, note_of
from tasksearch.tasks.catalogue import load_suite
from tasksearch.tasks.reading import file_fingerprint

RECIPE = "recipe.json"
"""File that `tasksearch pretrain` writes beside a model; it lists, among other things, each text file as `source/name hash`."""
_KEPT = "pretraining_text.json"


@dataclass(frozen=True, kw_only=True)
class PretrainingText:
    """Pretraining text to be checked for evaluation items.

    Attributes:
        places: files and folders that the study names, or that the model names and that still have the bytes it was trained
            on.
        absent: files that the model names and that are missing or have changed.
        known: whether anything is known about the text that the model was pretrained on.
    """

    places: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()
    known: bool = True

    def __str__(self) -> str:
        """Return a sentence on what was not checked; empty if everything was."""
        if self.absent:
            return (
                f"not checked for evaluation items: {len(self.absent)} files of the model's pretraining text, which are not "
                f"under the data folder as they were ({', '.join(self.absent[:3])}{', …' if len(self.absent) > 3 else ''})"
            )
        return "" if self.known else "what the model was pretrained on is not known, and was not checked for evaluation items"


def pretraining_text(config: StudyConfig) -> PretrainingText:
    """Return the pretraining text of a study's model; empty for the lab, whose generated text is not checked."""
    if load_suite(config.suite).world == "lab":
        return PretrainingText()
    given = tuple(Path(place) for place in config.pretraining_text)
    own, absent = _named_by(Path(config.model), Path(config.data or "."))
    return PretrainingText(
        places=tuple(dict.fromkeys((*given, *own))), absent=() if given else absent, known=bool(given or own or absent)
    )


def keep_checked(folder: Path, text: PretrainingText) -> None:
    """Note in the study's folder which pretraining text was checked and which was not, if there is something to say."""
    told = {"checked": [str(place) for place in text.places], "unchecked": str(text)}
    keep_note(folder / _KEPT, told if text.places or str(text) else {})


def unchecked_note(folder: Path) -> str:
    """Return the note on pretraining text that the study did not check; empty if there is none."""
    return note_of(folder / _KEPT, lambda told: str(told["unchecked"]))


def _named_by(model: Path, data: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return (unchanged files that the model's recipe names, names of the others); both empty without a recipe."""
    found: list[Path] = []
    absent: list[str] = []
    for name, digest in _files(model / RECIPE):
        path = data / "pretrain" / name
        if path.is_file() and file_fingerprint(path) == digest:
            found.append(path)
        else:
            absent.append(name)
    return tuple(found), tuple(absent)


def _files(recipe: Path) -> Sequence[tuple[str, str]]:
    try:
        lines = json.loads(recipe.read_text("utf-8"))["files"]
        return [(name, digest) for name, _, digest in (str(line).rpartition(" ") for line in lines)]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
