"""The default: any subset of the intermediate tasks, weighted, joint, one after the other, or moving from one to the next."""

from tasksearch.core.space import SearchSpace

SPACE = SearchSpace(
    name="joint_vs_seq",
    summary="any subset, weights in eighths, joint | sequential | annealed",
    schedules=("joint", "sequential", "annealed"),
)
