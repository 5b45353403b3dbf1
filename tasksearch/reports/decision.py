"""The decision: what may be done on the strength of a verdict, in a few sentences. It claims no more than the intervals do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from tasksearch.reports.tables import mix_legend, mix_letters
from tasksearch.reports.text import STANDS, first_names
from tasksearch.results.estimate import gain_text
from tasksearch.results.matched_comparison import MatchedComparison
from tasksearch.results.verdict import Choice, TargetResult, Verdict

Row = TypeVar("Row", Choice, TargetResult)
MOST_NAMED = 6
"""Languages or targets that a sentence names with their gains; of more, those with the largest gains or losses."""
ADAPTIVE = "Adaptive: these reporting examples were read before for another question; the numbers may flatter."


def decision(verdict: Verdict, order: MatchedComparison | None = None, pending: str = "") -> tuple[str, ...]:
    """Return which mix to use for which languages, on which targets it gains and loses, how to order it, and what it cost.

    Args:
        verdict: of a study, or a part of it.
        order: the answer to joint or sequential, if the study has one. It is about all languages and targets together.
        pending: why it has none, as a sentence.
    """
    said = [_mixes(verdict), _standing(verdict), _targets(verdict), _one_for_all(verdict), _not_trained(verdict)]
    said += [_collapsed(verdict), _guessing(verdict), _incomplete(verdict)]
    if verdict.target == "" and len(verdict.choices) > 1:
        said.append(order.answer if order else pending)
    if verdict.baseline_comparison is not None:
        said.append(verdict.baseline_comparison.sentence)
    return tuple(filter(None, said))


def mix_lines(verdict: Verdict) -> tuple[str, ...]:
    """Return the mixes that the decision and its table name by letters, a line each; where all lose, as a footnote."""
    letters = mix_letters(verdict)
    shown = {letters[choice.mix_signature] for choice in verdict.choices if choice.best_mix}
    least = "least harmful by the selection examples" if loses(verdict) else "not shown better"
    return tuple(f"{letter}{'' if letter in shown else f' ({least})'} = {mix}" for letter, mix in mix_legend(verdict))


def loses(verdict: Verdict) -> bool:
    """Return whether the result is that no intermediate phase is best: worse over all languages together, better in none."""
    found = [choice.finding for choice in verdict.choices]
    return "better" not in found and (_whole(verdict) or verdict.choices[0]).finding == "worse"


def _whole(verdict: Verdict) -> Choice | None:
    """Return the row of all languages together, if there is one beside single languages: the largest group."""
    groups = [choice for choice in verdict.choices if choice.is_group]
    return max(groups, key=lambda choice: len(choice.languages), default=None)


def _mixes(verdict: Verdict) -> str:
    whole, rows = _whole(verdict), [choice for choice in verdict.choices if not choice.is_group]
    rows, whole = (rows, whole) if rows else (list(verdict.choices), None)
    over = f" for {verdict.target}" if verdict.target else ""
    all_rows = [*rows, *([whole] if whole else [])]
    better, worse = _found(rows, "better"), _found(rows, "worse")
    together = f"over all languages {gain_text(whole.gain)}" if whole else _named(rows)
    if loses(verdict):
        also = f"; in single languages {_named(worse)}" if whole and worse else ""
        return f"No intermediate phase{over}: the chosen mix loses, {together} points{also}."
    if not _found(all_rows, "better", "worse", "no difference seen"):
        return f"No decision{over} yet: too few seeds or examples for an interval ({together})."
    if not _found(all_rows, "better"):
        where = f" in any of {len(rows)} languages" if len(rows) > 1 else ""
        lost = f" Worse in {_named(worse)}." if worse else ""
        return (
            f"No mix is shown to be better than no intermediate phase{over}{where} ({together}): train the target task "
            f"directly until more trainings show otherwise.{lost}"
        )
    said = f"Use{over} {'; '.join(_uses(verdict, whole, better))} points over no intermediate phase."
    if whole and not whole.best_mix:
        how = {"worse": "worse", "no interval": "without an interval"}.get(whole.finding, "not shown better")
        said += f" Over all languages {mix_letters(verdict)[whole.mix_signature]} is {how}: {gain_text(whole.gain)}."
    said += f" Worse in {_named(worse)}." if worse else ""
    rest = [choice.name for choice in rows if choice not in better and choice not in worse]
    return said + (f" Not shown better in {first_names(rest, MOST_NAMED)}." if rest else "")


def _standing(verdict: Verdict) -> str:
    """Count the languages whose gain or loss stands among many, which each interval alone does not tell."""
    rows = [choice for choice in verdict.choices if not choice.is_group]
    seen = _found(rows, "better", "worse")
    if len(rows) < 2 or not seen:
        return ""
    stand = [choice.name for choice in seen if choice.stands_after_correction]
    if len(stand) == len(seen):
        return ""
    names = f": {first_names(stand, MOST_NAMED)}" if stand else ""
    return f"Corrected for looking at {len(rows)} languages at once, {len(stand)} of these {len(seen)} stand ({STANDS}){names}."


def _one_for_all(verdict: Verdict) -> str:
    """Say why the choice hardly differs between languages, where no label of a language was read for it."""
    rows = [choice for choice in verdict.choices if not choice.is_group and choice.rule == "pivot-dev"]
    if len(rows) < 2 or loses(verdict) or not _found(verdict.choices, "better"):
        return ""
    mixes = len({choice.mix_signature for choice in rows})
    serve = "One mix serves all" if mixes == 1 else f"{mixes} mixes serve all"
    return (
        f"{serve} {len(rows)} languages: pivot-dev reads no label of the language that it chooses for, so that nothing tells "
        "one language from another; --select target-dev chooses by each language's own selection examples."
    )


def _not_trained(verdict: Verdict) -> str:
    """Say which targets the baseline has not learned."""
    if not verdict.not_trained:
        return ""
    return (
        f"Not trained: {first_names(verdict.not_trained)}, where the baseline is no better than a guess in English. A gain "
        "there says that the mix makes the target trainable in these steps, not how much it transfers."
    )


def _collapsed(verdict: Verdict) -> str:
    """Say which trainings were left out of the numbers, since they collapsed."""
    out = sorted({trial for choice in verdict.choices for trial in choice.collapsed} | set(verdict.collapsed_baseline))
    if not out:
        return ""
    some = f"trainings collapsed and are left out: trials {first_names([str(trial) for trial in out])}"
    one = f"training collapsed and is left out: trial {out[0]}"
    return f"{len(out)} {one if len(out) == 1 else some}; with all of them: --notes."


def _guessing(verdict: Verdict) -> str:
    """Say which trials of the search no choice rests on, since they ended at a guess."""
    if not verdict.guessing:
        return ""
    named, one = first_names([str(trial) for trial in verdict.guessing]), len(verdict.guessing) == 1
    which = "1 trial of the search was" if one else f"{len(verdict.guessing)} trials of the search were"
    rests = f"no choice between mixes and no effect of a task rests on {'it' if one else 'them'}"
    return f"{which} no better than a guess in English ({named}): {rests}."


def _incomplete(verdict: Verdict) -> str:
    """Say which trainings were left out since they lack scores."""
    if not verdict.incomplete:
        return ""
    named = first_names([str(trial) for trial in verdict.incomplete])
    one = len(verdict.incomplete) == 1
    which = f"trial {named}, which lacks" if one else f"trials {named}, which lack"
    return f"Left out: {which} scores that other seeds of the mix have."


def _uses(verdict: Verdict, whole: Choice | None, better: Sequence[Choice]) -> list[str]:
    """Return `A: all languages together +2.4 [+0.7, +4.2], sw +3.1 [+1.0, +5.2]` for every mix that is better somewhere."""
    uses = []
    for signature, letter in mix_letters(verdict).items():
        told = []
        if whole and whole.best_mix and whole.mix_signature == signature:
            told.append(f"all languages together {gain_text(whole.gain)}")
        if own := [choice for choice in better if choice.mix_signature == signature]:
            told.append(_named(own))
        if told:
            uses.append(f"{letter}: {', '.join(told)}")
    return uses


def _targets(verdict: Verdict) -> str:
    """Say on which targets the mix of all languages, or of the one row, gains and loses."""
    row = _whole(verdict) or (verdict.choices[0] if len(verdict.choices) == 1 else None)
    if row is None or verdict.target or len(row.targets) < 2:
        return ""
    better, worse = _found(row.targets, "better"), _found(row.targets, "worse")
    where = f"{mix_letters(verdict)[row.mix_signature]} in {'all languages' if row.name == 'all' else row.name}"
    if not better and not worse:
        return f"By target, {where}: no target is shown to gain or lose."
    rest = [target.target for target in row.targets if target not in better and target not in worse]
    said = [f"gains on {_named(better)}" if better else "is shown to gain on no target"]
    said += [f"loses on {_named(worse)}"] if worse else []
    return f"By target, {where} {', '.join(said)}" + (f"; open: {first_names(rest, MOST_NAMED)}." if rest else ".")


def _found(rows: Iterable[Row], *findings: str) -> list[Row]:
    return [row for row in rows if row.finding in findings]


def _named(rows: Sequence[Choice] | Sequence[TargetResult]) -> str:
    """Join names with their gains: those of the largest gains or losses, and how many more there are."""
    shown = sorted(rows, key=lambda row: -abs(row.gain.value))[:MOST_NAMED]
    told = [f"{row.name if isinstance(row, Choice) else row.target} {gain_text(row.gain)}" for row in rows if row in shown]
    told += [f"{len(rows) - len(shown)} more"] if len(shown) < len(rows) else []
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1])))
