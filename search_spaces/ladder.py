"""One intermediate task at sixteen lengths, under a warmup-stable-decay learning-rate curve: how long to train on each task.

A longer training continues from the stable part of a shorter one, so that each further length costs only its additional steps
and its decay: all sixteen lengths of a task take 560 steps instead of 2,720.
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
