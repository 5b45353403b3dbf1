"""CoNLL-U, read as XTREME reads Universal Dependencies for UDPOS.

XTREME converts with `conllu_to_conll.py --replace_subtokens_with_fused_forms` and then `utils_preprocess.py`: a multiword token
("du" = "de" + "le") replaces its parts and gets the tag of the part nearest to the root (the fewest ancestors, over basic and
enhanced edges; ties by a precedence of tags); empty nodes (8.1) are dropped; U+200C and spaces inside a word are removed; a
sentence in which all words, or all but one, are "_" (text withheld for its licence) is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Broken, Format, LeftOut, Record
from tasksearch.tasks.formats.lines import lines

COLUMNS = 10
_ZERO_WIDTH = "\u200c"
_PRECEDENCE: dict[str, tuple[str, ...]] = {
    "es": ("VERB", "AUX", "PRON", "ADP", "DET"),
    "fr": ("VERB", "AUX", "PRON", "NOUN", "ADJ", "ADV", "ADP", "DET", "PART", "SCONJ", "CONJ"),
    "it": ("VERB", "AUX", "ADV", "PRON", "ADP", "DET", "INTJ"),
}
"""Precedences of conllu_to_conll.py. A tag missing from a list makes that script fail; here it comes last."""
_OTHERS = (
    "VERB", "NOUN", "PROPN", "PRON", "ADJ", "NUM", "ADV", "INTJ", "AUX", "ADP", "DET", "PART", "CCONJ", "SCONJ", "X", "PUNCT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A syntactic word: form, UPOS tag, and its heads in the basic and the enhanced graph."""

    form: str
    tag: str
    heads: tuple[int, ...]


@dataclass(slots=True)
class Sentence:
    """Words by id, and multiword tokens as (first, last, form)."""

    identity: str
    tokens: dict[int, Token] = field(default_factory=dict)
    fused: list[tuple[int, int, str]] = field(default_factory=list)


def sentences(path: Path) -> Iterator[Record]:
    """Yield (first line, sentence) for every block between blank lines; for a block with a bad line only that line."""
    block: list[tuple[int, str | Broken]] = []
    count = 0
    for number, line in (*lines(path), (0, "")):
        if isinstance(line, Broken) or line.strip():
            block.append((number, line))
        elif block:
            count += 1
            yield _sentence(block, f"{path.stem}-{count}")
            block = []


def _sentence(block: Sequence[tuple[int, str | Broken]], identity: str) -> Record:
    sentence = Sentence(identity)
    for number, line in block:
        if isinstance(line, Broken):
            return number, line
        if line.startswith("#"):
            if line.startswith("# sent_id ="):
                sentence.identity = line.split("=", 1)[1].strip()
            continue
        cells = line.split("\t")
        if len(cells) != COLUMNS:
            return number, Broken(f"{len(cells)} tab-separated columns; expected CoNLL-U's {COLUMNS}")
        if fault := _take(cells, sentence):
            return number, Broken(fault)
    return block[0][0], sentence


def _take(cells: Sequence[str], sentence: Sentence) -> str:
    """Add a line's word or multiword token; return an error message, or an empty string."""
    if "." in cells[0]:
        return ""  # an empty node
    try:
        if "-" in cells[0]:
            first, last = map(int, cells[0].split("-"))
            clash = next((span for span in sentence.fused if first <= span[1] and last >= span[0]), None)
            sentence.fused.append((first, last, cells[1]))
            return f"multiword token {cells[0]} overlaps {clash[0]}-{clash[1]}" if clash else ""
        enhanced = [part.split(":", 1)[0] for part in cells[8].split("|")]
        heads = ([int(cells[6])] if cells[6] != "_" else []) + [int(head) for head in enhanced if head.isdecimal()]
        number = int(cells[0])
    except ValueError:
        return f"token id {cells[0]!r} or head {cells[6]!r} is not a number"
    if number in sentence.tokens:
        return f"token id {number} stands twice in the sentence"
    sentence.tokens[number] = Token(cells[1], cells[3], tuple(heads))
    return ""


def sentence_row(record: Sentence, ask: Ask) -> Mapping[str, Any] | LeftOut:
    """Return words and tags with multiword tokens merged."""
    _check(record)
    words, tags = _merged(record, ask.language)
    withheld = sum(word == "_" for word in words)
    if withheld and withheld >= len(words) - 1:
        return LeftOut("the treebank withholds its words ('_')")
    return {"id": record.identity, "words": words, "tags": tags}


def word_row(record: Sentence, ask: Ask) -> Mapping[str, Any]:
    """Return syntactic words with multiword tokens split, for every sentence.

    These are Universal Dependencies' own words, not XTREME's.
    """
    _check(record)
    words = [record.tokens[index] for index in sorted(record.tokens)]
    named = {"document": record.identity} if "document" in ask.columns else {}
    return {"id": record.identity, "words": [word.form for word in words], "tags": [word.tag for word in words]} | named


def _check(record: Sentence) -> None:
    tokens = record.tokens
    if not tokens or sorted(tokens) != list(range(1, len(tokens) + 1)):
        raise ValueError(f"token ids {sorted(tokens)[:5]} …; expected 1, 2, 3, … in every sentence")
    if any(not 0 < first <= last <= len(tokens) for first, last, _ in record.fused):
        raise ValueError(f"a multiword token spans words that are not among the sentence's {len(tokens)}")


def _merged(sentence: Sentence, language: str) -> tuple[list[str], list[str]]:
    forms = {index: token.form for index, token in sentence.tokens.items()}
    for first, last, form in sentence.fused:
        span = range(first, last + 1)
        head = _head(span, sentence.tokens, _PRECEDENCE.get(language, _OTHERS))
        for index in span:
            forms.pop(index, None)
        forms[head] = form
    kept = sorted(forms)
    words = [forms[index].strip().replace(_ZERO_WIDTH, "").replace(" ", "") for index in kept]
    return words, [sentence.tokens[index].tag.strip() for index in kept]


def _head(span: Sequence[int], tokens: Mapping[int, Token], order: Sequence[str]) -> int:
    depth = {index: len(_ancestors(index, tokens)) for index in span}
    highest = [index for index in span if depth[index] == min(depth.values())]
    return min(highest, key=lambda i: order.index(tokens[i].tag) if tokens[i].tag in order else len(order))


def _ancestors(index: int, tokens: Mapping[int, Token]) -> set[int]:
    """Return the nodes from which the token can be reached.

    They include the root (0) but not the token itself (as in networkx).
    """
    seen: set[int] = set()
    waiting = [index]
    while waiting:
        token = tokens.get(waiting.pop())
        for head in token.heads if token else ():
            if head not in seen:
                seen.add(head)
                waiting.append(head)
    return seen - {index}


CONLLU = Format(records=sentences, row=sentence_row)
CONLLU_WORDS = Format(records=sentences, row=word_row)
