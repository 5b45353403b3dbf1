"""Intermediate tasks with nothing to learn: the same texts with shuffled labels.

A search over them must end with the verdict that it was not worth its cost. Every label occurs as often as before, and a model
that is trained on them forgets as it would on any other task.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tasksearch.lab.items import Row


def shuffled(rows: Sequence[Row], rng: Random) -> list[Row]:
    """Shuffle the labels of one file: of pairs and choices among all rows, tags among all words.

    An answer becomes a random word of its context.
    """
    if not rows or "label" in rows[0]:
        labels = [row["label"] for row in rows]
        rng.shuffle(labels)
        return [row | {"label": label} for row, label in zip(rows, labels, strict=True)]
    if "tags" in rows[0]:
        tags = [tag for row in rows for tag in row["tags"]]
        rng.shuffle(tags)
        dealt = iter(tags)
        return [row | {"tags": [next(dealt) for _ in row["tags"]]} for row in rows]
    return [row | {"answers": [_any_word(str(row["context"]), rng)]} for row in rows]


def _any_word(context: str, rng: Random) -> Row:
    words = context.split(" ")
    place = rng.randrange(len(words))
    return {"start": sum(len(word) + 1 for word in words[:place]), "text": words[place]}
