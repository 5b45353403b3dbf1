"""`answer_question`: joint or sequential training, answered from the matched pairs of one or several studies."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tasksearch.core.arm_rates import arm_rate_words
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.core.study import MATCHED, StudyConfig, TrialRecord
from tasksearch.results.matched_comparison import MARGIN, QUESTION, MatchedComparison
from tasksearch.study.best import open_study

ALIKE = ("suite", "suite_options", "model", "targets", "languages", "overrides", "mixing", "search_target_steps")
"""Settings that studies of one comparison must share; their spaces, seeds and lengths may differ."""


def answer_question(folders: Sequence[Path], *, margin: float = MARGIN) -> MatchedComparison:
    """Compare the kinds of schedule; record the question in every study's holdout log (see `records.holdout_log`).

    Asked again with other matched pairs the answer is marked adaptive.

    Args:
        folders: of the studies.
        margin: points within which the schedules count as equivalent.

    Raises:
        StudyNotReady: a study without matched pairs, or without a finished set of them.
        BadInput: studies that cannot be compared.
    """
    from tasksearch.analysis.clustering import Documents
    from tasksearch.analysis.matched_comparison.comparison import compare_schedules
    from tasksearch.analysis.matched_comparison.matched_runs import MatchedStudy
    from tasksearch.records.ledger import Ledger
    from tasksearch.search.matched_pairs import per_mixture

    distinct = list(dict.fromkeys(folder.absolute() for folder in folders))
    _check_alike([(folder, Ledger(folder).config()) for folder in distinct])
    opened = [(folder, *open_study(folder)) for folder in distinct]
    for folder, config, _, records in opened:
        _check_matched(folder, config, records)
    studies = [
        MatchedStudy(
            name=config.name,
            records=records,
            outcomes=cache(Ledger(folder).outcomes),
            sizes=Ledger(folder).sizes(),
            per_mixture=per_mixture(config),
            documents=Documents.reporting(Ledger(folder).documents()),
        )
        for folder, config, _, records in opened
    ]
    suite = opened[0][2]
    complete = [_is_complete(config, records) for _, config, _, records in opened]
    found = compare_schedules(
        studies,
        suite.groups,
        language_groups=suite.language_groups,
        margin=margin,
        warning=suite.warning,
        complete=all(complete),
    )
    asked = [
        _ask(folder, config, records, complete=whole)
        for (folder, config, _, records), whole in zip(opened, complete, strict=True)
    ]
    return dataclasses.replace(found, adaptive=any(each.adaptive for each in asked))


def order_of(folder: Path, records: Sequence[TrialRecord]) -> tuple[MatchedComparison | None, str]:
    """Return a study's own answer; without one None and the reason, which is empty where it trained no matched pairs."""
    if not any(record.role in MATCHED for record in records):
        return None, ""
    try:
        return answer_question([folder]), ""
    except StudyNotReady as why:
        return None, f"Joint or sequential: no answer yet, {why}."


def _check_alike(opened: Sequence[tuple[Path, StudyConfig]]) -> None:
    (first, config), *others = opened
    for folder, other in others:
        for name in ALIKE:
            ours, theirs = getattr(config, name), getattr(other, name)
            if ours != theirs:
                raise BadInput(
                    f"{first} and {folder} cannot answer one question: {name} {_told(ours)} and {_told(theirs)}; "
                    "expected studies of one suite, model, set of targets and of languages"
                )
        if (own := config.space.arm_learning_rates) != other.space.arm_learning_rates:
            ours, theirs = (" ".join(arm_rate_words(rates)) or "none" for rates in (own, other.space.arm_learning_rates))
            raise BadInput(
                f"{first} and {folder} cannot answer one question: --arm-learning-rate {ours} and {theirs}; expected the same "
                "rates of the arms"
            )


def _told(value: Any) -> str:
    return repr(", ".join(map(str, value)) if isinstance(value, tuple) else value)


def _check_matched(folder: Path, config: StudyConfig, records: Sequence[TrialRecord]) -> None:
    if not any(record.role in MATCHED for record in records):
        way = f"tasksearch resume {folder}" + ("" if config.twins or config.pairs else " --matched-sets 6")
        raise StudyNotReady(
            f"{folder} has trained no matched pairs, which joint or sequential is answered on; run them: `{way}`"
        )


def _is_complete(config: StudyConfig, records: Sequence[TrialRecord]) -> bool:
    """Return whether all matched pairs and sets are finished and, beside sets, the best of each kind on fresh seeds."""
    from tasksearch.search.matched_pairs import best_of_each, drawn_pairs, matched_count

    ended = Counter(record.role for record in records if record.status != "running")
    pairs = drawn_pairs(config.space, config.seed, config.pairs)
    if ended["twin"] < matched_count(config) or ended["pair"] < 2 * len(pairs):
        return False
    if not config.twins:
        return True
    finished = [r.plan.mix_signature for r in records if r.role in ("finalist", "best-of") and r.status != "running"]
    return all(finished.count(best.record.plan.mix_signature) >= config.twin_seeds for best in best_of_each(records).values())


def _ask(folder: Path, config: StudyConfig, records: Sequence[TrialRecord], *, complete: bool) -> Any:
    from tasksearch.records.holdout_log import ask
    from tasksearch.search.matched_pairs import best_of_each, matched_sets

    asked_for = tuple(twins[0].schedule for twins in matched_sets(config.space, config.seed, config.twins))
    choices = {"twins": signature_of("twins", asked_for)}
    if config.pairs:  # not by their schedules, which are others once the space is widened
        choices["pairs"] = signature_of("pairs", config.seed, config.pairs)
    if config.twins:
        choices |= {f"best {kind}": best.record.plan.mix_signature for kind, best in best_of_each(records).items()}
    done = [record for record in records if record.role in MATCHED and record.status == "done"]
    cells = sorted({cell for record in done for cell in record.scores.values("report") if cell[1] != ENGLISH})
    return ask(folder, QUESTION, choices, cells, complete=complete)
