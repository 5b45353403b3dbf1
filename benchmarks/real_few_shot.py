"""MRPC alone: the best single task of the recorded studies of real text, beside which few-shot controls are trained.

tasksearch run --config benchmarks/real_few_shot.toml --model FOLDER --data DIR
tasksearch best studies/real_few_shot --baselines
"""

from tasksearch.core.grid import GridPlan
from tasksearch.core.space import SearchSpace

SPACE = SearchSpace(name="real_few_shot", summary="MRPC alone", tasks=("mrpc",), grid=(GridPlan(each=True),))
