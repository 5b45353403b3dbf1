"""A study's own sampler, picker, trainable and encoder: from what the user wrote to the reference that is kept, and back."""

from __future__ import annotations

from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.core.own_files import is_path, is_reference, refer, referred
from tasksearch.core.study import SAMPLERS, StudyConfig

TRAINABLE = "a class derived from trainables.base.PlanTrainable"


def sampler_name(text: str) -> str:
    """Return `tpe`, `random`, the dotted name of an Optuna sampler, or the reference of `FILE.py:NAME`.

    The sampler is built once, to check it.

    Raises:
        UnknownName, BadInput: it is not a sampler that can be built from a seed alone.
    """
    if text in SAMPLERS:
        return text
    from tasksearch.search.optuna_samplers import WANTED, check_sampler

    name = refer("--sampler", text, WANTED) if is_path(text.partition(":")[0]) and not is_reference(text) else text
    check_sampler(name)
    return name


def picker_name(text: str) -> str:
    """Return the reference of `FILE.py:NAME`; empty for the built-in picker."""
    from tasksearch.analysis.picker import WANTED

    return refer("--picker", text, WANTED) if text and not is_reference(text) else text


def trainable_name(text: str) -> str:
    """Return the reference of `FILE.py:NAME`; empty for the built-in three phases.

    Raises:
        BadInput: NAME is not a trainable.
    """
    name = refer("--trainable", text, TRAINABLE) if text and not is_reference(text) else text
    if name:
        _class_of(name)
    return name


def encoder_name(text: str) -> str:
    """The reference of `FILE.py:NAME`; empty for the family of the model's type.

    Raises:
        BadInput: NAME is no family.
    """
    if not text:
        return ""
    from tasksearch.models.families import WANTED, own_family

    name = text if is_reference(text) else refer("--encoder", text, WANTED)
    own_family(name)
    return name


def trainable_of(config: StudyConfig) -> type:
    """Return the class that trains the study's plans."""
    from trainables.three_phase import ThreePhase

    return _class_of(config.trainable) if config.trainable else ThreePhase


def _class_of(reference: str) -> type:
    from trainables.base import PlanTrainable

    found: Any = referred(reference, TRAINABLE)
    if not isinstance(found, type) or not issubclass(found, PlanTrainable):
        raise BadInput(f"{reference.rpartition('@')[0]} is {found!r}; expected {TRAINABLE}")
    return found


def picker_of(config: StudyConfig) -> Any:
    """Return the study's own picker; None if the built-in one (shrunken scores) selects."""
    from tasksearch.analysis.picker import WANTED

    return referred(config.picker, WANTED) if config.picker else None


def reproducible(config: StudyConfig) -> bool:
    """Return whether the study would propose the same trials again, which requires that its sampler takes a seed."""
    if config.sampler in SAMPLERS:
        return True
    from tasksearch.search.optuna_samplers import takes_seed

    return takes_seed(config.sampler)


def unseeded_note(config: StudyConfig) -> str:
    """Return the note shown beside the numbers of a study whose sampler takes no seed; empty for other studies."""
    if reproducible(config):
        return ""
    name = config.sampler.rpartition("@")[0] or config.sampler
    return f"not reproducible: the sampler {name} takes no seed, so the same command may propose other mixes"
