"""A tokenizer with further pieces, and a model with a row for each of them.

A new piece is added where the old tokenizer cuts its text into several: of a Unigram its score is just above theirs together,
so that it replaces exactly that cut and leaves other texts alone; WordPiece takes the longest piece by itself. Its vectors
begin as the mean of theirs (Gee et al., EMNLP 2022 industry track).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tasksearch.core.errors import BadInput
from tasksearch.models.vocabulary_trim import renumber

WORD = "▁"
"""How a candidate marks the start of a word."""
_GAIN = 0.1
"""Log-probability that a new Unigram piece gains by every piece that it replaces beyond the first."""


def extended_tokenizer(definition: str, candidates: Sequence[str], most: int) -> tuple[str, list[list[int]]]:
    """Return the `tokenizer.json` with the first `most` candidates that it lacks, and for every id the old ids it is made of.

    Args:
        definition: text of the tokenizer.
        candidates: pieces as a Unigram has them, words begun by `▁`; the best first.

    Raises:
        BadInput: a kind of tokenizer that cannot be extended, or one whose ids have gaps.
    """
    spec = json.loads(definition)
    model, kind = spec["model"], spec["model"]["type"]
    if kind not in ("Unigram", "WordPiece"):
        raise BadInput(f"a tokenizer of kind {kind} cannot be extended; expected Unigram or WordPiece")
    ids = {piece: n for n, (piece, _) in enumerate(model["vocab"])} if kind == "Unigram" else dict(model["vocab"])
    known = ids.keys() | {token["content"] for token in spec["added_tokens"]}
    scores = dict(model["vocab"]) if kind == "Unigram" else {}
    unknown = model["unk_id"] if kind == "Unigram" else ids[model["unk_token"]]
    new: dict[str, list[str]] = {}
    for candidate in candidates:
        piece = candidate if kind == "Unigram" else _wordpiece(candidate, model["continuing_subword_prefix"])
        if len(new) == most:
            break
        if piece in known or piece in new:
            continue
        cut = _best(piece, scores) if kind == "Unigram" else _longest(piece, model["continuing_subword_prefix"], ids)
        if len(cut) != 1:
            new[piece] = cut
    size, first = len(ids), max(ids.values()) + 1
    moved = {token["id"]: token["id"] + len(new) for token in spec["added_tokens"] if token["id"] >= first}
    made = [[n] for n in range(first)] + [[ids[part] for part in cut] or [unknown] for cut in new.values()]
    made += [[old] for old in sorted(moved)]
    if size != first or sorted(moved) != [*range(first, first + len(moved))]:
        raise BadInput("a tokenizer whose ids have gaps cannot be extended; expected one id for each piece")
    if kind == "Unigram":
        lowest = min(scores.values())
        for piece, cut in new.items():
            total = sum(scores[part] for part in cut) + _GAIN * (len(cut) - 1) if cut else lowest
            model["vocab"].append([piece, total])
    else:
        model["vocab"] |= {piece: first + n for n, piece in enumerate(new)}
    for token in spec["added_tokens"]:
        token["id"] = moved.get(token["id"], token["id"])
    renumber(spec["post_processor"] or {}, {n: n for n in range(first)} | moved)
    spec["padding"] = spec["truncation"] = None
    return json.dumps(spec, ensure_ascii=False), made


def _wordpiece(candidate: str, inner: str) -> str:
    return candidate.removeprefix(WORD) if candidate.startswith(WORD) else f"{inner}{candidate}"


def _best(piece: str, scores: Mapping[str, float]) -> list[str]:
    """Return the pieces of the best path through a text; empty where some character is in no piece."""
    best: list[tuple[float, list[str]] | None] = [(0.0, [])]
    for end in range(1, len(piece) + 1):
        found = None
        for begin in range(end):
            before, part = best[begin], piece[begin:end]
            if before is not None and part in scores and part != piece:
                total = before[0] + scores[part]
                found = (total, [*before[1], part]) if found is None or total > found[0] else found
        best.append(found)
    last = best[-1]
    return last[1] if last is not None else []


def _longest(piece: str, inner: str, ids: Mapping[str, int]) -> list[str]:
    """Return the pieces that WordPiece cuts a piece into; empty where some character is in no piece."""
    text, mark = (piece.removeprefix(inner), inner) if piece.startswith(inner) else (piece, "")
    cut = []
    while text:
        part = next((mark + text[:end] for end in range(len(text), 0, -1) if mark + text[:end] in ids), None)
        if part is None:
            return []
        cut.append(part)
        text, mark = text[len(part) - len(mark) :], inner
    return cut
