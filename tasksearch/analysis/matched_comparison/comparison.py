"""Joint or sequential, from the matched pairs and sets of one study or of several like it: `compare_schedules`.

The result is an average over mixtures as they are drawn from the space, each with equal weight. Numbers come from reporting
examples alone. Matched pairs are drawn by the study's seed, so no result chose them; the best joint and the best sequential mix
are chosen on selection examples and scored on fresh seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasksearch.analysis.baseline_comparison.comparison import unit_of, work_of
from tasksearch.analysis.estimates import CandidateOutcomes, Cell, estimate
from tasksearch.analysis.evidence import candidate_outcomes_of
from tasksearch.analysis.matched_comparison.matched_runs import (
    Coefficients,
    MatchedStudy,
    Mix,
    Variant,
    against,
    difference_tables,
    items_of,
    mixes_of,
    own_rates,
)
from tasksearch.analysis.matched_comparison.random_effects import Items, difference
from tasksearch.analysis.study_analysis import ALL, cell_weights
from tasksearch.core.errors import StudyNotReady
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import ENGLISH
from tasksearch.core.study import FOR_THE_QUESTION, LEAST_TWINS, TrialRecord
from tasksearch.results.matched_comparison import (
    MARGIN,
    BestOfComparison,
    BestOfRow,
    Difference,
    MatchedComparison,
    MatchedPairsCost,
    MatchedRow,
    Policy,
    RowKind,
    ScheduleContrast,
    SizeRule,
)
from tasksearch.search.collapse import collapsed_pairs
from tasksearch.search.matched_pairs import BestOf, best_of_each

CONTRASTS: tuple[tuple[str, Policy], ...] = (("sequential", "phase"), ("annealed", "phase"), ("sequential", "stage"))


def compare_schedules(
    studies: Sequence[MatchedStudy],
    groups: Mapping[str, str],
    *,
    language_groups: Mapping[str, Sequence[str]] | None = None,
    level: float = 0.95,
    margin: float = MARGIN,
    warning: str = "",
    complete: bool = True,
    adaptive: bool = False,
) -> MatchedComparison:
    """Compare the schedules over studies that share suite, model, targets and languages.

    Args:
        studies: at least one.
        groups: target → kind of target.
        language_groups: name → languages, each a row of its own, and contrasted with the other languages.
        level: of every interval.
        margin: points within which the schedules count as equivalent.
        warning, complete, adaptive: as `MatchedComparison` has them.

    Raises:
        StudyNotReady: no mixture whose joint and sequential trainings are finished on every seed.
        BadInput: matched pairs that were scored on different examples.
    """
    mixes = mixes_of(studies)
    rows = ComparedRows.of(mixes, groups, language_groups or {})
    contrasts = [_contrast(mixes, rows, other, policy, level) for other, policy in CONTRASTS]
    if contrasts[0] is None:
        raise StudyNotReady(
            "no mixture has its joint and sequential trainings finished on every seed yet; `tasksearch resume` goes on, and an "
            f"interval needs {LEAST_TWINS} such mixtures"
        )
    size_rule, size_note = _size_rule(mixes, rows, level)
    lost = tuple(found for study in studies for found in _collapsed(study))
    whole = _contrast(mixes_of(studies, every=True), rows, *CONTRASTS[0], level) if lost else None
    return MatchedComparison(
        studies=tuple(study.name for study in studies),
        level=level,
        contrasts=tuple(contrast for contrast in contrasts if contrast is not None),
        choosing=tuple(found for study in studies if (found := _choosing(study, rows, level)) is not None),
        size_rule=size_rule,
        size_note=size_note,
        steps=tuple(sorted({mix.steps for mix in mixes})),
        joint_ahead=sum(_ahead(mix, rows) > 0 for mix in mixes if against("sequential", "phase")(mix) is not None),
        collapsed=lost,
        of_all_runs=whole.row(ALL) if whole else None,
        margin=margin,
        own_rates=own_rates(mixes),
        cost=cost_of(record for study in studies for record in study.records),
        complete=complete,
        adaptive=adaptive,
        warning=warning,
    )


def _collapsed(study: MatchedStudy) -> list[tuple[str, int]]:
    lost = collapsed_pairs(study.records)
    return [(str(record.plan.schedule.kind), record.number) for record in study.records if record.number in lost]


def cost_of(records: Iterable[TrialRecord]) -> MatchedPairsCost:
    """Return the trainings and hours of the comparison, in its parts."""
    records = list(records)
    pairs = [record for record in records if record.role == "pair" and record.status == "done"]
    parts: dict[str, list[TrialRecord]] = {"phase": [], "stage": [], "choosing": []}
    for record in records:
        if record.role in FOR_THE_QUESTION and record.status == "done":
            parts[record.plan.settings.intermediate.lr_policy if record.role == "twin" else "choosing"].append(record)
    phase, stage, choosing = (sum(map(work_of, members)) for members in parts.values())
    counts = {name: len(members) for name, members in parts.items()}
    unit = unit_of([*pairs, *(record for members in parts.values() for record in members)])
    return MatchedPairsCost(
        **counts, hours=(phase, stage, choosing), unit=unit, pairs=len(pairs), pair_hours=sum(map(work_of, pairs))
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedRow:
    """A row of the comparison: its cells with their weights."""

    name: str
    kind: RowKind
    weights: Mapping[Cell, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedRows:
    """The rows, over the cells but English's that every finished matched training was scored in.

    Languages, groups of languages, targets and, where there are several, kinds of target; then the contrasts: each group of
    languages minus all others, over all targets and within each kind, and each kind of target minus the others.

    Attributes:
        rows: in that order.
        items: what each was scored on, in the same order.
    """

    rows: tuple[ComparedRow, ...]
    items: tuple[Items, ...]

    @classmethod
    def of(cls, mixes: Sequence[Mix], groups: Mapping[str, str], language_groups: Mapping[str, Sequence[str]]) -> ComparedRows:
        """Make the rows.

        Raises:
            StudyNotReady: no matched training is finished, or none was scored in a language but English.
        """
        arms = [arm for mix in mixes for arm in mix.arms.values()]
        if not arms:
            raise StudyNotReady("no matched training is finished on every seed yet; `tasksearch resume` goes on")
        scored = set.intersection(*(set(outcomes) for arm in arms for outcomes in arm.seeds))
        cells = [cell for cell in sorted(scored) if cell[1] != ENGLISH]
        if not cells:
            raise StudyNotReady("the matched pairs were scored in English alone; the comparison is over other languages")
        scored_languages = sorted({language for _, language in cells})
        found: list[tuple[str, RowKind, list[Cell]]] = [
            (name, "language", [c for c in cells if c[1] == name]) for name in scored_languages
        ]
        for name, members in {ALL: scored_languages, **language_groups}.items():
            found.append((name, "group", [c for c in cells if c[1] in members]))
        found += [(name, "target", [c for c in cells if c[0] == name]) for name in sorted({target for target, _ in cells})]
        kinds = {name: [c for c in cells if groups.get(c[0]) == name] for name in sorted({groups.get(t, "") for t, _ in cells})}
        if len(kinds) > 1:
            found += [(name, "kind", members) for name, members in kinds.items()]
        rows = (
            *(ComparedRow(name=n, kind=kind, weights=cell_weights(those, groups)) for n, kind, those in found if those),
            *(
                ComparedRow(name=name, kind="contrast", weights=_minus(cell_weights(first, groups), cell_weights(rest, groups)))
                for name, first, rest in _contrasted(cells, kinds, language_groups)
            ),
        )
        return cls(rows=rows, items=tuple(items_of(arms[0], row.weights) for row in rows))

    @property
    def all(self) -> ComparedRow:
        """The row over all languages."""
        return next(row for row in self.rows if (row.name, row.kind) == (ALL, "group"))

    def difference(self, mixes: Sequence[Mix], coefficients: Coefficients, row: ComparedRow, level: float) -> Difference:
        """Estimate the difference of these mixtures in that row."""
        return difference(difference_tables(mixes, coefficients, row.weights), self.items[self.rows.index(row)], level=level)


def _contrasted(
    cells: Sequence[Cell], kinds: Mapping[str, Sequence[Cell]], language_groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, list[Cell], list[Cell]]]:
    """Yield (name, cells of the first, cells of what is subtracted), both of the same targets or of the same languages."""
    several = kinds if len(kinds) > 1 else {}
    for name, members in language_groups.items():
        for where, those in [("", cells), *((f", {kind}", own) for kind, own in several.items())]:
            split = {target: ([], []) for target, _ in those}  # type: dict[str, tuple[list[Cell], list[Cell]]]
            for cell in those:
                split[cell[0]][cell[1] not in members].append(cell)
            both = [sides for sides in split.values() if all(sides)]  # a target that one side lacks would be no contrast of it
            if both:
                yield f"{name} - others{where}", [c for one, _ in both for c in one], [c for _, other in both for c in other]
    for name, own in several.items():
        yield f"{name} - others", list(own), [cell for cell in cells if cell not in own]


def _minus(first: Mapping[Cell, float], second: Mapping[Cell, float]) -> dict[Cell, float]:
    return dict(first) | {cell: -weight for cell, weight in second.items()}


def _contrast(mixes: Sequence[Mix], rows: ComparedRows, other: str, policy: Policy, level: float) -> ScheduleContrast | None:
    """Return the contrast, or None where no mixture has both sides."""
    coefficients = against(other, policy)
    having = [mix for mix in mixes if coefficients(mix) is not None]
    if not having:
        return None
    told = tuple(
        MatchedRow(name=row.name, kind=row.kind, difference=rows.difference(having, coefficients, row, level))
        for row in rows.rows
    )
    wanted = sum(bool(mix.of(other, policy)) for mix in mixes)
    return ScheduleContrast(other=other, lr_policy=policy, rows=told, left_out=wanted - len(having))


def advice(order: Sequence[str], sizes: Mapping[str, int]) -> str | None:
    """Return the size rule's advice: `joint` where the last task is smaller than the largest before it, else `sequential`.

    None where they are equal.
    """
    last, before = sizes[order[-1]], max(sizes[task] for task in order[:-1])
    return None if last == before else "joint" if last < before else "sequential"


def _size_rule(mixes: Sequence[Mix], rows: ComparedRows, level: float) -> tuple[SizeRule | None, str]:
    """Apply the size rule to every (mixture, order); without a result the second value says why."""
    whole = [mix for mix in mixes if against("sequential", "phase")(mix) is not None]
    if any(not mix.sizes.get(task) for mix in whole for variant in mix.of("joint") for task in variant[0].tasks):
        return None, "the study does not know the sizes of its tasks' training sets"
    advised = [(mix, variant, advice(variant[0].order, mix.sizes)) for mix in whole for variant in mix.of("sequential")]
    pairs = [(mix, variant, told) for mix, variant, told in advised if told is not None]
    if not pairs:
        return None, "the tasks' training sets are of equal size, so that it advises nothing"
    leads = [_lead(mix, variant, rows) for mix, variant, _ in pairs]
    told = [told for *_, told in pairs]

    def follow(mix: Mix) -> Mapping[Variant, float] | None:
        own = [(variant, told) for each, variant, told in pairs if each is mix]
        return _followed(mix, own) if own else None

    having = [mix for mix in whole if follow(mix) is not None]
    return SizeRule(
        pairs=len(pairs),
        hits=sum(lead > 0 if each == "joint" else lead < 0 for lead, each in zip(leads, told, strict=True)),
        joint=sum(lead > 0 for lead in leads),
        sequential=sum(lead < 0 for lead in leads),
        advised_joint=told.count("joint"),
        advantage=rows.difference(having, follow, rows.all, level),
    ), ""


def _ahead(mix: Mix, rows: ComparedRows) -> float:
    """Return joint minus the mean of the mixture's orders over all languages, mean over seeds."""
    return float(difference_tables([mix], against("sequential", "phase"), rows.all.weights)[0].scores.mean())


def _lead(mix: Mix, variant: Variant, rows: ComparedRows) -> float:
    """Return joint minus that order over all languages, mean over seeds."""
    joint = mix.of("joint")[0]
    found = difference_tables([mix], lambda _: {joint: 1.0, variant: -1.0}, rows.all.weights)
    return float(found[0].scores.mean())


def _followed(mix: Mix, pairs: Sequence[tuple[Variant, str]]) -> dict[Variant, float]:
    """Return coefficients of what the rule advises minus the other, mean over the mixture's orders."""
    joint, signs = mix.of("joint")[0], dict[Variant, float]()
    for variant, told in pairs:
        sign = (1.0 if told == "joint" else -1.0) / len(pairs)
        signs[joint] = signs.get(joint, 0.0) + sign
        signs[variant] = -sign
    return signs


def _choosing(study: MatchedStudy, rows: ComparedRows, level: float) -> BestOfComparison | None:
    """Return None where the search trained one kind only, or the best of each is not trained on fresh seeds yet."""
    bests = best_of_each(study.records)
    fresh = {kind: _fresh(best, study.records) for kind, best in bests.items()}
    seeds = set.intersection(*(set(by_seed) for by_seed in fresh.values())) if fresh else set()
    if not seeds:
        return None
    joint, other = (
        candidate_outcomes_of([fresh[kind][seed] for seed in sorted(seeds)], study.outcomes, study.documents)
        for kind in ("joint", "sequential")
    )
    pool = _pool(study)
    told = tuple(
        BestOfRow(
            name=row.name,
            kind=row.kind,
            difference=estimate(joint, row.weights, minus=other, pool=pool, level=level),
        )
        for row in rows.rows
        if row.kind != "contrast"
    )
    return BestOfComparison(
        study=study.name,
        tried=bests["joint"].tried,
        joint=bests["joint"].record.plan.schedule,
        sequential=bests["sequential"].record.plan.schedule,
        rows=told,
        seeds=len(seeds),
    )


def _fresh(best: BestOf, records: Sequence[TrialRecord]) -> dict[int, TrialRecord]:
    mix = best.record.plan.mix_signature
    again = [r for r in records if r.role in ("finalist", "best-of") and r.status == "done" and r.plan.mix_signature == mix]
    return {record.plan.seed: record for record in again}


def _pool(study: MatchedStudy) -> list[CandidateOutcomes]:
    """Return outcomes of baseline and finalists, from which the spread over seeds is estimated."""
    mixes: dict[Schedule, list[TrialRecord]] = {}
    for record in study.records:
        if record.role in ("baseline", "finalist") and record.status == "done":
            mixes.setdefault(record.plan.schedule, []).append(record)
    return [candidate_outcomes_of(members, study.outcomes, study.documents) for members in mixes.values() if len(members) > 1]
