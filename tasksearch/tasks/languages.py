"""Languages by any of their codes: name, script, family, and the amount of text in XLM-R's pretraining.

The canonical code is ISO 639-1 if there is one, else 639-3 (`sw`, not `swa` or `swh`; `zh`, not `cmn`). Text in another script
than the usual one carries it (`ar_Latn`, `zh_Hant`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources

from tasksearch.core.errors import UnknownName

_SUBTAG = re.compile(r"[A-Za-z]{4}|[A-Za-z]{2}|[0-9]{3}")
"""A script or region subtag."""
_TRADITIONAL = frozenset({"TW", "HK", "MO", "158", "344", "446"})
"""Regions that write Chinese in traditional characters."""

LOW_GIB, LOW_PLUS_GIB = 5.0, 10.0
"""Thresholds of groups by CC-100 size, in GiB: `low` is below the first, `low+` below the second. They are this project's
choice.
"""


@dataclass(frozen=True, kw_only=True)
class Language:
    """One language.

    Attributes:
        code: canonical code, used in cards, plans and tables.
        others: other codes of the language.
        script: ISO 15924 code.
        seen: whether XLM-R's pretraining included it; None if unknown.
        gib: GiB of CC-100 text; None if unknown, 0 for a language that XLM-R did not see.
    """

    code: str
    others: tuple[str, ...]
    name: str
    script: str
    family: str
    seen: bool | None
    gib: float | None


@lru_cache(maxsize=1)
def known_languages() -> dict[str, Language]:
    """Return code → language from `languages.tsv`: each in its usual script, some also in another one (`zh_Hant`)."""
    text = (resources.files("tasksearch.tasks") / "languages.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(
        (line for line in text.splitlines() if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    return {
        row["code"]: Language(
            code=row["code"],
            others=tuple(filter(None, row["others"].split(","))),
            name=row["name"],
            script=row["script"],
            family=row["family"],
            seen={"yes": True, "no": False, "unknown": None}[row["xlmr"]],
            gib=float(row["cc100_gib"]) if row["cc100_gib"] else None,
        )
        for row in rows
    }


@lru_cache(maxsize=1)
def _by_any_code() -> dict[str, str]:
    return {name: code for code, language in known_languages().items() for name in (code, *language.others)}


class UnknownLanguage(UnknownName):
    """A code without a language in the table; names the nearest code, since all 450 known codes would not fit on a line."""

    def __init__(self, code: str, near: str | None) -> None:
        names = _by_any_code()
        super().__init__("language code", code, names)
        by_name = {language.name.lower(): language.code for language in known_languages().values()}
        near = near or by_name.get(code.lower()) or next(iter(get_close_matches(code, names, n=1, cutoff=0.5)), None)
        hint = f"; did you mean {near!r} ({known_languages()[names[near]].name})?" if near else ""
        self.args = (f"no language code {code!r}{hint} (`tasksearch languages` lists them)",)


@lru_cache(maxsize=4096)
def language_of(code: str) -> Language:
    """Return the language of a code: ISO 639-1, 639-2 or 639-3, or a retired code, in any case.

    A subtag after `_` or `-` is a script (four letters), which is kept if it is not the usual one, or a region (two letters or
    three digits), which is dropped: `pt-BR` is `pt`. Chinese of Taiwan, Hong Kong and Macao is `zh_Hant`.

    Raises:
        UnknownLanguage: the code is unknown; the message names the nearest one.
    """
    base, *subtags = code.replace("-", "_").split("_")
    meant = _by_any_code().get(base.lower())
    if meant is None:
        raise UnknownLanguage(code, None)
    usual, _, script = meant.partition("_")  # a retired code may imply a script: sh is sr_Latn
    if not all(map(_SUBTAG.fullmatch, subtags)):
        raise UnknownLanguage(code, usual)
    if written := [one.title() for one in subtags if len(one) == 4]:
        script = written[0]
    elif usual == "zh" and {one.upper() for one in subtags} & _TRADITIONAL:
        script = "Hant"
    language = known_languages()[usual]
    if not script or script == language.script:
        return language
    if (variant := f"{usual}_{script}") in known_languages():
        return known_languages()[variant]
    seen = None if language.seen else False
    return replace(language, code=variant, others=(), script=script, seen=seen, gib=0.0 if seen is False else None)


def canonical(code: str) -> str:
    """Return the canonical code; an unknown code (such as the lab's) is returned unchanged."""
    try:
        return language_of(code).code
    except UnknownLanguage:
        return code


def codes_of(code: str) -> tuple[str, ...]:
    """Return all codes of the language, the canonical one first; inverse of `canonical`."""
    language = language_of(code)
    return (language.code, *language.others)


def language_groups(codes: Iterable[str], own: Mapping[str, Language] | None = None) -> dict[str, tuple[str, ...]]:
    """Group the codes into `low`, `low+` and `unseen`, each sorted; a language of unknown size is in no size group.

    Args:
        own: descriptions that take precedence over the table.
    """
    known = [(own or {}).get(code) or language_of(code) for code in sorted(set(codes))]
    groups = {
        "low": tuple(one.code for one in known if one.gib is not None and one.gib < LOW_GIB),
        "low+": tuple(one.code for one in known if one.gib is not None and one.gib < LOW_PLUS_GIB),
        "unseen": tuple(one.code for one in known if one.seen is False),
    }
    return {name: members for name, members in groups.items() if members}
