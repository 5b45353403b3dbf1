"""The verdict for every target: gains under the mix that was chosen for all languages, or for a group of them."""

from __future__ import annotations

from collections.abc import Sequence

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import forest
from tasksearch.reports.figures.scale import LEGEND
from tasksearch.reports.section import Figure, Section
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.tables import mix_letters, target_cells, target_columns
from tasksearch.results.verdict import Choice, Estimate, Verdict


def section(data: ReportData) -> Section | None:
    """A drawing per group of languages, a row per target and group; None while no group has a verdict."""
    verdict = data.verdict
    groups = [choice for choice in verdict.choices if choice.is_group and choice.targets] if verdict else []
    if verdict is None or not groups:
        return None
    gains = [target.gain for choice in groups for target in choice.targets]
    chance = (1 - verdict.level) * len(gains)
    return Section(
        slug="targets",
        title="Verdict for every target",
        lead=tuple(_sentence(choice) for choice in groups),
        figures=tuple(_figure(verdict, choice, gains) for choice in groups),
        tables=(_table(verdict, groups),),
        notes=(
            "A group's mix is chosen once, over all its targets: a row shows that mix's gain on the target, not the mix "
            "that is best for it. For that, search with --objective TARGET. Language by language: the folded table above.",
            f"Each interval stands alone: of {len(gains)} about {chance:.2g} leave zero out by chance alone.",
        ),
    )


def _sentence(choice: Choice) -> str:
    """State what the intervals allow to be said of the group's targets."""
    found = {
        finding: [target.target for target in choice.targets if target.finding == finding]
        for finding in ("better", "worse", "no difference seen", "no interval")
    }
    said = [f"better on {_listed(found['better'])}" if found["better"] else "on no target seen to be better"]
    said += [f"worse on {_listed(found['worse'])}"] if found["worse"] else []
    said += [f"no difference seen on {_listed(found['no difference seen'])}"] if found["no difference seen"] else []
    said += [f"too little for an interval on {_listed(found['no interval'])}"] if found["no interval"] else []
    return f"{_languages(choice)}: {'; '.join(said)}."


def _languages(choice: Choice) -> str:
    count = len(choice.languages)
    return f"{choice.name.capitalize()} ({count} language{'s' * (count != 1)})"


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _figure(verdict: Verdict, choice: Choice, beside: Sequence[Estimate]) -> Figure:
    axis = f"gain over no intermediate phase, points [{100 * verdict.level:g} %]"
    rows = [(target.target, target.gain) for target in choice.targets]
    examples = [target.gain.examples for target in choice.targets]
    reserve = "" if choice.best_mix else ", which was not seen to be better over all targets together"
    letter = mix_letters(verdict)[choice.mix_signature]
    counts = f"{choice.seeds}+{choice.baseline_seeds} seeds, n = {min(examples)} to {max(examples)} reporting examples a target"
    return Figure(
        drawing=forest(f"Gain per target, {choice.name}", rows, axis=axis, beside=beside),
        caption=f"{_languages(choice)}, mix {letter}{reserve}; {counts}. {LEGEND}",
    )


def _table(verdict: Verdict, groups: list[Choice]) -> ReportTable:
    """The rows of one target, a group each, stand under one another."""
    pairs = [(choice, target) for choice in groups for target in choice.targets]
    names = list(dict.fromkeys(target.target for _, target in pairs))
    pairs.sort(key=lambda pair: names.index(pair[1].target))  # stable: groups stay in their order
    letters = mix_letters(verdict)
    rows = tuple(
        (target.target + " (same data)" * target.same_data, choice.name, letters[choice.mix_signature], *target_cells(target))
        for choice, target in pairs
    )
    columns = (*text_columns("target", "languages", "mix"), *target_columns(verdict.level))
    if not any(target.over_exposure for _, target in pairs):
        columns, rows = columns[:-1], tuple(row[:-1] for row in rows)
    return ReportTable(title="Target by target", columns=columns, rows=rows)
