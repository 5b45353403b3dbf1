"""The methods of Phang et al. 2020 and its successors on real text, as a grid: translated data, mixture rules, robust training.

    tasksearch run --config benchmarks/real_methods.toml --model FOLDER --data DIR
    tasksearch report studies/real_methods --as phang2020

Every plan is trained on the same seeds as the others and as the baseline, so that what they share cancels.
"""

from tasksearch.core.grid import GridPlan
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace

TASKS = ("mnli", "qamr", "mrpc", "copa")
STEPS = 96

MNLI = Schedule.joint(Mixture.uniform("mnli"), STEPS)
TO_MNLI = Mixture.of({"mnli": "5/8", "qamr": "1/8", "mrpc": "1/8", "copa": "1/8"})

SPACE = SearchSpace(
    name="real_methods",
    summary="MNLI plain, translated and robustly trained; MNLI, QAMR, MRPC and COPA jointly by three rules",
    tasks=TASKS,
    grid=(
        GridPlan(each=True, tasks=("mnli", "mnli:all", "mnli:sw")),
        *(
            GridPlan(name=f"mnli, {method}", schedule=MNLI.with_methods((f"{method}:phase=both",)))
            for method in ("adversarial", "smoothing")
        ),
        *(GridPlan(name=f"all, {rule}", tasks=TASKS, rule=rule) for rule in ("uniform", "proportional")),
        GridPlan(name="all, annealed to MNLI", schedule=Schedule.annealed(Mixture.uniform(*TASKS), TO_MNLI, STEPS)),
    ),
)
