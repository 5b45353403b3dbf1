"""Scores of a target: per-example outcomes per language, and the score table made from them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
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
from tasksearch.phases.resumable import keep
from tasksearch.phases.segments import TargetSegment
from tasksearch.store.segment_store import SegmentDamaged
from tasksearch.tasks.card import TaskCard


def outcomes_of(
    model: Any, head: nn.Module | None, card: TaskCard, language: str, plan: Plan, context: RunContext
) -> dict[Half, Outcomes]:
    """Return the outcomes of one language for `select` and `report`. A portion of examples that serves both is scored once."""
    source, specials, phases = context.source, context.specials, plan.settings
    settings = phases.untrained if head is None else phases.for_target(card.name)
    cap = phases.evaluation_examples
    encoded = source.evaluation(card, language, settings.max_length, cap)
    scored = list(zip(source.portions(card, language, cap), encoded, strict=True))
    with family_of(model).speaking(model, language):
        if head is not None:
            return score_labelled(model, head, card, language, scored, specials, settings.precision)
        score = score_pools if card.kind == "mining" else score_retrieved
        return score(model, scored, specials, phases.retrieval, settings.precision)


def scores_of(outcomes: Mapping[Cell, Outcomes], metric: str, seed: int) -> ScoreTable:
    """Return a score table with one row per cell and half."""
    return ScoreTable.of(
        Score(target=t, language=lang, half=half, metric=metric, value=value_of(o), examples=len(o), seed=seed)
        for (t, lang, half), o in outcomes.items()
    )


def stored_outcomes(segment: TargetSegment, context: RunContext) -> tuple[dict[str, dict[Cell, Outcomes]], float]:
    """Return language → stored outcomes of the target, and the seconds saved; damaged tables are left out."""
    store, found, saved = context.store, dict[str, dict[Cell, Outcomes]](), 0.0
    if store is None:
        return found, saved
    for language, signature in segment.tables:
        manifest = store.reusable(signature)
        if manifest is None:
            continue
        with suppress(SegmentDamaged):
            table = store.tensors(signature, "outcomes")
            store.use(signature)
            found[language] = {cell_of(name): numbers.numpy() for name, numbers in table.items()}
            saved += float(manifest["facts"].get("seconds", 0.0))
    return found, saved


def keep_outcomes(signature: str, outcomes: Mapping[Cell, Outcomes], label: str, seconds: float, context: RunContext) -> None:
    """Store one language's score table."""
    if context.store is not None:
        table = {"/".join(cell): torch.from_numpy(numbers) for cell, numbers in outcomes.items()}
        facts = {"kind": "scores", "label": label, "steps": 0, "seconds": seconds}
        keep(context.store, signature, {"outcomes": table}, facts, context.store_budget)


def cell_of(name: str) -> Cell:
    """Parse `target/language/half`, the name of an outcome tensor in the store."""
    target, language, half = name.rsplit("/", 2)
    return target, language, "select" if half == "select" else "report"
