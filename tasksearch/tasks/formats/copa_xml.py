"""COPA and Balanced COPA in their authors' XML: an `<item>` with `<p>`, `<a1>` and `<a2>`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tasksearch.core.errors import BadInput
from tasksearch.core.text_files import whole_text
from tasksearch.tasks.formats.choices import copa_row
from tasksearch.tasks.formats.contract import Broken, Format, Record

_PLACES = {"1": 0, "2": 1}


def items(path: Path) -> Iterator[Record]:
    """Yield (item number, fields as in `copa_row`).

    Raises:
        BadInput: the file is not XML, or declares entities, which COPA never does.
    """
    text = whole_text(path)
    if "<!ENTITY" in text:
        raise BadInput(f"{path}: declares XML entities; expected COPA's own file, which has none")
    try:
        corpus = ElementTree.fromstring(text)
    except ElementTree.ParseError as fault:
        raise BadInput(f"{path}:{fault.position[0]}: not XML ({fault}); is the file whole? fetch it again") from None
    for number, item in enumerate(corpus.iter("item"), start=1):
        yield number, _fields(item)


def _fields(item: ElementTree.Element) -> dict[str, object] | Broken:
    place = item.get("most-plausible-alternative", "")
    texts = [(item.findtext(name) or "").strip() for name in ("p", "a1", "a2")]
    if place not in _PLACES:
        return Broken(f"most-plausible-alternative is {place!r}; expected 1 or 2")
    if not all(texts):
        return Broken("an item without text in p, a1 or a2")
    premise, first, second = texts
    texts_by_name = {"premise": premise, "choice1": first, "choice2": second}
    return {"id": item.get("id"), "asks_for": item.get("asks-for"), "label": _PLACES[place], **texts_by_name}


COPA_XML = Format(records=items, row=copa_row, by_split=True)
