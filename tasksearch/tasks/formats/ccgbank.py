"""CCGbank's `.auto` files (LDC2005T13): one derivation per sentence, from which words and their categories are read.

ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1
(<T S[dcl] 0 2> (<L NP/N DT DT the NP_1/N_1>) …)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasksearch.tasks.formats.contract import Ask, Broken, Format, Record
from tasksearch.tasks.formats.lines import lines

_LEAF = re.compile(r"\(<L (\S+) (\S+) (\S+) (\S+) (\S+)>\)")
"""category, modified and original part of speech, word, predicate-argument category"""


def derivations(path: Path) -> Iterator[Record]:
    """Yield (line, {id, derivation}) for every sentence."""
    identity = ""
    for number, line in lines(path):
        if isinstance(line, Broken):
            yield number, line
        elif line.startswith("ID="):
            identity = line.split()[0].removeprefix("ID=")
        elif line.startswith("("):
            yield number, {"id": identity or f"{path.stem}.{number}", "derivation": line}
            identity = ""
        elif line.strip():
            yield number, Broken(f"neither 'ID=…' nor a derivation '(<…' but {line[:40]!r}; expected CCGbank's .auto format")


def derivation_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Return words with their lexical categories as tags; the document is the WSJ file."""
    text = record["derivation"]
    leaves = _LEAF.findall(text)
    if not leaves or len(leaves) != text.count("(<L "):
        raise ValueError(
            f"{text.count('(<L ')} leaves, {len(leaves)} of them whole; expected '(<L category pos pos word args>)'"
        )
    inner = sum(cell.count(")") for leaf in leaves for cell in leaf)  # brackets within categories and words do not close a node
    nodes = re.findall(r"\(<T (\S+) ", text)
    if text.count("(<") != text.count(")") - inner - sum(category.count(")") for category in nodes):
        raise ValueError("the derivation's brackets do not close; is the file whole?")
    return {
        "id": record["id"],
        "words": [leaf[3] for leaf in leaves],
        "tags": [leaf[0] for leaf in leaves],
        "document": str(record["id"]).rsplit(".", 1)[0],
    }


CCGBANK = Format(records=derivations, row=derivation_row)
