"""Four English tasks that are openly had, at a gentle and at a usual rate of the intermediate phase: the space of `make real`.

The rate is searched because a small sentence encoder may lose by the rate what it could gain by the task. Designed trials take
the gentle one.
"""

from dataclasses import replace

from search_spaces import joint_vs_seq

SPACE = replace(
    joint_vs_seq.SPACE,
    name="real",
    summary="MNLI, QAMR, MRPC and COPA, two learning rates, joint | sequential | annealed",
    tasks=("mnli", "qamr", "mrpc", "copa"),
    learning_rates=(2e-5, 2e-4),
)
