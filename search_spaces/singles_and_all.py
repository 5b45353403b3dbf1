"""The paper's grid over the suite's own intermediate tasks: none, every one alone, all jointly; nothing else is trained."""

from dataclasses import replace

from search_spaces import phang2020

SPACE = replace(phang2020.SPACE, name="singles_and_all", summary="a grid: none, every single task, all jointly", tasks=())
