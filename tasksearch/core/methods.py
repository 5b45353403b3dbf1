"""Training methods in words: `adversarial:epsilon=0.1,steps=2,phase=both`.

A method changes how a phase takes its steps: the inputs, the loss, or both. Settings hold it as canonical text, so that flag,
config file, search space, plan and signature all say the same thing. What a method does is in `training.methods`.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from tasksearch.core.errors import BadInput, UnknownName

Phase = Literal["intermediate", "target"]
PHASES: dict[str, tuple[Phase, ...]] = {
    "intermediate": ("intermediate",),
    "target": ("target",),
    "both": ("intermediate", "target"),
}
"""Value of `phase` in a method's words → phases that it is used in; without one a method is used in target phases."""


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """Base class of the methods' settings: numbers and words with defaults, in the order in which they are written.

    Attributes:
        word: the method's name.
        files: names of the fields that are paths; their content enters signatures in place of the path.
        kinds: kinds of task that the method changes; empty: all. A phase without any of them does not use the method.
    """

    word: ClassVar[str]
    files: ClassVar[tuple[str, ...]] = ()
    kinds: ClassVar[tuple[str, ...]] = ()

    def __str__(self) -> str:
        """Return the canonical text; fields that hold their defaults are left out."""
        fields = [(f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if getattr(self, f.name) != f.default]
        told = ",".join(f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}" for name, value in fields)
        return f"{self.word}:{told}" if told else self.word


def _share(word: str, name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise BadInput(
            f"{name} of method {word!r} is {value:g}; expected a number in (0, 1], a share of the mean embedding norm"
        )


@dataclass(frozen=True, kw_only=True)
class Adversarial(MethodSettings):
    """Adversarial training (Huang et al. 2021): the loss at the worst point found in a ball around each input embedding.

    Attributes:
        epsilon: radius of the ball around each token's embedding, as a share of the mean norm of the step's embeddings.
        steps: steps of gradient ascent; each costs a forward and a backward pass.
        step_size: length of one of them, as a share of the radius; 0: 2.5 / `steps`, at most 1 (Madry et al. 2018).
    """

    word: ClassVar[str] = "adversarial"
    epsilon: float = 0.1
    steps: int = 1
    step_size: float = 0.0

    def __post_init__(self) -> None:
        _share(self.word, "epsilon", self.epsilon)
        if self.steps < 1:
            raise BadInput(f"steps of method {self.word!r} is {self.steps}; expected at least 1")
        if not 0 <= self.step_size <= 2:
            raise BadInput(f"step_size of method {self.word!r} is {self.step_size:g}; expected a share of the radius in (0, 2]")

    @property
    def stride(self) -> float:
        """Length of one step of ascent, as a share of the radius."""
        return self.step_size or min(1.0, 2.5 / self.steps)


@dataclass(frozen=True, kw_only=True)
class Smoothing(MethodSettings):
    """Randomized smoothing (Huang et al. 2021): Gaussian noise on the input embeddings.

    Attributes:
        sigma: root mean square norm of a token's noise, as a share of the mean norm of the step's embeddings.
    """

    word: ClassVar[str] = "smoothing"
    sigma: float = 0.1

    def __post_init__(self) -> None:
        _share(self.word, "sigma", self.sigma)


@dataclass(frozen=True, kw_only=True)
class Substitution(MethodSettings):
    """Smoothing by synonyms (Huang et al. 2021): words of training examples are drawn from themselves and their synonyms.

    Attributes:
        table: file with a word and its synonyms, separated by tabs, on each line; or a JSON object of lists.
        rate: share of the words with synonyms that are drawn; the others stay.
    """

    word: ClassVar[str] = "synonyms"
    files: ClassVar[tuple[str, ...]] = ("table",)
    kinds: ClassVar[tuple[str, ...]] = ("pair", "sentence", "multilabel", "choice", "tagging")
    table: str = ""
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not self.table:
            raise BadInput(f"method {self.word!r} without a table; expected {self.word}:table=FILE.tsv")
        if not 0 < self.rate <= 1:
            raise BadInput(f"rate of method {self.word!r} is {self.rate:g}; expected a share in (0, 1]")


@dataclass(frozen=True, kw_only=True)
class LanguageAdversary(MethodSettings):
    """Language-adversarial training (Chen et al. 2018): the encoder hides the language of unlabelled sentences.

    Attributes:
        text: folder with a file of sentences per language, such as `sw.txt`.
        strength: weight of the reversed gradient at the end of a segment; it rises from 0.
        sentences: sentences beside every step, drawn evenly over the languages.
    """

    word: ClassVar[str] = "languages"
    files: ClassVar[tuple[str, ...]] = ("text",)
    text: str = ""
    strength: float = 0.1
    sentences: int = 16

    def __post_init__(self) -> None:
        if not self.text:
            raise BadInput(f"method {self.word!r} without text; expected {self.word}:text=FOLDER")
        if not 0 < self.strength <= 10:
            raise BadInput(f"strength of method {self.word!r} is {self.strength:g}; expected a number in (0, 10]")
        if self.sentences < 2:
            raise BadInput(f"sentences of method {self.word!r} is {self.sentences}; expected at least 2")


KNOWN_METHODS: dict[str, type[MethodSettings]] = {
    one.word: one for one in (Adversarial, Smoothing, Substitution, LanguageAdversary)
}


@lru_cache(maxsize=1024)
def read_method(text: str) -> MethodSettings:
    """Parse a method as settings hold it: without `phase`.

    Raises:
        UnknownName: no such method, or no such setting of it.
        BadInput: a value has another type or is out of range.
    """
    word, _, rest = text.partition(":")
    kind = KNOWN_METHODS.get(word.strip())
    if kind is None:
        raise UnknownName("method", word.strip(), sorted(KNOWN_METHODS))
    hints = typing.get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in rest.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise BadInput(f"method {text!r}: {part!r}; expected NAME=VALUE, such as {names[0]}=0.1")
        if name not in names:
            raise UnknownName(f"setting of method {kind.word!r}", name, (*names, "phase"))
        try:
            values[name] = hints[name](value)
        except ValueError:
            wish = "an integer" if hints[name] is int else "a number"
            raise BadInput(f"{name} of method {kind.word!r} is {value!r}; expected {wish}") from None
    return kind(**values)


def method_words(text: str) -> tuple[tuple[Phase, ...], str]:
    """Parse a method as a user writes it: the phases it is used in, and its canonical text.

    Raises:
        UnknownName, BadInput: as `read_method`.
    """
    word, colon, rest = text.partition(":")
    parts = [one for one in rest.split(",") if one.strip()]
    said = [one.partition("=")[2].strip() for one in parts if one.partition("=")[0].strip() == "phase"]
    phase = said[-1] if said else "target"
    if phase not in PHASES:
        raise UnknownName("phase of a method", phase, PHASES)
    kept = [one for one in parts if one.partition("=")[0].strip() != "phase"]
    return PHASES[phase], str(read_method(word + colon + ",".join(kept)))


def canonical_methods(texts: Iterable[str]) -> tuple[str, ...]:
    """Return methods as users write them in canonical form, each method once per phase.

    Raises:
        BadInput: a phase would use one method twice.
    """
    found: dict[tuple[Phase, str], None] = {}
    told = []
    for text in texts:
        phases, canonical = method_words(text)
        word = canonical.partition(":")[0]
        for phase in phases:
            if (phase, word) in found:
                raise BadInput(f"method {word!r} is given twice for the {phase} phase; expected once")
            found[phase, word] = None
        told.append(_with_phase(canonical, phases))
    return tuple(sorted(told))


def methods_of(texts: Iterable[str], phase: Phase) -> tuple[str, ...]:
    """Return the methods that a phase uses, as its settings hold them."""
    return tuple(canonical for text in texts for phases, canonical in [method_words(text)] if phase in phases)


def with_contents(texts: Iterable[str], contents: Mapping[str, str], kinds: Collection[str]) -> tuple[str, ...]:
    """Return the methods that change a phase with tasks of these kinds, with each file's hash in place of its path."""

    def told(method: MethodSettings) -> MethodSettings:
        return dataclasses.replace(method, **{name: contents[getattr(method, name)] for name in method.files})

    used = [method for method in map(read_method, texts) if not method.kinds or set(method.kinds) & set(kinds)]
    return tuple(str(told(method)) for method in used)


def files_of_methods(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the paths that methods read."""
    found = [(method, name) for method in map(read_method, texts) for name in method.files]
    return tuple(dict.fromkeys(getattr(method, name) for method, name in found))


def with_absolute_paths(text: str) -> str:
    """Return a method as a user writes it in canonical form, with absolute paths."""
    phases, canonical = method_words(text)
    method = read_method(canonical)
    changes: dict[str, Any] = {name: str(Path(getattr(method, name)).absolute()) for name in method.files}
    return _with_phase(str(dataclasses.replace(method, **changes)), phases)


def _with_phase(canonical: str, phases: tuple[Phase, ...]) -> str:
    if phases == PHASES["target"]:
        return canonical
    word = next(name for name, used in PHASES.items() if used == phases)
    return f"{canonical}{',' if ':' in canonical else ':'}phase={word}"
