"""What a plan's segments stand for, for whoever decides which trial runs first."""

from __future__ import annotations

from tasksearch.core.need import Need, missing, missing_of_average
from tasksearch.phases.run import PlanRun
from tasksearch.phases.segments import TargetSegment

_EXAMPLES = 10_000
"""What an epoch of a target whose size is not stated is taken to hold."""


def missing_parts(run: PlanRun, position: int) -> tuple[Need, ...]:
    """Segments that a run has to train from its part `position` on, in order, with their steps; evaluation counts as none.

    By manifests alone: a damaged segment is only found once it is read. Without a store the answer is empty, since nothing
    that this run trains is of use to another.
    """
    store = run.context.store
    if store is None:
        return ()
    targets = [Need(segment.signature, _steps(run, segment)) for segment in run.targets]
    chain = [Need(segment.signature, segment.stage.steps) for segment in (run.soup.segments if run.soup else run.intermediate)]
    # a target is there once all its score tables are; until then its training is what two trials must not do at once
    tables = {segment.signature: [name for _, name in segment.tables] for segment in run.targets}

    def there(signature: str) -> bool:
        return all(store.peek(name) is not None for name in tables.get(signature, (signature,)))

    return (missing_of_average if run.soup else missing)(chain, targets, position, there)


def _steps(run: PlanRun, segment: TargetSegment) -> int:
    if not segment.trained:
        return 0
    settings = run.plan.settings.for_target(segment.target)
    # a file is not read to be counted here: the same targets weigh the same in every trial, so any number keeps the order
    examples = settings.train_examples or _EXAMPLES
    return settings.steps or max(1, round((settings.epochs or 1.0) * examples / settings.batch_size))
