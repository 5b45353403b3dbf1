"""Which English intermediate tasks, in which mix, help zero-shot transfer to each low-resource language.

From Python, with the same settings and folders as on the command line:

    config = tasksearch.configure(space="joint_vs_seq", trials=16)
    result = tasksearch.run_study(config, "studies/first", progress=tasksearch.progress)
    result.best_table()

`open_study(folder)` reads a study again, `export_model` trains a mix and saves it, `run_plan` is one trial without Ray.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasksearch.cli.progress import progress
    from tasksearch.core.errors import TasksearchError
    from tasksearch.core.options import Growth, Resources
    from tasksearch.phases.run import run_plan
    from tasksearch.study.best import best_of
    from tasksearch.study.compare import compare_studies
    from tasksearch.study.config_file import read_config
    from tasksearch.study.configuration import configure
    from tasksearch.study.extend import extend_study
    from tasksearch.study.result import StudyResult, open_study
    from tasksearch.study.run import resume_study, run_study
    from tasksearch.study.train import export_model
    from tasksearch.study.unscored import best_for_unscored

try:
    __version__ = version("tasksearch")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

__all__ = [
    "Growth",
    "Resources",
    "StudyResult",
    "TasksearchError",
    "__version__",
    "best_for_unscored",
    "best_of",
    "compare_studies",
    "configure",
    "export_model",
    "extend_study",
    "open_study",
    "progress",
    "read_config",
    "resume_study",
    "run_plan",
    "run_study",
]
_HOMES = {
    "Growth": "core.options",
    "Resources": "core.options",
    "StudyResult": "study.result",
    "TasksearchError": "core.errors",
    "best_for_unscored": "study.unscored",
    "best_of": "study.best",
    "compare_studies": "study.compare",
    "configure": "study.configuration",
    "export_model": "study.train",
    "extend_study": "study.extend",
    "open_study": "study.result",
    "progress": "cli.progress",
    "read_config": "study.config_file",
    "resume_study": "study.run",
    "run_plan": "phases.run",
    "run_study": "study.run",
}


def __getattr__(name: str) -> Any:
    """Loads what is asked for: `import tasksearch` itself loads neither torch, ray nor mlflow."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"tasksearch.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'tasksearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names, loaded or not, so that a notebook completes them."""
    return sorted({*globals(), *__all__})
