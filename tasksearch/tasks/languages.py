"""Languages by any of their codes: name, script, family, how much of them XLM-R has read.

The code used everywhere is ISO 639-1 where there is one, else 639-3 (`sw`, not `swa` or `swh`; `zh`, not `cmn`); text in
another than the usual script carries it (`ar_Latn`, `zh_Hant`).
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
"""A script or a region."""
_TRADITIONAL = frozenset({"TW", "HK", "MO", "158", "344", "446"})
"""Regions that write Chinese in traditional characters."""

LOW_GIB, LOW_PLUS_GIB = 5.0, 10.0
"""Groups by CC-100 size, in GiB: `low` below the first, `low+` below the second. Thresholds are this project's choice."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """One language.

    Attributes:
        code: as used in cards, plans and tables.
        others: other codes that mean it.
        script: ISO 15924.
        seen: whether XLM-R's pretraining held it; None where its list does not say.
        gib: GiB of CC-100 text; None: not known to us. A language that XLM-R did not see has 0.
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
    """Code → language, as `languages.tsv` has them: each in its usual script, a few in another one too (`zh_Hant`)."""
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
    """A code that no language of the table has, with the nearest one; all 450 known codes would not be one line."""

    def __init__(self, code: str, near: str | None) -> None:
        names = _by_any_code()
        super().__init__("language code", code, names)
        by_name = {language.name.lower(): language.code for language in known_languages().values()}
        near = near or by_name.get(code.lower()) or next(iter(get_close_matches(code, names, n=1, cutoff=0.5)), None)
        hint = f"; did you mean {near!r} ({known_languages()[names[near]].name})?" if near else ""
        self.args = (f"no language code {code!r}{hint} (`tasksearch languages` lists them)",)


@lru_cache(maxsize=4096)
def language_of(code: str) -> Language:
    """The language that a code means: ISO 639-1, 639-2 or 639-3, or a retired code, in any case.

    What stands behind it after `_` or `-` is a script (four letters), which is kept where it is not the usual one, or a region
    (two letters or three digits), which is dropped: `pt-BR` is `pt`. Chinese of Taiwan, Hong Kong and Macao is `zh_Hant`.

    Raises:
        UnknownLanguage: with the nearest code.
    """
    base, *subtags = code.replace("-", "_").split("_")
    meant = _by_any_code().get(base.lower())
    if meant is None:
        raise UnknownLanguage(code, None)
    usual, _, script = meant.partition("_")  # a retired code may mean another script: sh is sr_Latn
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
    """The project's code for any code; one that no table knows (the lab's) stays as it is."""
    try:
        return language_of(code).code
    except UnknownLanguage:
        return code


def codes_of(code: str) -> tuple[str, ...]:
    """Every code of the language, the project's own first; both ways with `canonical`."""
    language = language_of(code)
    return (language.code, *language.others)


def language_groups(codes: Iterable[str], own: Mapping[str, Language] | None = None) -> dict[str, tuple[str, ...]]:
    """`low`, `low+` and `unseen` among the codes, sorted; a language of unknown size is in no group of sizes.

    Args:
        own: facts that go before those of the table.
    """
    known = [(own or {}).get(code) or language_of(code) for code in sorted(set(codes))]
    groups = {
        "low": tuple(one.code for one in known if one.gib is not None and one.gib < LOW_GIB),
        "low+": tuple(one.code for one in known if one.gib is not None and one.gib < LOW_PLUS_GIB),
        "unseen": tuple(one.code for one in known if one.seen is False),
    }
    return {name: members for name, members in groups.items() if members}
