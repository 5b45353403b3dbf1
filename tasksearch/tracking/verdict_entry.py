"""The verdict as a tracker stores it at the study: reporting scores and gains with their intervals, and the mixes by name."""

from __future__ import annotations

from tasksearch.results.estimate import Estimate, gain_text
from tasksearch.results.verdict import RULES, Verdict

OVER_ALL = "all"
"""Stands for the target in names of numbers over all targets of a row."""


def verdict_entry(verdict: Verdict) -> dict[str, float | str]:
    """Return name → number or text.

    `score/<target>/<row>`, `baseline/…`, `gain/…` and its ends `gain_low/…`, `gain_high/…` are on reporting examples, from
    fresh seeds; a row is a language or a group, and the target `all` is the mean over targets. `verdict.<row>` says what was
    found, `verdict_mix.<row>` is the mix's signature, equal to the tag `tasksearch.mix` of its trials.
    """
    entry: dict[str, float | str] = {"verdict.rule": verdict.rule, "description": _described(verdict)}
    for choice in verdict.choices:
        entry |= _numbers(OVER_ALL, choice.name, choice.score, choice.baseline, choice.gain)
        for result in choice.targets:
            entry |= _numbers(result.target, choice.name, result.score, result.baseline, result.gain)
        entry[f"verdict.{choice.name}"] = f"{choice.finding}: {choice.schedule}"
        entry[f"verdict_mix.{choice.name}"] = choice.mix_signature
    return entry


def _numbers(target: str, row: str, score: Estimate, baseline: Estimate, gain: Estimate) -> dict[str, float | str]:
    found = {"score": score.value, "baseline": baseline.value, "gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
    return {f"{name}/{target}/{row}": value for name, value in found.items() if value is not None}


def _described(verdict: Verdict) -> str:
    """Return a table in Markdown, which MLflow shows on the page of the study's run."""
    lines = [
        f"**Verdict** by {verdict.rule} ({RULES[verdict.rule]}), gains on reporting examples:",
        "",
        f"| language | mix | gain, points [{100 * verdict.level:g} %] | found |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *(f"| {c.name} | {c.schedule} | {gain_text(c.gain)} | {c.finding} |" for c in verdict.choices)])
