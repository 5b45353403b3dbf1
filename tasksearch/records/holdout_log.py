"""Log of all uses of the reporting examples: `readings.json` in the study folder.

It records when they were read, by which rule and for which choice. A *question* is a selection rule together with the mix that
it chose for every language and group. It concerns the reporting examples of all (target, language) cells that these rows cover.
Repeating a question, or part of it (one language), gives the same answer and is not recorded again. Another rule, or another
choice by the same rule (in an extended study), is a second look at the same examples: it is answered, recorded, and its numbers
are marked as adaptive, since the first answer may have influenced the second question (Dwork et al. 2015, "The reusable
holdout").
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tasksearch.core.atomic import write_atomic
from tasksearch.core.checksum import checked_json, read_checked
from tasksearch.core.errors import Damaged, StudyBusy, TasksearchError
from tasksearch.core.score import Cell
from tasksearch.records.ledger import Ledger
from tasksearch.results.matched_comparison import QUESTION
from tasksearch.results.verdict import RULES

FILE, LOST = "readings.json", "readings.json.damaged"
"""Name of the log, and the name under which a damaged log is kept."""
_LOG = logging.getLogger("tasksearch.study")

NOTHING = "none"
"""Choice recorded for a row in which a rule selects no mix."""
EVERY_RULE = "every rule (best --rules)"
"""Rule name of the question of `best --rules`. It is recorded after the study's own question; a new question after it is
adaptive, since its gains have been seen.
"""
PORTFOLIO = "portfolios (best --portfolio)"
"""Rule name of the question of portfolios; treated in the same way. Portfolios are chosen on selection examples alone."""

FIXED = (QUESTION,)
"""Questions fixed before anything is read: matched pairs are drawn by the study's seed and select nothing, so these questions
and others do not affect each other. Asked again with other matched pairs (more of them after an answer, say) they are adaptive.
"""


@dataclass(frozen=True, kw_only=True)
class HoldoutUse:
    """One recorded question.

    Attributes:
        rule: selection rule.
        choices: row → signature of its mix.
        cells: "target/language" of the reporting examples that were read.
        when: date and time, UTC.
        adaptive: whether another question had been asked of any of these reporting examples before.
        complete: whether all finalists had been trained on fresh seeds by then. An early look by the same rule does not count
            as another question, even if the choice changes when the last finalists are done; an early look by another rule
            does.
    """

    rule: str
    choices: Mapping[str, str]
    cells: tuple[str, ...]
    when: str
    adaptive: bool
    complete: bool = True


def ask(
    folder: Path,
    rule: str,
    choices: Mapping[str, str],
    cells: Sequence[Cell],
    *,
    complete: bool = True,
) -> HoldoutUse:
    """Record a question about the reporting examples, unless the same question was recorded before.

    Args:
        folder: study folder.
        rule: selection rule.
        choices: row → signature of the chosen mix, for every row of the study.
        cells: cells whose reporting examples these rows cover.
        complete: whether all finalists have been trained on fresh seeds.

    If the study was extended by languages or targets, the same rule with the same choices in the earlier rows is the same
    question about more examples, not a second look.

    A rule that selects a mix in no row reads nothing and is not recorded.

    If an earlier log was lost, any question may be a second look and is marked as adaptive. If the folder cannot be written,
    the answer is given anyway and a warning says that it was not recorded.

    Raises:
        Damaged: the log is damaged.
        StudyBusy: another process has held the log's lock for 30 s.
    """
    names = tuple(sorted("/".join(cell) for cell in cells))
    if not _chooses(choices):
        return HoldoutUse(rule=rule, choices=dict(choices), cells=(), when=_now(), adaptive=False, complete=complete)
    with _lock(folder):
        every = holdout_uses(folder)
        past = [q for q in every if _chooses(q.choices)]
        choices = first_names(folder, choices)
        alike = [q for q in past if q.rule == rule and _agrees(q.choices, choices)]
        same = next((q for q in reversed(alike) if q.complete == complete), None)
        if same is not None and set(names) <= set(same.cells):
            return same
        early = [q for q in past if q.rule == rule and not q.complete and (rule not in FIXED or q.choices == dict(choices))]
        rivals = [q for q in past if (q.rule == rule if rule in FIXED else q.rule not in FIXED)]
        touched = [q for q in rivals if set(q.cells) & set(names) and q not in early and q not in alike]
        asked = HoldoutUse(
            rule=rule,
            choices=dict(choices),
            cells=names,
            when=_now(),
            adaptive=bool(touched) or any(q.adaptive for q in (*early, *alike)) or (folder / LOST).exists(),
            complete=complete,
        )
        try:
            write_atomic(folder / FILE, checked_json({"questions": [asdict(q) for q in (*every, asked)]}))
        except TasksearchError as fault:
            _LOG.warning(
                "this reading of the reporting examples was not recorded: %s; a later one will not know of it",
                str(fault).partition(";")[0],
            )
        return asked


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Allow one reader at a time; a folder that cannot be written is read without a lock."""
    lock = FileLock(folder / "readings.lock", timeout=30)
    try:
        lock.acquire()
    except Timeout:
        raise StudyBusy(f"{lock.lock_file} has been held by another reader for 30 s; wait for it, or stop it") from None
    except OSError:
        pass
    try:
        yield
    finally:
        lock.release()


def first_names(folder: Path, choices: Mapping[str, str]) -> dict[str, str]:
    """Map signatures of mixes to those before the study was extended: targets and languages added later are part of a plan."""
    ledger = Ledger(folder)
    history = ledger.history()
    if not history:
        return dict(choices)
    first, names = history[0], dict[str, str]()
    for record in ledger.records():
        plan = record.plan
        before = dataclasses.replace(plan, targets=first.targets, languages=first.languages)
        names[plan.mix_signature] = before.mix_signature
    return {row: names.get(mix, mix) for row, mix in choices.items()}


def part_of_earlier(folder: Path, rule: str, choices: Mapping[str, str]) -> HoldoutUse | None:
    """Return the last question by that rule that chose the same mix in each of these rows; None if there is none."""
    now = first_names(folder, choices)
    past = (q for q in reversed(holdout_uses(folder)) if q.rule == rule)
    return next((q for q in past if _agrees(now, q.choices)), None)


def _agrees(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether every earlier row is present with the same choice."""
    return all(now.get(row) == mix for row, mix in before.items())


def holdout_uses(folder: Path) -> list[HoldoutUse]:
    """Return all questions of a study, oldest first.

    Raises:
        Damaged: the log is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return []
    way_out = f"`tasksearch check {folder} --repair` puts it aside, and what is read from then on counts as adaptive"
    try:
        data = read_checked(path)
        entries = data["questions"] if isinstance(data, dict) else data  # format 1 is a plain list
        return [HoldoutUse(**{**entry, "cells": tuple(entry["cells"])}) for entry in entries]
    except Damaged as fault:
        raise Damaged(f"{fault}; {way_out}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{path} is damaged: {type(error).__name__}: {error}; {way_out}") from None


def headline(questions: Sequence[HoldoutUse]) -> str | None:
    """Return the selection rule that was asked for first; None if there is none.

    Questions about all rules, one target, portfolios and matched pairs do not count.
    """
    return next((q.rule for q in questions if q.rule in RULES and _chooses(q.choices)), None)


def _chooses(choices: Mapping[str, str]) -> bool:
    return any(mix != NOTHING for mix in choices.values())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
