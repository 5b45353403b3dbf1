"""Language-adversarial training: beside every step the encoder learns to hide the language of unlabelled sentences.

As in Ganin and Lempitsky (2015) and, over languages, Chen et al. (2018): a discriminator learns to tell the languages apart,
and the encoder gets the gradient of its loss reversed, times a strength that rises over the segment. Ngo and Nguyen (2024)
weigh relations between languages as well; that is not done here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from tasksearch.core.methods import LanguageAdversary, read_method
from tasksearch.core.plan import TrainSettings
from tasksearch.core.signature import seed_from
from tasksearch.models.language_head import ReversedHead
from tasksearch.phases.context import RunContext
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode
from tasksearch.tasks.examples import TextExample
from tasksearch.tasks.unlabelled import unlabelled_files, unlabelled_sentences
from tasksearch.training.learner import Learner, TrainingTask
from tasksearch.training.optimizer import OptimizerState
from tasksearch.training.order import Beside, StepItems

NAME = "languages of unlabelled text"
"""Task and head; its space keeps it apart from every card's name."""
_HEAD = "unlabelled_languages"


def with_adversary(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    settings: TrainSettings,
    signature: str,
    context: RunContext,
) -> tuple[Learner, Mapping[str, TrainingTask], Sequence[StepItems]]:
    """Return learner, tasks and steps with the discriminator and its sentences; as they are where the method is not used.

    The modules are the learner's own, so that it is trained with them. Every segment begins with a new discriminator.
    """
    for method in map(read_method, settings.methods):
        if isinstance(method, LanguageAdversary):
            return _with(learner, tasks, steps, method, settings, signature, context)
    return learner, tasks, steps


def without_adversary(state: OptimizerState) -> OptimizerState:
    """Return the optimiser's state without the discriminator's, which the next segment does not continue."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(f"heads.{_HEAD}.")}


def strength_at(method: LanguageAdversary, progress: float) -> float:
    """Return the strength at a share of the segment: from 0, with half of it at 11 % and nearly all at half (Ganin)."""
    return method.strength * (2 / (1 + math.exp(-10 * progress)) - 1)


def _with(
    learner: Learner,
    tasks: Mapping[str, TrainingTask],
    steps: Sequence[StepItems],
    method: LanguageAdversary,
    settings: TrainSettings,
    signature: str,
    context: RunContext,
) -> tuple[Learner, Mapping[str, TrainingTask], Sequence[StepItems]]:
    files = unlabelled_files(Path(method.text))
    texts = {language: unlabelled_sentences(path) for language, path in files.items()}
    examples = [TextExample("", text, None, label) for label, held in enumerate(texts.values()) for text in held]
    card = TaskCard(name="unlabelled", kind="sentence", role="intermediate", languages=tuple(texts), labels=tuple(texts))
    items = encode(examples, card, context.pretrained.tokenizer, settings.max_length)
    dropout = context.pretrained.family.head_dropout(context.pretrained.model.config)
    width = context.pretrained.hidden_size
    head = ReversedHead(width, len(texts), dropout=dropout, name=f"{_HEAD}/{signature}").to(learner.device)
    drawn = _drawn([len(held) for held in texts.values()], method, steps, signature)
    return (
        dataclasses.replace(learner, heads=nn.ModuleDict({**dict(learner.heads.items()), _HEAD: head})),
        {**tasks, NAME: TrainingTask(items=items, head=_HEAD, max_length=settings.max_length)},
        drawn,
    )


def _drawn(sizes: Sequence[int], method: LanguageAdversary, steps: Sequence[StepItems], signature: str) -> list[StepItems]:
    """Draw the sentences beside every step: each language as often, whatever its file holds."""
    begins, found = np.cumsum([0, *sizes[:-1]]), []
    for number, step in enumerate(steps):
        draw = np.random.default_rng(seed_from("language adversary", signature, number))
        language = draw.integers(0, len(sizes), size=method.sentences)
        items = begins[language] + (draw.random(method.sentences) * np.asarray(sizes)[language]).astype(np.int64)
        beside = Beside(task=NAME, items=items.astype(np.int64), strength=strength_at(method, (number + 1) / len(steps)))
        found.append(dataclasses.replace(step, beside=(*step.beside, beside)))
    return found
