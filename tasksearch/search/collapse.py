"""Collapsed trainings: fine-tuning that ended far below the other seeds of its own plan.

The rule looks at English selection scores alone, at one seed at a time, downwards only, and is blind to what the plan is. A
training is flagged where some target's score

- lies below the median of the plan's other seeds by more than `FAR` deviations; the deviation is the median difference between
  two seeds of one plan over all plans (of a normal distribution: 0.954 deviations), and at least the binomial error; or
- is no better than a guess (within `GUESSED` binomial errors) where that median is `FAR` binomial errors better. Few seeds, or
  seeds that differ much, hide a failure from the first part: one of two seeds that fails is half of all the spread there is.

A plan that would be flagged on more than half of its seeds is not flagged at all: that it fails is what was found.

The arms of matched pairs have one seed each: all arms of a study are compared as if they were one plan, by the first part
alone, since a mixture of its own may well be what fails.

A flagged training on fresh seeds is trained again on a new seed, as a trial of its own, `RERUNS` times in a study at most.

Trials of the search have one seed each. Those that are no better than a guess where the baseline is far above one are left out
wherever mixes of the search are compared, unless they are many: one such training moves what is believed of every mix like it,
and the differences between languages most.
"""

from __future__ import annotations

import statistics
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import combinations

from tasksearch.core.score import ENGLISH, Cell, read_columns
from tasksearch.core.study import BASELINES, LEAST_TWINS, SEARCHED, Guesses, TrialRecord
from tasksearch.search.objective import Baseline, binomial_error

FAR = 6.0
"""Deviations between a collapsed training and the median of its plan's other seeds; binomial errors of a guess below it."""
RERUNS = 4
"""The most trainings of a study that are run again because they collapsed."""
GUESSED = 2.0
"""Binomial errors above the score of a guess up to which a training counts as no better than one."""
MOST_GUESSING = 4
"""Of so many trials of the search at most one is left out as no better than a guess."""
FRESH = ("baseline", "finalist", "control")
"""Roles whose trainings are compared with the other seeds of their plan, and run again where they collapsed."""
SEVERAL = (*FRESH, "short-baseline")
"""The same with the baseline of a short search, whose seeds are not run again: objectives are fixed by then."""


def collapsed(records: Iterable[TrialRecord], guesses: Guesses) -> frozenset[int]:
    """Return the numbers of the collapsed trainings among the finished ones of plans with several seeds. Pure.

    Args:
        records: in any order.
        guesses: `StudyConfig.guesses`; without any, no training is told from its distance to a guess.
    """
    plans: dict[tuple[str, float], list[TrialRecord]] = {}
    for record in records:
        if record.role in SEVERAL and record.status == "done":
            plans.setdefault((record.plan.mix_signature, record.plan.target_share), []).append(record)
    return _flagged([trained for trained in plans.values() if len(trained) > 1], dict(guesses))


def collapsed_pairs(records: Iterable[TrialRecord]) -> frozenset[int]:
    """Return the numbers of the collapsed trainings among the finished matched pairs. Pure.

    Each has a mix and a seed of its own, so each is compared with all others; mixes differ more than seeds, and the deviation
    holds both.
    """
    arms = [record for record in records if record.role == "pair" and record.status == "done"]
    return _flagged([arms], {}) if len(arms) > 2 * LEAST_TWINS else frozenset()


def guessing(records: Iterable[TrialRecord], baseline: Baseline, guesses: Guesses) -> frozenset[int]:
    """Return the numbers of the search's finished trainings that are no better than a guess where the baseline is. Pure.

    None where they are more than one in `MOST_GUESSING`: mixes that fail for a reason of their own are what was found.

    Args:
        records: in any order; the baseline's seeds say on how many examples a target is scored.
        baseline: of the search.
        guesses: `StudyConfig.guesses`.
    """
    records = list(records)
    bare = next((record for record in records if record.role in BASELINES and record.status == "done"), None)
    done = [record for record in records if record.role in SEARCHED and record.status == "done" and len(record.scores)]
    found: set[int] = set()
    for target, guess in guesses:
        cell, score = (target, ENGLISH), bare.scores.cell(target, ENGLISH, "select") if bare else None
        if score is None or cell not in baseline.cells:
            continue
        if baseline.cells[cell].mean <= guess + FAR * binomial_error(guess, score.examples):
            continue
        scored = [record for record in done if cell in record.scores.cells("select")]
        columns = read_columns((record.scores for record in scored), "select", [cell])
        found |= {r.number for r, (value,) in zip(scored, columns, strict=True) if _is_guessed(value, guess, score.examples)}
    return frozenset() if MOST_GUESSING * len(found) > len(done) else frozenset(found)


def without_guessing(
    records: Iterable[TrialRecord], baseline: Baseline, guesses: Guesses, kept: Container[str] = ()
) -> list[TrialRecord]:
    """Return the records without those of `guessing`, whose arguments these are; mixes of a signature in `kept` stay."""
    records = list(records)
    lost = guessing(records, baseline, guesses)
    return [record for record in records if record.number not in lost or record.plan.mix_signature in kept]


def _flagged(several: Sequence[Sequence[TrialRecord]], guesses: Mapping[str, float]) -> frozenset[int]:
    english = {record.number: _english(record) for trained in several for record in trained}
    targets = {target for scores in english.values() for target in scores}
    spread = {target: _spread(several, english, target) for target in targets}
    found: set[int] = set()
    for trained in several:
        low = {record.number for record in trained if _is_low(record, trained, english, spread, guesses)}
        found |= low if 2 * len(low) <= len(trained) else set()
    return frozenset(found)


def not_trained(baseline: Baseline, chance: Mapping[str, float | None], examples: Mapping[Cell, int]) -> tuple[str, ...]:
    """Return the targets in which the baseline is no better than a guess on English selection examples, sorted.

    Args:
        baseline: its selection scores.
        chance: target → score of a guess, percent; targets without one are never returned.
        examples: cell → selection examples.
    """
    return tuple(
        target
        for target in baseline.targets
        if (guess := chance.get(target)) is not None
        and (cell := baseline.cells.get((target, ENGLISH))) is not None
        and _is_guessed(cell.mean, guess, examples[target, ENGLISH])
    )


def to_run_again(records: Sequence[TrialRecord], guesses: Guesses) -> TrialRecord | None:
    """Return a collapsed training that is still to be replaced; None where all are, or the study's budget is spent."""
    flagged = collapsed(records, guesses)
    fresh = [record for record in records if record.role in FRESH]
    made = sum(is_rerun(record) for record in fresh)
    if made >= RERUNS:
        return None
    for record in fresh:
        own = [other for other in fresh if other.plan.mix_signature == record.plan.mix_signature]
        if record.number in flagged and sum(map(is_rerun, own)) < sum(other.number in flagged for other in own):
            return record
    return None


FIRST_SEED = 900
"""Seeds of trainings that are run again: a study's seed sets its trials' seeds apart by a thousand."""


def is_rerun(record: TrialRecord) -> bool:
    """Return whether the training replaces a collapsed one."""
    return record.role in FRESH and record.plan.seed % 1000 >= FIRST_SEED


def _english(record: TrialRecord) -> dict[str, tuple[float, int]]:
    return {
        score.target: (score.value, score.examples)
        for score in record.scores
        if score.half == "select" and score.language == ENGLISH
    }


def _spread(plans: Sequence[Sequence[TrialRecord]], english: dict[int, dict[str, tuple[float, int]]], target: str) -> float:
    scored = [[english[r.number][target] for r in trained if target in english[r.number]] for trained in plans]
    differences = [abs(one - other) for values in scored for (one, _), (other, _) in combinations(values, 2)]
    floor = statistics.median(binomial_error(value, examples) for values in scored for value, examples in values)
    return max(floor, statistics.median(differences) / 0.954) if differences else floor


def _is_low(
    record: TrialRecord,
    trained: Sequence[TrialRecord],
    english: dict[int, dict[str, tuple[float, int]]],
    spread: dict[str, float],
    guesses: Mapping[str, float],
) -> bool:
    for target, (value, examples) in english[record.number].items():
        others = [english[o.number][target][0] for o in trained if o is not record and target in english[o.number]]
        if not others:
            continue
        usual, guess = statistics.median(others), guesses.get(target)
        if value < usual - FAR * spread[target]:
            return True
        if guess is not None and _is_guessed(value, guess, examples) and usual > guess + FAR * binomial_error(guess, examples):
            return True
    return False


def _is_guessed(percent: float, guess: float, examples: int) -> bool:
    """Return whether a score on so many examples is no better than a guess's."""
    return percent <= guess + GUESSED * binomial_error(guess, examples)
