"""Two pools of sentences to be mined for translations, and the gold pairs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput
from tasksearch.tasks.examples import BitextExample, Example, PoolSentence
from tasksearch.tasks.selection_split import scored_rows

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pools:
    """The foreign and the English pool, as ascending row indices into the examples.

    Attributes:
        foreign, english: rows of each side.
        scored: rows of the foreign sentences that have a translation.
        gold: all pairs to be found, as (foreign id, English id).
    """

    sentences: tuple[PoolSentence, ...]
    foreign: Ints
    english: Ints
    scored: Ints
    gold: frozenset[tuple[str, str]]

    def side(self, rows: Ints) -> dict[str, str]:
        """Return id → text for the given rows."""
        return {self.sentences[int(row)].id: self.sentences[int(row)].text for row in rows}

    @property
    def stretches(self) -> Ints:
        """For each foreign sentence, the row of the scored sentence that it is counted with; shape (foreign,).

        A scored sentence and those after it, up to the next scored one, form one example: a wrongly mined pair counts against
        the example of its foreign sentence, and there are as many examples as sentences with a translation. Sentences before
        the first scored one are counted with it.
        """
        place = np.searchsorted(self.scored, self.foreign, side="right") - 1
        return self.scored[np.maximum(place, 0)]


def pools_of(examples: Sequence[Example], place: str = "pools") -> Pools:
    """Return the pools of one language and split.

    Args:
        place: prefix of messages.

    Raises:
        BadInput: a side is empty, there is no pair to find, or a translation is not the id of an English sentence.
    """
    sentences = tuple(e for e in examples if isinstance(e, PoolSentence))
    english = np.array([e.english for e in sentences], dtype=np.bool_)
    scored = scored_rows(sentences)
    if english.all() or not english.any() or not len(scored):
        sides = f"{int((~english).sum())} foreign and {int(english.sum())} English sentences"
        raise BadInput(f"{place}: {sides}, {len(scored)} of them with a translation; expected some of each")
    known = {e.id for e in sentences if e.english}
    gold = frozenset((e.id, name) for e in sentences for name in e.translations)
    for foreign, name in sorted(gold):
        if name not in known:
            raise BadInput(f"{place}: sentence {foreign!r} has the translation {name!r}; no English sentence has that id")
    return Pools(
        sentences=sentences, foreign=np.flatnonzero(~english), english=np.flatnonzero(english), scored=scored, gold=gold
    )


def gold_pairs(examples: Sequence[Example], place: str = "pools") -> tuple[BitextExample, ...]:
    """Return the gold pairs as bitext, in the order of the foreign side; raises as `pools_of` does."""
    pools = pools_of(examples, place)
    english = pools.side(pools.english)
    return tuple(BitextExample(e.id, e.text, english[name], e.document) for e in pools.sentences for name in e.translations)
