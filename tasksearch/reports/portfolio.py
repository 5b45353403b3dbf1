"""Tables of portfolios."""

from __future__ import annotations

from tasksearch.core.schedule import Schedule
from tasksearch.reports.table import Column, ReportTable, text_columns
from tasksearch.reports.text import letter, short_mix
from tasksearch.results.estimate import gain_text
from tasksearch.results.portfolio import Portfolio, Portfolios


def portfolio_table(found: Portfolios, *, warning: str = "") -> ReportTable:
    """One row per size, first from all trained mixes, then from those that were trained again on fresh seeds."""
    letters = _letters(found)
    columns = (
        Column(name="", min_width=8),
        Column(name="chosen among", page_only=True),
        Column(name="mixes: languages", wrap=True, min_width=16),
        Column(name="gain [95 %]", short="gain", number=True),
        Column(name="loss against one per language [95 %]", short="loss", number=True),
    )
    rows = [(size_text(one), one.among, _members(one, letters), *_foreseen(one)) for one in found.chosen]
    rows += [(f"{size_text(one)}, re-run", one.among, _members(one, letters), *_tested(one)) for one in found.tested]
    return ReportTable(
        title="Few mixes for all languages",
        columns=columns,
        rows=tuple(rows),
        ends=frozenset([len(found.chosen) - 1]),
        legend=tuple((letters[signature], short_mix(schedule)) for signature, schedule in _mixes(found).items()),
        notes=_notes(found),
        warning=warning,
    )


def served_table(found: Portfolios) -> ReportTable:
    """Which language takes which mix; for a page."""
    letters = _letters(found)
    rows = tuple(
        (size_text(one), one.among, letters[member.mix_signature], ", ".join(member.languages))
        for one in (*found.chosen, *found.tested)
        for member in one.members
    )
    columns = text_columns("", "chosen among", "mix", "languages")
    return ReportTable(title="Which language takes which", columns=columns, rows=rows, folded=True)


def _notes(found: Portfolios) -> tuple[str, ...]:
    notes = [
        f"Gain: points over no intermediate phase, mean over {found.languages} languages. Loss: points against one mix per "
        f"language, which would keep {found.alone} of the {found.mixes} trained mixes.",
        "~: chosen from all trained mixes and predicted by the surrogate on selection examples; a maximum, so biased upwards, "
        f"and without an interval. Search: {found.method}.",
    ]
    if found.tested:
        notes.append(
            "Re-run: chosen by the same scores among the finalists, whose fresh seeds and reporting examples give gain and "
            "loss [95 %]; the loss is against the best of these per language. Each interval stands alone."
        )
    else:
        notes.append(f"No mix is compared on fresh seeds ({found.untested}): all of this is the surrogate's prediction.")
    if found.adaptive:
        notes.append("Adaptive: the reporting examples had been read under another question before; intervals may be biased.")
    notes.append("A language takes the best of the mixes by its own selection labels (as in target-dev).")
    return tuple(notes)


def _mixes(found: Portfolios) -> dict[str, Schedule]:
    """Return signature → mix, in the order in which the rows name them first."""
    mixes: dict[str, Schedule] = {}
    for member in (member for one in (*found.chosen, *found.tested) for member in one.members):
        mixes.setdefault(member.mix_signature, member.schedule)
    return mixes


def _letters(found: Portfolios) -> dict[str, str]:
    """Return signature → letter."""
    return {signature: letter(place) for place, signature in enumerate(_mixes(found))}


def size_text(one: Portfolio) -> str:
    """Return `1 mix`, `3 mixes`."""
    return f"{one.size} mix{'es' * (one.size > 1)}"


def _members(one: Portfolio, letters: dict[str, str]) -> str:
    """Return letters with how many languages each serves, and whether a further mix would add nothing."""
    told = ", ".join(f"{letters[m.mix_signature]}: {len(m.languages)}" for m in one.members)
    return told + (" (a further one adds nothing)" if len(one.members) < one.size else "")


def _foreseen(one: Portfolio) -> tuple[str, str]:
    """Return gain and loss that the surrogate predicts."""
    return f"~{one.foreseen:+.1f}", f"~{one.foreseen_loss:.1f}"


def _tested(one: Portfolio) -> tuple[str, str]:
    """Return gain and loss from fresh seeds."""
    loss = "0 (the same mixes)" if one.same else gain_text(one.loss) if one.loss else "–"
    return gain_text(one.gain) if one.gain else "–", loss
