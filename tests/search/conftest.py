import pytest

from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig, TrialRecord

TASKS = ("ccg", "mnli", "qqp")


class Toy:
    """Builders of small values; no test asserts on their defaults."""

    def __init__(self):
        self.sizes = {"ccg": 1000, "mnli": 4000, "qqp": 2000}

    @staticmethod
    def space(**changes):
        return SearchSpace(**({"name": "toy", "summary": "", "tasks": TASKS, "steps": (64, 128)} | changes))

    def config(self, **changes):
        fields = {"name": "toy", "suite": "lab", "model": "lab", "targets": ("nli",), "languages": ("en", "xx")}
        return StudyConfig(**(fields | {"space": self.space(), "baseline_seeds": 3, "trials": 20} | changes))

    @staticmethod
    def plan_of(schedule, seed):
        return Plan(
            suite="lab", schedule=schedule, targets=("nli",), languages=("en", "xx"), settings=PhaseSettings(), seed=seed
        )

    def record(self, number=0, *, schedule=None, seed=0, **changes):
        fields = {
            "number": number,
            "role": "baseline",
            "status": "done",
            "plan": self.plan_of(schedule or Schedule.none(), seed),
        }
        return TrialRecord(**(fields | changes))

    @staticmethod
    def table(cells, *, seed=0, examples=100, half="select"):
        rows = [
            Score(target=t, language=language, half=half, metric="accuracy", value=v, examples=examples, seed=seed)
            for (t, language), v in cells.items()
        ]
        return ScoreTable.of(rows)


@pytest.fixture(scope="session")
def toy():
    return Toy()
