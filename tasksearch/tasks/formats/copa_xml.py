"""Balanced COPA as its authors publish it: an XML file of items, each a premise and two alternatives, one more plausible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tasksearch.core.errors import BadInput
from tasksearch.tasks.formats.choices import copa_row
from tasksearch.tasks.formats.contract import Broken, Format, Record
from tasksearch.tasks.formats.lines import lines


def items(path: Path) -> Iterator[Record]:
    """(number from 1, {id, asks_for, label, premise, choice1, choice2}) of every `<item>`; the label counts from 0.

    Raises:
        BadInput: not XML, or XML that declares entities of its own: none is ever expanded.
    """
    found = []
    for number, line in lines(path):
        if isinstance(line, Broken):
            raise BadInput(f"{path}:{number}: {line.why}")
        if "<!ENTITY" in line:
            raise BadInput(f"{path}:{number}: declares an entity; expected Balanced COPA's XML, which has none")
        found.append(line)
    try:
        corpus = ElementTree.fromstring("\n".join(found).encode("utf-8"))
    except ElementTree.ParseError as fault:
        raise BadInput(f"{path}:{fault.position[0]}: not XML ({fault}); is the file whole? fetch it again") from None
    for number, item in enumerate(corpus.iter("item"), start=1):
        yield number, _item(item)


def _item(item: ElementTree.Element) -> dict[str, object] | Broken:
    best = item.get("most-plausible-alternative")
    if best not in ("1", "2"):
        return Broken(f"most-plausible-alternative is {best!r}; expected 1 or 2")
    texts = {name: (item.findtext(tag) or "").strip() for name, tag in (("premise", "p"), ("choice1", "a1"), ("choice2", "a2"))}
    return {"id": item.get("id"), "asks_for": item.get("asks-for"), "label": int(best) - 1, **texts}


COPA_XML = Format(records=items, row=copa_row)
