"""`StudyConfig` and `TrialRecord`: what a study was asked to do, and what each of its trials came to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.own_files import is_reference
from tasksearch.core.plan import Plan
from tasksearch.core.score import ScoreTable
from tasksearch.core.signature import plain_without, to_plain
from tasksearch.core.space import SearchSpace
from tasksearch.core.target_settings import PerTarget, read_per_target

Role = Literal["baseline", "design", "search", "finalist", "control", "untrained", "twin", "best-of"]
AFTERWARDS = ("finalist", "control", "untrained", "twin", "best-of")
"""Roles that stand behind the search: none counts among its trials, and no proposal reads them."""
FOR_THE_QUESTION = ("twin", "best-of")
"""Roles that are trained to answer joint or sequential, and for nothing else (`search.twins`)."""
LEAST_TWINS = 3
"""A spread over fewer mixtures, or over fewer seeds, says nothing."""

Status = Literal["running", "done", "stopped", "failed"]
SAMPLERS = ("tpe", "random")
SCHEDULERS = ("fifo", "asha")
CONTROLS = ("length", "exposure", "soup")
"""Controls of the baseline comparison: the best free baseline at the leaders' lengths, target phases lengthened to equal
exposure, and the average of the leaders' encoders."""

LEADER_SEEDS_ONCE = 3
"""Fresh seeds of a leader that `tasksearch run` asked for at first before there were controls."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What the search maximises: standardised gain over the baseline on the selection examples.

    Attributes:
        targets: target → weight; empty: kinds of target (classification, tagging, QA, retrieval) with equal weight.
        languages: languages that count; empty: every language of the study but English.
    """

    targets: tuple[tuple[str, float], ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What a study changes in its suite's settings; None: as the suite has it.

    Attributes:
        learning_rate: of the encoder, in both phases and for every target.
        intermediate_learning_rate, target_learning_rate: of one kind of phase, before `learning_rate`.
        batch_size, warmup, max_length: as in `TrainSettings`, in both phases and for every target; a length holds for single
            intermediate tasks and for retrieval too.
        precision: `fp32` or `bf16`, in both phases.
        target_steps: steps of every target phase, in place of epochs.
        epochs: passes of every target phase over its training examples, in place of steps.
        features, head: as in `PhaseSettings`.
        train_examples: at most so many training examples of a target.
        evaluation_examples: at most so many examples of each language and half are scored; printed beside every number.
        retrieval_layer: hidden state that retrieval pools.
        target: settings of single targets, before all others.
        every_target: whether what is asked for every target holds for targets too that have settings of their own in the suite
            (`PhaseSettings.target_overrides`); not so in studies that were begun before this was asked.
    """

    learning_rate: float | None = None
    precision: str | None = None
    target_steps: int | None = None
    train_examples: int | None = None
    evaluation_examples: int | None = None
    retrieval_layer: int | None = None
    every_target: bool = False
    intermediate_learning_rate: float | None = None
    target_learning_rate: float | None = None
    batch_size: int | None = None
    warmup: float | None = None
    max_length: int | None = None
    epochs: float | None = None
    features: str | None = None
    head: str | None = None
    target: PerTarget = ()

    def to_json(self) -> dict[str, Any]:
        """Plain form; what came with a later version where it is asked for, so that an earlier one reads the rest."""
        return plain_without(self, _LATER_OVERRIDES)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**data, "target": read_per_target(data.get("target", ()))})


_LATER_OVERRIDES = (
    "intermediate_learning_rate", "target_learning_rate", "batch_size", "warmup", "max_length", "epochs", "features", "head",
    "target",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """A study as asked for; stored in its folder, and what `resume` reads.

    What a command asks for where nothing is said stands in `core.options`. A default here is what an older `study.json` that
    lacks the field meant.

    Attributes:
        name: folder and MLflow experiment name.
        space: resolved search space, its tasks and steps filled in from the suite.
        suite: suite name.
        model: hub id, folder, or `lab` for the lab's own.
        data: folder of real data, None where the suite needs none.
        targets, languages: resolved, in canonical order.
        trials: proposals of the search, designed ones and the baseline's seeds included, finalists not.
        baseline_seeds: at least 3.
        leaders, leader_seeds: how many leaders are re-run, on how many fresh seeds each at first.
        most_seeds: up to how many a leader gets while what is said of it is open (`search.racing`); at most `leader_seeds`: no
            race. Needs at least two at first.
        seed: of the study.
        lag: trial n is proposed from the results of trials 0 … n-lag; at least the concurrency.
        sampler: `tpe`, `random`, an Optuna sampler by its dotted name, or the reference of a user's (`core.own_files`).
        scheduler: `fifo` or `asha`.
        trainable: reference of the user's own trainable; empty: the three phases.
        picker: reference of the user's own picker, which chooses among the leaders; empty: the shrunken scores.
        encoder: reference of the user's own encoder family; empty: the family of the model's type.
        allow_leakage: start though evaluation items stand in the training data.
        pretraining_text: files and folders of text that the model was pretrained on, checked as training data is.
        overrides: changes of the suite's settings.
        skip_bad: bad records that are passed over in each file, and told.
        deterministic: deterministic kernels, for bit-equal scores on a GPU; on a CPU they are so anyway.
        controls: names out of `CONTROLS`: what is trained beside the leaders on fresh seeds (`search.controls`).
        untrained: whether an encoder of the same shape without pretraining is trained once, to stand beside the baseline.
        twins, twin_seeds: how many mixtures are trained jointly, annealed and one task after the other, on how many shared
            seeds each; none, or at least three of both.
        suite_options: what the suite was built with (the lab's world seed and phase-1 steps).
        more_baseline: seeds of the baseline that joined later: they tell what the baseline is worth, and no objective.
        widened: how often the space was widened; Optuna holds a study of its own for each width.
    """

    name: str
    space: SearchSpace
    suite: str
    model: str
    targets: tuple[str, ...]
    languages: tuple[str, ...]
    data: str | None = None
    trials: int = 31
    baseline_seeds: int = 5
    leaders: int = 3
    leader_seeds: int = 3
    most_seeds: int = 3
    seed: int = 0
    lag: int = 4
    sampler: str = "tpe"
    scheduler: str = "fifo"
    objective: Objective = field(default_factory=Objective)
    lr_policy: str = "phase"
    mixing: str = "task"
    tracking_uri: str | None = None
    allow_leakage: bool = False
    pretraining_text: tuple[str, ...] = ()
    suite_options: tuple[tuple[str, Any], ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
    skip_bad: int = 0
    deterministic: bool = False
    untrained: bool = False
    controls: tuple[str, ...] = ()
    twins: int = 0
    twin_seeds: int = LEAST_TWINS
    more_baseline: int = 0
    widened: int = 0
    trainable: str = ""
    picker: str = ""
    encoder: str = ""

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise BadInput(f"{self.trials} trials; expected at least 1")
        words: list[tuple[str, str, tuple[str, ...]]] = [
            ("sampler", "tpe" if self.sampler.startswith("optuna.") or is_reference(self.sampler) else self.sampler, SAMPLERS),
            ("scheduler", self.scheduler, SCHEDULERS),
        ]
        words += [("control", name, CONTROLS) for name in self.controls]
        for kind, name, known in words:
            if name not in known:
                raise UnknownName(kind, name, known)
        if self.baseline_seeds < 3:
            raise BadInput(f"{self.baseline_seeds} baseline seeds; expected at least 3, the objective divides by their spread")
        if self.lag < 1:
            raise BadInput(f"lag {self.lag}; expected at least 1")
        if self.twins and self.twins < LEAST_TWINS:
            raise BadInput(
                f"twins of {self.twins} mixtures; expected 0, or at least {LEAST_TWINS}: mixtures are what is sampled"
            )
        if self.twin_seeds < LEAST_TWINS:
            raise BadInput(f"{self.twin_seeds} seeds of each twin; expected at least {LEAST_TWINS}")

    @property
    def optuna_name(self) -> str:
        """Name of the study that Optuna holds: one whose parameters all have one range."""
        return f"{self.name}+{self.widened}" if self.widened else self.name

    def to_json(self) -> dict[str, Any]:
        """Plain form, complete."""
        return {f.name: to_plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; a field that is absent (from an earlier version) is read as what was then true."""
        fields = dict(data)
        fields.setdefault(
            "most_seeds", fields.get("leader_seeds", cls.leader_seeds)
        )  # before races every leader got just those
        space: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.pop("space").items()}

        objective = fields.pop("objective")
        pairs = fields.pop("suite_options")
        overrides = Overrides.from_json(fields.pop("overrides", {}))
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(
            space=SearchSpace(**space),
            objective=Objective(
                targets=tuple((t, float(w)) for t, w in objective["targets"]), languages=tuple(objective["languages"])
            ),
            suite_options=tuple((k, v) for k, v in pairs),
            overrides=overrides,
            **plain,
        )


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One training of one plan on one seed, as kept in the study folder: the truth that Optuna and MLflow mirror.

    Attributes:
        number: from 0, in the order of proposal; equals the Optuna trial's number.
        role: why it was run.
        params: what the sampler proposed; a finalist has its leader's, twins have none: they come from no sampler.
        scores: empty until done.
        objective: standardised gain; None until the baseline is complete, and for failed trials.
        cause: one line, for a failed trial.
        started, ended: seconds since the epoch, fixed once so that a replay writes the same. `started` is 0 while the
            trial is proposed and not begun.
        seconds: what the trial spent, by part (`intermediate`, `target`, `evaluation`, `overhead`, `reused` …).
        facts: versions, device, threads, fingerprints.
        addition: 0, or the how-manyeth addition to the trial of that number it is (`search.growth`).
    """

    number: int
    role: Role
    status: Status
    plan: Plan
    params: tuple[tuple[str, Any], ...] = ()
    scores: ScoreTable = field(default_factory=ScoreTable)
    objective: float | None = None
    cause: str | None = None
    started: float = 0.0
    ended: float | None = None
    seconds: tuple[tuple[str, float], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    addition: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain form, complete."""
        return plain_without(self, ("addition",))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        fields = dict(data)
        scores = fields.pop("scores")
        return cls(
            plan=Plan.from_json(fields.pop("plan")),
            scores=scores if isinstance(scores, ScoreTable) else ScoreTable.from_json(scores),
            params=tuple((k, v) for k, v in fields.pop("params")),
            seconds=tuple((k, float(v)) for k, v in fields.pop("seconds")),
            facts=tuple((k, v) for k, v in fields.pop("facts")),
            **fields,
        )
