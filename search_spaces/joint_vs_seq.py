"""The default: any weighted subset of the intermediate tasks, trained jointly, sequentially, or with a mixture that moves."""

from tasksearch.core.space import SearchSpace

SPACE = SearchSpace(
    name="joint_vs_seq",
    summary="any subset, weights in eighths, joint | sequential | annealed",
    schedules=("joint", "sequential", "annealed"),
)
