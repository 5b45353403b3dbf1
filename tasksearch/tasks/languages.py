"""Languages by any of their codes: name, script, family, how much of them XLM-R has read.

The code used everywhere is ISO 639-1 where there is one, else 639-3 (`sw`, not `swa` or `swh`; `zh`, not `cmn`); text in
another than the usual script carries it (`ar_Latn`, `zh_Hant`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from tasksearch.core.errors import UnknownName
from tasksearch.tasks.language_table import CC100_GIB, TABLE

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
    """Code → language, in the usual script."""
    found: dict[str, Language] = {}
    family = ""
    for line in TABLE.strip().splitlines():
        names, *rest = line.split(" ", 2)
        if len(rest) < 2 or len(rest[0]) != 4 or not rest[0].istitle():
            family = line
            continue
        mark = names[0] if names[0] in "!?" else ""
        code, _, others = names.removeprefix(mark).partition("=")
        seen = {"!": True, "?": None, "": False}[mark]
        found[code] = Language(
            code=code,
            others=tuple(filter(None, others.split(","))),
            name=rest[1],
            script=rest[0],
            family=family,
            seen=seen,
            gib=CC100_GIB.get(code, 0.0 if seen is False else None),
        )
    return found


@lru_cache(maxsize=1)
def _by_any_code() -> dict[str, str]:
    return {name: code for code, language in known_languages().items() for name in (code, *language.others)}


@lru_cache(maxsize=4096)
def language_of(code: str) -> Language:
    """The language that a code means: ISO 639-1, 639-2 or 639-3, with a script behind `_` or `-` or without.

    Raises:
        UnknownName: with the nearest code.
    """
    base, _, script = code.replace("-", "_").partition("_")
    names = _by_any_code()
    if base not in names:
        raise UnknownName("language code", code, names)
    language = known_languages()[names[base]]
    if not script or script == language.script:
        return language
    # XLM-R's list names one variant in another script that we cover: Chinese in traditional characters.
    seen = True if (language.code, script) == ("zh", "Hant") else (None if language.seen else False)
    gib = 16.6 if (language.code, script) == ("zh", "Hant") else (0.0 if seen is False else None)
    return replace(language, code=f"{language.code}_{script}", others=(), script=script, seen=seen, gib=gib)


def canonical(code: str) -> str:
    """The project's code for any code; one that no table knows (the lab's) stays as it is."""
    try:
        return language_of(code).code
    except UnknownName:
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
