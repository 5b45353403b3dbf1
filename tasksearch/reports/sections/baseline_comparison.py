"""The search beside what is free: whether it was worth its hours."""

from __future__ import annotations

from tasksearch.reports.baseline_comparison import cost_text
from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import LEGEND, forest
from tasksearch.reports.section import Figure, ReportTable, Section
from tasksearch.reports.tables import gain_text, short_mix
from tasksearch.results.baseline_comparison import BaselineEntry


def section(data: ReportData) -> Section | None:
    """The free baselines with their gains, and the search's pick beside them; absent while there is no verdict."""
    comparison = data.verdict.baseline_comparison if data.verdict else None
    if comparison is None:
        return None
    drawn = [("the search's mix", comparison.gain)] + [(entry.name, entry.gain) for entry in comparison.entries if entry.gain]
    seeds = sorted({gain.seeds for _, gain in drawn})
    caption = (
        f"Gain over no intermediate phase, {comparison.row}: n = {comparison.gain.examples} reporting examples, "
        f"{', '.join(map(str, seeds))} fresh seeds. {LEGEND}"
    )
    return Section(
        slug="court",
        title="The search beside what is free",
        lead=(comparison.sentence,),
        figures=(Figure(svg=forest("court", "Search and free baselines", drawn, axis="gain, points [95 %]"), caption=caption),),
        tables=(
            ReportTable(
                title="Free baselines",
                head=("", "mix", "gain [95 %]", "search - this [95 %]", "n", "seeds", "cost"),
                rows=tuple(_row(entry) for entry in comparison.entries),
            ),
        ),
        notes=(
            "Free: what anyone could train without a search. ~: not re-run on fresh seeds; its shrunken gain on selection "
            "halves, one seed, is not comparable with the others.",
            "†: what the mix has to beat, beside no intermediate training, for the search to be worth its hours. Cost: "
            f"trainings that it takes to have it, and their {comparison.hours.unit} on one seed.",
        ),
    )


def _row(entry: BaselineEntry) -> tuple[str, ...]:
    guessed = "–" if entry.expected is None else f"~{entry.expected:+.1f}"
    return (
        entry.name + (" †" if entry.rival and entry.gain else ""),
        entry.note if entry.schedule is None else short_mix(entry.schedule),
        gain_text(entry.gain) if entry.gain else guessed,
        gain_text(entry.advantage) if entry.advantage else "–",
        f"{entry.gain.examples}" if entry.gain else "–",
        f"{entry.gain.seeds}" if entry.gain else "–",
        cost_text(entry),
    )
