"""`StudyComparison`: verdicts of several studies side by side, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasksearch.core.plain import plain
from tasksearch.results.transfer import RankTransfer
from tasksearch.results.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class ComparedStudy:
    """One study among several.

    Attributes:
        name: unique among the compared studies.
        folder, suite, model, seed, targets: from its configuration.
        trainings: number of finished ones.
        warning: the sentence to be shown beside its numbers; empty if there is none.
        verdict: by the rule that the study was asked by before; None where there is none.
        pending: why there is no verdict.
    """

    name: str
    folder: str
    suite: str
    model: str
    seed: int
    targets: tuple[str, ...]
    trainings: int
    warning: str
    verdict: Verdict | None
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class StudyComparison:
    """Several studies, in the order they were given.

    Attributes:
        transfers: of every two studies that trained mixes in common, how far they rank them alike.
    """

    studies: tuple[ComparedStudy, ...]
    transfers: tuple[RankTransfer, ...] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """Languages of any study, then groups, each in the order of its first study."""
        choices = [choice for study in self.studies if study.verdict for choice in study.verdict.choices]
        return tuple(dict.fromkeys(choice.name for choice in sorted(choices, key=lambda choice: choice.is_group)))

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of the settings in which the studies differ, of which a difference of their gains may come."""
        told = [
            {
                "suite": study.suite,
                "model": study.model,
                "seed": study.seed,
                "targets": study.targets,
                "rule": study.verdict.rule if study.verdict else None,
            }
            for study in self.studies
        ]
        return tuple(name for name in told[0] if len({one[name] for one in told}) > 1)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as `--json` prints them."""
        studies = []
        for study in self.studies:
            told = {name: plain(getattr(study, name)) for name in study.__dataclass_fields__ if name != "verdict"}
            studies.append(told | {"verdict": study.verdict.to_json() if study.verdict else None})
        transfers = [one.to_json() for one in self.transfers]
        return {"differing": list(self.differing), "studies": studies, "transfers": transfers}
