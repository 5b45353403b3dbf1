"""Scores of a target: per-example outcomes per language, and the score table made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from tasksearch.core.plan import Plan
from tasksearch.core.score import Half, Score, ScoreTable
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.evaluation.pools import score_pools
from tasksearch.evaluation.retrieval import score_retrieved
from tasksearch.metrics.outcomes import Outcomes, value_of
from tasksearch.models.families import family_of
from tasksearch.phases.context import RunContext
from tasksearch.phases.results import Cell
from tasksearch.phases.segments import TargetSegment
from tasksearch.store.score_files import NewTable, add_scores, read_scores
from tasksearch.tasks.card import TaskCard


def outcomes_of(
    model: Any, head: nn.Module | None, card: TaskCard, language: str, plan: Plan, context: RunContext
) -> dict[Half, Outcomes]:
    """Return the outcomes of one language for `select` and `report`. A portion of examples that serves both is scored once."""
    source, specials, phases = context.source, context.specials, plan.settings
    settings = phases.untrained if head is None else phases.for_target(card.name)
    cap = phases.evaluation_examples
    prefix = phases.retrieval.prefix if head is None else ""
    encoded = source.evaluation(card, language, settings.max_length, cap, phases.few_shot, prefix)
    scored = list(zip(source.portions(card, language, cap, phases.few_shot), encoded, strict=True))
    with family_of(model).speaking(model, language):
        if head is not None:
            return score_labelled(model, head, card, language, scored, specials, settings.precision)
        score = score_pools if card.kind == "mining" else score_retrieved
        return score(model, scored, specials, phases.retrieval.of(language), settings.precision)


def scores_of(outcomes: Mapping[Cell, Outcomes], metric: str, seed: int) -> ScoreTable:
    """Return a score table with one row per cell and half."""
    return ScoreTable.of(
        Score(target=t, language=lang, half=half, metric=metric, value=value_of(o), examples=len(o), seed=seed)
        for (t, lang, half), o in outcomes.items()
    )


def stored_outcomes(name: str, segment: TargetSegment, context: RunContext) -> tuple[dict[str, dict[Cell, Outcomes]], float]:
    """Return language → stored outcomes of the target, and the seconds saved; damaged tables are left out.

    Args:
        name: of the trial's score file.
    """
    found, saved = dict[str, dict[Cell, Outcomes]](), 0.0
    if context.store is None:
        return found, saved
    tables = read_scores(context.store, name, [signature for _, signature in segment.tables])
    for language, signature in segment.tables:
        if signature in tables:
            arrays, facts = tables[signature]
            found[language] = {cell_of(cell): array for cell, array in arrays.items()}
            saved += float(facts.get("seconds", 0.0))
    return found, saved


def keep_outcomes(
    name: str,
    segment: TargetSegment,
    scored: Mapping[str, tuple[Mapping[Cell, Outcomes], float]],
    label: str,
    cost: Mapping[str, Any] | None,
    context: RunContext,
) -> None:
    """Add score tables of a target to the trial's score file.

    Args:
        scored: language → outcomes, and the seconds that scoring took.
        label: what was scored, without the language.
        cost: what the target's training took; None if it trained nothing.
    """
    if context.store is None:
        return
    names = dict(segment.tables)
    tables = {
        names[language]: NewTable(
            arrays={"/".join(cell): numbers for cell, numbers in outcomes.items()}, label=f"{label}/{language}", seconds=seconds
        )
        for language, (outcomes, seconds) in scored.items()
    }
    add_scores(context.store, name, tables, {segment.signature: cost} if cost else None)


def cell_of(name: str) -> Cell:
    """Parse `target/language/half`, the name of an outcome array in the store."""
    target, language, half = name.rsplit("/", 2)
    return target, language, "select" if half == "select" else "report"
