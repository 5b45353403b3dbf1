"""Reporting examples are read once: `readings.json` in the study folder says who read it, when, and what was asked.

A *question* is a selection rule and the mix that it chose for every language and group. It is asked of every (target, language)
reporting examples that these rows cover. The same question may be asked as often as one likes and has one answer; a part of it
(one language) is the same question. Another rule, or another choice by the same rule (a study that was extended), is a second
look
at the same examples: it needs `--reopen`, is written down, and from then on its numbers are called adaptive, for whoever has
seen the first answer may have let it decide the second question (Dwork et al. 2015, "The reusable holdout").
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
from tasksearch.core.errors import AlreadyRead, Damaged, StudyBusy, TasksearchError
from tasksearch.core.score import Cell
from tasksearch.records.ledger import Ledger
from tasksearch.results.matched_comparison import QUESTION

FILE, LOST = "readings.json", "readings.json.damaged"
"""The questions, and what is left of them where they were damaged and put aside."""
_LOG = logging.getLogger("tasksearch.study")

NOTHING = "none"
"""Choice of a rule that finds nothing to read in a row."""
EVERY_RULE = "every rule (best --rules)"
"""Name of the question that `best --rules` asks. It is written down after the study's own question and needs no `--reopen`, but
any question that is new after it does: its gains have been seen."""
PORTFOLIO = "portfolios (best --portfolio)"
"""Name of the question that portfolios ask, likewise. Its choices read selection examples alone."""

FIXED = (QUESTION,)
"""Questions that are fixed before anything is read: twins are drawn by the study's seed and choose nothing, so no other
question touches them, nor they another. Asked again with other twins (more of them, say, after an answer) they are adaptive."""


@dataclass(frozen=True, kw_only=True)
class HoldoutUse:
    """One question, as it was written down.

    Attributes:
        rule: the selection rule.
        choices: row → signature of its mix.
        cells: "target/language" of the reporting examples that it read.
        when: date and time, UTC.
        adaptive: whether another question had been asked of any of these halves before.
        complete: whether all leaders stood on fresh seeds by then. An early look by the same rule is no other question, though
            the choice may change when the last leaders arrive; another rule after an early look is.
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
    reopen: bool = False,
    complete: bool = True,
) -> HoldoutUse:
    """Asks a question of the reporting examples, and writes it down unless it was asked before.

    Args:
        folder: of the study.
        rule: the selection rule.
        choices: row → signature of the chosen mix, for every row of the study.
        cells: reporting examples that these rows cover.
        reopen: whether a second question may be asked.
        complete: whether all leaders stand on fresh seeds.

    Where a study grew by languages or targets, the same rule with the same choices in the rows of before is the same question
    asked of more halves, and no second look.

    A rule that found nothing to choose on in any row has read nothing: it is not written down and stands in nobody's way.

    Where the questions were lost, any answer may be a second look: it is adaptive. Where the folder cannot be written, the
    answer is given all the same, and a line says that it was not written down.

    Raises:
        AlreadyRead: another question was asked of one of these halves, and `reopen` is not set.
        Damaged: the file is.
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
        if touched and not reopen:
            raise AlreadyRead(_refusal(touched[-1], rule, choices, names))
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
    """One reader at a time; a folder that cannot be written is read without."""
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
    """Signatures of mixes as the study first named them: targets and languages that joined later are part of a plan."""
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


def _agrees(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether every row of before is there with its choice."""
    return all(now.get(row) == mix for row, mix in before.items())


def holdout_uses(folder: Path) -> list[HoldoutUse]:
    """Every question of a study, oldest first.

    Raises:
        Damaged: the file is.
    """
    path = folder / FILE
    if not path.exists():
        return []
    way_out = f"`tasksearch check {folder} --repair` puts it aside, and what is read from then on counts as adaptive"
    try:
        data = read_checked(path)
        entries = data["questions"] if isinstance(data, dict) else data  # of format 1 a list alone
        return [HoldoutUse(**{**entry, "cells": tuple(entry["cells"])}) for entry in entries]
    except Damaged as fault:
        raise Damaged(f"{fault}; {way_out}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{path} is damaged: {type(error).__name__}: {error}; {way_out}") from None


def headline(questions: Sequence[HoldoutUse]) -> str | None:
    """The rule that was asked last by itself; None: none was. A table of every rule, or of portfolios, is no headline."""
    beside = (EVERY_RULE, PORTFOLIO, *FIXED)
    own = (q.rule for q in reversed(questions) if q.rule not in beside and _chooses(q.choices))
    return next(own, None)


def _chooses(choices: Mapping[str, str]) -> bool:
    return any(mix != NOTHING for mix in choices.values())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _refusal(before: HoldoutUse, rule: str, choices: Mapping[str, str], names: Sequence[str]) -> str:
    half = sorted(set(before.cells) & set(names))[0]
    if before.rule != rule:
        asked = f"by {before.rule}; {rule} would be a second look at the same examples"
    elif rule in FIXED:
        asked = f"for {rule} with other mixtures or other best mixes; more twins do not make its reporting examples new"
    else:
        row = next((r for r, mix in choices.items() if before.choices.get(r) != mix), "")
        asked = f"by {rule} for another choice of mix ({row}); extending a study does not make its reporting examples new"
    return (
        f"the reporting examples of {half} was read on {before.when} {asked}. "
        "`--reopen` reads it again and marks the numbers as adaptive"
    )
