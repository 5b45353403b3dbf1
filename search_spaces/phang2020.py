"""The grid of Phang et al. 2020: no intermediate task, nine single ones, all nine jointly.

The baseline and every single task are among any study's designed trials, and so are the joint mixes of all tasks, uniform and
proportional to their sizes (the paper's examples-proportional mix). The paper's two further variants are left out since a plan
cannot express them: multilingual MLM mixed into the intermediate phase, and machine-translated intermediate data.
"""

from dataclasses import replace

from search_spaces import joint_vs_seq

PAPER_TASKS = ("anli_plus", "ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qqp", "squad1", "squad2")

SPACE = replace(
    joint_vs_seq.SPACE,
    name="phang2020",
    summary="the paper's grid: none, nine single tasks, all nine jointly (suite xtreme)",
    schedules=("joint",),
    tasks=PAPER_TASKS,
    denominator=None,  # sizes from 9,741 to 1.1 million do not fall on a grid of eighths
)
