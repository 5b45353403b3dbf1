"""`Plan`: an immutable description of everything that one trial trains and scores, and the settings that belong to it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self, get_args

from tasksearch.core.errors import BadInput
from tasksearch.core.methods import Phase, files_of_methods, method_words, methods_of, read_method
from tasksearch.core.mixture import base_task
from tasksearch.core.schedule import Schedule, Stage
from tasksearch.core.signature import plain_without, signature_of, to_plain

LRPolicy = Literal["phase", "stage"]
Mixing = Literal["task", "mixed"]
Precision = Literal["fp32", "bf16"]
CurveKind = Literal["linear", "wsd"]
Features = Literal["cls", "pair-diff"]
Pooling = Literal["mean", "mean-content", "cls"]
Start = Literal["pretrained", "fresh"]
HeadStart = Literal["fresh", "warm"]


FEW_SHOT_EPOCHS = 50
"""As in the code of Schmidt et al. (EMNLP 2022); Zhao et al. (ACL 2021) stop earlier by a development set of the language."""
FEW_SHOT_DRAWS = 3
"""Draws of few-shot examples: which examples are labelled matters as much as the seed (Zhao et al., ACL 2021)."""


def _check_choice(name: str, value: object, choices: Any) -> None:
    """Raise BadInput unless `value` is one of `choices`, a `Literal` type.

    The code tests for one word and treats every other as the alternative: an unchecked typo would silently select it.
    """
    known = get_args(choices)
    if value not in known:
        raise BadInput(f"{name} is {value!r}; expected {' or '.join(map(repr, known))}")


def check_curve(curve: str, rung: int | None, decay: float) -> None:
    """Raise BadInput for a warmup-stable-decay curve without a rung length, or for a decay outside (0, 1)."""
    if curve == "wsd" and (rung is None or rung < 1):
        raise BadInput(f"curve 'wsd' with rung {rung}; expected the steps of a rung, at least 1")
    if not 0 < decay < 1:
        raise BadInput(f"decay is {decay}; expected a share of the phase in (0, 1)")


def check_share(name: str, share: float) -> None:
    """Raise BadInput for a share of the target steps outside (0, 1]."""
    if not 0 < share <= 1:
        raise BadInput(f"{name} is {share}; expected a share of the target steps in (0, 1], such as 0.25")


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Hyperparameters of the gradient steps in one phase.

    Attributes:
        batch_size: examples per optimiser step (the global batch).
        micro_batch_size: examples per forward pass; gradients accumulate until a step is complete. None: the whole batch at
            once.
        learning_rate: peak learning rate of the encoder.
        head_lr_factor: learning rate of the heads, as a multiple of the encoder's.
        warmup: share of the curve over which the rate rises, in [0, 1).
        weight_decay: AdamW's weight decay; not applied to biases and layer norms.
        adam_beta2: AdamW's second-moment decay rate.
        max_grad_norm: norm to which gradients are clipped, once per optimiser step.
        max_length: tokens per sequence, special tokens included.
        lr_policy: `phase`: one curve and one optimiser over all stages; `stage`: a new curve and optimiser for each stage.
        mixing: `task`: all examples of a step come from one task (as in the paper's code); `mixed`: every step holds all tasks
            in proportion to their shares.
        precision: `fp32`, or `bf16` autocast with fp32 master weights.
        steps: optimiser steps of a target phase; an intermediate phase takes its length from the schedule.
        epochs: passes over the training examples, for a target phase without `steps`.
        train_examples: maximum number of training examples of a target (None: all).
        early_stopping: of a target phase: steps after which it is scored on the target's English selection examples, again and
            again; the phase ends with the weights of the best score. None: with its last step. The learning rate falls as if
            the phase ran its whole length.
        patience: scores in a row without a better one after which a phase with `early_stopping` ends.
        curve: learning-rate curve of phase 2: `linear`, a warmup and a decay over its whole length; `wsd`, warmup-stable-decay.
        rung: for a `wsd` curve: optimiser steps per rung. The stable part is a whole number of rungs and is cut after each one;
            the warmup is a share of one rung.
        decay: for a `wsd` curve: share of the phase, at its end, over which the rate falls. Steps that do not fill a rung are
            added to the decay.
        average_last: number of snapshots whose mean weights end a phase (Schmidt et al., ACL 2023); 1: the last weights. In the
            intermediate phase the snapshots are those of its last segment; one of fewer steps has fewer of them.
        average_every: share of the phase between two of these snapshots, the last of which is its end.
        methods: how steps are taken otherwise than by the plain loss, in words (`core.methods`), in the order of application.
    """

    batch_size: int = 32
    micro_batch_size: int | None = None
    learning_rate: float = 1e-5
    head_lr_factor: float = 1.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    adam_beta2: float = 0.999
    max_grad_norm: float = 1.0
    max_length: int = 256
    lr_policy: LRPolicy = "phase"
    mixing: Mixing = "task"
    precision: Precision = "fp32"
    steps: int | None = None
    epochs: float | None = None
    train_examples: int | None = None
    early_stopping: int | None = None
    patience: int = 5
    curve: CurveKind = "linear"
    rung: int | None = None
    decay: float = 0.1
    average_last: int = 1
    average_every: float = 0.1
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(str(read_method(text)) for text in self.methods))
        if self.batch_size < 1:
            raise BadInput(f"batch_size is {self.batch_size}; expected at least 1")
        if not 0 <= self.warmup < 1:
            raise BadInput(f"warmup is {self.warmup}; expected a share in [0, 1)")
        if not 0 < self.learning_rate < math.inf:
            raise BadInput(f"learning_rate is {self.learning_rate}; expected a positive number")
        for name in ("micro_batch_size", "steps", "epochs", "train_examples", "early_stopping", "patience", "rung"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise BadInput(f"{name} is {value}; expected a positive number, or None")
        for name, choices in (("lr_policy", LRPolicy), ("mixing", Mixing), ("precision", Precision), ("curve", CurveKind)):
            _check_choice(name, getattr(self, name), choices)
        check_curve(self.curve, self.rung, self.decay)
        if self.average_last < 1:
            raise BadInput(f"average_last is {self.average_last}; expected at least 2 snapshots, or 1 for none averaged")
        if self.average_last > 1 and self.early_stopping is not None:
            raise BadInput(
                f"average_last is {self.average_last} with early_stopping {self.early_stopping}; expected one of them: "
                "either the mean of the last snapshots or the best one"
            )
        if not 0 < self.average_every < 1:
            raise BadInput(f"average_every is {self.average_every}; expected a share of the phase in (0, 1)")
        if self.average_last > 1 and (self.average_last - 1) * self.average_every >= 1:
            raise BadInput(
                f"average_last is {self.average_last} with a snapshot after every {self.average_every:g} of the phase; "
                f"expected at most {math.ceil(1 / self.average_every)}, as many as the phase has"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the plain form. Fields that most studies do not use are left out while they hold their defaults."""
        used = self if self.average_last > 1 else dataclasses.replace(self, average_every=TrainSettings.average_every)
        later = ("early_stopping", "patience", "curve", "rung", "decay", "average_last", "average_every", "methods")
        return plain_without(used, later)

    def steps_for(self, examples: int) -> int:
        """Return the optimiser steps of a target phase with so many training examples."""
        shown = min(examples, self.train_examples or examples)
        return self.steps or max(1, round((self.epochs or 1.0) * shown / self.batch_size))

    def shortened(self, share: float) -> TrainSettings:
        """Return the settings of a target phase with this share of the steps, in (0, 1]; 1 changes nothing.

        Curve and averaged snapshots keep their places relative to the phase's length, and early stopping its number of looks.
        Lengths are rounded, and at least one step.
        """
        if share == 1:
            return self
        cut = {name: getattr(self, name) for name in ("steps", "early_stopping")}
        lengths: dict[str, Any] = {name: max(1, round(share * steps)) for name, steps in cut.items() if steps is not None}
        if self.steps is None:
            lengths["epochs"] = share * (self.epochs or 1.0)
        return dataclasses.replace(self, **lengths)

    def few_shot(self, examples: int) -> TrainSettings:
        """Return the settings by which a target phase with these is continued on so many labelled examples of a language.

        `FEW_SHOT_EPOCHS` passes at the same learning rate, and no more steps than the phase itself had. No method, averaging or
        early stopping: the last one would need further labels.
        """
        plain: dict[str, Any] = {
            "steps": None,
            "train_examples": None,
            "early_stopping": None,
            "average_last": 1,
            "methods": (),
        }
        return dataclasses.replace(self, batch_size=min(self.batch_size, examples), epochs=FEW_SHOT_EPOCHS, **plain)

    def averaged_steps(self, total: int) -> tuple[int, ...]:
        """Return the steps, from 1, after which the weights of a phase of `total` steps are averaged; none if none are."""
        back = (round(place * self.average_every * total) for place in range(self.average_last))
        return tuple(sorted({total - steps for steps in back if steps < total})) if self.average_last > 1 else ()

    def check_average(self, total: int, phase: str) -> None:
        """Raise BadInput if a phase of `total` steps has fewer snapshots than are to be averaged."""
        if self.average_last > 1 and len(self.averaged_steps(total)) < self.average_last:
            raise BadInput(
                f"{self.average_last} snapshots to average in {phase}, a snapshot after every {self.average_every:g} of its "
                f"{total} steps; expected fewer of them, or a longer phase"
            )


def _with_methods(settings: TrainSettings, methods: tuple[str, ...], phase: Phase) -> TrainSettings:
    own = methods_of(methods, phase)
    return dataclasses.replace(settings, methods=(*settings.methods, *own)) if own else settings


@dataclass(frozen=True, kw_only=True)
class RetrievalSettings:
    """How a sentence becomes a vector for bitext retrieval; always printed beside the score.

    Attributes:
        layer: index into the hidden states; 0 is the embeddings, negative numbers count from the last layer.
        layers: languages that another layer is read in: those whose own was chosen without them (`--retrieval-layer auto`).
        pooling: `mean` over all tokens (as in jiant), `mean-content` over all but the special tokens, or `cls`.
        centering: whether to subtract each language's mean vector before taking the cosine.
        max_length: tokens per sentence, special tokens included; None: as in the intermediate phase.
        prefix: text before every sentence, such as E5's `query: `.
    """

    layer: int = 14
    pooling: Pooling = "mean"
    centering: bool = False
    max_length: int | None = None
    layers: tuple[tuple[str, int], ...] = ()
    prefix: str = ""

    def __post_init__(self) -> None:
        _check_choice("pooling", self.pooling, Pooling)
        if self.max_length is not None and self.max_length < 3:
            raise BadInput(f"max_length of retrieval is {self.max_length}; expected at least 3, a piece between <s> and </s>")

    def to_json(self) -> dict[str, Any]:
        """Return the plain form; `max_length`, `layers` and `prefix` only where they are set."""
        return plain_without(self, ("max_length", "layers", "prefix"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore settings from the output of `to_json`."""
        return cls(**{**data, "layers": tuple((language, int(layer)) for language, layer in data.get("layers", ()))})

    def of(self, language: str) -> RetrievalSettings:
        """Return the settings by which one language is scored."""
        if not self.layers:
            return self
        return dataclasses.replace(self, layer=dict(self.layers).get(language, self.layer), layers=())


@dataclass(frozen=True, kw_only=True)
class PhaseSettings:
    """Settings of a plan that the suite or the user fixes; the search varies only the schedule.

    Attributes:
        intermediate: settings of phase 2.
        intermediate_lengths: `max_length` of single intermediate tasks where it differs from `intermediate`: `(("squad1",
            384),)`. All other settings hold for the whole phase: every step has the same batch size whatever its task, or else
            shares of the examples and matched pairs would lose their meaning.
        target: settings of phase 3, for every labelled target.
        target_overrides: changes of single fields of `target` for single targets: `(("squad", (("batch_size", 16),)),)`.
        features: input of a classification head: the vector of `<s>` (`cls`), or [u-v; |u-v|] of the two segments' mean vectors
            (`pair-diff`).
        head: `fresh`: a new head for every target; `warm`: start from the intermediate head with the same label set, where
            there is one.
        retrieval: settings of bitext retrieval.
        evaluation_examples: maximum number of examples scored per language, for the selection and for the reporting examples
            each, drawn by a hash; None: all. Scores under such a cap cannot be compared with published ones.
        few_shot: labelled examples of a language on which a target phase is continued in the few-shot controls
            (`Plan.few_shot`); three draws of so many are taken from each language's selection examples, in every plan. 0: none.
        language_exponent: in MLM over several languages one is drawn in proportion to its number of texts to this power, in [0,
            1]; XLM-R was pretrained with 0.3.
    """

    intermediate: TrainSettings = field(default_factory=TrainSettings)
    intermediate_lengths: tuple[tuple[str, int], ...] = ()
    target: TrainSettings = field(default_factory=lambda: TrainSettings(epochs=2))
    target_overrides: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()
    features: Features = "cls"
    head: HeadStart = "fresh"
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    evaluation_examples: int | None = None
    few_shot: int = 0
    language_exponent: float = 0.3

    def __post_init__(self) -> None:
        _check_choice("features", self.features, Features)
        _check_choice("head", self.head, HeadStart)
        if self.evaluation_examples is not None and self.evaluation_examples < 1:
            raise BadInput(f"evaluation_examples is {self.evaluation_examples}; expected at least 1, or None")
        if self.few_shot < 0:
            raise BadInput(f"few_shot is {self.few_shot}; expected at least 1 example, or 0 for none")
        if not 0 <= self.language_exponent <= 1:
            raise BadInput(f"language_exponent is {self.language_exponent}; expected a power in [0, 1]")

    def to_json(self) -> dict[str, Any]:
        """Return the plain form; fields that most studies leave at their defaults only where they differ."""
        return plain_without(self, ("intermediate_lengths", "few_shot", "language_exponent"))

    def length_of(self, task: str) -> int:
        """Return the maximum sequence length of an intermediate task, whatever languages it is trained in, in tokens."""
        return dict(self.intermediate_lengths).get(base_task(task), self.intermediate.max_length)

    def of_stage(self, stage: Stage) -> TrainSettings:
        """Return the phase-2 settings of one stage, which may have a learning rate and methods of its own."""
        settings = _with_methods(self.intermediate, stage.methods, "intermediate")
        return settings if stage.learning_rate is None else dataclasses.replace(settings, learning_rate=stage.learning_rate)

    @property
    def untrained(self) -> TrainSettings:
        """Settings for scoring a target without a phase 3.

        They are those of the intermediate phase, with the sequence length of retrieval.
        """
        length = self.retrieval.max_length
        return self.intermediate if length is None else dataclasses.replace(self.intermediate, max_length=length)

    def for_target(self, target: str) -> TrainSettings:
        """Return the phase-3 settings of one target, its overrides applied."""
        changes = dict(dict(self.target_overrides).get(target, ()))
        return dataclasses.replace(self.target, **changes) if changes else self.target


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that determines one trial: schedule, settings, targets, languages and seed. Equal plans give equal numbers.

    Attributes:
        suite: name of the suite whose cards the task names refer to.
        schedule: stages of phase 2.
        targets: target tasks to train and score, sorted.
        languages: languages to score, sorted; English among them where the task has it.
        settings: hyperparameters of phases 2 and 3.
        seed: varies heads, data order and dropout, but not the pretrained model.
        start: `pretrained`; or `fresh`: weights of the same shape drawn from the seed (the untrained reference).
        extra_examples: additional training examples of every target phase, rounded up to whole steps: the equal-exposure
            control of a plan whose intermediate phase had as many.
        soup: schedules whose encoders after phase 2 are averaged; phase 3 starts from the average. The plan's own schedule is
            then empty.
        soup_seeds: seeds on each of which the schedules of a soup are trained; empty: the plan's own.
        target_share: share of the steps of every target phase that is run, in (0, 1]: the fidelity of the plan's scores.
        few_shot: whether each target phase is continued, for each language by itself, on labelled examples of the language
            (`PhaseSettings.few_shot`), and that language is scored by what comes out.
        model_seeds: seeds on each of which everything is trained; each target's models, heads included, are averaged and
            scored. Their heads start alike, as the plan's own seed draws them.
        head_seed: seed that draws the targets' heads, of a training whose model is averaged; None: the plan's own.
    """

    suite: str
    schedule: Schedule
    targets: tuple[str, ...]
    languages: tuple[str, ...]
    settings: PhaseSettings
    seed: int = 0
    start: Start = "pretrained"
    extra_examples: int = 0
    soup: tuple[Schedule, ...] = ()
    soup_seeds: tuple[int, ...] = ()
    target_share: float = 1.0
    few_shot: bool = False
    model_seeds: tuple[int, ...] = ()
    head_seed: int | None = None

    def __post_init__(self) -> None:
        check_share("target_share", self.target_share)
        if self.model_seeds and (len(set(self.model_seeds)) < 2 or self.soup or self.few_shot or self.settings.head == "warm"):
            raise BadInput(
                f"target models of seeds {list(self.model_seeds)} averaged; expected two or more seeds, no soup, no few-shot "
                "examples, and fresh heads: those of warm ones do not start alike"
            )
        if self.few_shot and not self.settings.few_shot:
            raise BadInput(
                "a few-shot plan whose settings set no examples aside; expected few_shot of at least 1 in its settings"
            )
        if self.extra_examples < 0:
            raise BadInput(f"extra_examples is {self.extra_examples}; expected at least 0")
        members = len(set(self.soup)) * len(set(self.soup_seeds) or {self.seed})
        if self.soup and (self.schedule.stages or members < 2 or not all(one.stages for one in self.soup)):
            raise BadInput(
                "a soup of fewer than two trainings, or with a schedule of its own; expected two or more different mixes, or "
                "one on two or more seeds"
            )
        if self.soup_seeds and not self.soup:
            raise BadInput(f"soup_seeds {list(self.soup_seeds)} without a soup; expected the mix that is trained on them")
        object.__setattr__(self, "targets", tuple(sorted(set(self.targets))))
        object.__setattr__(self, "languages", tuple(sorted(set(self.languages))))
        _check_choice("start", self.start, Start)

    @property
    def signature(self) -> str:
        """Hash of the whole plan, seed included."""
        return signature_of("plan", self._deciding())

    @cached_property
    def mix_signature(self) -> str:
        """Hash of the plan without seed and fidelity: the same for all trials of one mix."""
        return signature_of("mix", dataclasses.replace(self, seed=0, target_share=1.0)._deciding())

    @property
    def words(self) -> str:
        """What is trained, in words: the schedule, or the kind of control."""
        if self.soup_seeds:
            return f"average of {' and '.join(map(str, self.soup))} over {len(self.soup_seeds)} seeds"
        if self.soup:
            return f"average of {len(self.soup)} encoders"
        if self.model_seeds:
            return f"{self.schedule}, target models of {len(self.model_seeds)} seeds averaged"
        if self.few_shot:
            return f"{self.schedule}, {self.settings.few_shot} labelled examples of each language"
        if self.extra_examples:
            return f"{self.schedule}, targets +{self.extra_examples} examples"
        averaged = self.settings.target.average_last
        return f"{self.schedule}, average of the last {averaged} snapshots" if averaged > 1 else str(self.schedule)

    @property
    def soup_members(self) -> tuple[Plan, ...]:
        """The plans whose encoders a soup averages, mix by mix; none for a plan without a soup."""
        bare, seeds = dataclasses.replace(self, soup=(), soup_seeds=()), self.soup_seeds or (self.seed,)
        return tuple(dataclasses.replace(bare, schedule=mix, seed=seed) for mix in self.soup for seed in seeds)

    @property
    def model_members(self) -> tuple[Plan, ...]:
        """The plans whose target models are averaged; none for a plan that averages none."""
        return tuple(dataclasses.replace(self, model_seeds=(), seed=one, head_seed=self.seed) for one in self.model_seeds)

    def for_target(self, target: str) -> TrainSettings:
        """Return the phase-3 settings of one target, with the methods that the schedule, or a soup's mixes, bring along."""
        methods = self.soup[0].methods if self.soup else self.schedule.methods
        return _with_methods(self.settings.for_target(target).shortened(self.target_share), methods, "target")

    @property
    def method_files(self) -> tuple[str, ...]:
        """Paths of the files that training methods of any phase read."""
        stages = [stage for schedule in (self.schedule, *self.soup) for stage in schedule.stages]
        held = [*self.settings.intermediate.methods, *self.settings.target.methods]
        held += [method_words(text)[1] for stage in stages for text in stage.methods]
        return files_of_methods(held)

    @property
    def learning_rate(self) -> float | None:
        """Peak learning rate of phase 2: the schedule's own, else that of the settings; None without a phase 2."""
        if not self.schedule.stages:
            return None
        return self.schedule.learning_rate or self.settings.intermediate.learning_rate

    @property
    def intermediate_examples(self) -> int:
        """Training examples shown in phase 2, repetitions included."""
        return self.schedule.steps * self.settings.intermediate.batch_size

    def with_seed(self, seed: int) -> Plan:
        """Return the same plan with another seed."""
        return dataclasses.replace(self, seed=seed)

    def to_json(self) -> dict[str, Any]:
        """Return the complete plain form: `from_json` restores an equal plan.

        Fields that only controls use are left out while they hold their defaults, so that plans made before controls existed
        keep their signatures. `rules` are labels of the schedule's mixtures, and not part of any signature.
        """
        rules = self.schedule.rules
        return self._deciding() | ({"rules": to_plain(rules)} if rules else {})

    def _deciding(self) -> dict[str, Any]:
        """Return the plain form of what decides the plan's numbers."""
        return plain_without(
            self, ("extra_examples", "soup", "soup_seeds", "target_share", "few_shot", "model_seeds", "head_seed")
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Restore a plan from the output of `to_json`."""
        settings = dict(data["settings"])
        overrides = tuple((name, tuple((k, v) for k, v in pairs)) for name, pairs in settings.pop("target_overrides", ()))
        lengths = tuple((name, int(length)) for name, length in settings.pop("intermediate_lengths", ()))
        return cls(
            suite=data["suite"],
            schedule=Schedule.from_json(data["schedule"]).with_rules(data.get("rules", ())),
            targets=tuple(data["targets"]),
            languages=tuple(data["languages"]),
            seed=int(data["seed"]),
            start=data.get("start", "pretrained"),
            extra_examples=int(data.get("extra_examples", 0)),
            soup=tuple(Schedule.from_json(one) for one in data.get("soup", ())),
            soup_seeds=tuple(int(seed) for seed in data.get("soup_seeds", ())),
            target_share=float(data.get("target_share", 1.0)),
            few_shot=bool(data.get("few_shot", False)),
            model_seeds=tuple(int(seed) for seed in data.get("model_seeds", ())),
            head_seed=data.get("head_seed"),
            settings=PhaseSettings(
                intermediate=TrainSettings(**settings.pop("intermediate")),
                target=TrainSettings(**settings.pop("target")),
                retrieval=RetrievalSettings.from_json(settings.pop("retrieval")),
                target_overrides=overrides,
                intermediate_lengths=lengths,
                **settings,
            ),
        )
