"""Detect files with unnamed documents, which are divided differently than by earlier versions and need another fingerprint.

Earlier versions treated a null title as the word "None", making a whole language one document, and an empty title in line
formats as no document, and divided an article without title between its paragraphs. Fingerprints of all other data are
unchanged.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import Broken, lines, whole_text
from tasksearch.tasks.card import Kind
from tasksearch.tasks.source_spec import Files

_KEYS = {"packed": "document", "squad_lines": "title", "hellaswag": "source_id", "qamr": "sentence_id"}
_NOTHING = {True: r'(?:null|NaN|"\s*")', False: r"(?:null|NaN)"}


def leaves_documents_unnamed(path: Path, files: Files, kind: Kind, stamp: tuple[int, int]) -> bool:
    """Whether the file has a document without a name that is now divided differently.

    Args:
        stamp: the file's size and modification time; the result is cached while they stay the same.

    Returns False for a file that cannot be read; the error is reported when it is read.
    """
    with suppress(BadInput):
        return _leaves(path, files, kind, stamp)
    return False


def _leaves(path: Path, files: Files, kind: Kind, stamp: tuple[int, int]) -> bool:
    if files.format == "squad_json":
        return _untitled_articles(path, stamp)
    key = dict(files.columns).get("document") if files.format == "jsonl" else _KEYS.get(files.format)
    return bool(key) and _holds(path, rf'"{re.escape(str(key))}"\s*:\s*{_NOTHING[kind == "span"]}', stamp)


@lru_cache(maxsize=4096)
def _holds(path: Path, pattern: str, stamp: tuple[int, int]) -> bool:
    found = re.compile(pattern)
    return any(not isinstance(line, Broken) and found.search(line) for _, line in lines(path))


@lru_cache(maxsize=256)
def _untitled_articles(path: Path, stamp: tuple[int, int]) -> bool:
    """Whether an article has several paragraphs and no title.

    Detected without parsing: there are fewer titles than articles, and fewer articles than paragraphs.
    """
    text = whole_text(path)
    articles, contexts = (len(re.findall(rf'"{key}"\s*:', text)) for key in ("paragraphs", "context"))
    return len(re.findall(r'"title"\s*:\s*"\s*[^"\s]', text)) < articles < contexts
