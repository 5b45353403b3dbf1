"""What a plan's segments stand for, for whoever decides which trial runs first."""

from __future__ import annotations

from tasksearch.core.need import Need, missing, missing_of_average
from tasksearch.phases.outline import target_steps
from tasksearch.phases.run import PlanRun


def missing_parts(run: PlanRun, position: int) -> tuple[Need, ...]:
    """Segments that a run has to train from its part `position` on, in order, with their steps; evaluation counts as none.

    By manifests alone: a damaged segment is only found once it is read. Without a store the answer is empty, since nothing
    that this run trains is of use to another.
    """
    store = run.context.store
    if store is None:
        return ()
    targets = [Need(segment.signature, target_steps(run.plan, segment)) for segment in run.targets]
    chain = [Need(segment.signature, segment.stage.steps) for segment in (run.soup.segments if run.soup else run.intermediate)]
    # a target is there once all its score tables are; until then its training is what two trials must not do at once
    tables = {segment.signature: [name for _, name in segment.tables] for segment in run.targets}

    def there(signature: str) -> bool:
        return all(store.peek(name) is not None for name in tables.get(signature, (signature,)))

    return (missing_of_average if run.soup else missing)(chain, targets, position, there)
