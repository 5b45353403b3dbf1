"""Run the command line over recorded scores: `python -m tasksearch.torture.command CONTEXT_JSON WORDS …`.

WORDS are arguments of `tasksearch`. Model and data are those of the planted study; everything else is what a user's command
runs.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import Any

from tasksearch.study.setup import Setup
from tasksearch.torture.planted import SIZES, plan_of

_ASKED = sys.argv[1:2]
"""The trainable's context as JSON; the command line sees only the arguments after it."""


class _Planted(Setup):
    """Prepared study without a model."""

    def context(self, config: Any, folder: Any) -> dict[str, Any]:
        return dict(json.loads(_ASKED[0]))

    def plan_of(self, config: Any) -> Any:
        return plan_of


def _prepare(config: Any, on_pretrain: Any = None) -> Setup:
    from tasksearch.tasks.lab_suite import lab_suite

    suite = lab_suite()
    return _Planted(suite=suite, data="", model="", sizes=dict(SIZES), settings=suite.settings)


def main() -> None:
    """Run the arguments as `tasksearch` would."""
    import trainables.three_phase
    from tasksearch.study import run
    from trainables.recorded import RecordedTrainable

    setattr(run, "prepare", _prepare)  # noqa: B010 - affects only this process
    setattr(trainables.three_phase, "ThreePhase", RecordedTrainable)  # noqa: B010
    sys.argv = ["tasksearch", *sys.argv[2:]]
    runpy.run_module("tasksearch", run_name="__main__")


if __name__ == "__main__":
    main()
