"""The court of free baselines: the search's pick beside what anyone could train without a search.

The free baselines are the designed trials. By the rule that chose the pick, the best of them that stands on fresh seeds is the
champion. The search was worth it where its pick beats both no intermediate training and the champion: on all languages together
at the level of the intervals, or in some language after Bonferroni over the languages. Each of the two tests may err upwards in
(1 - level) / 2 of the worlds where nothing helps: together at most 1 - level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tasksearch.core.court import Court, CourtEntry, Hours, Worth
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import FOR_THE_QUESTION, TrialRecord
from tasksearch.core.verdict import Estimate, Rule
from tasksearch.search.evidence import Candidate
from tasksearch.search.reading import ALL, Ranking, Reading, Row
from tasksearch.search.statistics import probability_positive

_WORK = ("intermediate", "target", "evaluation")
_LATER = {
    "soup": "no average of the leaders' encoders was evaluated",
    "equal exposure": "no target phase of equal length was trained",
}


def hold_court(reading: Reading, records: Sequence[TrialRecord], rule: Rule) -> Court:
    """The court over all languages.

    Raises:
        StudyNotReady: the rule finds nothing to choose on.
    """
    row = next((row for row in reading.rows() if row.name == ALL), None) or reading.rows([reading.spoken[0]])[0]
    ranking = reading.rank(row, rule)
    chosen, champion = ranking.candidates[0], _champion(ranking)
    gain = reading.gain(chosen, row)
    ahead = _advantage(reading, row, chosen, champion)
    won = tuple(name for name in row.languages if _beats_in(reading, rule, name, len(row.languages)))
    worth, reason = _judged(chosen, champion, gain, ahead, won)
    return Court(
        row=row.name,
        pick=chosen.first.plan.schedule,
        gain=gain,
        entries=tuple(_entries(reading, row, ranking, chosen)),
        champion=_name(champion.first.plan.schedule) if champion else None,
        advantage=ahead,
        languages=won,
        worth=worth,
        reason=reason,
        hours=hours_of(records),
    )


def hours_of(records: Iterable[TrialRecord]) -> Hours:
    """Hours of training and evaluation by role; what the segment store spared is not spent, and twins are no part of it."""
    spent = dict.fromkeys(("baseline", "design", "search", "finalist"), 0.0)
    asked = [record for record in records if record.role not in FOR_THE_QUESTION]
    for record in asked:
        role = record.role if record.role in spent else "finalist"
        spent[role] += work_of(record)
    search, fresh, baseline, design = (spent[role] for role in ("search", "finalist", "baseline", "design"))
    return Hours(search=search, fresh=fresh, baseline=baseline, design=design, unit=unit_of(asked))


def work_of(record: TrialRecord) -> float:
    """Hours of training and evaluation of one trial."""
    return sum(seconds for part, seconds in record.seconds if part in _WORK) / 3600


def unit_of(records: Iterable[TrialRecord]) -> str:
    """`GPU-hours` where any of them ran on one, else `CPU-hours`."""
    devices = {value for record in records for name, value in record.facts if name == "device"}
    # a GPU is told by its own name ("NVIDIA H100"), never by the word cuda
    return "GPU-hours" if any(not device.startswith(("cpu", "recorded")) for device in devices) else "CPU-hours"


def _champion(ranking: Ranking) -> Candidate | None:
    return next((candidate for candidate in ranking.candidates if candidate.designed), None)


def _advantage(reading: Reading, row: Row, chosen: Candidate, champion: Candidate | None) -> Estimate | None:
    if champion is None or champion is chosen:
        return None
    return reading.estimate(chosen.arm, reading.report_weights(row), minus=champion.arm)


def _beats_in(reading: Reading, rule: Rule, language: str, tests: int) -> bool:
    """Whether the language's own pick is better than the baseline and than the language's champion, after Bonferroni."""
    row = reading.rows([language])[0]
    ranking = reading.rank(row, rule)
    chosen, champion = ranking.candidates[0], _champion(ranking)
    if champion is None or champion is chosen:
        return False
    limit = 1 - (1 - reading.level) / 2 / tests
    found = (reading.gain(chosen, row), _advantage(reading, row, chosen, champion))
    return all(e is not None and (probability_positive(e, reading.level) or 0.0) > limit for e in found)


def _judged(
    chosen: Candidate, champion: Candidate | None, gain: Estimate, ahead: Estimate | None, won: Sequence[str]
) -> tuple[Worth, str]:
    if gain.low is None:
        return "undecided", "too few seeds for an interval"
    if champion is None:
        return "undecided", "no free baseline was re-run on fresh seeds"
    name = _name(champion.first.plan.schedule)
    shown = ", ".join(won)
    if champion is chosen:
        where = f"; a mix of the sampler's was better in {shown}" if won else ""
        return ("worth it" if won else "not worth it"), f"its best mix for all languages is a free baseline ({name}){where}"
    if ahead is None or ahead.low is None:
        return "undecided", "too few seeds for an interval"
    if gain.low > 0 and ahead.low > 0:
        return "worth it", f"its mix is {ahead.value:+.1f} points [{ahead.low:+.1f}, {ahead.high:+.1f}] against {name}"
    if won:
        return "worth it", f"over all languages nothing was won against {name}, but in {shown} it was"
    if gain.low <= 0:
        nowhere = "and in no single language better than that and than the best free baseline"
        return "not worth it", f"over all languages its mix was not seen to be better than no intermediate training, {nowhere}"
    return "not worth it", f"no difference was seen between its mix and {name}"


def _entries(reading: Reading, row: Row, ranking: Ranking, chosen: Candidate) -> Iterable[CourtEntry]:
    table = reading.evidence.table
    yield CourtEntry(
        name="no intermediate training",
        schedule=Schedule.none(),
        evidence="fresh seeds",
        trainings=len(reading.evidence.baseline.seeds),
        advantage=reading.gain(chosen, row),
    )
    fresh = {candidate.row for candidate in ranking.candidates}
    designs = [(i, first.plan.schedule) for i, first in enumerate(table.firsts) if first.role == "design"]
    kinds: tuple[tuple[str, Callable[[Schedule], bool]], ...] = (
        ("best single", lambda s: len(s.tasks) == 1),
        ("uniform joint", lambda s: _name(s) == "uniform joint"),
        ("proportional joint", lambda s: _name(s) == "proportional joint"),
        ("size rule", lambda s: s.kind == "sequential"),
    )
    for name, belongs in kinds:
        members = [(i, schedule) for i, schedule in designs if belongs(schedule)]
        if not members:
            yield CourtEntry(name=name, schedule=None, evidence="not run", note="the space has no such designed trial")
            continue
        # One that stands on fresh seeds first: the leaders hold the best of the designed trials, and it is the one compared.
        best, schedule = max(members, key=lambda member: (member[0] in fresh, ranking.mean[member[0]], -member[0]))
        yield _entry(reading, row, ranking, chosen, name, best, schedule, len(members))
    for name, note in _LATER.items():
        yield CourtEntry(name=name, schedule=None, evidence="not run", note=note)


def _entry(
    reading: Reading,
    row: Row,
    ranking: Ranking,
    chosen: Candidate,
    name: str,
    best: int,
    schedule: Schedule,
    trainings: int,
) -> CourtEntry:
    fresh = next((candidate for candidate in ranking.candidates if candidate.row == best), None)
    expected = float(ranking.mean[best]) * ranking.points if reading.learnt else None
    error = float(ranking.deviation[best]) * ranking.points if reading.learnt else None
    return CourtEntry(
        name=name,
        schedule=schedule,
        evidence="fresh seeds" if fresh else "one seed, selection half",
        gain=reading.gain(fresh, row) if fresh else None,
        expected=expected,
        expected_error=error,
        trainings=trainings,
        advantage=_advantage(reading, row, chosen, fresh),
    )


def _name(schedule: Schedule) -> str:
    """What a designed trial is called in court."""
    if len(schedule.tasks) == 1:
        return "best single"
    if schedule.kind == "sequential":
        return "size rule"
    mixture = schedule.mixture()
    even = mixture is not None and len({share for _, share in mixture}) == 1
    return "uniform joint" if even else "proportional joint"
