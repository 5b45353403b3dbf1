"""Parts of a user's own, as options name them: `own_parts_sample.py:pick` and `own_parts_sample.py:Idle`."""

from trainables.base import PlanTrainable


def pick(shown):
    return shown.gains


class Idle(PlanTrainable):
    pass
