"""`compare_studies`: several studies side by side, such as models, suites or seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.folders import AnyPath
from tasksearch.results.study_comparison import ComparedStudy, StudyComparison
from tasksearch.results.verdict import Verdict
from tasksearch.study.best import best_of, open_study, verdict_of
from tasksearch.study.transfer import rank_transfers


def compare_studies(folders: Sequence[AnyPath]) -> StudyComparison:
    """Return the verdicts of several studies, each by the rule that it was asked by before; the first question is recorded.

    A study without a verdict stands there with the reason.

    Raises:
        BadInput: fewer than two studies, or one given twice.
        StudyNotReady: a folder holds no study.
    """
    places = [Path(folder) for folder in folders]
    if len({place.resolve() for place in places}) < max(2, len(places)):
        count = "1 study" if len(places) == 1 else f"{len(places)} studies"
        raise BadInput(f"{count} ({', '.join(map(str, places))}); expected at least two, each once")
    opened = [(place, *open_study(place)) for place in places]
    named = Counter(config.name for _, config, _, _ in opened)
    found = []
    for place, config, suite, records in opened:
        verdict, pending = _verdict(place)
        found.append(
            ComparedStudy(
                name=config.name if named[config.name] == 1 else str(place),
                folder=str(place),
                suite=config.suite,
                model=config.model,
                seed=config.seed,
                targets=config.targets,
                trainings=sum(record.status == "done" for record in records),
                warning=suite.warning,
                verdict=verdict,
                pending=pending,
            )
        )
    read = [(one.name, config, suite, records) for one, (_, config, suite, records) in zip(found, opened, strict=True)]
    return StudyComparison(studies=tuple(found), transfers=rank_transfers(read))


def _verdict(folder: Path) -> tuple[Verdict | None, str]:
    from tasksearch.records.holdout_log import headline, holdout_uses

    asked = headline(holdout_uses(folder))
    try:
        return (best_of(folder, rule=asked) if asked else verdict_of(folder)), ""
    except StudyNotReady as why:
        return None, str(why)
