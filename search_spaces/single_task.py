"""One intermediate task at a time: the question of STILTs."""

from dataclasses import replace

from search_spaces import joint_vs_seq

SPACE = replace(
    joint_vs_seq.SPACE, name="single_task", summary="one intermediate task at a time", schedules=("joint",), max_tasks=1
)
