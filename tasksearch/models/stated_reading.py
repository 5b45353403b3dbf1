"""How a model's own files say that a sentence is read: its pooling, and a prefix before the text.

A folder that `tasksearch train` made says it in `tasksearch.json`, a sentence encoder's in sentence-transformers' files. Of
several prompts (E5: `query: `, `passage: `) the one by `default_prompt_name` is read before every text; the others are for
callers that know which side a text is on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksearch.core.errors import ModelUnusable
from tasksearch.core.plan import Pooling

FILES = ("tasksearch.json", "config_sentence_transformers.json", "1_Pooling/config.json")
_MODES: dict[str, Pooling] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


@dataclass(frozen=True, kw_only=True)
class StatedReading:
    """What the files say.

    Attributes:
        pooling: `mean`, `mean-content` or `cls`; None where none of these is named.
        prefix: text before every sentence; empty where none is the default.
        prompts: name → text of all prompts that are not empty.
    """

    pooling: Pooling | None = None
    prefix: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)


def stated_reading(source: str, *, at_hand: bool = False) -> StatedReading:
    """Return what the files of a folder, or of a hub id, say of the reading of sentences.

    Args:
        at_hand: whether only files on this machine are read, and none is fetched.

    Raises:
        ModelUnusable: a prompt that is to be left out of the pooling, or a default prompt that is not there.
    """
    ours, prompted, pooled = (_object(source, name, at_hand) for name in FILES)
    if isinstance(kept := ours.get("retrieval"), dict):
        return StatedReading(pooling=kept.get("pooling"), prefix=kept.get("prefix", ""))
    said = prompted.get("prompts")
    prompts = {str(name): str(text) for name, text in said.items() if text} if isinstance(said, dict) else {}
    default = prompted.get("default_prompt_name")
    prefix = prompts.get(str(default), "")
    if default is not None and isinstance(said, dict) and default not in said:
        raise ModelUnusable(
            f"model {source!r} names the default prompt {default!r}, which its config_sentence_transformers.json lacks "
            f"(it has {', '.join(said) or 'none'}); mend it, or say which text stands before a sentence"
        )
    if prefix and pooled.get("include_prompt") is False:
        raise ModelUnusable(
            f"model {source!r} pools without the pieces of its prompt {prefix!r} (include_prompt), which is not supported: say "
            "which text stands before a sentence, '' for none"
        )
    named = pooled.get("pooling_mode")
    pooling = next((name for key, name in _MODES.items() if pooled.get(key)), named if named in _MODES.values() else None)
    return StatedReading(pooling=pooling, prefix=prefix, prompts=prompts)


def _object(source: str, name: str, at_hand: bool) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none."""
    path = Path(source) / name
    if not Path(source).is_dir():
        from transformers.utils import cached_file

        try:
            found = cached_file(
                source,
                name,
                local_files_only=at_hand,
                _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )
        except OSError:  # no such model: told in full where it is loaded
            found = None
        if found is None:
            return {}
        path = Path(found)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
