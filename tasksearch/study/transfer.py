"""From one encoder to another: read the mixes that a new study takes over, and compare two studies' rankings."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from tasksearch.core.errors import BadInput, StudyNotReady, TasksearchError
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Cell
from tasksearch.core.signature import signature_of
from tasksearch.core.space import SearchSpace, encode
from tasksearch.core.study import BASELINES, SEARCHED, Objective, StudyConfig, TrialRecord
from tasksearch.core.transfer import SharedTarget, Transfer, TransferredMix
from tasksearch.results.transfer import RankTransfer
from tasksearch.tasks.suite import Suite

_NOT_OF_A_MIX: Mapping[str, Any] = {"sizes": (), "learning_rates": (), "arm_learning_rates": ()}
"""Fields of a space that belong to its data and its encoder, without them."""


@dataclass(frozen=True, kw_only=True)
class EarlierStudy:
    """A study whose mixes another one takes over, as it stands now; nothing is written into its folder."""

    folder: Path
    config: StudyConfig
    records: tuple[TrialRecord, ...]

    @classmethod
    def read(cls, folder: str) -> Self:
        """Read a study.

        Raises:
            StudyNotReady: the folder holds no study.
            BadInput: a damaged file, or one of another version.
        """
        from tasksearch.records.ledger import Ledger

        ledger = Ledger(Path(folder))
        return cls(folder=ledger.folder, config=ledger.config(), records=tuple(ledger.records()))

    @property
    def space(self) -> SearchSpace:
        """Its space without what belongs to its data and its encoder: sizes of tasks, and learning rates."""
        return dataclasses.replace(self.config.space, **_NOT_OF_A_MIX)

    @property
    def id(self) -> str:
        """The study's id, or its name where it has none."""
        path = self.folder / "study.id"
        return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else self.config.name

    def transfer(
        self, confirm: int, *, space: SearchSpace, suite: Suite, cells: Collection[Cell], objective: Objective
    ) -> Transfer:
        """Choose the mixes that a new study takes over.

        Args:
            confirm: number of the best mixes; as many at most are added from the rest (`analysis.transfer.chosen_places`).
            space: of the new study.
            suite: of the new study, whose kinds of targets weigh them.
            cells: (target, language) that the new study scores.
            objective: of the new study. It ranks, over the targets and languages that both have.

        Raises:
            StudyNotReady: no baseline or no mix was scored yet.
            BadInput: the studies share no target and language, there are fewer mixes, or the space cannot express one.
        """
        from tasksearch.analysis.transfer import Ranked, chosen_places

        try:
            ranked = Ranked.of(self.records, self.config.guesses)
        except StudyNotReady as why:
            raise StudyNotReady(f"--from-study {self.folder}: {why}; `tasksearch resume {self.folder}` goes on") from None
        if ranked is None:
            raise StudyNotReady(f"--from-study {self.folder}: no mix was scored yet; `tasksearch resume {self.folder}` goes on")
        shared = ranked.shared(cells, objective, suite.groups)
        if not shared:
            raise BadInput(
                f"--from-study {self.folder}: it scores {_told(ranked.table.cells)}, the new study {_told(cells)}; expected a "
                "target with a language in both that the objective counts"
            )
        ranking = list(ranked.ranking(shared).items())
        if confirm > len(ranking):
            raise BadInput(f"--confirm {confirm}; {self.folder} has {len(ranking)} scored mixes: expected at most as many")
        places = chosen_places([mix.first.role == "design" for _, mix in ranking], confirm)
        return Transfer(
            study=self.id,
            folder=str(self.folder.absolute()),
            suite=self.config.suite,
            model=self.config.model,
            confirm=confirm,
            ranked=len(ranking),
            fingerprint=self._fingerprint(),
            shared=shared,
            mixes=tuple(
                TransferredMix(
                    schedule=ranking[place][0],
                    role="design" if ranking[place][1].first.role == "design" else "search",
                    params=self._params(*ranking[place], space),
                    trial=ranking[place][1].first.number,
                    rank=place + 1,
                    gains=ranking[place][1].gains,
                )
                for place in places
            ),
        )

    def _params(self, schedule: Schedule, mix: Any, space: SearchSpace) -> tuple[tuple[str, Any], ...]:
        """Return the mix as parameters of the new study's space; BadInput where it cannot express it."""
        from tasksearch.search.designed_trials import design_of

        own = tuple((name, value) for name, value in mix.first.params if name != "learning_rate")
        if _alike(space, self.config.space):
            return own  # an arm of a matched pair may have none
        for params in (lambda: dict(own), lambda: encode(schedule, space)):
            try:
                found = design_of(space, params())
            except TasksearchError:
                continue
            if found is not None and found.schedule == schedule:
                return found.params
        raise BadInput(
            f"--from-study {self.folder}: space {space.name!r} cannot express its mix {schedule}; expected its own space, "
            "without --space, --steps, --rule or several --intermediate-learning-rate"
        )

    def _fingerprint(self) -> str:
        read = [r for r in self.records if r.status == "done" and r.role in (*BASELINES, *SEARCHED)]
        return signature_of([(r.number, r.plan.signature, sorted(r.scores.values("select").items())) for r in read])


def _alike(one: SearchSpace, other: SearchSpace) -> bool:
    """Return whether spaces are equal but for what belongs to data and encoder."""
    first, second = (dataclasses.replace(each, **_NOT_OF_A_MIX, batch_size=None) for each in (one, other))
    return first == second and not one.searched_rates


def _told(cells: Collection[Cell]) -> str:
    targets = sorted({target for target, _ in cells})
    return f"{', '.join(targets[:8])} in {', '.join(sorted({language for _, language in cells})[:8])}"


def scored_cells(suite: Suite, targets: Sequence[str], languages: Sequence[str]) -> frozenset[Cell]:
    """Return (target, language) for every language of a study that its targets cover."""
    return frozenset((name, one) for name in targets for one in languages if one in suite.card(name).languages)


def transfer_of(folder: Path) -> RankTransfer | None:
    """Return how far a study's encoder ranks the mixes that it took over as the earlier study did, as far as it has run.

    Only the study's own folder is read. None where it took none over.
    """
    from tasksearch.study.best import open_study

    config, suite, records = open_study(folder)
    return correlated(config, suite.groups, records)


def correlated(config: StudyConfig, groups: Mapping[str, str], records: Sequence[TrialRecord]) -> RankTransfer | None:
    """Return `transfer_of` from what was read of the study already."""
    from tasksearch.analysis.transfer import ranked_or_none

    if (told := config.transfer) is None:
        return None
    there = {mix.schedule: (mix.rank, mix.gains) for mix in told.mixes}
    found = _correlated(there, ranked_or_none(records, config.guesses), told.shared, groups)
    return RankTransfer(
        first=told.study, second=config.name, first_model=told.model, second_model=config.model, ranked=told.ranked,
        confirm=told.confirm, shared=told.shared, **found,
    )  # fmt: skip


def rank_transfers(studies: Sequence[tuple[str, StudyConfig, Suite, Sequence[TrialRecord]]]) -> tuple[RankTransfer, ...]:
    """Return how far every two studies that trained mixes in common rank them alike.

    Targets are weighed by the objective of the second: the later given one, or the one that took mixes over from another.

    Args:
        studies: name, configuration, suite and records of each.
    """
    from tasksearch.analysis.transfer import ranked_or_none

    read = [(name, config, suite, ranked_or_none(records, config.guesses)) for name, config, suite, records in studies]
    found = []
    for pair in combinations(read, 2):
        first, second = pair[::-1] if pair[0][1].transfer is not None and pair[1][1].transfer is None else pair
        (name, config, _, there), (other, second_config, suite, here) = first, second
        if there is None or here is None:
            continue
        shared = there.shared(set(here.table.cells), second_config.objective, suite.groups)
        ranking = there.ranking(shared) if shared else {}
        told = {mix: (place, one.gains) for place, (mix, one) in enumerate(ranking.items(), 1)}
        compared = _correlated(told, here, shared, suite.groups)
        if compared["mixes"]:
            found.append(
                RankTransfer(
                    first=name,
                    second=other,
                    first_model=config.model,
                    second_model=second_config.model,
                    ranked=len(ranking),
                    shared=shared,
                    **compared,
                )
            )
    return tuple(found)


def _correlated(
    there: Mapping[Schedule, tuple[int, Sequence[float]]], here: Any, shared: Sequence[SharedTarget], groups: Mapping[str, str]
) -> dict[str, Any]:
    """Compare a study's gains with an earlier one's.

    Args:
        there: mix → its rank and gains in the earlier study.
        here: the later study's `Ranked`; None while it has none.
    """
    from tasksearch.analysis.transfer import rank_correlations

    cells = {(one.name, language) for one in shared for language in one.languages}
    ranking = here.ranking(shared) if there and here is not None and cells <= set(here.table.cells) else {}
    both = [mix for mix in ranking if mix in there]
    rows = rank_correlations([there[mix][1] for mix in both], [ranking[mix].gains for mix in both], shared, groups)
    return {"mixes": len(both), "rows": rows, "best_rank": there[both[0]][0] if both else None}
