"""How long to train on each task: one intermediate task at sixteen lengths, under a warmup-stable-decay curve.

Longer trainings go on from the stable part of shorter ones, so a rung more costs a rung and a decay: all sixteen lengths of a
task take 560 steps where 2,720 were asked for.
"""

from dataclasses import replace

from search_spaces import single_task

SPACE = replace(
    single_task.SPACE,
    name="ladder",
    summary="one intermediate task at sixteen lengths that share their stable part",
    steps=tuple(range(20, 321, 20)),
    curve="wsd",
    rung=18,
    decay=0.1,
)
