"""`SearchSpace`: what the search may vary.

`suggest`, `decode` and `encode` translate between a sampler's parameters and schedules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Self

from tasksearch.core.arm_rates import ArmRates, read_arm_rates
from tasksearch.core.errors import BadInput
from tasksearch.core.grid import NONE, GridPlan, GridRow, listed, rows_of
from tasksearch.core.kept_up import ALONE, keep_up, read_shares, without_kept_up
from tasksearch.core.methods import canonical_methods
from tasksearch.core.mixture import Mixture
from tasksearch.core.rule_schedules import (
    EXPLICIT,
    annealed_rules,
    choices_of,
    curriculum,
    has_order,
    is_mixture,
    numbers_of,
    rules_of,
)
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.core.shares import largest_remainder
from tasksearch.core.signature import plain_without

Params = Mapping[str, Any]
"""Parameters that a sampler proposes: `use/<task>`, `schedule`, `steps`, `translations`, `kept_up`, `learning_rate`, `method`,
`weight/<task>` and `rank/<task>`, and in a space with mixture rules `rule`, `cap` and `temperature`, each only where it
applies; of a grid `plan`, and `length` where it has several.
"""

SCHEDULES = ("joint", "sequential", "annealed")
CURVES = ("linear", "wsd")
TRANSLATIONS = ("english", "targets", "all")
"""Which translations of a task's training data are trained on: none, those into the study's languages alone, or the English
original and all that there are.
"""
NO_METHOD = "none"
_WEIGHTS = (1, 2, 3, 4)


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """What the search may vary in the intermediate phase.

    Attributes:
        name: the name given to `--space`.
        summary: one line for `tasksearch spaces`.
        schedules: kinds of schedule, out of `SCHEDULES`, that may be proposed. With a single task all kinds coincide.
        tasks: intermediate tasks that may be used; empty: all of the suite's.
        min_tasks, max_tasks: bounds on the number of tasks in a mix; `max_tasks` None: no upper bound.
        steps: lengths of the intermediate phase to choose from, in optimiser steps; empty: the suite's own list.
        learning_rates: peak rates of the intermediate phase to choose from; designed trials take the first. One rate fixes it;
            none: the study's own.
        arm_learning_rates: peak rates of the joint and of the sequential arms of matched pairs, in place of the mixture's own:
            `{"joint": 2e-5, "sequential": (1e-5, 5e-5)}`. Of several each pair draws one. No other trial is changed.
        methods: training methods in words (`core.methods`) of which every mix has one, or `none`; designed trials take the
            first.
        denominator: shares are multiples of 1/denominator, so that different plans can share their first segments; None: any
            share.
        curve: learning-rate curve of the intermediate phase: `linear`, or `wsd` (warmup-stable-decay), under which phases of
            one mix share their stable part whatever their lengths.
        rung, decay: for a `wsd` curve: steps between the points at which the stable part may end, and the share of the phase
            over which the rate falls. Multiples of `rung / (1 - decay)` are the lengths whose stable part fills its rungs
            exactly.
        rules: mixture rules to choose from, such as `capped(131072)` (`core.rule_schedules`); empty: a weight for each task
            alone, which is the rule `explicit`.
        sizes: (task, number of training examples), by which rules are resolved; filled in where the data are read.
        grid: plans that are all trained, and nothing else: no sampler proposes mixes then, and `schedules`, `min_tasks`,
            `max_tasks` and `denominator` say nothing. Empty: mixes are drawn.
        epochs: lengths of a grid's plans in passes over their examples, in place of `steps`.
        batch_size: of the intermediate phase, by which epochs become steps; filled in where a grid counts epochs.
        left_out: tasks that the space names, and that were left out since they are not there (`--available`).
        text: whether the suite's texts (MLM, TLM) are tasks too, beside those that a space takes by default.
        text_languages: languages of these texts; empty: not filled in yet, or the space has no text.
        kept_up: shares of the examples that text keeps beside every stage of the other tasks, to choose from (`core.kept_up`);
            `0`: it is a task like any other, with a stage of its own in a sequential mix. Empty: the same as `0` alone.
        texts: the tasks that are text, filled in from the suite where `kept_up` is given.
        translations: out of `TRANSLATIONS`, what may be trained on where a task has translations; empty: English.
        variants: (one of `TRANSLATIONS`, task, name of the task so trained), filled in from the suite.
    """

    name: str
    summary: str
    schedules: tuple[str, ...] = SCHEDULES
    tasks: tuple[str, ...] = ()
    min_tasks: int = 1
    max_tasks: int | None = None
    steps: tuple[int, ...] = ()
    learning_rates: tuple[float, ...] = ()
    arm_learning_rates: ArmRates = ()
    methods: tuple[str, ...] = ()
    denominator: int | None = 8
    curve: str = "linear"
    rung: int | None = None
    decay: float = 0.1
    rules: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    grid: tuple[GridPlan, ...] = ()
    epochs: tuple[float, ...] = ()
    batch_size: int | None = None
    left_out: tuple[str, ...] = ()
    text: bool = False
    text_languages: tuple[str, ...] = ()
    kept_up: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    translations: tuple[str, ...] = ()
    variants: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple((task, size) for task, size in self.sizes))  # pairs are lists in JSON
        object.__setattr__(self, "arm_learning_rates", read_arm_rates(self.arm_learning_rates))
        object.__setattr__(self, "kept_up", read_shares(self.kept_up))
        object.__setattr__(self, "variants", tuple(tuple(row) for row in self.variants))
        if strange := [word for word in self.translations if word not in TRANSLATIONS]:
            raise BadInput(f"space {self.name!r}: translations {strange[0]!r}; expected some of {', '.join(TRANSLATIONS)}")
        unknown = [s for s in self.schedules if s not in SCHEDULES]
        if unknown or not self.schedules:
            raise BadInput(f"space {self.name!r}: schedules {list(self.schedules)}; expected some of {', '.join(SCHEDULES)}")
        if self.min_tasks < 1 or (self.max_tasks is not None and self.max_tasks < self.min_tasks):
            raise BadInput(
                f"space {self.name!r}: min_tasks {self.min_tasks}, max_tasks {self.max_tasks}; expected 1 <= min <= max"
            )
        if any(n < 1 for n in self.steps):
            raise BadInput(f"space {self.name!r}: steps {list(self.steps)}; expected positive numbers")
        if any(not 0 < rate < math.inf for rate in self.learning_rates):
            raise BadInput(f"space {self.name!r}: learning_rates {list(self.learning_rates)}; expected positive numbers")
        object.__setattr__(
            self, "methods", tuple(one if one == NO_METHOD else canonical_methods([one])[0] for one in self.methods)
        )
        if self.denominator is not None and self.denominator < 1:
            raise BadInput(f"space {self.name!r}: denominator {self.denominator}; expected at least 1, or None for free shares")
        if self.curve not in CURVES:
            raise BadInput(f"space {self.name!r}: curve {self.curve!r}; expected {' or '.join(CURVES)}")
        if self.curve == "wsd" and (not self.rung or self.rung < 1 or not 0 < self.decay < 1):
            raise BadInput(
                f"space {self.name!r}: rung {self.rung}, decay {self.decay}; expected the steps of a rung and a share in (0, 1)"
            )
        choices_of(self.rules)
        if self.rules and self.grid:
            raise BadInput(
                f"space {self.name!r}: rules beside a grid, whose plans have rules of their own; expected one of them"
            )
        if any(not n > 0 for n in self.epochs):
            raise BadInput(f"space {self.name!r}: epochs {list(self.epochs)}; expected positive numbers")
        drawn = {
            "learning_rates": self.learning_rates[1:],
            "methods": self.methods,
            "kept_up": self.kept_up,
            "arm_learning_rates": self.arm_learning_rates,
        }
        for name, values in drawn.items():
            if self.grid and values:
                raise BadInput(f"space {self.name!r}: {name} of a grid, whose plans are given; expected a space of drawn mixes")
        if self.epochs and not self.grid:
            raise BadInput(f"space {self.name!r}: epochs without a grid; expected steps, sampled mixes have no passes to count")

    def to_json(self) -> dict[str, Any]:
        """Return the plain form; fields of later versions where they are set."""
        return plain_without(self, _LATER)

    def with_sizes(self, sizes: Mapping[str, int] | None = None) -> SearchSpace:
        """Return the space with the sizes that its mixture rules need and that it lacks; unchanged where it has no rules.

        Sizes that it has are kept: a study goes on proposing by those that it began with.

        Args:
            sizes: task → number of training examples; None: made-up ones, to count mixes before any data are read.
        """
        if not self.rules:
            return self
        sizes = {task: 1000 * 4**place for place, task in enumerate(self.tasks)} if sizes is None else sizes
        return replace(self, sizes=tuple({**{task: sizes[task] for task in self.tasks}, **dict(self.sizes)}.items()))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a space from the output of `to_json`."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**plain | {"grid": tuple(GridPlan.from_json(one) for one in data.get("grid", ()))})

    @property
    def named_tasks(self) -> tuple[str, ...]:
        """Tasks that the space or a plan of its grid names; empty: whichever the suite has."""
        return tuple(dict.fromkeys((*self.tasks, *(task for plan in self.grid for task in plan.asked_tasks))))

    @property
    def plan_names(self) -> tuple[str, ...]:
        """Names of a grid's plans, the baseline first."""
        return (NONE, *listed(self.grid, self.tasks)) if self.grid else ()

    @property
    def plan_count(self) -> int:
        """Number of a grid's plans, each length counted, without the baseline."""
        lengths = len(self.epochs or self.steps)
        return sum(1 if plan.schedule else lengths for plan in listed(self.grid, self.tasks).values())

    def rows(self, sizes: Mapping[str, int]) -> tuple[GridRow, ...]:
        """Return a grid's plans in the order they run; `sizes` as for `core.grid.rows_of`."""
        return rows_of(self.grid, self.tasks, sizes, steps=self.steps, epochs=self.epochs, batch_size=self.batch_size or 1)

    @property
    def searched_rates(self) -> tuple[float, ...]:
        """Learning rates that mixes differ by; empty where there are fewer than two."""
        return self.learning_rates if len(self.learning_rates) > 1 else ()

    @property
    def ingredients(self) -> tuple[str, ...]:
        """Every name that a mixture of the space may hold: the tasks, and their translated variants."""
        return tuple(dict.fromkeys((*self.tasks, *(name for _, _, name in self.variants))))


_LATER = (
    "learning_rates", "arm_learning_rates", "methods", "rules", "sizes", "grid", "epochs", "batch_size", "left_out", "text",
    "text_languages", "translations", "variants", "kept_up", "texts",
)  # fmt: skip


def suggest(space: SearchSpace, trial: Any) -> dict[str, Any]:
    """Draw one set of parameters from a define-by-run trial: Optuna's, or a substitute with the same three `suggest_…` methods.

    The parameters are conditional: one boolean per task, a weight only for a chosen task, a rank only where order matters.
    """
    params: dict[str, Any] = {}

    def choose(name: str, choices: Sequence[Any]) -> Any:
        params[name] = trial.suggest_categorical(name, list(choices)) if len(choices) > 1 else choices[0]
        return params[name]

    if space.grid:
        if choose("plan", space.plan_names) != NONE and len(lengths := space.epochs or space.steps) > 1:
            choose("length", lengths)
        return params
    chosen = [task for task in space.tasks if choose(f"use/{task}", (True, False))]
    if space.min_tasks <= len(chosen) <= (space.max_tasks or len(space.tasks)):
        choose("steps", space.steps)
        if space.searched_rates:
            choose("learning_rate", space.searched_rates)
        if space.methods:
            choose("method", space.methods)
        if space.translations and _translated(space, chosen):
            choose("translations", space.translations)
        if _beside(space, chosen) and choose("kept_up", space.kept_up) != ALONE:
            chosen = [task for task in chosen if task not in space.texts]
        if len(chosen) > 1:
            rule = choose("rule", choices_of(space.rules).forms) if space.rules else EXPLICIT
            for number in numbers_of(rule):
                choose(number, getattr(choices_of(space.rules), number))
            kind = choose("schedule", space.schedules) if is_mixture(rule) else "joint"
            for task in chosen if rule == EXPLICIT else ():
                if space.denominator is None:
                    params[f"weight/{task}"] = trial.suggest_float(f"weight/{task}", 0.1, 1.0, log=True)
                else:
                    params[f"weight/{task}"] = trial.suggest_int(f"weight/{task}", _WEIGHTS[0], _WEIGHTS[-1])
            if kind != "joint" or has_order(rule):
                for task in chosen:
                    params[f"rank/{task}"] = trial.suggest_float(f"rank/{task}", 0.0, 1.0)
    return params


def decode(space: SearchSpace, params: Params) -> Schedule | None:
    """Convert parameters to a schedule; None if the number of chosen tasks is outside the space's bounds.

    Raises:
        BadInput: a parameter that the schedule needs is missing; or the space is a grid, whose schedules follow from the sizes
            of its tasks (`SearchSpace.rows`).
    """
    schedule, beside, share = decode_apart(space, params)
    return None if schedule is None else keep_up(schedule, beside, share)


def decode_apart(space: SearchSpace, params: Params) -> tuple[Schedule | None, tuple[str, ...], str]:
    """Convert parameters to (schedule, texts kept up beside every stage, their share): `keep_up` makes one schedule of them.

    Without such texts the share is `ALONE`. Raises as `decode` does.
    """
    _refuse_grid(space)
    schedule, beside, share = _decoded(space, params)
    which = params.get("translations", space.translations[0] if len(space.translations) == 1 else None)
    names = {task: name for word, task, name in space.variants if word == which}
    return schedule.renamed(names) if schedule is not None and names else schedule, beside, share


def _translated(space: SearchSpace, tasks: Sequence[str]) -> bool:
    """Return whether one of the tasks has translations."""
    return any(task in tasks for _, task, _ in space.variants)


def _decoded(space: SearchSpace, params: Params) -> tuple[Schedule | None, tuple[str, ...], str]:
    """Convert parameters as `decode_apart` does, to a schedule whose tasks are all in English."""
    chosen = [task for task in space.tasks if params.get(f"use/{task}")]
    if not chosen:
        return Schedule.none() if "steps" not in params else None, (), ALONE
    if not space.min_tasks <= len(chosen) <= (space.max_tasks or len(space.tasks)):
        return None, (), ALONE
    beside = _beside(space, chosen)
    try:
        share = str(params["kept_up"]) if beside else ALONE
        beside = () if share == ALONE else beside
        return _mixed(space, [task for task in chosen if task not in beside], params), beside, share
    except KeyError as missing:
        raise BadInput(f"space {space.name!r}: parameter {missing.args[0]!r} is missing") from None


def _beside(space: SearchSpace, chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the texts that may be kept up beside the other tasks chosen; none where there are none of either."""
    texts = tuple(task for task in chosen if task in space.texts) if space.kept_up else ()
    return texts if len(texts) < len(chosen) else ()


def _mixed(space: SearchSpace, chosen: Sequence[str], params: Params) -> Schedule | None:
    """Return the schedule of these tasks; raise KeyError for a parameter that is missing."""
    steps, rate = int(params["steps"]), float(params["learning_rate"]) if space.searched_rates else None
    method = params["method"] if space.methods else NO_METHOD
    methods = () if method == NO_METHOD else (method,)
    if len(chosen) == 1:
        return Schedule.joint(Mixture.uniform(chosen[0]), steps).at_rate(rate).with_methods(methods)
    form = params["rule"] if space.rules else EXPLICIT
    if not is_mixture(form):
        staged = _by_rules(space, form, chosen, params, steps)
        return None if staged is None else staged.at_rate(rate).with_methods(methods)
    kind = params["schedule"]
    if form == EXPLICIT:
        mixture = on_grid({task: params[f"weight/{task}"] for task in chosen}, space.denominator)
    else:
        mixture = rules_of(form, params)[0].mixture(_sizes_of(space, chosen))
    if kind == "joint":
        return Schedule.joint(mixture, steps).at_rate(rate).with_methods(methods)
    order = _order(chosen, params)
    twin = sequential_twin if kind == "sequential" else annealed_twin
    return twin(mixture, order, steps).at_rate(rate).with_methods(methods)


def _by_rules(space: SearchSpace, form: str, chosen: Sequence[str], params: Params, steps: int) -> Schedule | None:
    """Return the schedule of a rule that says what the stages are; None for a curriculum longer than the phase."""
    sizes, rules = _sizes_of(space, chosen), rules_of(form, params)
    if len(rules) == 2:
        return annealed_rules(rules[0], rules[1], sizes, steps)
    return curriculum(rules[0], _order(chosen, params), sizes, steps) if steps >= len(chosen) else None


def _order(chosen: Sequence[str], params: Params) -> list[str]:
    return sorted(chosen, key=lambda task: (params[f"rank/{task}"], task))


def _sizes_of(space: SearchSpace, chosen: Sequence[str]) -> dict[str, int]:
    sizes = dict(space.sizes)
    if lacking := [task for task in chosen if task not in sizes]:
        raise BadInput(
            f"space {space.name!r} has mixture rules but not the size of {', '.join(lacking)}; expected `with_sizes`"
        )
    return {task: sizes[task] for task in chosen}


def rule_params(space: SearchSpace) -> list[dict[str, Any]]:
    """Return every choice of a rule with its numbers that the space has, as parameters; one empty choice without rules."""
    if not space.rules:
        return [{}]
    choices = choices_of(space.rules)
    return [
        {"rule": form, **dict(zip(numbers_of(form), values, strict=True))}
        for form in choices.forms
        for values in product(*(getattr(choices, number) for number in numbers_of(form)))
    ]


def encode(schedule: Schedule, space: SearchSpace) -> dict[str, Any]:
    """Convert a schedule to parameters that `decode` turns back into it.

    This is how designed trials enter the sampler's history.

    Raises:
        BadInput: the space cannot express the schedule (it lacks a task, the length, the rate or the shares), or is a grid.
    """
    _refuse_grid(space)
    for share in space.kept_up:
        texts = tuple(task for task in schedule.tasks if task in space.texts)
        bare = without_kept_up(schedule, texts, share) if share != ALONE else None
        with suppress(BadInput):  # what the space lacks without them may be there with a weight for each
            own = encode(bare, replace(space, kept_up=(), texts=(), min_tasks=1)) if bare is not None else {}
            own |= {f"use/{text}": True for text in texts} | {"kept_up": share}
            if bare is not None and decode(space, own) == schedule:
                return own
    latest = {(word, task): name for word, task, name in space.variants}  # of an extended study's, which is what is proposed
    asked = schedule.renamed({name: latest[word, task] for word, task, name in space.variants})
    words = {word for word, _, name in space.variants if name in schedule.tasks}
    schedule = schedule.renamed({name: task for _, task, name in space.variants})
    params: dict[str, Any] = {f"use/{task}": task in schedule.tasks for task in space.tasks}
    if space.translations and _translated(space, schedule.tasks):
        english = "english" if "english" in space.translations else space.translations[0]
        params["translations"] = min(words, default=english)
    if schedule.stages:
        params["steps"] = schedule.steps
        params |= {"kept_up": ALONE} if _beside(space, schedule.tasks) and ALONE in space.kept_up else {}
        params |= {"learning_rate": schedule.learning_rate} if space.searched_rates and schedule.learning_rate else {}
        params |= {"method": " ".join(schedule.methods) or NO_METHOD} if space.methods else {}
        mixture = schedule.mixture()
        assert mixture is not None
        if len(schedule.tasks) > 1:
            params["schedule"] = schedule.kind
            params |= {f"weight/{task}": _weights_for(mixture, space.denominator)[task] for task in mixture.tasks}
            if schedule.kind != "joint":
                last = max(1, len(schedule.tasks) - 1)
                params |= {f"rank/{task}": place / last for place, task in enumerate(schedule.order)}
    if all(task in space.tasks for task in schedule.tasks):
        for rule in rule_params(space) if len(schedule.tasks) > 1 else [{}]:
            if decode(space, params | rule) == asked:
                return _asked(params | rule)
    raise BadInput(f"space {space.name!r} cannot express the schedule {asked}")


def _asked(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters without those that the rule in them makes superfluous."""
    rule = params.get("rule", EXPLICIT)
    unused = set() if rule == EXPLICIT else {"weight"}
    unused |= set() if is_mixture(rule) else {"schedule"} if has_order(rule) else {"schedule", "rank"}
    return {name: value for name, value in params.items() if name.partition("/")[0] not in unused}


def unused(space: SearchSpace) -> tuple[tuple[str, Any], ...]:
    """Return the parameters of a trial without an intermediate phase."""
    return (("plan", NONE),) if space.grid else tuple((f"use/{task}", False) for task in space.tasks)


def _refuse_grid(space: SearchSpace) -> None:
    if space.grid:
        raise BadInput(
            f"space {space.name!r} is a grid of {space.plan_count} plans; expected a space that mixes are drawn from"
        )


def on_grid(weights: Mapping[str, object], denominator: int | None) -> Mixture:
    """Round shares to multiples of 1/denominator by the largest-remainder method, each at least one multiple.

    The denominator is doubled until it is at least the number of tasks.
    """
    mixture = Mixture.of(weights)
    if denominator is None:
        return mixture
    grid = denominator
    while grid < len(mixture.tasks):
        grid *= 2
    spare = grid - len(mixture.tasks)
    extra = largest_remainder([max(Fraction(0), share * grid - 1) for _, share in mixture], spare)
    return Mixture.of({task: 1 + more for (task, _), more in zip(mixture, extra, strict=True)})


def _weights_for(mixture: Mixture, denominator: int | None) -> dict[str, Any]:
    """Return the sampler's weights for this mixture.

    Small integers that `on_grid` rounds to the mixture if there are any, else approximate ones; floats where shares are free.
    """
    if denominator is None:
        largest = max(share for _, share in mixture)
        return {task: float(share / largest) for task, share in mixture}
    for top in _WEIGHTS:
        largest = max(share for _, share in mixture)
        guess = {task: max(1, round(share / largest * top)) for task, share in mixture}
        if on_grid(guess, denominator) == mixture:
            return guess
    return {task: max(1, min(_WEIGHTS[-1], round(share * len(mixture.tasks)))) for task, share in mixture}


def sequential_twin(mixture: Mixture, order: Sequence[str], steps: int) -> Schedule:
    """Return the sequential schedule that matches `Schedule.joint(mixture, steps)`.

    It has one stage per task in the given order; each task's steps are its share of the total, rounded by largest remainder.
    """
    lengths = largest_remainder([mixture.share(task) * steps for task in order], steps)
    return Schedule.sequential([(task, n) for task, n in zip(order, lengths, strict=True) if n])


def annealed_twin(mixture: Mixture, order: Sequence[str], steps: int) -> Schedule:
    """Return one stage that moves from the first tasks of the order to the last, with the same shares over the whole phase.

    A task at position q in [0, 1] starts with share m(1 + λ(c - q)) and ends with share m(1 - λ(c - q)), where m is its share
    in the mixture, c the mean position under the mixture, and λ the largest value that keeps every share non-negative: the mean
    share over the stage is exactly m.
    """
    places = {task: Fraction(i, max(1, len(order) - 1)) for i, task in enumerate(order)}
    centre = sum((share * places[task] for task, share in mixture), Fraction(0))
    reach = 1 / max(abs(centre - q) for q in places.values())
    tilt = {task: reach * (centre - places[task]) for task in order}
    start = {task: share * (1 + tilt[task]) for task, share in mixture}
    end = {task: share * (1 - tilt[task]) for task, share in mixture}
    stage = Stage(start=_positive(start), end=_positive(end), steps=steps)
    return Schedule(stages=(stage,))


def _positive(weights: Mapping[str, Fraction]) -> Mixture:
    return Mixture.of({task: weight for task, weight in weights.items() if weight > 0})
