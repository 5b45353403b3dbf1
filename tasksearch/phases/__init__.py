"""Execution of a plan: segments of training, checkpoints, stored results and the score table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasksearch.phases.context import RunContext, open_context
    from tasksearch.phases.lab_model import ensure_lab
    from tasksearch.phases.run import PlanResult, PlanRun, run_plan

_HOMES = {
    "RunContext": "context",
    "open_context": "context",
    "ensure_lab": "lab_model",
    "PlanResult": "run",
    "PlanRun": "run",
    "run_plan": "run",
}
__all__ = ["PlanResult", "PlanRun", "RunContext", "ensure_lab", "open_context", "run_plan"]


def __getattr__(name: str) -> Any:
    """Import the submodule of a public name on first use, so that importing this package does not load torch."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"tasksearch.phases.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
