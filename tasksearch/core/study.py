"""`StudyConfig` and `TrialRecord`: the configuration of a study, and the result of one of its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.own_files import is_reference
from tasksearch.core.plan import Plan, check_share
from tasksearch.core.presets import SUITE
from tasksearch.core.score import ScoreTable
from tasksearch.core.signature import plain_without
from tasksearch.core.space import SearchSpace
from tasksearch.core.target_settings import PerTarget, read_per_target
from tasksearch.core.transfer import Transfer

Role = Literal["baseline", "short-baseline", "design", "pair", "search", "finalist", "control", "untrained", "twin", "best-of"]
BASELINES = ("baseline", "short-baseline")
"""Roles of the baseline: with whole target phases, and with those of a search that shortens them (`search_target_steps`)."""
SEARCHED = ("design", "pair", "search")
"""Roles of the search's own mixes: they are judged, ranked and may become finalists; `pair` is an arm of a matched pair."""
AFTERWARDS = ("finalist", "control", "untrained", "twin", "best-of")
"""Roles of trials that follow the search: they do not count among its trials, and no proposal is based on them."""
FOR_THE_QUESTION = ("twin", "best-of")
"""Roles of trials that are trained only to compare joint with sequential training (`search.matched_pairs`)."""
MATCHED = ("pair", "twin")
"""Roles of the trainings that matched pairs and matched sets consist of."""
MOST_FRESH_SEEDS = 30
"""Fresh seeds of a finalist where a half-width or a number of trainings is asked for."""
LEAST_TWINS = 3
"""Minimum number of mixtures, and of seeds, in a matched comparison: a variance estimated from fewer is meaningless."""

MOST_PAIRS = 800
"""Each pair has a seed of its own, and studies' seeds are a thousand apart."""

Guesses = tuple[tuple[str, float], ...]
"""(target, percent that a guess scores in English)."""
Status = Literal["running", "done", "stopped", "failed"]
SelectionRule = Literal["pivot-dev", "english-dev", "target-dev"]
"""Whose selection examples choose among the finalists: see `results.verdict.RULES`."""
SAMPLERS = ("auto", "tpe", "random")
SCHEDULERS = ("fifo", "asha")
CONTROLS = ("length", "exposure", "soup", "average", "seeds", "models")
"""Controls of the baseline comparison: `length`, the best free baseline at the finalists' lengths; `exposure`, target phases
lengthened to equal exposure; `soup`, the average of the finalists' encoders; `average`, target phases without an intermediate
phase whose last snapshots are averaged; `seeds`, the average of the best finalist's encoders over seeds; `models`, the average
of target models over seeds, without an intermediate phase and of the best finalist.
"""
FEW_SHOT = "few-shot"
"""Control that `few_shot` asks for: target phases continued on labelled examples of each language."""
ALL_CONTROLS = CONTROLS[:3]
"""Controls that `all` means: those that there were when studies began to be made with it."""

LEADER_SEEDS_ONCE = 3
"""Initial fresh seeds per finalist that `tasksearch run` requested before controls existed."""


AUTO_LAYER = "auto"
"""Value of `--retrieval-layer`: chosen on the pretrained model (`study.retrieval_layers`)."""
ALL_LANGUAGES = "all"
NO_LAYERS = (("none", 0),)
"""`auto_layers` of a study that had nothing to choose by when it began: it keeps the usual layer, also when it is extended."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What the search maximises: the standardised gain over the baseline on the selection examples.

    Attributes:
        targets: target → weight; empty: equal weight for each group of targets (classification, tagging, QA, retrieval).
        languages: languages that count; empty: every language of the study except English.
    """

    targets: tuple[tuple[str, float], ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Changes that a study makes to its suite's settings; None: the suite's value.

    Attributes:
        learning_rate: of the encoder, in both phases and for every target.
        intermediate_learning_rate, target_learning_rate: for one kind of phase; they take precedence over `learning_rate`.
        batch_size, warmup, max_length, head_lr_factor: as in `TrainSettings`, in both phases and for every target; `max_length`
            also holds for single intermediate tasks and for retrieval.
        precision: `fp32` or `bf16`, in both phases.
        target_steps: steps of every target phase, instead of epochs.
        epochs: passes of every target phase over its training examples, instead of steps.
        early_stopping, patience: as in `TrainSettings`, for every target.
        features, head: as in `PhaseSettings`.
        train_examples: maximum number of training examples of a target.
        evaluation_examples: maximum number of examples scored per language, for selection and reporting each; printed beside
            every number.
        retrieval_layer: hidden state that retrieval pools; `AUTO_LAYER`: the one in `auto_layers`.
        retrieval_pooling, retrieval_prefix: as in `RetrievalSettings`; a new study without a prefix of its own takes the one
            that the model's files state.
        auto_layers: what `auto` was resolved to before the first trial: the layer that is best over all languages, under the
            name `ALL_LANGUAGES`, and languages for which another layer is best over the others.
        intermediate_average, target_average, average_every: `average_last` of one kind of phase, and the share of a phase
            between two of its snapshots (`TrainSettings`).
        target: settings of single targets; they take precedence over all others.
        joined: settings of targets that joined the study later, by its preset, in the order in which they joined.
        language_exponent: as in `PhaseSettings`.
        methods: training methods in words, with the phases that use them (`core.methods`).
        every_target: whether values given for every target also apply to targets that have settings of their own in the suite
            (`PhaseSettings.target_overrides`). False in studies begun before this field existed.
    """

    learning_rate: float | None = None
    precision: str | None = None
    target_steps: int | None = None
    train_examples: int | None = None
    evaluation_examples: int | None = None
    retrieval_layer: int | str | None = None
    every_target: bool = False
    intermediate_learning_rate: float | None = None
    target_learning_rate: float | None = None
    batch_size: int | None = None
    warmup: float | None = None
    max_length: int | None = None
    epochs: float | None = None
    early_stopping: int | None = None
    patience: int | None = None
    features: str | None = None
    head: str | None = None
    head_lr_factor: float | None = None
    retrieval_pooling: str | None = None
    retrieval_prefix: str | None = None
    auto_layers: tuple[tuple[str, int], ...] = ()
    intermediate_average: int | None = None
    target_average: int | None = None
    average_every: float | None = None
    target: PerTarget = ()
    joined: PerTarget = ()
    language_exponent: float | None = None
    methods: tuple[str, ...] = ()

    @property
    def stops_early(self) -> bool:
        """Whether a target phase may end before its length."""
        return self.early_stopping is not None or any("early_stopping" in dict(own) for _, own in self.target)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form.

        Fields added by later versions appear only where they are set, so that an earlier version can read the rest.
        """
        return plain_without(self, _LATER_OVERRIDES)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore overrides from the output of `to_json`."""
        layers = tuple((language, int(layer)) for language, layer in data.get("auto_layers", ()))
        changed = {
            "auto_layers": layers,
            "target": read_per_target(data.get("target", ())),
            "joined": tuple(read_per_target([one])[0] for one in data.get("joined", ())),
            "methods": tuple(data.get("methods", ())),
        }
        return cls(**{**data, **changed})


_LATER_OVERRIDES = (
    "intermediate_learning_rate", "target_learning_rate", "batch_size", "warmup", "max_length", "epochs", "early_stopping",
    "patience", "features", "head", "head_lr_factor", "retrieval_pooling", "retrieval_prefix", "auto_layers", "target",
    "methods", "intermediate_average", "target_average", "average_every", "language_exponent",
    "joined",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """Configuration of a study, stored in its folder and read by `resume`.

    Defaults for new studies are declared in `core.options`. A default here is the value that an older `study.json` without the
    field implies.

    Attributes:
        name: name of the folder and of the MLflow experiment.
        space: resolved search space; its tasks and steps are filled in from the suite.
        suite: name of the suite.
        model: hub id, folder, or `lab` for the lab's own model.
        data: folder of real data; None where the suite needs none.
        targets, languages: resolved and sorted.
        trials: trials of the search, including designed trials and the baseline's seeds, but not finalists.
        baseline_seeds: seeds of the baseline, at least 3.
        leaders, leader_seeds: number of finalists, and fresh seeds that each of them gets at first.
        most_seeds: maximum number of fresh seeds of a finalist while its verdict is open (`search.racing`). If it is at most
            `leader_seeds` there is no race; a race needs at least two seeds at first.
        half_width: points; finalists get fresh seeds until their gains are known so well (`search.precision`).
        max_trainings: trainings of the whole study, up to which finalists get fresh seeds while their verdicts are open, or
            until `half_width` is reached.
        seed: seed of the study.
        lag: trial n is proposed from the results of trials 0 … n-lag; at least the number of concurrent trials.
        sampler: `auto`, `tpe`, `random`, an Optuna sampler's dotted name, or a reference to the user's own (`core.own_files`).
        scheduler: `fifo` or `asha`.
        trainable: reference of the user's own trainable; empty: the three phases.
        picker: reference of the user's own picker, which chooses among the leaders; empty: the shrunken scores.
        encoder: reference of the user's own encoder family; empty: the family of the model's type.
        select: selection rule of the study's own verdict. It decides nothing of what is trained.
        allow_leakage: start though evaluation items stand in the training data.
        allow_trimmed: score languages that a trimmed model has few pieces of.
        pretraining_text: files and folders of text that the model was pretrained on, checked as training data is.
        overrides: changes of the suite's settings.
        skip_bad: maximum number of bad records that are skipped in each file; skipped records are reported.
        deterministic: use deterministic kernels, for bit-equal scores on a GPU; a CPU is deterministic anyway.
        controls: names out of `CONTROLS` that are trained beside the finalists on fresh seeds (`search.controls`).
        few_shot: labelled examples of a language on which target phases are continued as a further control; 0: no such control.
        untrained: whether an encoder of the same shape without pretraining is trained once, for comparison with the baseline.
        pairs: number of mixtures of the search that are trained both jointly and sequentially (`search.matched_pairs`), before
            the sampler starts; they count among `trials`. None, or at least three. Baseline and designs come first.
        twins, twin_seeds: number of mixtures that are trained jointly, annealed and sequentially, and of the seeds they share;
            either no mixture, or at least three mixtures on at least three seeds.
        suite_options: options that the suite was built with (the lab's world seed and phase-1 steps).
        preset: name of the preset (`core.presets`) whose values stand in the overrides and the space.
        more_baseline: baseline seeds that were added later. They improve the estimate of the baseline but change no objective.
        widened: how many times the space was widened; Optuna keeps one study for each width.
        search_target_steps: share of the steps of every target phase that trials of the search run, matched pairs among them.
            Below 1 the search has a baseline of its own, equally short; finalists, controls and the baseline that their gains
            are measured against run all steps.
        transfer: mixes of another encoder's study, which are trained in place of the designed trials; None: none.
        guesses: what a guess scores in English, of the trained targets where that is known; a training that is no better
            may have collapsed (`search.collapse`). Empty in studies that were begun before this was asked.
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
    allow_trimmed: bool = False
    pretraining_text: tuple[str, ...] = ()
    suite_options: tuple[tuple[str, Any], ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
    skip_bad: int = 0
    deterministic: bool = False
    untrained: bool = False
    controls: tuple[str, ...] = ()
    pairs: int = 0
    twins: int = 0
    twin_seeds: int = LEAST_TWINS
    more_baseline: int = 0
    widened: int = 0
    trainable: str = ""
    picker: str = ""
    encoder: str = ""
    select: SelectionRule = "pivot-dev"
    preset: str = SUITE
    half_width: float | None = None
    max_trainings: int | None = None
    search_target_steps: float = 1.0
    few_shot: int = 0
    transfer: Transfer | None = None
    guesses: Guesses = ()

    def __post_init__(self) -> None:
        check_share("search_target_steps", self.search_target_steps)
        if self.search_target_steps < 1 and self.pairs and self.twins:
            raise BadInput(
                f"{self.pairs} matched pairs, which have {self.search_target_steps:g} of the target steps as the search has, "
                f"and {self.twins} matched sets, which have all of them; expected one of them: --pairs 0, or no --matched-sets"
            )
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
        for count, what in ((self.pairs, "matched pairs"), (self.twins, "matched sets")):
            if count and self.overrides.stops_early:
                raise BadInput(
                    f"{count} {what} with early stopping, which gives trainings different budgets; expected one of them: "
                    "--pairs 0, or no --early-stopping"
                )
            if count and count < LEAST_TWINS:
                raise BadInput(f"{count} {what}; expected 0, or at least {LEAST_TWINS}: mixtures are what is sampled")
        if self.pairs > MOST_PAIRS:
            raise BadInput(f"{self.pairs} matched pairs; expected at most {MOST_PAIRS}, each has a seed of its own")
        if 2 * self.pairs > max(0, self.trials - self.baseline_seeds):
            raise BadInput(
                f"{self.pairs} matched pairs are {2 * self.pairs} trainings, beside {self.baseline_seeds} baseline seeds in "
                f"{self.trials} trials; expected fewer pairs, or more trials"
            )
        if self.few_shot < 0:
            raise BadInput(f"{self.few_shot} few-shot examples; expected at least 1, or 0 for no such control")
        if self.twin_seeds < LEAST_TWINS:
            raise BadInput(f"{self.twin_seeds} seeds of each matched set; expected at least {LEAST_TWINS}")

    @property
    def is_short(self) -> bool:
        """Whether trials of the search have shorter target phases than finalists."""
        return self.search_target_steps < 1

    @property
    def search_baseline(self) -> Role:
        """Role of the baseline that gains of the search are measured against."""
        return "short-baseline" if self.is_short else "baseline"

    @property
    def whole_baseline(self) -> int:
        """Seeds of the baseline that are trained before the finalists since the search has a shorter one; else none."""
        return self.baseline_seeds if self.is_short and self.leaders else 0

    @property
    def by_precision(self) -> bool:
        """Whether `half_width` or `max_trainings` decides how many fresh seeds a finalist gets, in place of `most_seeds`."""
        return self.half_width is not None or self.max_trainings is not None

    @property
    def every_control(self) -> tuple[str, ...]:
        """Names of the controls that are trained: `controls`, and `FEW_SHOT` where examples are set aside for it."""
        return (*self.controls, FEW_SHOT) if self.few_shot else self.controls

    @property
    def seed_limit(self) -> int:
        """The most fresh seeds of a finalist."""
        return max(self.leader_seeds, MOST_FRESH_SEEDS if self.by_precision else self.most_seeds)

    @property
    def optuna_name(self) -> str:
        """Name of the current Optuna study, whose parameters all have one range each."""
        return f"{self.name}+{self.widened}" if self.widened else self.name

    def to_json(self) -> dict[str, Any]:
        """Return the complete plain form; `transfer` and `guesses` only where there are any."""
        return plain_without(self, ("transfer", "guesses"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a configuration from the output of `to_json`.

        A field missing from an earlier version gets the value that it then implied.
        """
        fields = dict(data)
        fields.setdefault(
            "most_seeds", fields.get("leader_seeds", cls.leader_seeds)
        )  # before races existed every finalist got exactly these
        space = SearchSpace.from_json(fields.pop("space"))
        objective, transfer = fields.pop("objective"), fields.pop("transfer", None)
        pairs, guesses = fields.pop("suite_options"), fields.pop("guesses", ())
        overrides = Overrides.from_json(fields.pop("overrides", {}))
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(
            space=space,
            objective=Objective(
                targets=tuple((t, float(w)) for t, w in objective["targets"]), languages=tuple(objective["languages"])
            ),
            suite_options=tuple((k, v) for k, v in pairs),
            overrides=overrides,
            transfer=None if transfer is None else Transfer.from_json(transfer),
            guesses=tuple((target, float(percent)) for target, percent in guesses),
            **plain,
        )


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Record of one training of one plan on one seed, as kept in the study folder; Optuna and MLflow hold copies of it.

    Attributes:
        number: number from 0 in the order of proposal; equals the Optuna trial's number.
        role: why the trial was run.
        params: parameters proposed by the sampler. A finalist has those of its original trial; matched pairs have none, since
            no sampler proposed them.
        scores: empty until the trial is done.
        objective: standardised gain; None until the baseline is complete, and for failed trials.
        cause: reason of failure, in one line; None unless the trial failed.
        started, ended: seconds since the epoch, fixed once so that a replay writes the same values. `started` is 0 while the
            trial is proposed but not yet started.
        seconds: time spent, by kind of work (`intermediate`, `target`, `evaluation`, `overhead`, `reused` …).
        facts: versions, device, threads, fingerprints.
        addition: 0, or k for the k-th addition to the trial of that number (`engine.additions`).
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
        """Return the plain form; `addition` only where it is not 0."""
        return plain_without(self, ("addition",))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a record from the output of `to_json`."""
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
