"""The grid of Phang et al. 2020: no intermediate task, nine single ones, all nine jointly; nothing else is trained.

The joint mix is examples-proportional with a cap of 2^17 examples of a task (Raffel et al. 2020): the paper's constant as we
recall it, not as we read it (docs/paper.md). Another cap is another file: `SPACE = phang2020.grid(2**14)`.
"""

from tasksearch.core.grid import GridPlan
from tasksearch.core.space import SearchSpace

PAPER_TASKS = ("anli_plus", "ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qqp", "squad1", "squad2")
CAP = 2**17


def grid(cap: int = CAP) -> SearchSpace:
    """Return the paper's grid with another cap, in examples of a task."""
    return SearchSpace(
        name="phang2020",
        summary="the paper's grid: none, nine single tasks, all nine jointly (suite xtreme)",
        tasks=PAPER_TASKS,
        grid=(GridPlan(each=True), GridPlan(name="all jointly", rule=f"capped({cap})")),
    )


SPACE = grid()
