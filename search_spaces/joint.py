"""Any weighted subset of the intermediate tasks, always trained jointly."""

from dataclasses import replace

from search_spaces import joint_vs_seq

SPACE = replace(joint_vs_seq.SPACE, name="joint", summary="any subset, weights in eighths, joint only", schedules=("joint",))
