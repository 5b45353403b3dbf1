"""The grid of Phang et al. 2020: no intermediate task, nine single ones, all nine jointly; nothing else is trained.

The joint mix is examples-proportional with a cap of 2^17 examples of a task (Raffel et al. 2020): the paper's constant as we
recall it, not as we read it (docs/paper.md). Another cap is another file: `SPACE = phang2020.grid(2**14)`. So are the paper's
variants, which need text and translations that the suite's cards name: `SPACE = phang2020.grid(text="mlm:sw+ta", translated=
("mnli:all",))`.
"""

from tasksearch.core.grid import GridPlan
from tasksearch.core.space import SearchSpace

PAPER_TASKS = ("anli_plus", "ccg", "commonsense_qa", "cosmos_qa", "hellaswag", "mnli", "qqp", "squad1", "squad2")
CAP = 2**17


def grid(cap: int = CAP, *, text: str = "", share: str = "1/8", translated: tuple[str, ...] = ()) -> SearchSpace:
    """Return the paper's grid, with its variants where asked for.

    Args:
        cap: examples of a task that count towards its share in the joint plan.
        text: task of multilingual text; every plan is then trained once more with MLM on it kept up.
        share: of the examples that are text; the paper's is unknown.
        translated: tasks trained on machine-translated data, each alone.
    """
    rule = f"capped({cap})"
    plans = [GridPlan(each=True), GridPlan(name="all jointly", rule=rule)]
    if text:
        plans.append(GridPlan(each=True, name="+ MLM", beside=text, share=share))
        plans.append(GridPlan(name="all jointly + MLM", rule=rule, beside=text, share=share))
    if translated:
        plans.append(GridPlan(each=True, tasks=translated))
    return SearchSpace(
        name="phang2020",
        summary="the paper's grid: none, nine single tasks, all nine jointly (suite xtreme)",
        tasks=PAPER_TASKS,
        grid=tuple(plans),
    )


SPACE = grid()
