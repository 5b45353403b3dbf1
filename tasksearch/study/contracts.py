"""`contract_of`: check that a user's own part meets the contract of its kind, one line per requirement; needs no Ray, no study.

The kind is read off the file: a `.toml` of cards, a `SUITE`, a `SPACE`; or, by `FILE.py:NAME`, a trainable (a class of
`PlanTrainable`), an encoder family (a class of `EncoderFamily`), a picker (a function of `shown`), a metric (a function of
`predicted` and `gold`), else a sampler.
"""

from __future__ import annotations

import dataclasses
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import BadInput, TasksearchError, first_line
from tasksearch.core.own_files import is_path, refer, referred, takes
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import SearchSpace, decode
from tasksearch.core.study import StudyConfig, TrialRecord

Checks = Iterator[tuple[str, Callable[[], str | None]]]
"""(requirement, check): the check raises if the requirement is not met, and returns a remark or None if it is."""

_TASKS, _SIZES = ("mnli", "mrpc", "qamr"), {"mnli": 4000, "mrpc": 1000, "qamr": 2000}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """Result of checking one requirement.

    Attributes:
        text: the requirement.
        kept: whether the part meets it.
        remark: why not, or what the user should know; empty if there is nothing to say.
    """

    text: str
    kept: bool
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A part and its requirements, in the order they were checked; those that depend on an unmet one are left out."""

    part: str
    kind: str
    requirements: tuple[Requirement, ...]

    @property
    def kept(self) -> bool:
        """Whether all requirements are met."""
        return all(one.kept for one in self.requirements)


def contract_of(part: str, *, data: str | None = None) -> Contract:
    """Check a user's part against its contract.

    Args:
        part: a suite or space file, or `FILE.py:NAME`.
        data: folder of a suite's data; None: $TASKSEARCH_DATA if the suite needs data, else the suite file's own folder.

    Raises:
        BadInput, UnknownName: the file cannot be read, or holds nothing that has a contract.
    """
    kind, checks = _checks(part, data)
    return Contract(part=part, kind=kind, requirements=tuple(_tried(checks)))


def _tried(checks: Checks) -> Iterator[Requirement]:
    for text, check in checks:
        try:
            yield Requirement(text=text, kept=True, remark=check() or "")
        except Exception as fault:  # a user's file may raise anything
            cause = first_line(fault)
            yield Requirement(text=text, kept=False, remark=cause if isinstance(fault, TasksearchError | AssertionError) else
                              f"{type(fault).__name__}: {cause}")  # fmt: skip
            if text.startswith("it "):  # all further requirements depend on this one
                return


def _checks(part: str, data: str | None) -> tuple[str, Checks]:
    path, _, name = part.partition(":")
    if not is_path(path):
        raise BadInput(f"{part!r}; expected the path of a file, or FILE.py:NAME")
    if name:
        reference = refer("contract", part, "a part with a contract")
        found = referred(reference, "a part with a contract")
        if isinstance(found, type) and any(base.__name__ == "PlanTrainable" for base in found.__mro__):
            return "trainable", _trainable(found)
        if isinstance(found, type) and any(base.__name__ == "EncoderFamily" for base in found.__mro__):
            from tasksearch.study.encoder_contract import encoder_checks

            return "encoder", encoder_checks(reference)
        if takes(found, "shown"):
            return "picker", _picker(found)
        if takes(found, "predicted") and takes(found, "gold"):
            return "metric", _metric(reference)
        return "sampler", _sampler(reference)
    if path.endswith(".py"):
        from tasksearch.study.spaces import run_file

        module = run_file(Path(path), "a SUITE or a SPACE")
        if hasattr(module, "SPACE"):
            return "search space", _space(module.SPACE)
        if not hasattr(module, "SUITE"):
            raise BadInput(
                f"{path} has no SUITE and no SPACE; expected one, or {path}:NAME for a sampler, picker, trainable or encoder"
            )
    return "suite", _suite(path, data)


def _require(kept: bool, said: str) -> None:
    if not kept:
        raise AssertionError(said)


# ---- a suite


def _suite(path: str, data: str | None) -> Checks:
    from tasksearch.study.check import check_data
    from tasksearch.study.setup import check_metrics, data_folder
    from tasksearch.tasks.catalogue import SUITES, load_suite, suite_name
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.source import TaskSource

    yield "it is read, and every card is whole", lambda: suite_name(path)
    suite = load_suite(path)

    def metrics() -> None:
        check_metrics(suite)

    yield "every metric scores its kind of task", metrics
    folder = Path(data_folder(suite, data) or suite.home)
    labelled = with_labels(suite, folder)
    known = set(SUITES[suite.base]().cards) if suite.base else set()
    source = TaskSource(folder, None)
    for card in labelled.cards:
        if card in known:
            continue

        def files(card: Any = card) -> str | None:
            rows = check_data(source, [card], (), None, lambda _: 512)
            wrong = next((row for row in rows if row.problem), None)
            _require(wrong is None, wrong.problem if wrong else "")
            silent = [row.language for row in rows if not row.training and not row.selects and not row.reports]
            scored = len({row.language for row in rows if not row.training})
            return f"no example counts in {', '.join(silent)}" if silent else f"{len(rows)} splits, {scored} languages"

        def licence(card: Any = card) -> None:
            _require(bool(card.licence), "no licence is named; exports and `data check` print it")

        yield f"{card.name}: every file is there and fits the card", files
        yield f"{card.name}: a licence is named", licence


# ---- a search space


def _space(space: Any) -> Checks:
    yield (
        "it is a tasksearch.core.space.SearchSpace",
        lambda: _require(isinstance(space, SearchSpace), f"it is {space!r}"[:200]),
    )

    def hashes() -> None:
        hash(space)

    def decodes() -> str:
        from tasksearch.search.random_schedules import random_params

        whole = dataclasses.replace(space, tasks=space.tasks or _TASKS, steps=space.steps or (64, 128)).with_sizes()
        rng = random.Random(0)
        found = {decode(whole, random_params(whole, rng)) for _ in range(100)} - {None}
        _require(bool(found), "none of 100 draws is a mix")
        return f"{len(found)} different mixes in 100 draws"

    def lists() -> str:
        whole = dataclasses.replace(space, tasks=space.tasks or _TASKS, steps=space.steps or (64, 128)[: not space.epochs])
        rows = whole.rows(dict.fromkeys(whole.named_tasks, 10_000))
        _require(len({row.schedule for row in rows}) == len(rows), "two of its plans are one schedule")
        return f"{len(rows)} plans"

    yield "it holds tuples alone, so that it can name a study", hashes
    if isinstance(space, SearchSpace) and space.grid:
        yield "its plans are schedules", lists
    else:
        yield "random draws from it are mixes", decodes


# ---- a sampler


def _config(sampler: str) -> StudyConfig:
    from search_spaces.joint_vs_seq import SPACE

    space = dataclasses.replace(SPACE, tasks=_TASKS, steps=(64, 128))
    return StudyConfig(name="contract", space=space, suite="lab", model="lab", targets=("nli",), languages=("en",), trials=24,
                       baseline_seeds=3, leaders=0, sampler=sampler)  # fmt: skip


def _plan_of(schedule: Schedule, seed: int) -> Plan:
    return Plan(suite="lab", schedule=schedule, targets=("nli",), languages=("en",), settings=PhaseSettings(), seed=seed)


def _history(config: StudyConfig) -> list[TrialRecord]:
    """Simulate a study in which mixes of more tasks and fewer steps are better; each trial ends before the next is proposed."""
    from tasksearch.search.proposals import Proposal, propose

    records: list[TrialRecord] = []
    while len(records) < config.trials:
        found = propose(config, _SIZES, _plan_of, len(records), records)
        assert isinstance(found, Proposal), f"no trial {len(records)} was proposed"
        value = len(found.plan.schedule.tasks) - found.plan.schedule.steps / 100
        record = TrialRecord(number=found.number, role=found.role, status="done", plan=found.plan, params=found.params)
        records.append(dataclasses.replace(record, objective=value))
    return records


def _sampler(reference: str) -> Checks:
    from tasksearch.search.optuna_samplers import check_sampler, takes_seed

    config = _config(reference)
    yield "it is built from a seed alone", lambda: check_sampler(reference)
    yield "it proposes trials of a study to its end", lambda: f"{len(_history(config))} trials"

    def repeats() -> str | None:
        if not takes_seed(reference):
            return "it takes no seed: studies with it are marked as not reproducible"
        _require(_history(config) == _history(config), "the same study was proposed otherwise the second time")
        return None

    def mixes() -> str:
        plans = [record.plan.schedule for record in _history(config) if record.role == "search"]
        _require(len(set(plans)) == len(plans) and all(plan.stages for plan in plans), "a mix was proposed twice")
        return f"{len(plans)} mixes of its own"

    yield "the same results give the same proposals", repeats
    yield "every proposal is a new mix", mixes


# ---- a picker


def _picker(picker: Any) -> Checks:
    import numpy as np

    from tasksearch.analysis.picker import Shown, worth_of
    from tasksearch.core.mixture import Mixture

    def shown(mixes: int, languages: int, seeds: int) -> Shown:
        draw = np.random.default_rng(mixes)
        schedules = tuple(Schedule.joint(Mixture.of({"mnli": n + 1, "qamr": mixes - n}), 64) for n in range(mixes))
        return Shown(
            schedules=schedules,
            gains=draw.normal(size=(mixes, languages)),
            seeds=draw.normal(size=(seeds, languages)),
            languages=tuple(f"l{n}" for n in range(languages)),
        )

    def answers(mixes: int, languages: int, seeds: int) -> Callable[[], None]:
        def check() -> None:
            worth_of(picker, shown(mixes, languages, seeds))

        return check

    for text, sizes in (("many mixes and languages", (24, 5, 5)), ("one language", (12, 1, 5)), ("two mixes", (2, 3, 3))):
        yield f"it gives a finite worth of every mix in every language: {text}", answers(*sizes)
    some = shown(12, 3, 5)

    def repeats() -> None:
        first = worth_of(picker, some)
        _require(np.array_equal(first, worth_of(picker, some)), "the second answer differs")

    def leaves() -> None:
        before = some.gains.copy()
        worth_of(picker, some)
        _require(np.array_equal(before, some.gains), "it changed the gains that it was shown")

    yield "the same scores give the same worth", repeats
    yield "what it is shown stays as it was", leaves


# ---- a metric


def _metric(reference: str) -> Checks:
    import numpy as np

    from tasksearch.metrics.outcomes import value_of
    from tasksearch.metrics.registry import own_metric

    metric, draw = own_metric(reference), np.random.default_rng(0)
    kinds = {
        "one label each": draw.integers(0, 3, size=20),
        "sets of labels or tags": [["a", "b"][: int(n)] for n in draw.integers(1, 3, size=20)],
    }

    def scores() -> str:
        told, faults = [], []
        for name, gold in kinds.items():
            try:
                told.append(f"{name}: the gold itself scores {value_of(metric(gold, gold)):.1f}")
            except BadInput as fault:
                faults.append(fault)
        if not told:
            raise faults[0]
        return "; ".join(told)

    yield "it gives a finite numerator and denominator for each example", scores


# ---- a trainable


def _trainable(kind: Any) -> Checks:
    import json

    from tasksearch.core.score import HALVES, ScoreTable
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.phases.lab_model import ensure_lab
    from tasksearch.records.ledger import Ledger
    from tasksearch.tasks.lab_suite import lab_suite

    recipe = LabRecipe(
        phase1_steps=20, document_unit=100, parallel_unit=100, intermediate_train=64, intermediate_dev=10, target_train=32,
        target_dev=10, target_test=10, pool=12,
    )  # fmt: skip
    root, settings = ensure_lab(recipe), lab_suite().settings
    short = dataclasses.replace(settings, target=dataclasses.replace(settings.target, steps=2), target_overrides=())
    from tasksearch.core.mixture import Mixture

    plan = Plan(suite="lab", schedule=Schedule.joint(Mixture.uniform("restate"), 2), targets=("nli", "tag"),
                languages=("en", "near1"), settings=short)  # fmt: skip
    context = {"suite": "lab", "data": str(root.data), "model": str(root.model), "store": None}

    with tempfile.TemporaryDirectory() as folder:
        where = {**context, "study_folder": folder}
        config = {"number": 3, "role": "search", "plan": plan.to_json(), "context": where}
        actor = kind(config)
        reports: list[dict[str, Any]] = []

        def first() -> None:
            reports.append(actor.step())
            _require("failed" not in reports[0], reports[0].get("failed", ""))
            _require(reports[0]["waiting_for"] == actor.parts()[0] and "scores" not in reports[0], "it did more than that")

        def rest() -> str:
            while not reports[-1].get("done"):
                reports.append(actor.step())
            _require("failed" not in reports[-1], str(reports[-1].get("failed")))
            _require([r.get("part") for r in reports[1:]] == list(actor.parts()), "parts ran in another order")
            return ", ".join(actor.parts())

        def scored() -> None:
            table = ScoreTable.from_json(json.loads(reports[-1]["scores"]))
            there = {(s.target, s.language, s.half) for s in table}
            wanted = {(t, lang, half) for t in plan.targets for lang in plan.languages for half in HALVES}
            _require(there == wanted, f"{len(there)} of {len(wanted)} scores")
            _require(Ledger(Path(folder)).outcomes(3).keys() == wanted, "outcomes of other cells than those scored")

        def again() -> None:
            other = kind({**config, "number": 4})
            while not (report := other.step()).get("done"):
                pass
            _require(report.get("scores") == reports[-1]["scores"], "the same plan came to other scores")

        def reused() -> None:
            _require(actor.reset_config({**config, "number": 5}) is True, "reset_config did not return True")
            _require(actor.step()["position"] == 0, "it goes on where the former trial was")

        yield "it says in its first report what it waits for, and trains nothing yet", first
        yield "it runs one part a step to the end", rest
        yield "every target, language and half is scored, with its examples' outcomes", scored
        yield "the same plan gives the same scores", again
        yield "a reused process begins anew", reused
