"""Encoder families: one module each; `family_of` a loaded model, `family_for` a type of model."""

from __future__ import annotations

import difflib
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.own_files import referred, shown
from tasksearch.models.families.base import EncoderFamily
from tasksearch.models.families.bert import Bert
from tasksearch.models.families.deberta import DebertaV2
from tasksearch.models.families.distilbert import DistilBert
from tasksearch.models.families.eurobert import EuroBert
from tasksearch.models.families.modernbert import ModernBert
from tasksearch.models.families.rembert import RemBert
from tasksearch.models.families.roberta import RobertaLayout, XlmR
from tasksearch.models.families.xmod import Xmod

__all__ = ["FAMILIES", "WANTED", "EncoderFamily", "adopt", "family_for", "family_of", "known_types", "own_family"]

WANTED = "a class derived from tasksearch.models.families.EncoderFamily"
"""What `--encoder FILE.py:NAME` names."""

FAMILIES: tuple[EncoderFamily, ...] = (
    XlmR(), RobertaLayout(), Xmod(), Bert(), DistilBert(), RemBert(), DebertaV2(), ModernBert(), EuroBert()
)  # fmt: skip
"""The families of this package."""

_BY_TYPE = {kind: family for family in FAMILIES for kind in family.model_types}
_MARK = "tasksearch_family"


def known_types() -> tuple[str, ...]:
    """Types of model that this package serves by itself."""
    return tuple(sorted(_BY_TYPE))


def family_for(model_type: str | None, own: str = "") -> EncoderFamily:
    """The family that serves a `model_type`.

    Args:
        own: reference of the user's own family (`core.own_files`), which then has to serve it.

    Raises:
        BadInput: none does.
    """
    if own:
        family = own_family(own)
        if model_type in family.model_types:
            return family
        served = ", ".join(family.model_types) or "no type at all"
        raise BadInput(f"holds a {model_type!r} model; --encoder {shown(own)} serves {served}")
    if model_type in _BY_TYPE:
        return _BY_TYPE[model_type]
    within = [kind for kind in known_types() if str(model_type) in kind.split("-")]  # "roberta" of "xlm-roberta"
    near = within or difflib.get_close_matches(str(model_type), known_types(), n=1)
    raise BadInput(
        f"holds a {model_type!r} model; known encoder families are {', '.join(known_types())}"
        f"{f' (nearest: {near[0]})' if near else ''}; another is given by --encoder FILE.py:NAME"
    )


def own_family(reference: str) -> EncoderFamily:
    """The family behind the reference of a user's `FILE.py:NAME`.

    Raises:
        BadInput: NAME is no family.
    """
    found = referred(reference, WANTED)
    if not isinstance(found, type) or not issubclass(found, EncoderFamily):
        raise BadInput(f"{reference.rpartition('@')[0]} is {found!r}; expected {WANTED}")
    family: EncoderFamily = found()
    family.reference = reference
    return family


def adopt(model: Any, family: EncoderFamily) -> Any:
    """The model, which knows its family from now on; its copies do too."""
    setattr(model, _MARK, family)
    return model


def family_of(model: Any) -> EncoderFamily:
    """The family that a model was loaded by, else the one of its type."""
    return getattr(model, _MARK, None) or family_for(model.config.model_type)
