"""`tasksearch extend`: add trials, a wider space, targets, languages or seeds to a finished study."""

from __future__ import annotations

from tasksearch.cli import run
from tasksearch.cli.from_table import from_tables
from tasksearch.cli.options import Json, Quiet, Study, Timings
from tasksearch.core.options import Growth, Resources

EXTEND_EXAMPLES = (
    "Examples: `tasksearch extend STUDY --trials +16`; `tasksearch extend STUDY --language sw --target tag`; "
    "`tasksearch extend STUDY --task sort --trials +10`; `tasksearch extend STUDY --leader-seeds 5 --most-seeds 7`"
)


@from_tables
def extend(
    study: Study,
    growth: Growth,
    resources: Resources,
    timings: Timings = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Extends a finished study; its trials, segments and score tables are reused, its records stay as they are.

    The search goes on under its old objective: a target or language that joins is scored in every trial and steers none. The
    reporting examples are not new: where another mix is chosen now, its numbers are marked adaptive.
    """
    from tasksearch.study.best import open_suite
    from tasksearch.study.extend import extend_study, extended

    wanted = extended(*open_suite(study), growth)
    run.follow(
        study, wanted, lambda **watch: extend_study(study, growth, resources=resources, **watch), timings, quiet, as_json
    )
