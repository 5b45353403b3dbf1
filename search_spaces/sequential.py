"""Any subset of up to three tasks, trained one after the other."""

from dataclasses import replace

from search_spaces import joint_vs_seq

SPACE = replace(
    joint_vs_seq.SPACE, name="sequential", summary="chains of up to three tasks", schedules=("sequential",), max_tasks=3
)
