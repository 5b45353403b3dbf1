"""`Template`: the special pieces that a tokenizer puts around one text and around two, read off the tokenizer itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasksearch.core.errors import BadInput

_PROBE = ("a", "b")


@dataclass(frozen=True, kw_only=True)
class Template:
    """`before A after` for one text, `before A between B end` for two.

    Attributes:
        before, after, between, end: ids of special pieces; `before` and `between` are never empty.
        special_types: token type of each special piece of a pair, in their order; `after` has those of `between`.
        text_types: token types of the first and of the second text.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    between: tuple[int, ...]
    end: tuple[int, ...]
    special_types: tuple[int, ...]
    text_types: tuple[int, int] = (0, 0)

    @classmethod
    def roberta(cls, bos: int, eos: int) -> Template:
        """`<s> A </s>` and `<s> A </s></s> B </s>`, all of one type."""
        return cls(before=(bos,), after=(eos,), between=(eos, eos), end=(eos,), special_types=(0, 0, 0, 0))

    @property
    def ids(self) -> tuple[int, ...]:
        """Every special piece of it once, ascending."""
        return tuple(sorted({*self.before, *self.after, *self.between, *self.end}))

    @property
    def single_room(self) -> int:
        """How many special pieces stand around one text."""
        return len(self.before) + len(self.after)

    @property
    def pair_room(self) -> int:
        """How many special pieces stand around two."""
        return len(self.before) + len(self.between) + len(self.end)

    @property
    def typed(self) -> bool:
        """Whether not all pieces are of type 0."""
        return any(self.special_types) or any(self.text_types)

    def single(self, a: list[int]) -> list[int]:
        """The row of one text."""
        return [*self.before, *a, *self.after]

    def pair(self, a: list[int], b: list[int]) -> list[int]:
        """The row of two."""
        return [*self.before, *a, *self.between, *b, *self.end]


def template_of(tokenizer: Any) -> Template:
    """The template by which the tokenizer encodes a probe pair; RoBERTa's for one that has no fast backend.

    Raises:
        BadInput: the template cannot be told from the text in it, or is another one for one text than for two.
    """
    return _probed(tokenizer)


@lru_cache(maxsize=8)
def _probed(tokenizer: Any) -> Template:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return Template.roberta(tokenizer.bos_token_id, tokenizer.eos_token_id)
    backend.no_truncation()
    backend.no_padding()
    alone, both = backend.encode(_PROBE[0]), backend.encode(*_PROBE)
    if 0 not in alone.sequence_ids or not {0, 1} <= {*both.sequence_ids}:
        raise BadInput(f"its tokenizer gives no piece for {_PROBE[0]!r} or {_PROBE[1]!r}; expected one that cuts any text")
    before, _, after = _cut(alone)
    front, first, _ = _cut(both)
    between, second, end = _cut(both, of=1, begin=len(front) + len(first))
    found = Template(
        before=_ids(front),
        after=_ids(after),
        between=_ids(between),
        end=_ids(end),
        special_types=tuple(kind for _, kind in (*front, *between, *end)),
        text_types=(first[0][1], second[0][1]),
    )
    _check(found, before, after, tokenizer.pad_token_id)
    return found


_Pieces = list[tuple[int, int]]
"""(id, type) of each."""


def _cut(encoding: Any, *, of: int = 0, begin: int = 0) -> tuple[_Pieces, _Pieces, _Pieces]:
    """What stands before a text, the text, and what stands behind it."""
    owners = encoding.sequence_ids
    there = [place for place, owner in enumerate(owners) if owner == of]
    pieces = list(zip(encoding.ids, encoding.type_ids, strict=True))
    return pieces[begin : there[0]], pieces[there[0] : there[-1] + 1], pieces[there[-1] + 1 :]


def _ids(pieces: _Pieces) -> tuple[int, ...]:
    return tuple(piece for piece, _ in pieces)


def _check(found: Template, before: _Pieces, after: _Pieces, pad: int | None) -> None:
    shown = f"{list(found.before)} A {list(found.between)} B {list(found.end)}"
    if not found.before or not found.between:
        raise BadInput(f"its tokenizer makes a pair {shown}; expected special pieces before the first text and between the two")
    if pad in found.ids:
        raise BadInput(
            f"its tokenizer pads with {pad}, which also stands in a pair {shown}; expected a padding piece of its own"
        )
    starts = len(found.before)
    kinds = found.special_types[starts : starts + len(after)]
    if _ids(before) != found.before or tuple(kind for _, kind in after) != kinds or len(after) > len(found.between):
        raise BadInput(f"its tokenizer makes a pair {shown}, but one text {list(_ids(before))} A {list(_ids(after))}; expected "
                       "both to begin alike")  # fmt: skip
