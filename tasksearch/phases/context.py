"""`RunContext`: everything that running a plan needs besides the plan, loaded once per process and shared by its trials."""

from __future__ import annotations

import copy
import inspect
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

import torch

from tasksearch.core import told_apart
from tasksearch.core.code_identity import code_hash
from tasksearch.core.errors import BadInput, DataMissing, ModelUnusable
from tasksearch.core.library_versions import library_versions
from tasksearch.core.plan import Plan
from tasksearch.core.score import ENGLISH
from tasksearch.core.signature import signature_of
from tasksearch.forward.batches import Specials
from tasksearch.forward.device import be_deterministic, hardware_of, one_thread, pick_device
from tasksearch.forward.memory import memory_of_a_core
from tasksearch.models.encoder import Pretrained, fresh_like, load_pretrained
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.segments import Surroundings
from tasksearch.store.remote import open_store
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.labels import with_labels
from tasksearch.tasks.reading import file_fingerprint, stamp_of
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite
from tasksearch.tasks.template import template_of
from tasksearch.tasks.unlabelled import unlabelled_files
from tasksearch.training.micro import MicroSizes
from tasksearch.training.step_log import StepLog


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """A suite's files, a pretrained model, a segment store and a device.

    Attributes:
        suite: suite of task cards.
        source: reader of the suite's files, encoded with the model's tokenizer.
        pretrained: the phase-1 model and its tokenizer.
        store: segment store; None: nothing is kept.
        device: device of the tensors.
        keep_targets: whether fine-tuned target models are stored, or only their scores.
        store_budget: maximum size of the store in bytes; None: no limit.
        snapshots: how often a segment is saved during training.
        micro: micro-batch sizes that fit into memory, as learnt by this process.
        deterministic: whether the process uses deterministic kernels.
        step_log: learning curve of the segment that this process trained last.
    """

    suite: Suite
    source: TaskSource
    pretrained: Pretrained
    store: SegmentStore | None
    device: torch.device
    keep_targets: bool = False
    store_budget: int | None = None
    snapshots: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    micro: MicroSizes = field(default_factory=MicroSizes)
    deterministic: bool = False
    step_log: StepLog = field(default_factory=StepLog)

    @property
    def specials(self) -> Specials:
        """The tokenizer's special tokens."""
        return Specials.of(self.pretrained.tokenizer)

    def languages_of(self, plan: Plan) -> dict[str, tuple[str, ...]]:
        """Return target → languages of the plan in which the target is scored."""
        cards = {target: self.suite.card(target) for target in plan.targets}
        return {t: tuple(lang for lang in plan.languages if lang in card.languages) for t, card in cards.items()}

    def surroundings(self, plan: Plan) -> Surroundings:
        """Return the fingerprints of the model, the data and the numerics that determine the plan's outcome."""
        cards = {target: self.suite.card(target) for target in plan.targets}
        return Surroundings(
            model=self._root(plan),
            training={task: self._training(self.suite.card(task), plan) for task in plan.schedule.tasks},
            recipes={target: self._recipe(card) for target, card in cards.items() if card.trained},
            evaluation={
                (target, language): (
                    *self._evaluation(cards[target], language, plan),
                    *self._told_apart(cards[target], language, plan),
                )
                for target, languages in self.languages_of(plan).items()
                for language in languages
            },
            numerics=self.numerics,
            contents={path: content_of(Path(path)) for path in plan.method_files},
            kinds={name: self.suite.card(name).kind for name in (*plan.schedule.tasks, *cards)},
            few_shot=frozenset(
                (target, language)
                for target, languages in self.languages_of(plan).items()
                for language in languages
                if plan.few_shot and self.source.few_shot(cards[target], language, plan.settings.few_shot)
            ),
            english_dev={
                target: self._evaluation(card, ENGLISH, plan)
                for target, card in cards.items()
                if card.trained and plan.for_target(target).early_stopping
            },
        )

    def _evaluation(self, card: TaskCard, language: str, plan: Plan) -> tuple[str, ...]:
        data = self.source.evaluation_fingerprint(card, language)
        found = (*data, _reading(card), f"cap {plan.settings.evaluation_examples}")
        few_shot = plan.settings.few_shot
        if few_shot and card.trained and card.parallel:
            return (*found, f"few-shot {few_shot} by number")
        return (*found, f"few-shot {few_shot}") if self.source.few_shot(card, language, few_shot) else found

    def _told_apart(self, card: TaskCard, language: str, plan: Plan) -> tuple[str, ...]:
        """Return what keeps scores that earlier versions stored of another language's text from being taken for this one's."""
        mistaken = self.source.was_mistaken(card, language, plan.settings.evaluation_examples)
        return ("languages told apart",) if mistaken else ()

    def _root(self, plan: Plan) -> str:
        fingerprint = self.pretrained.fingerprint
        return fingerprint if plan.start == "pretrained" else signature_of("fresh weights", fingerprint, plan.seed)

    def first_model(self, plan: Plan) -> Any:
        """Return a new model to start from.

        It is a copy of the pretrained model, or one of its shape with weights drawn from the plan's seed.
        """
        if plan.start == "pretrained":
            return copy.deepcopy(self.pretrained.model).to(self.device)
        return fresh_like(self.pretrained, plan.seed).to(self.device)

    def _training(self, card: TaskCard, plan: Plan) -> str:
        drawn = [plan.settings.language_exponent] if card.kind == "mlm" and card.trains_in else []
        return signature_of(self.source.training_fingerprint(card), _reading(card), *drawn)

    def _recipe(self, card: TaskCard) -> str:
        return signature_of("recipe", self.source.training_fingerprint(card), card.kind, card.labels)

    @property
    def numerics(self) -> str:
        """Everything that affects the last bits of a result.

        These are torch's version, the kind of device, the number of threads, and under `deterministic` the GPU's model too.
        """
        threads = torch.get_num_threads() if self.device.type == "cpu" else 0
        # a CPU is deterministic anyway; a GPU's bits are those of its model, which a study without the promise may mix
        kernels = f", deterministic, {self.hardware}" if self.deterministic and self.device.type != "cpu" else ""
        return f"torch {torch.__version__.split('+')[0]}, {self.device.type}, {threads} threads{kernels}"

    @property
    def hardware(self) -> str:
        """The GPU's model and the version of its kernels, which are noted with every segment; `cpu` for a CPU."""
        return hardware_of(self.device)

    def facts(self, plan: Plan | None = None) -> dict[str, str]:
        """Return versions, device, threads and fingerprints for tags.

        With a plan, also the commits of the hub data that it reads.
        """
        import transformers

        on_gpu = self.device.type == "cuda"
        return {
            "code": code_hash(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": library_versions()["tokenizers"],
            "device": torch.cuda.get_device_name(self.device) if on_gpu else f"cpu ({platform.machine()})",
            "hardware": self.hardware,
            "threads": str(torch.get_num_threads()),
            "model": self.pretrained.fingerprint,
            **told_apart.FACT,
            **({} if plan is None else self._commits(plan)),
        }

    def _commits(self, plan: Plan) -> dict[str, str]:
        cards = [self.suite.card(name) for name in (*plan.schedule.tasks, *plan.targets)]
        found = self.source.hub_commits(cards, self.languages_of(plan))
        told = ", ".join(f"{name}@{commit}" for name, commit in sorted(found.items()))
        return {"data_commits": told} if told else {}


def _kept_while_unchanged(load: Callable[..., RunContext]) -> Callable[..., RunContext]:
    """Keep the last two results of a function with an argument `model`, as long as the files of that folder stay the same."""
    asked = inspect.signature(load)

    @lru_cache(maxsize=2)
    def kept(seen: tuple[tuple[str, int, int], ...], *args: Any, **kwargs: Any) -> RunContext:
        return load(*args, **kwargs)

    @wraps(load)
    def opened(*args: Any, **kwargs: Any) -> RunContext:
        folder = Path(asked.bind(*args, **kwargs).arguments["model"])
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return kept(tuple((path.name, *stamp_of(path)) for path in files if path.is_file()), *args, **kwargs)

    opened.cache_clear = kept.cache_clear  # type: ignore[attr-defined]
    return opened


@_kept_while_unchanged
def open_context(
    suite: Suite,
    root: str,
    model: str,
    store: str | None,
    device: str | None = None,
    keep_targets: bool = False,
    store_budget: int | None = None,
    snapshots: CheckpointPolicy = CheckpointPolicy(),  # noqa: B008 - frozen
    skip_bad: int = 0,
    deterministic: bool = False,
    accept_versions: bool = False,
    encoder: str = "",
    memory: int | None = None,
) -> RunContext:
    """Load a context; a process that runs many trials with the same arguments and an unchanged model loads it once.

    Args:
        root: folder of the suite's files.
        model: hub id or folder.
        store: folder or fsspec URL of the segment store.
        store_budget: bytes it may take.
        snapshots: how often a segment is saved on its way.
        skip_bad: bad records that are passed over in each file.
        deterministic: bit-equal repetition on a GPU too; holds for the process from then on.
        accept_versions: reuse segments that other code, or other versions of the libraries, trained.
        encoder: reference of the user's own encoder family; empty: the family of the model's type.
        memory: bytes that the process should keep to on a CPU; None: a core's share of the machine's.
    """
    where = pick_device(device)
    one_thread(where)
    if deterministic:
        be_deterministic()
    pretrained = load_pretrained(model, encoder)
    try:
        template_of(pretrained.tokenizer)
    except BadInput as fault:
        raise ModelUnusable(f"model {model!r}: {fault}") from None
    kept = open_store(store) if store else None
    if kept is not None:
        kept.accept_versions = accept_versions
        kept.versions = None if accept_versions else library_versions()
    return RunContext(
        suite=with_labels(suite, Path(root)),
        source=TaskSource(Path(root), pretrained.tokenizer, skip_bad=skip_bad),
        pretrained=pretrained,
        store=kept,
        device=where,
        keep_targets=keep_targets,
        store_budget=store_budget,
        snapshots=snapshots,
        deterministic=deterministic,
        micro=MicroSizes(memory=memory or memory_of_a_core()),
    )


def _reading(card: TaskCard) -> str:
    """Return a hash of how a card interprets its file: equal bytes with other labels or another head are another training."""
    return signature_of("card", card.kind, card.labels, card.head, card.metric)


def content_of(path: Path) -> str:
    """Return a hash of a file's bytes, or of the names and bytes of a folder's text files."""
    if not path.is_dir():
        return file_fingerprint(path)
    return signature_of("folder", [(language, file_fingerprint(file)) for language, file in unlabelled_files(path).items()])


def check_files(source: TaskSource, cards: Sequence[TaskCard], languages: tuple[str, ...]) -> None:
    """Raise DataMissing with the first missing file that a card needs and the number of further ones."""
    for card in cards:
        if card.needs and source.missing(card, languages):
            raise DataMissing(f"task {card.name!r} needs {card.needs}")
    gone = [thing for card in cards for thing in source.missing(card, languages)]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise DataMissing(f"{gone[0]} is missing{more}")
