"""A tokenizer with fewer pieces that cuts the texts it was trimmed for as before, and a model with their rows alone.

Unigram keeps the best path of a text while pieces in no best path go (the lowest score stays, by which unknown pieces are
scored); WordPiece takes the longest match, which is among the kept; BPE applies the kept merges in their order, and none that
goes was ever applied. Single characters of kept pieces are kept as well, so that other text of the same scripts can be cut.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tasksearch.core.errors import BadInput
from tasksearch.models.families import family_of


def trimmed_tokenizer(definition: str, used: Iterable[int]) -> tuple[str, list[int]]:
    """Return the `tokenizer.json` of a smaller vocabulary, and the old id of each of its pieces in the order of new ids.

    Args:
        definition: text of the whole tokenizer.
        used: ids that its texts are cut into; special and added pieces are kept anyway.

    Raises:
        BadInput: a kind of tokenizer that cannot be trimmed.
    """
    spec = json.loads(definition)
    model, kind = spec["model"], spec["model"]["type"]
    if kind not in _KEPT or (kind == "BPE" and model.get("continuing_subword_prefix")):
        raise BadInput(f"a tokenizer of kind {kind} cannot be trimmed; expected Unigram, WordPiece or BPE")
    pieces = _pieces(model)
    ids = {piece: number for number, piece in pieces.items()}
    named = {pieces[number] for number in used if number in pieces}
    named |= {piece for piece in ids if piece.startswith("<0x") and piece.endswith(">")}  # bytes, of unknown characters
    named |= {model[key] for key in ("unk_token",) if model.get(key)}
    numbers = {ids[piece] for piece in _KEPT[kind](model, named, ids) if piece in ids}
    if kind == "Unigram":
        numbers |= {model["unk_id"]} - {None}
    added = {token["id"] for token in spec["added_tokens"]}
    kept = sorted(numbers | added)
    new = {old: number for number, old in enumerate(kept)}
    if kind == "Unigram":
        model["vocab"] = [model["vocab"][number] for number in kept if number in pieces]
        model["unk_id"] = new.get(model["unk_id"])
    else:
        model["vocab"] = {pieces[number]: new[number] for number in kept if number in pieces}
    if kind == "BPE":
        there = model["vocab"]
        model["merges"] = [pair for pair in model["merges"] if {*_parts(pair), "".join(_parts(pair))} <= there.keys()]
    for token in spec["added_tokens"]:
        token["id"] = new[token["id"]]
    renumber(spec["post_processor"] or {}, new)
    spec["padding"] = spec["truncation"] = None
    return json.dumps(spec, ensure_ascii=False), kept


def _pieces(model: Mapping[str, Any]) -> dict[int, str]:
    vocab = model["vocab"]
    return dict(enumerate(piece for piece, _ in vocab)) if isinstance(vocab, list) else {n: piece for piece, n in vocab.items()}


def _characters(named: set[str]) -> set[str]:
    return {character for piece in named for character in piece}


def _unigram(model: Mapping[str, Any], named: set[str], ids: Mapping[str, int]) -> set[str]:
    lowest = min(model["vocab"], key=lambda entry: entry[1])[0]
    return named | _characters(named) | {lowest}


def _wordpiece(model: Mapping[str, Any], named: set[str], ids: Mapping[str, int]) -> set[str]:
    inner = model["continuing_subword_prefix"]
    characters = _characters({piece.removeprefix(inner) for piece in named})
    return named | characters | {inner + character for character in characters}


def _bpe(model: Mapping[str, Any], named: set[str], ids: Mapping[str, int]) -> set[str]:
    """Every piece that a kept one may have been merged from."""
    made: dict[str, list[tuple[str, str]]] = {}
    for pair in model["merges"]:
        first, second = _parts(pair)
        made.setdefault(first + second, []).append((first, second))
    found, left = set[str](), [*named]
    while left:
        piece = left.pop()
        if piece not in found:
            found.add(piece)
            left += [part for pair in made.get(piece, ()) for part in pair]
    single = {piece for piece in ids if len(piece) == 1}
    return found | (single if len(single) <= _ALPHABET else _characters(found))


_ALPHABET = 512
"""Single pieces of a byte-level vocabulary, and some: they are all kept, since any text is cut into them."""

_KEPT: Mapping[str, Callable[[Mapping[str, Any], set[str], Mapping[str, int]], set[str]]] = {
    "Unigram": _unigram, "WordPiece": _wordpiece, "BPE": _bpe
}  # fmt: skip


def _parts(pair: str | list[str]) -> tuple[str, str]:
    first, second = pair.split(" ") if isinstance(pair, str) else pair
    return first, second


def renumber(processor: dict[str, Any], new: Mapping[int, int]) -> None:
    """Give the pieces of a post-processor their new ids, in place."""
    for inner in processor.get("processors", ()):
        renumber(inner, new)
    for special in processor.get("special_tokens", {}).values():
        special["ids"] = [new[number] for number in special["ids"]]
    for key in ("cls", "sep"):
        if key in processor:
            processor[key][1] = new[processor[key][1]]


def trimmed_model(model: Any, kept: list[int]) -> Any:
    """Return a copy of a family's model with these rows of its vocabulary alone, in this order."""
    return resized_model(model, [[number] for number in kept])


def resized_model(model: Any, rows: list[list[int]]) -> Any:
    """Return a copy of a family's model with another vocabulary.

    Args:
        rows: for every new piece the old pieces whose rows it begins as the mean of.
    """
    import torch

    new = {old[0]: number for number, old in enumerate(rows) if len(old) == 1}
    config = copy.deepcopy(model.config)
    for name, value in model.config.to_dict().items():
        if name.endswith("_token_id") and value is not None:
            several = isinstance(value, (list, tuple))
            found = [new[number] for number in (value if several else [value]) if number in new]
            if found:  # else no special piece of this tokenizer had the old id
                setattr(config, name, found if several else found[0])
    config.vocab_size = len(rows)
    table, first = model.state_dict(), torch.tensor([old[0] for old in rows])
    for name in family_of(model).vocabulary_tensors(model):
        was = table[name]
        table[name] = was[first]
        for number, old in enumerate(rows):
            if len(old) > 1:
                table[name][number] = was[old].mean(0)
    made = type(model)(config).eval()
    made.load_state_dict(table)
    return made
