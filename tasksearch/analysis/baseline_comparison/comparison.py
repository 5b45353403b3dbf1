"""The comparison with free baselines: mixes that need no search.

The free baselines are the designed trials. The *champion* is the best of them among the finalists, by the rule that chose the
pick. The pick's *rivals* are the champion, the champion at the pick's own length, and target phases longer by as many examples
as the pick's intermediate phase shows, as far as they were trained. The search was worth its cost where its pick beats no
intermediate training and every rival, and is not a free baseline itself, whatever its length: over all languages together at
the level of the intervals, or in some language after Bonferroni over the languages. Where nothing helps, each of the two tests
errs with probability at most (1 - level) / 2: together at most 1 - level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasksearch.analysis.baseline_comparison.rows import (
    WORK,
    Rival,
    ahead_of,
    champion_of,
    entries_of,
    is_free,
    longer_name,
    rivals_of,
)
from tasksearch.analysis.estimates import probability_positive
from tasksearch.analysis.evidence import Candidate
from tasksearch.analysis.study_analysis import ALL, AnalysisRow, StudyAnalysis
from tasksearch.core.study import BASELINES, FOR_THE_QUESTION, TrialRecord
from tasksearch.results.baseline_comparison import BaselineComparison, Hours, Worth
from tasksearch.results.estimate import interval_text
from tasksearch.results.verdict import Estimate, Rule


def compare_with_baselines(analysis: StudyAnalysis, records: Sequence[TrialRecord], rule: Rule) -> BaselineComparison:
    """Compare the pick with the free baselines over all languages.

    Raises:
        StudyNotReady: the rule finds nothing to choose on.
    """
    row = next((row for row in analysis.rows() if row.name == ALL), None) or analysis.rows([analysis.scored_languages[0]])[0]
    ranking = analysis.rank(row, rule)
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    gain = analysis.gain(chosen, row)
    rival, ahead = (
        _hardest(analysis, row, chosen, rivals_of(analysis, ranking)) if not is_free(chosen, champion) else (None, None)
    )
    won = tuple(name for name in row.languages if _beats_in(analysis, rule, name, len(row.languages)))
    worth, reason = _judge(analysis, chosen, champion, gain, rival, ahead, won)
    return BaselineComparison(
        row=row.name,
        pick=chosen.first.plan.schedule,
        gain=gain,
        entries=tuple(entries_of(analysis, row, ranking, records)),
        champion=analysis.designs.name(champion.first.plan.schedule) if champion else None,
        advantage=ahead if champion else None,
        rival=rival if champion else None,
        languages=won,
        worth=worth,
        reason=reason,
        hours=hours_of(records),
    )


def hours_of(records: Iterable[TrialRecord]) -> Hours:
    """Sum hours of training and evaluation by role.

    Training that the segment store spared is not counted, nor are trials of the matched comparison.
    """
    spent = dict.fromkeys(("baseline", "design", "search", "finalist", "control"), 0.0)
    asked = [record for record in records if record.role not in FOR_THE_QUESTION]
    for record in asked:
        role = "baseline" if record.role in BASELINES else record.role if record.role in spent else "finalist"
        spent[role] += work_of(record)
    return Hours(
        search=spent["search"],
        fresh=spent["finalist"],
        baseline=spent["baseline"],
        design=spent["design"],
        controls=spent["control"],
        unit=unit_of(asked),
    )


def work_of(record: TrialRecord) -> float:
    """Return the hours of training and evaluation of one trial."""
    return sum(seconds for part, seconds in record.seconds if part in WORK) / 3600


def unit_of(records: Iterable[TrialRecord]) -> str:
    """Return `GPU-hours` where any of the trials ran on a GPU, else `CPU-hours`."""
    devices = {value for record in records for name, value in record.facts if name == "device"}
    # records name a GPU by its model ("NVIDIA H100"), never by the word cuda
    return "GPU-hours" if any(not device.startswith(("cpu", "recorded")) for device in devices) else "CPU-hours"


def _hardest(
    analysis: StudyAnalysis, row: AnalysisRow, chosen: Candidate, rivals: Sequence[Rival]
) -> tuple[str | None, Estimate | None]:
    """Return the rival with the lowest lower end of the pick's lead, and that lead."""
    found = [(rival.name, ahead) for rival in rivals if (ahead := ahead_of(analysis, row, chosen, rival.arm)) is not None]
    if not found:
        return None, None
    return min(found, key=lambda each: each[1].value if each[1].low is None else each[1].low)


def _beats_in(analysis: StudyAnalysis, rule: Rule, language: str, tests: int) -> bool:
    """Test whether the language's own pick is better than the baseline and than every rival, after Bonferroni."""
    row = analysis.rows([language])[0]
    ranking = analysis.rank(row, rule)
    chosen, champion = ranking.candidates[0], champion_of(ranking)
    if champion is None or is_free(chosen, champion):
        return False
    limit = 1 - (1 - analysis.level) / 2 / tests
    found = [analysis.gain(chosen, row)]
    found += [e for rival in rivals_of(analysis, ranking) if (e := ahead_of(analysis, row, chosen, rival.arm)) is not None]
    return all((probability_positive(e, analysis.level) or 0.0) > limit for e in found)


def _judge(
    analysis: StudyAnalysis,
    chosen: Candidate,
    champion: Candidate | None,
    gain: Estimate,
    name: str | None,
    ahead: Estimate | None,
    won: Sequence[str],
) -> tuple[Worth, str]:
    if gain.low is None:
        return "undecided", "too few seeds for an interval"
    if champion is None:
        return "undecided", "no free baseline was trained on fresh seeds"
    shown = ", ".join(won)
    if is_free(chosen, champion):
        where = f"; a mix of the sampler was better in {shown}" if won else ""
        same = chosen is champion
        schedule = (champion if same else chosen).first.plan.schedule
        best = analysis.designs.name(schedule) if same else longer_name(analysis, schedule)
        return ("worth it" if won else "not worth it"), f"its best mix for all languages is a free baseline ({best}){where}"
    if ahead is None or ahead.low is None or ahead.high is None:
        return "undecided", "too few seeds for an interval"
    if gain.low > 0 and ahead.low > 0:
        return "worth it", f"its mix is {ahead.value:+.1f} points {interval_text(ahead.low, ahead.high)} against {name}"
    if won:
        return "worth it", f"over all languages its mix was not seen to be better than {name}, but in {shown} it was"
    if gain.low <= 0:
        nowhere = "and in no single language better than that and than the best free baseline"
        return "not worth it", f"over all languages its mix was not seen to be better than no intermediate training, {nowhere}"
    return "not worth it", f"no difference was seen between its mix and {name}"
