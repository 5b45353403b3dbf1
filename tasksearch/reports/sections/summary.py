"""The verdict in a sentence or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasksearch.reports.data import ReportData
from tasksearch.reports.section import Section
from tasksearch.reports.text import gain_text
from tasksearch.results.verdict import Choice

MOST_NAMED = 8
"""Languages that the sentence names with their gains."""


def section(data: ReportData) -> Section:
    """The verdict, the size of the study, and the suite's warning."""
    alerts = [data.warning] if data.warning else []
    if data.partial:
        alerts.insert(0, f"Partial: {_state(data)}. What follows is what is known so far.")
    lead = [data.pending or "There is no verdict yet."]
    if data.verdict is not None:
        lead = [sentence(data.verdict.choices, data.verdict.level)]
        lead += [data.verdict.baseline_comparison.sentence] if data.verdict.baseline_comparison else []
    return Section(slug="verdict", title="Verdict", lead=(*lead, _size(data)), alerts=tuple(alerts))


def sentence(choices: Sequence[Choice], level: float) -> str:
    """State what the intervals allow to be said of the languages; of groups only where there are no languages."""
    rows = [choice for choice in choices if not choice.is_group] or list(choices)
    better = [choice for choice in rows if choice.finding == "better"]
    count = Counter(choice.finding for choice in rows)
    if better:
        shown = sorted(better, key=lambda choice: -choice.gain.value)[:MOST_NAMED] if len(better) > MOST_NAMED else better
        named = ", ".join(f"{choice.name} ({gain_text(choice.gain)})" for choice in shown)
        named = f"most in {named} and in {len(better) - len(shown)} more, listed below" if len(shown) < len(better) else named
        said = [
            f"In {len(better)} of {len(rows)} languages the chosen mix was seen to beat no intermediate phase: {named}, in "
            f"points with {100 * level:g} % intervals."
        ]
    else:
        said = [f"In none of {len(rows)} languages was a mix seen to beat no intermediate phase."]
    if count["no difference seen"]:
        said.append(f"In {count['no difference seen']} no difference was seen; that is no proof that there is none.")
    if count["worse"]:
        said.append(f"In {count['worse']} the chosen mix was worse.")
    if count["no interval"]:
        said.append(f"In {count['no interval']} there are too few seeds or examples for an interval.")
    if len(rows) > 1 and (better or count["worse"]):
        said.append(f"Of {len(rows)} such intervals about {(1 - level) * len(rows):.2g} leave zero out by chance alone.")
    return " ".join(said)


def _size(data: ReportData) -> str:
    plans = len({record.plan.mix_signature for record in data.records})
    failed = sum(record.status == "failed" for record in data.records)
    targets, languages = len(data.config.targets), len(data.languages)
    return (
        f"{plans} mixes in {len(data.records)} trainings ({failed} failed), scored zero-shot on {targets} "
        f"target task{'s' * (targets != 1)} in {languages} language{'s' * (languages != 1)} beside English."
    )


def _state(data: ReportData) -> str:
    finished = sum(record.status != "running" for record in data.records)
    return f"{finished} of up to {data.planned} trainings are finished"
