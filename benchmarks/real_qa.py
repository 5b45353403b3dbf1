"""Does training on English question-answer pairs (QAMR) help zero-shot question answering?

    tasksearch run --config benchmarks/real_qa.toml --model FOLDER --data DIR
    tasksearch report studies/real_qa --as phang2020

QAMR and MNLI at both rates of the space `real`, and all four tasks at the gentle one. Every plan is trained on the same seeds
as the others and as the baseline, so that what they share cancels.
"""

from tasksearch.core.grid import GridPlan
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace

TASKS = ("mnli", "qamr", "mrpc", "copa")
STEPS = 96

SPACE = SearchSpace(
    name="real_qa",
    summary="QAMR and MNLI at two rates, and MNLI, QAMR, MRPC and COPA jointly, before question answering",
    tasks=TASKS,
    grid=(
        *(
            GridPlan(name=f"{task} at {rate:g}", schedule=Schedule.joint(Mixture.uniform(task), STEPS).at_rate(rate))
            for task in ("qamr", "mnli")
            for rate in (2e-5, 2e-4)
        ),
        GridPlan(name="all at 2e-05", schedule=Schedule.joint(Mixture.uniform(*TASKS), STEPS).at_rate(2e-5)),
    ),
)
