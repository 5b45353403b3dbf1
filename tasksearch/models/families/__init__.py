"""Encoder families: one module each; `family_of` a loaded model, `family_for` a type of model."""

from __future__ import annotations

import difflib
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.models.families.base import EncoderFamily
from tasksearch.models.families.bert import Bert
from tasksearch.models.families.roberta import RobertaLayout, XlmR

__all__ = ["FAMILIES", "EncoderFamily", "adopt", "family_for", "family_of", "known_types"]

FAMILIES: tuple[EncoderFamily, ...] = (XlmR(), RobertaLayout(), Bert())
"""The families of this package."""

_BY_TYPE = {kind: family for family in FAMILIES for kind in family.model_types}
_MARK = "tasksearch_family"


def known_types() -> tuple[str, ...]:
    """Types of model that this package serves by itself."""
    return tuple(sorted(_BY_TYPE))


def family_for(model_type: str | None) -> EncoderFamily:
    """The family that serves a `model_type`.

    Raises:
        BadInput: none does.
    """
    if model_type in _BY_TYPE:
        return _BY_TYPE[model_type]
    near = difflib.get_close_matches(str(model_type), known_types(), n=1)
    raise BadInput(
        f"holds a {model_type!r} model; known encoder families are {', '.join(known_types())}"
        f"{f' (nearest: {near[0]})' if near else ''}"
    )


def adopt(model: Any, family: EncoderFamily) -> Any:
    """The model, which knows its family from now on; its copies do too."""
    setattr(model, _MARK, family)
    return model


def family_of(model: Any) -> EncoderFamily:
    """The family that a model was loaded by, else the one of its type."""
    return getattr(model, _MARK, None) or family_for(model.config.model_type)
