"""The best mix per language, with its interval."""

from __future__ import annotations

from tasksearch.reports.data import ReportData
from tasksearch.reports.figures.forest import LEGEND, forest
from tasksearch.reports.section import Figure, ReportTable, Section
from tasksearch.reports.tables import gain_text, mix_key, mix_letters, verdict_notes
from tasksearch.results.verdict import Choice, Verdict


def section(data: ReportData) -> Section | None:
    """A row per language and group; absent while there is no verdict."""
    verdict = data.verdict
    if verdict is None:
        return None
    axis = f"gain over no intermediate phase, points [{100 * verdict.level:g} %]"
    rows = [(_name(verdict, choice), choice.gain) for choice in verdict.choices]
    seeds = sorted({f"{choice.seeds}+{choice.baseline_seeds}" for choice in verdict.choices})
    examples = [choice.examples for choice in verdict.choices]
    caption = (
        f"Gain of each language's chosen mix, from fresh seeds ({', '.join(seeds)}: of the mix + of the baseline) on reporting "
        f"examples (n = {min(examples)} to {max(examples)}). {LEGEND}"
    )
    return Section(
        slug="mixes",
        title="Best mix per language",
        figures=(Figure(svg=forest("mixes", "Gain of the chosen mix per language", rows, axis=axis), caption=caption),),
        tables=(_choices(verdict), _key(verdict), _targets(verdict)),
        notes=(
            *verdict_notes(verdict),
            "P(better): that the mix is better than no intermediate phase; P(ahead): than the rule's second choice. Both from "
            "fresh seeds and reporting examples alone.",
            "Over equal exposure: the mix against target phases that alone show as many examples; to be read where data are "
            "the same.",
        ),
    )


def _choices(verdict: Verdict) -> ReportTable:
    letters = mix_letters(verdict)
    rows = []
    for choice in verdict.choices:
        tried = "" if choice.best_mix else "tried: "
        rows.append(
            (
                _name(verdict, choice),
                tried + letters[choice.mix_signature],
                gain_text(choice.gain),
                choice.finding,
                f"{choice.baseline.value:.1f}",
                f"{choice.score.value:.1f}",
                f"{choice.examples}",
                f"{choice.seeds}+{choice.baseline_seeds}",
                f"{choice.labels}",
                _share(choice.better),
                _share(choice.ahead),
            )
        )
    head = (
        "",
        "mix",
        f"gain [{100 * verdict.level:g} %]",
        "verdict",
        "baseline",
        "with mix",
        "n",
        "seeds",
        "labels",
        "P(better)",
        "P(ahead)",
    )
    return ReportTable(title="Chosen mixes", head=head, rows=tuple(rows))


def _key(verdict: Verdict) -> ReportTable:
    pairs = [line.partition(" = ") for line in mix_key(verdict)]
    return ReportTable(title="The mixes", head=("", "schedule"), rows=tuple((letter, mix) for letter, _, mix in pairs))


def _targets(verdict: Verdict) -> ReportTable:
    rows = [
        (
            _name(verdict, choice),
            target.target + (" (same data)" if target.same_data else ""),
            f"{target.baseline.value:.1f}",
            f"{target.score.value:.1f}",
            gain_text(target.gain),
            target.finding,
            f"{target.gain.examples}",
            gain_text(target.over_exposure) if target.over_exposure else "–",
        )
        for choice in verdict.choices
        for target in choice.targets
    ]
    head = ("", "target", "baseline", "with mix", f"gain [{100 * verdict.level:g} %]", "verdict", "n", "over equal exposure")
    return ReportTable(title="Language by language and target", head=head, rows=tuple(rows), folded=True)


def _share(probability: float | None) -> str:
    return "–" if probability is None else f"{probability:.2f}"


def _name(verdict: Verdict, choice: Choice) -> str:
    return choice.name + ("" if choice.rule == verdict.rule else "*")
