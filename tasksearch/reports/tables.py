"""Tables for the terminal, as renderables: the caller prints them. Legible from 80 columns, and as plain text in a pipe.

No word of praise stands here that the interval does not allow: a row whose interval covers zero says "no difference seen".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from rich import box
from rich.table import Table
from rich.text import Text

from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.results.estimate import Interval
from tasksearch.results.selection_rules import MIN_SELECT
from tasksearch.results.verdict import RULES, Choice, Verdict

CLUSTERED = "Intervals are over seeds and documents: examples of one document count as one draw."
NOT_CLUSTERED = (
    "Intervals are not clustered: this study kept no document numbers, so examples of one document count as independent and "
    "intervals may be too narrow."
)
NO_EXPOSURE = "No target phase of equal exposure was trained: part of that gain may be more of the target's own data."
_LISTED = 12
_STYLE = {"better": "green", "worse": "red", "no difference seen": "dim", "no interval": "yellow"}


def verdict_table(verdict: Verdict, *, warning: str = "") -> Table:
    """One row per language and group: the mix's letter, its gain with an interval, and what that allows to be said.

    What the letters stand for is said once, below: `mix_key`.

    Args:
        verdict: as `pick` gives it.
        warning: the suite's sentence, which stands beside every number.
    """
    table = framed("Best mix per language", verdict_notes(verdict), warning, key=mix_key(verdict))
    names = [choice.name + _mark(verdict, choice) for choice in verdict.choices]
    letters = mix_letters(verdict)
    table.add_column("", min_width=min(14, max(map(len, names), default=0)), max_width=20, overflow="fold")
    table.add_column("mix", no_wrap=True)
    table.add_column(f"gain [{100 * verdict.level:g} %]", justify="right", no_wrap=True)
    table.add_column("verdict", min_width=10, max_width=18, overflow="fold")
    for heading in ("n", "seeds", "labels"):
        table.add_column(heading, justify="right", no_wrap=True)
    for choice in verdict.choices:
        tried = "" if choice.best_mix else "tried: "
        table.add_row(
            choice.name + _mark(verdict, choice),
            Text(tried + letters[choice.mix_signature], style="" if choice.best_mix else "dim"),
            gain_text(choice.gain),
            Text(choice.finding, style=_STYLE[choice.finding]),
            f"{choice.examples}",
            f"{choice.seeds}+{choice.baseline_seeds}",
            f"{choice.labels}",
            end_section=not choice.is_group and _next_is_group(verdict, choice),
        )
    return table


def mix_letters(verdict: Verdict) -> dict[str, str]:
    """Signature of a mix → its letter (A … Z, AA …), in the order in which the verdict's rows name it first."""
    mixes = dict.fromkeys(choice.mix_signature for choice in verdict.choices)
    return {mix: letter(place) for place, mix in enumerate(mixes)}


def mix_key(verdict: Verdict) -> list[str]:
    """`A = 62.5% mnli + 37.5% qqp, 80 steps`: each letter of the table with the whole mix, once."""
    schedules = {choice.mix_signature: choice.schedule for choice in verdict.choices}
    return [f"{letter} = {short_mix(schedules[mix])}" for mix, letter in mix_letters(verdict).items()]


def target_table(
    choice: Choice,
    *,
    chance: Mapping[str, float | None] | None = None,
    untrained: Mapping[str, float] | None = None,
    warning: str = "",
) -> Table:
    """One row per target of one choice, on reporting examples: chance, untrained encoder, baseline, mix, gain.

    Args:
        choice: of a verdict.
        chance: target → percent of a guess, None where the data decides.
        untrained: target → percent with an untrained encoder, over the same languages; no column without it.
        warning: the suite's sentence.
    """
    notes = [
        f"{short_mix(choice.schedule)}; {choice.seeds} seeds against {choice.baseline_seeds} without an intermediate phase."
    ]
    notes += likely_notes(choice)
    if any(target.same_data for target in choice.targets):
        notes.append("* same data: the mix trains on data that this target's own training data comes from.")
        notes += exposure_notes(choice)
    table = framed(f"{choice.name}: scores per target", notes, warning)
    table.add_column("target", no_wrap=True)
    for heading in ("chance", *(("untrained",) if untrained is not None else ()), "baseline", "mix"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("gain", justify="right", no_wrap=True)
    table.add_column("verdict", max_width=18)
    for target in choice.targets:
        reference = (chance or {}).get(target.target)
        bare = () if untrained is None else (_number(untrained.get(target.target)),)
        table.add_row(
            target.target + ("*" if target.same_data else ""),
            _number(reference),
            *bare,
            f"{target.baseline.value:.1f}",
            f"{target.score.value:.1f}",
            gain_text(target.gain),
            Text(target.finding, style=_STYLE[target.finding]),
        )
    return table


def likely_notes(choice: Choice) -> list[str]:
    """How probable it is that the mix is better than the baseline, and than the rule's second choice."""
    if choice.better is None:
        return []
    second = ""
    if choice.runner_up is not None and choice.ahead is not None and choice.lead is not None:
        second = f", than the runner-up ({short_mix(choice.runner_up)}; {gain_text(choice.lead)} points) {choice.ahead:.2f}"
    return [f"Probability that the mix is better than no intermediate phase {choice.better:.2f}{second}."]


def exposure_notes(choice: Choice) -> list[str]:
    """What is left of a mix's gain on same-data targets once the target phase alone shows as many examples."""
    found = [t for t in choice.targets if t.same_data and t.over_exposure is not None]
    told = "; ".join(f"{t.target} {gain_text(t.over_exposure)}" for t in found if t.over_exposure is not None)
    return [f"Against target phases of equal exposure, without the mix: {told}."] if told else [NO_EXPOSURE]


def trial_table(
    records: Iterable[TrialRecord], *, warning: str = "", name_of: Callable[[Schedule], str] | None = None
) -> Table:
    """One row per trial: what it trained, its objective (in baseline deviations, on selection examples), its seconds.

    Args:
        name_of: what a designed schedule of several tasks is called; None: nothing.
    """
    notes = ["objective: mean gain over the baseline on selection examples, in baseline deviations."]
    table = framed("Trials", notes, warning)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("role", no_wrap=True)
    table.add_column("schedule", ratio=1, overflow="fold", min_width=12)
    for heading in ("seed", "objective", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for record in sorted(records, key=lambda r: r.number):
        seconds = record.ended - record.started if record.ended is not None else None
        table.add_row(
            f"{record.number}",
            record.role,
            _named(record, name_of),
            f"{record.plan.seed}",
            _outcome(record),
            "–" if seconds is None else f"{seconds:.1f}",
        )
    return table


def _named(record: TrialRecord, name_of: Callable[[Schedule], str] | None) -> str:
    """A design of several tasks says which one it is."""
    shown = short_plan(record.plan)
    designed = name_of is not None and record.role == "design" and len(record.plan.schedule.tasks) > 1
    return f"{name_of(record.plan.schedule)}: {shown}" if name_of is not None and designed else shown


def gain_text(gain: Interval) -> str:
    """`+2.1 [+0.4, +3.8]`, points; the interval is absent where none can be claimed."""
    value = f"{gain.value:+.1f}"
    return value if gain.low is None or gain.high is None else f"{value} [{_outward(gain.low, -1)}, {_outward(gain.high, +1)}]"


def short_plan(plan: Plan) -> str:
    """The plan's schedule on little room, or what control it is."""
    return plan.words if plan.soup or plan.extra_examples else short_mix(plan.schedule)


def short_mix(schedule: Schedule) -> str:
    """The schedule on little room: shares in percent where they differ, `→` between stages, `⇝` within one that moves."""
    if not schedule.stages:
        return "no intermediate phase"
    parts = []
    for stage in schedule.stages:
        start, end = (_shares(tuple(mixture)) for mixture in (stage.start, stage.end))
        parts.append(f"{start} ⇝ {end}" if stage.annealed else start)
    if len(parts) == 1:
        return f"{parts[0]}, {schedule.steps} steps"
    return " → ".join(f"{part} {stage.steps}" for part, stage in zip(parts, schedule.stages, strict=True)) + " steps"


def letter(place: int) -> str:
    """A … Z, AA …"""
    letters = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _shares(shares: Sequence[tuple[str, Fraction]]) -> str:
    if len(shares) == 1:
        return shares[0][0]
    if len({share for _, share in shares}) == 1:
        return " + ".join(task for task, _ in shares) + " equally"
    return " + ".join(f"{float(100 * share):.3g}% {task}" for task, share in shares)


def _outward(end: float, side: int) -> str:
    """An end of an interval to one decimal, away from the middle; more where that would change what is said about zero."""
    for digits in range(1, 7):
        scale = 10**digits
        rounded = (math.ceil(end * scale - 1e-9) if side > 0 else math.floor(end * scale + 1e-9)) / scale
        if (rounded > 0) == (end > 0) and (rounded < 0) == (end < 0):
            break
    return f"{rounded:+.{digits}f}"


def verdict_notes(verdict: Verdict) -> list[str]:
    """What must be known to read a verdict: over what, by which rule, from whose labels."""
    notes = [
        "Gain: points over no intermediate phase, on n reporting examples, from fresh seeds alone; "
        "mean over targets, then over kinds of target. Seeds: of the mix + of the baseline.",
        f"{verdict.rule}: {RULES[verdict.rule]}. Labels: how many of the language the choice read.",
        f"{verdict.candidates} {'mix was' if verdict.candidates == 1 else 'mixes were'} re-run on fresh seeds and stood for "
        "choice.",
    ]
    if verdict.small:
        named = ", ".join(verdict.small[:_LISTED]) + (
            f" and {len(verdict.small) - _LISTED} more" * (len(verdict.small) > _LISTED)
        )
        notes.append(f"Fewer than {MIN_SELECT} selection examples, too few to select on alone: {named}.")
    notes.append(CLUSTERED if verdict.clustered else NOT_CLUSTERED)
    read = [choice.name for choice in verdict.choices if choice.shortlist_labels and not choice.is_group]
    if read:
        notes.append(f"The search's objective, which found these mixes, read selection labels of {', '.join(read)}.")
    if len(verdict.choices) > 1:
        notes.append(f"Each interval stands alone: of all rows, about {100 * (1 - verdict.level):.2g} % miss by chance.")
    others = {choice.rule for choice in verdict.choices} - {verdict.rule}
    notes += [f"* by {rule}: {RULES[rule]}." for rule in sorted(others)]
    return notes


def _mark(verdict: Verdict, choice: Choice) -> str:
    return "" if choice.rule == verdict.rule else "*"


def _next_is_group(verdict: Verdict, choice: Choice) -> bool:
    following = verdict.choices[verdict.choices.index(choice) + 1 :]
    return bool(following) and following[0].is_group


def _outcome(record: TrialRecord) -> Text:
    if record.status == "running" and not record.started:
        return Text("proposed", style="dim")
    if record.status in ("failed", "stopped", "running"):
        return Text(record.status, style="red" if record.status == "failed" else "yellow")
    return Text("–" if record.objective is None else f"{record.objective:+.2f}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def framed(title: str, notes: Sequence[str], warning: str, *, key: Sequence[str] = ()) -> Table:
    """An empty table in the house's frame: the warning and the notes stand below it."""
    caption = Text()
    for line in key:
        caption.append(line + "\n", style="not dim")
    if warning:
        caption.append(warning + "\n", style="bold not dim")
    caption.append("\n".join(notes), style="dim")
    return Table(
        title=title,
        title_justify="left",
        caption=caption,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        # The box has a blank of its own between columns: with padding beside it 80 columns are too few for the verdict.
        padding=0,
    )
