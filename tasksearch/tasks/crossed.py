"""Pairs whose two sentences are in different languages, from parallel evaluation texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tasksearch.core.errors import BadInput
from tasksearch.core.signature import seed_from
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import Example, TextExample

Seconds = tuple[tuple[int, str | None], ...]
"""Label and second sentence of each example of a language, all that other languages' pairs need of it."""


def crossed(
    card: TaskCard,
    language: str,
    split: str,
    read: Callable[[str], tuple[Example, ...]],
    read_seconds: Callable[[str], Seconds],
) -> tuple[Example, ...]:
    """Return the examples of a split with their second sentence in the card's `second_language`.

    Under `any` the language of example n is drawn by a hash of n: all pairs of languages get about equally many examples.

    Args:
        read: language → its examples of the split.
        read_seconds: language → `seconds` of its examples of the split.

    Raises:
        BadInput: the texts of two languages are not parallel.
    """
    first, others = _texts(read(language)), card.languages_beside(language)
    beside = {one: read_seconds(one) for one in others}
    for other, texts in beside.items():
        _check_parallel(card, split, (language, first), (other, texts))
    drawn = [beside[others[seed_from("second language", number) % len(others)]][number] for number in range(len(first))]
    return tuple(replace(a, text_b=text) for a, (_, text) in zip(first, drawn, strict=True))


def seconds(examples: Sequence[Example]) -> Seconds:
    """Return label and second sentence of each example."""
    return tuple((one.label, one.text_b) for one in _texts(examples))


def _texts(examples: Sequence[Example]) -> list[TextExample]:
    return [one for one in examples if isinstance(one, TextExample)]


def _check_parallel(card: TaskCard, split: str, one: tuple[str, list[TextExample]], other: tuple[str, Seconds]) -> None:
    wish = "expected parallel texts, the same examples in the same order"
    (language, ours), (second, theirs) = one, other
    if len(ours) != len(theirs):
        raise BadInput(f"{card.name} {split}: {len(ours)} examples in {language!r}, {len(theirs)} in {second!r}; {wish}")
    for number, (a, (label, _)) in enumerate(zip(ours, theirs, strict=True), start=1):
        if a.label != label:
            told = f"{card.labels[a.label]!r} in {language!r}, {card.labels[label]!r} in {second!r}"
            raise BadInput(f"{card.name} {split}: example {number} is {told}; {wish}")
