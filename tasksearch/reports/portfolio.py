"""Table of portfolios, as a renderable."""

from __future__ import annotations

from rich.table import Table

from tasksearch.core.schedule import Schedule
from tasksearch.reports.tables import framed, gain_text, letter, short_mix
from tasksearch.results.portfolio import Portfolio, Portfolios


def portfolio_table(found: Portfolios, *, warning: str = "") -> Table:
    """One row per size, first from all trained mixes, then from those that were re-run."""
    letters = portfolio_letters(found)
    key = [f"{letters[signature]} = {short_mix(schedule)}" for signature, schedule in mixes_of(found).items()]
    table = framed("Few mixes for all languages", portfolio_notes(found), warning, key=key)
    table.add_column("", min_width=8, no_wrap=True)
    table.add_column("mixes: languages", overflow="fold", min_width=16)
    table.add_column("gain", justify="right", no_wrap=True)
    table.add_column("loss", justify="right", no_wrap=True)
    for place, one in enumerate(found.chosen):
        table.add_row(
            size_text(one), members_text(one, letters), *foreseen_text(one), end_section=place == len(found.chosen) - 1
        )
    for one in found.tested:
        table.add_row(size_text(one) + ", re-run", members_text(one, letters), *tested_text(one))
    return table


def portfolio_notes(found: Portfolios) -> list[str]:
    """What must be known to read it."""
    notes = [
        f"Gain: points over no intermediate phase, mean over {found.languages} languages. Loss: points against one mix per "
        f"language, which would keep {found.alone} of the {found.mixes} trained mixes.",
        "~: chosen from all trained mixes and foreseen by the surrogate on selection examples; a maximum, so somewhat flattered, "
        f"and without an interval. Search: {found.method}.",
    ]
    if found.tested:
        notes.append(
            "Re-run: chosen by the same scores among the mixes that stand on fresh seeds, which with their reporting examples "
            "give gain and loss [95 %]; the loss is against the best of these per language. Each interval stands alone."
        )
    else:
        notes.append(f"No mix is compared on fresh seeds ({found.untested}): all of this is the surrogate's foresight.")
    if found.adaptive:
        notes.append("Adaptive: the reporting examples had been read under another question before; the intervals may flatter.")
    notes.append("A language takes the best of the mixes by its own selection labels (as in target-dev).")
    return notes


def mixes_of(found: Portfolios) -> dict[str, Schedule]:
    """Signature → mix, in the order in which the rows name them first."""
    mixes: dict[str, Schedule] = {}
    for member in (member for one in (*found.chosen, *found.tested) for member in one.members):
        mixes.setdefault(member.mix_signature, member.schedule)
    return mixes


def portfolio_letters(found: Portfolios) -> dict[str, str]:
    """Signature → letter."""
    return {signature: letter(place) for place, signature in enumerate(mixes_of(found))}


def size_text(one: Portfolio) -> str:
    """`1 mix`, `3 mixes`."""
    return f"{one.size} mix{'es' * (one.size > 1)}"


def members_text(one: Portfolio, letters: dict[str, str]) -> str:
    """Letters with how many languages each serves; what a further mix would not add is said."""
    told = ", ".join(f"{letters[m.mix_signature]}: {len(m.languages)}" for m in one.members)
    return told + (" (a further one adds nothing)" if len(one.members) < one.size else "")


def foreseen_text(one: Portfolio) -> tuple[str, str]:
    """Gain and loss that the surrogate foresees."""
    return f"~{one.foreseen:+.1f}", f"~{one.foreseen_loss:.1f}"


def tested_text(one: Portfolio) -> tuple[str, str]:
    """Gain and loss from fresh seeds."""
    loss = "0 (the same mixes)" if one.same else gain_text(one.loss) if one.loss else "–"
    return gain_text(one.gain) if one.gain else "–", loss
