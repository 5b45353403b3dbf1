"""Every option of a study, declared once.

`StudyOptions` define the study: its question, its training and its inputs. `Resources` say where it runs and where things are
kept; a resume may change them. The command line, the config file, `configure(...)` and the reproduction command in a report are
all derived from these fields (`core.option`), and so are `tasksearch plan`, `resume` and `extend`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from tasksearch.core.arm_rates import arm_rate_words
from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.kept_up import read_shares
from tasksearch.core.methods import method_words
from tasksearch.core.option import Options, like, option
from tasksearch.core.own_files import is_path
from tasksearch.core.plan import Features, HeadStart, LRPolicy, Mixing, Pooling, Precision
from tasksearch.core.presets import PRESETS
from tasksearch.core.rule_schedules import rules_in
from tasksearch.core.sizes import size_of
from tasksearch.core.space import SCHEDULES, TRANSLATIONS
from tasksearch.core.study import (
    ALL_CONTROLS,
    AUTO_LAYER,
    CONTROLS,
    LEAST_TWINS,
    SAMPLERS,
    SCHEDULERS,
    SelectionRule,
)
from tasksearch.core.target_settings import PerTarget, read_per_target, told_per_target

WHAT = "What to search"
TRIALS = "Trials and seeds"
TRAINING = "Model, data and training"
BUDGET = "Budget, and where it runs"
PLACES = "Where things are kept"
CHECKS = "Checks and reproducibility"
LAB = "The lab's world"

HEADINGS = {
    WHAT: "question",
    TRIALS: "question",
    TRAINING: "training",
    BUDGET: "resources",
    PLACES: "places",
    CHECKS: "question",
    LAB: "question",
}
"""Heading → the group that its options belong to, in the order in which they are shown."""


def control_names(words: str) -> tuple[str, ...]:
    """Parse names of controls: `all`, `none`, or names separated by commas; returned in the order of `CONTROLS`.

    `all` are those of `ALL_CONTROLS`, alone or beside further names.

    Raises:
        UnknownName: there is no such control.
    """
    if words == "none":
        return ()
    named = [word.strip() for word in words.split(",")]
    named = [*ALL_CONTROLS, *(word for word in named if word != "all")] if "all" in named else named
    for name in named:
        if name not in CONTROLS:
            raise UnknownName("control", name, (*CONTROLS, "all", "none"))
    return tuple(name for name in CONTROLS if name in named)


def _sampler_word(value: str) -> None:
    """Raise UnknownName for a plain word that is not a sampler's name; dotted names and files are checked when loaded."""
    if "." not in value and not is_path(value) and value not in SAMPLERS:
        raise UnknownName("value for --sampler", value, (*SAMPLERS, "optuna.samplers.NAME", "FILE.py:NAME"))


def _layer(value: Any) -> int | str | None:
    """Parse a layer: a whole number, `auto`, or None."""
    if value is None or value == AUTO_LAYER:
        return value  # type: ignore[no-any-return]
    try:
        if isinstance(value, bool | float):
            raise ValueError
        return int(value)
    except (ValueError, TypeError):
        raise BadInput(f"--retrieval-layer is {value!r}; expected an integer, or auto") from None


DEFAULT_SPACE = "joint_vs_seq"
_SHARE: dict[str, Any] = {"least": 0, "below": 1, "wish": "a share in [0, 1)"}
_RATE: dict[str, Any] = {"above": 0, "wish": "a positive number", "unset": "the suite's"}
_HOURS: dict[str, Any] = {"above": 0, "wish": "a positive number of hours"}


@dataclass(frozen=True, kw_only=True)
class StudyOptions(Options):
    """Options that define a study."""

    space: str | None = option(
        None,
        WHAT,
        "search space: a name (`tasksearch spaces`), a Python file's path, or a study's folder for its space",
        unset=f"{DEFAULT_SPACE}, or that of --from-study",
    )
    suite: str = option("lab", WHAT, "suite of tasks: a name, or a file of your own (.toml, .py)")
    targets: tuple[str, ...] = option((), WHAT, "target task, repeatable [default: all of the suite]", flag="--target")
    languages: tuple[str, ...] = option((), WHAT, "language, repeatable [default: all of the targets]", flag="--language")
    steps: tuple[int, ...] = option((), WHAT, "steps of the intermediate phase, repeatable [default: the suite's]", least=1)
    intermediate_epochs: tuple[float, ...] = option(
        (), WHAT, "of a grid: passes of the intermediate phase over its examples, in place of steps, repeatable", above=0,
        wish="a positive number",
    )  # fmt: skip
    available: bool = option(False, WHAT, "of a grid: leave out the tasks that the suite or its data lack, and name them")
    from_study: str | None = option(
        None,
        WHAT,
        "folder of a study of another, smaller model: its best mixes and a spread of the others are trained, in place of "
        "designed and sampled ones, and how far both rank them alike is told; in its space, unless --space names another",
        path=True,
    )
    confirm: int = option(
        8, WHAT, "of --from-study: so many of its best mixes, and as many at most spread over the rest of its ranking", least=1
    )
    continuous: bool = option(False, WHAT, "free shares instead of eighths")
    rules: tuple[str, ...] = option(
        (),
        WHAT,
        "what sets the shares of a mix, repeatable: explicit (a weight for each task; the default), uniform, proportional, "
        "capped(131072) (a task counts as at most so many examples), temperature(2) (sizes to the power of 1/2), "
        "uniform->proportional (moving from one to the other), curriculum:proportional (tasks join one by one)",
        flag="--rule",
        check=rules_in,
    )
    translations: tuple[str, ...] = option(
        (),
        WHAT,
        "training data of tasks that have translations: english; targets: translated into the study's languages alone; all: "
        "the original and every translation; given more than once, the search chooses",
        choices=TRANSLATIONS,
    )
    mlm_languages: tuple[str, ...] = option(
        (),
        WHAT,
        "the suite's texts (MLM, TLM) in this language join the space, repeatable [default: none; in a space with text the "
        "study's languages]",
        flag="--mlm-language",
    )
    mlm_shares: tuple[str, ...] = option(
        (),
        WHAT,
        "share of every stage's examples that the suite's texts keep up beside the other tasks, such as 1/4, repeatable: of "
        "several the search chooses; 0: they are tasks like others, with a stage of their own in a sequential mix [default: 0]",
        flag="--mlm-share",
        check=lambda share: read_shares([share]),
    )
    objective: str | None = option(
        None,
        WHAT,
        "what the search maximises: a target, a group (classification, tagging, qa, retrieval), a language, or weights, as in "
        "nli=2,qa=1 or tagging,sw",
        unset="groups of targets evenly",
    )
    sampler: str | None = option(
        None,
        WHAT,
        "what proposes mixes: auto, tpe, random, one of Optuna's such as optuna.samplers.GPSampler, or yours as FILE.py:NAME",
        check=_sampler_word,
        unset="auto; tpe where --translations or --mlm-share are searched",
    )
    picker: str | None = option(None, WHAT, "what chooses among the finalists, as FILE.py:NAME", unset="the shrunken scores")
    select: str = option(
        "pivot-dev",
        WHAT,
        "whose selection examples choose a language's mix among the finalists: the other languages', English's or its own; the "
        "first reading of the reporting examples is recorded, a later one by another rule is marked adaptive",
        choices=get_args(SelectionRule),
    )
    trainable: str | None = option(None, WHAT, "what a trial is, as FILE.py:NAME", unset="the three phases", forecast=False)
    encoder: str | None = option(None, WHAT, "how the model is loaded and run, as FILE.py:NAME", unset="by its type")
    scheduler: str = option("fifo", WHAT, "asha stops weak trials early", choices=SCHEDULERS)
    lag: int | None = option(
        None,
        WHAT,
        "trial n is proposed from the results of trials 0 … n-lag; fixed when the study is made",
        unset="twice the trials at once",
        least=1,
    )

    trials: int = option(31, TRIALS, "trainings of the search, the baseline's seeds included, finalists not", least=1)
    baseline_seeds: int = option(
        5, TRIALS, "seeds of the baseline", least=3, wish="at least 3, the objective divides by their spread"
    )
    leaders: int = option(3, TRIALS, "finalists: mixes that are trained again on fresh seeds", least=1)
    leader_seeds: int = option(2, TRIALS, "fresh seeds of each finalist at first", least=1)
    most_seeds: int = option(5, TRIALS, "fresh seeds of a finalist while its verdict is open", least=1)
    half_width: float | None = option(
        None,
        TRIALS,
        "in place of --most-seeds: fresh seeds of a finalist until its gain over its languages together is known to ± so many "
        "points, as far as seeds cause the doubt (95 %, on selection examples)",
        above=0,
        wish="a positive number of points",
    )
    max_trainings: int | None = option(
        None,
        TRIALS,
        "in place of --most-seeds: fresh seeds of the finalists while their verdicts are open, up to so many trainings of the "
        "whole study",
        least=1,
    )
    controls: str = option(
        "all",
        TRIALS,
        "trained beside the finalists on fresh seeds: length (the best free baseline at their lengths), exposure (target "
        "phases as much longer as the mix; the costliest), soup (the finalists' encoders averaged), average (no intermediate "
        "phase, the last five snapshots of every target phase averaged), seeds (the best finalist's encoders of several seeds "
        "averaged), models (target models of several seeds averaged, without an intermediate phase and of the best finalist; "
        "as many target phases each); several with commas, all (of the first three) or none",
        check=control_names,
    )
    few_shot: int = option(
        0,
        TRIALS,
        "a further control: what labelling so many examples of each language would give in place of the search; three draws of "
        "them are taken from its selection examples and select nothing",
        least=0,
    )
    untrained: bool | None = option(None, TRIALS, "train an encoder without pretraining once", unset="for real text")
    pairs: int | None = option(
        None,
        TRIALS,
        "mixtures drawn at random that are trained both jointly and one task after the other, to tell which is better; two of "
        "the search's trials each",
        least=0,
        unset="a third of the trials, where the space has both kinds",
    )
    twins: int = option(
        0,
        TRIALS,
        "beside the search: mixtures trained jointly, annealed and one task after the other in two orders; 18 trainings each",
        least=0,
        flag="--matched-sets",
        also=("--twins",),
    )
    twin_seeds: int = option(
        3, TRIALS, "seeds of every matched set", least=LEAST_TWINS, flag="--matched-set-seeds", also=("--twin-seeds",)
    )
    seed: int = option(0, TRIALS, "seed of the study")

    model: str | None = option(None, TRAINING, "XLM-R checkpoint: hub id or folder", unset="the lab's own")
    data: str | None = option(
        None, TRAINING, "folder of the suite's data", unset="$TASKSEARCH_DATA; the lab writes its own", path=True
    )
    preset: str | None = option(
        None,
        TRAINING,
        "training settings for a family and size of encoders; what is given beside it takes precedence",
        choices=tuple(one.name for one in PRESETS),
        unset="by the model",
    )
    batch_size: int | None = option(
        None, TRAINING, "examples of an optimiser step, both phases, every target", least=1, unset="the suite's"
    )
    target_steps: int | None = option(None, TRAINING, "steps of every target phase, in place of the suite's", least=1)
    epochs: float | None = option(
        None, TRAINING, "passes of every target phase over its examples, in place of steps", above=0, wish="a positive number"
    )
    search_target_steps: float = option(
        1.0,
        TRAINING,
        "share of those steps that trials of the search run, and a baseline for them; finalists, controls and their baseline "
        "run all",
        above=0,
        most=1,
        wish="a share in (0, 1], such as 0.25",
    )
    early_stopping: int | None = option(
        None,
        TRAINING,
        "score every target phase on English selection examples after so many steps, again and again, and keep the best",
        least=1,
        unset="off, the last step's weights",
    )
    patience: int | None = option(
        None, TRAINING, "such scores in a row without a better one that end a phase", least=1, unset="5 with --early-stopping"
    )
    learning_rate: float | None = option(None, TRAINING, "peak rate of the encoder, both phases, every target", **_RATE)
    intermediate_learning_rate: tuple[float, ...] = option(
        (),
        TRAINING,
        "the same of the intermediate phase alone; repeatable: of several, the search chooses [default: --learning-rate]",
        **(_RATE | {"unset": ""}),
    )
    arm_learning_rate: tuple[str, ...] = option(
        (),
        TRAINING,
        "the same of each arm of a matched pair: joint=2e-5,sequential=1e-5; of several rates of one arm each pair draws one "
        "[default: both arms have the mixture's]",
        parse=arm_rate_words,
    )
    target_learning_rate: float | None = option(
        None, TRAINING, "the same of the target phases alone", **(_RATE | {"unset": "--learning-rate"})
    )
    head_lr_factor: float | None = option(
        None, TRAINING, "rate of the heads, as a multiple of the encoder's, both phases, every target", **_RATE
    )
    warmup: float | None = option(
        None, TRAINING, "share of a phase in which the rate rises, both phases", unset="the suite's", **_SHARE
    )
    lr_policy: str = option(
        "phase", TRAINING, "phase: one learning-rate curve over all stages; stage: one each", choices=get_args(LRPolicy)
    )
    mixing: str = option(
        "task", TRAINING, "task: a step is of one task; mixed: every step holds all tasks", choices=get_args(Mixing)
    )
    precision: str | None = option(
        None,
        TRAINING,
        "of the forward and backward passes; auto: bf16 where this device and model gain by it, settled when a study begins",
        choices=(*get_args(Precision), "auto"),
        unset="the suite's",
    )
    max_length: int | None = option(
        None, TRAINING, "tokens of a sequence, special ones included, both phases, every target", least=3, unset="the suite's"
    )
    features: str | None = option(
        None, TRAINING, "what classification heads see", choices=get_args(Features), unset="the suite's"
    )
    head: str | None = option(
        None,
        TRAINING,
        "start of a target's head; warm: from the intermediate head of the same labels, where there is one",
        choices=get_args(HeadStart),
        unset="the suite's",
    )
    methods: tuple[str, ...] = option(
        (),
        TRAINING,
        "robust training of target phases (phase=intermediate: of the intermediate one; phase=both), such as "
        "adversarial:epsilon=0.1,steps=1 or smoothing:sigma=0.1; repeatable",
        flag="--method",
        check=method_words,
    )
    train_examples: int | None = option(None, TRAINING, "training examples of every target, at most", least=1)
    evaluation_examples: int | None = option(
        None,
        TRAINING,
        "scored per language and half, at most",
        least=1,
        flag="--eval-examples",
        also=("--evaluation-examples",),
    )
    intermediate_average: int | None = option(
        None,
        TRAINING,
        "snapshots of the intermediate phase whose mean weights end it, the last ones",
        least=2,
        unset="1, the last weights",
    )
    target_average: int | None = option(None, TRAINING, "the same of every target phase", least=2, unset="1, the last weights")
    average_every: float | None = option(
        None,
        TRAINING,
        "share of a phase between two snapshots that are averaged",
        above=0,
        below=1,
        wish="a share in (0, 1)",
        unset="0.1",
    )
    language_exponent: float | None = option(
        None,
        TRAINING,
        "MLM over several languages draws one in proportion to its texts to this power: 1 by size, 0 evenly",
        least=0,
        most=1,
        unset="0.3, as XLM-R was pretrained",
    )
    retrieval_layer: int | str | None = option(
        None,
        TRAINING,
        "layer that retrieval pools; auto: the best on the pretrained model by the other languages' selection examples, found "
        "before the first trial",
        unset="14 of 24",
        parse=_layer,
        write=lambda layer: [str(layer)],
    )
    retrieval_pooling: str | None = option(
        None,
        TRAINING,
        "a sentence's vector in retrieval: the mean over all pieces, over all but the special ones, or the first piece",
        choices=get_args(Pooling),
        unset="the suite's",
    )
    retrieval_prefix: str | None = option(
        None,
        TRAINING,
        "text before every sentence in retrieval, such as 'query: ' for E5; '': none",
        unset="what the model's files state, else none",
    )
    target: PerTarget = option(  # noqa: RUF009 - a field, as the others
        (),
        TRAINING,
        "a setting of one target, such as nli.batch_size=16, repeatable; a table [target.nli] in a config file",
        flag="--set",
        parse=read_per_target,
        write=told_per_target,
    )

    name: str | None = option(None, PLACES, "name of the study", unset="space-suite-seed", forecast=False)
    tracking_uri: str | None = option(
        None, PLACES, "MLflow server", unset="SQLite in the study folder", secret=True, forecast=False
    )

    deterministic: bool = option(
        False, CHECKS, "the same scores to the bit on a GPU too, in more time; a CPU repeats itself", forecast=False
    )
    pretraining_text: tuple[str, ...] = option(
        (),
        CHECKS,
        "text the model was pretrained on (.txt, .jsonl, .tsv, also .gz; or a folder), checked for evaluation items; "
        "repeatable [a model of `tasksearch pretrain` names its own]",
        path=True,
    )
    allow_leakage: bool = option(False, CHECKS, "start though evaluation items stand in the training data")
    allow_trimmed: bool = option(
        False, CHECKS, "score languages that a trimmed model (`model trim`) has few pieces of", forecast=False
    )
    skip_bad: int = option(0, CHECKS, "bad records passed over in each file, and told", least=0)

    world_seed: int = option(0, LAB, "lab: seed of the generated world")
    phase1_steps: int | None = option(None, LAB, "lab: shorter pretraining, for a quick look", least=1)
    shuffled_labels: bool = option(False, LAB, "lab: intermediate tasks with nothing to learn; the verdict should say so")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps and self.intermediate_epochs:
            raise BadInput(
                f"--steps {self.steps[0]} with --intermediate-epochs {self.intermediate_epochs[0]:g}; expected one of them"
            )
        if self.from_study is None and self.confirm != StudyOptions.confirm:
            raise BadInput(
                f"--confirm {self.confirm} without --from-study; expected the study whose mixes are confirmed beside it"
            )
        if self.patience is not None and self.early_stopping is None:
            raise BadInput(
                f"--patience {self.patience} without --early-stopping; expected the steps between two scores beside it"
            )
        if self.epochs is not None and self.target_steps is not None:
            raise BadInput(f"--epochs {self.epochs:g} with --target-steps {self.target_steps}; expected one of them")
        if self.average_every is not None and self.intermediate_average is None and self.target_average is None:
            raise BadInput(
                f"--average-every {self.average_every:g} without anything to average; expected --target-average 5 or "
                "--intermediate-average 5 beside it"
            )


@dataclass(frozen=True, kw_only=True)
class Resources(Options):
    """Options that say where trials run and what is kept. They are not part of the study: a resume may change them."""

    max_hours: float | None = option(None, BUDGET, "end after so many hours, to be resumed; exit code 75", **_HOURS)
    max_gpu_hours: float | None = option(None, BUDGET, "end after so many GPU-hours of trials, to be resumed", **_HOURS)
    concurrency: int | None = option(
        None, BUDGET, "trials at once", least=1, unset="cores this process may use, one thread each"
    )
    cpus_per_trial: float = option(1.0, BUDGET, "CPU cores of one trial", above=0, wish="a positive number")
    gpus_per_trial: float | None = option(
        None,
        BUDGET,
        "GPUs of one trial; 0.5 lets two share one, 0 trains on CPUs",
        least=0,
        unset="1 where there are GPUs",
    )
    memory_per_trial: str | None = option(
        None,
        BUDGET,
        "memory of one trial on a CPU, such as 1.5GB; a training step that needs more computes parts of itself twice, a third "
        "slower and with the same numbers",
        unset="the machine's over its cores",
        check=size_of,
        forecast=False,
    )
    address: str | None = option(
        None, BUDGET, "Ray cluster: auto, host:port or ray://host:port", unset="this machine", forecast=False
    )
    snapshot_minutes: float = option(
        10.0, BUDGET, "minutes between snapshots inside a segment; 0: none", least=0, forecast=False
    )

    store: str | None = option(None, PLACES, "segment store: folder or fsspec URL; a study remembers it", unset="in the study")
    store_budget: str | None = option(
        None, PLACES, "what the store may take, such as 50GB", unset="80 % of the free disk", check=size_of
    )
    optuna_storage: str | None = option(
        None,
        PLACES,
        "database of the Optuna study: sqlite:///FILE, postgresql://…, mysql://…, or journal; kept without its password",
        unset="as before, $TASKSEARCH_OPTUNA_STORAGE, else a journal in the study",
        secret=True,
        forecast=False,
    )
    accept_versions: bool = option(
        False,
        CHECKS,
        "go on with a study, or reuse a store, that other code or packages trained; the two are mixed then",
        forecast=False,
    )
    retrain: bool = option(
        False,
        CHECKS,
        "train every trial again under the versions that are here; the records are kept beside",
        forecast=False,
    )
    tensorboard: bool = option(
        False, PLACES, "write event files for TensorBoard beside MLflow, in the study's folder", forecast=False
    )
    keep_targets: bool = option(False, PLACES, "keep every target's weights: a language that joins later then trains nothing")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_gpu_hours is not None and self.gpus_per_trial == 0:
            raise BadInput("--max-gpu-hours beside --gpus-per-trial 0; trials without a GPU spend none")


@dataclass(frozen=True, kw_only=True)
class Places(Options):
    """Where a new study is created; an existing one is named by its folder."""

    out: str | None = option(None, PLACES, "study folder", unset="studies/NAME", path=True)


@dataclass(frozen=True, kw_only=True)
class Growth(Options):
    """What `extend` adds to a study; None and () add nothing. Counts are new totals."""

    trials: str | None = option(None, TRIALS, "more trials of the search: +16, or the new total")
    targets: tuple[str, ...] = like(
        StudyOptions, "targets", (), help="target that joins, repeatable: finished trials get it too"
    )
    languages: tuple[str, ...] = like(
        StudyOptions, "languages", (), help="language that joins, repeatable: finished trials get it too"
    )
    tasks: tuple[str, ...] = option((), WHAT, "intermediate task that joins the space, repeatable", flag="--task")
    schedules: tuple[str, ...] = option(
        (), WHAT, "kind of schedule that joins the space, repeatable", flag="--schedule", choices=SCHEDULES
    )
    steps: tuple[int, ...] = like(StudyOptions, "steps", (), help="length that joins the space, repeatable")
    leaders: int | None = like(StudyOptions, "leaders", help="new number of finalists")
    leader_seeds: int | None = like(StudyOptions, "leader_seeds", help="new number of fresh seeds of each finalist at first")
    most_seeds: int | None = like(StudyOptions, "most_seeds", help="new limit of fresh seeds of a finalist")
    half_width: float | None = like(StudyOptions, "half_width")
    max_trainings: int | None = like(StudyOptions, "max_trainings")
    baseline_seeds: int | None = like(StudyOptions, "baseline_seeds", help="new number of the baseline's seeds")
    pairs: int | None = like(
        StudyOptions, "pairs", help="new number of matched pairs, two of the trials each, which --trials makes room for"
    )


@dataclass(frozen=True, kw_only=True)
class Changes(Options):
    """Options of a study that `resume` may change from now on; None: unchanged."""

    twins: int | None = like(
        StudyOptions,
        "twins",
        least=LEAST_TWINS,
        help="matched sets to tell joint from sequential by, from now on; 18 trainings each",
    )
    controls: str | None = like(
        StudyOptions,
        "controls",
        help="of the baseline comparison, from now on: length, exposure, soup, average, seeds, models, with commas; all, none",
    )


@dataclass(frozen=True, kw_only=True)
class Forecasting(Options):
    """Options of `tasksearch plan` alone."""

    recalibrate: bool = option(False, BUDGET, "time the steps anew")
