"""Segments that a run still has to train, for the decision which trial runs first."""

from __future__ import annotations

from dataclasses import replace

from tasksearch.core.required_segments import RequiredSegment, missing_of_average, missing_segments
from tasksearch.phases.run import PlanRun
from tasksearch.phases.unfolding import target_steps
from tasksearch.store.score_files import usable_tables


def required_segments(run: PlanRun, position: int) -> tuple[RequiredSegment, ...]:
    """Return the segments that a run has to train from part `position` on, in order, with their steps.

    Evaluation counts as zero steps. Only manifests are read: a damaged segment is discovered when it is loaded. Without a store
    the result is empty, since nothing that this run trains can be reused by another.
    """
    store = run.context.store
    if store is None:
        return ()
    targets = [RequiredSegment(segment.signature, target_steps(run.plan, segment)) for segment in run.targets]
    chain = [RequiredSegment(segment.signature, segment.stage.steps) for segment in run.chain]
    # a target counts as stored once all its score tables are; until then two trials must not train it at the same time
    tables: dict[str, set[str]] = {}
    for segment in run.targets:  # targets that share a training are stored with the last of them
        tables.setdefault(segment.signature, set()).update(name for _, name in segment.tables)
    scored = usable_tables(store, run.score_file)

    def there(signature: str) -> bool:
        if signature in tables:
            return tables[signature] <= scored
        manifest = store.peek(signature)
        return manifest is not None and store.fits(manifest)

    if run.members:  # no part of its own computes the average: the first target that lacks scores needs all encoders
        found = missing_segments((), targets, position, there)
        return (*(replace(one, part=found[0].part) for one in chain if not there(one.signature)), *found) if found else ()
    return (missing_of_average if run.soup else missing_segments)(chain, targets, position, there)
