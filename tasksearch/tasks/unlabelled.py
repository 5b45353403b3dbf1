"""Unlabelled sentences in several languages: a folder with a file per language, a sentence on each line."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import lines
from tasksearch.tasks.languages import canonical

MOST_SENTENCES = 20_000
"""Sentences of a language that are read, the first ones of its file."""


def unlabelled_files(folder: Path) -> dict[str, Path]:
    """Return language → file, sorted by language: `sw.txt` or `sw.txt.gz`, under any code of the language.

    Raises:
        BadInput: no folder, fewer than two languages, or two files of one language.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder; expected one with a file of sentences per language, such as sw.txt")
    found: dict[str, Path] = {}
    for path in sorted((*folder.glob("*.txt"), *folder.glob("*.txt.gz"))):
        language = canonical(path.name.removesuffix(".gz").removesuffix(".txt"))
        if language in found:
            raise BadInput(f"{found[language]} and {path} are both of language {language!r}; expected one file")
        found[language] = path
    if len(found) < 2:
        raise BadInput(f"{folder} has sentences in {len(found)} languages; expected two or more, such as en.txt and sw.txt")
    return dict(sorted(found.items()))


def unlabelled_sentences(path: Path, most: int = MOST_SENTENCES) -> list[str]:
    """Return the first sentences of a file, without empty lines.

    Raises:
        BadInput, DataMissing: the file cannot be read or holds no sentence.
    """
    found = list(islice((line.strip() for _, line in lines(path) if isinstance(line, str) and line.strip()), most))
    if not found:
        raise BadInput(f"{path} holds no sentence; expected one on each line")
    return found
