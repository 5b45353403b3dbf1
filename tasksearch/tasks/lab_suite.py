"""Suite `lab`: cards and settings of the generated world. A unit test compares them with the files that the lab writes."""

from __future__ import annotations

from typing import Any

from tasksearch.core.plan import PhaseSettings, RetrievalSettings, TrainSettings
from tasksearch.tasks.card import Kind, TaskCard
from tasksearch.tasks.source_spec import Files
from tasksearch.tasks.suite import Suite

LAB_WARNING = "generated, code-mixed world: these numbers say how the tool behaves, nothing about real languages"

LAB_LANGUAGES = ("en", "near1", "near2", "script", "sov", "agglu", "lownear", "lowfar")
LAB_LOW_RESOURCE = ("lownear", "lowfar")

_SORTS = tuple(f"sort{n}" for n in range(1, 9))
_ENTAILMENT = ("entailment", "neutral", "contradiction")
_PARTS = ("ADJ", "ADP", "ADV", "DET", "LOC", "NOUN", "PART", "PROPN", "VERB")
_ROLES = ("agent", "action", "quality", "place", "time", "grammar")
_MARKS = tuple(f"mark{n}" for n in range(1, 8))


def lab_suite() -> Suite:
    """Return the suite: eight English intermediate tasks of four kinds, five targets in eight generated languages."""
    return Suite(
        name="lab",
        cards=(*_intermediates(), *_targets()),
        texts=(
            _text("mlm", "corpus", LAB_LANGUAGES, "MLM on the documents that the lab's model was pretrained on"),
            _text("tlm", "parallel", LAB_LANGUAGES[1:], "TLM on sentence pairs with English"),
        ),
        settings=lab_settings(),
        steps=(128, 384),
        low_resource=LAB_LOW_RESOURCE,
        warning=LAB_WARNING,
        summary="an embedded generated multilingual world and a tiny XLM-R: minutes on two cores, no download",
    )


def lab_settings() -> PhaseSettings:
    """Return settings for the lab's model (width 64, two layers).

    Target phases are short and topic's training set is small: with plenty of English data, an intermediate task adds nothing.
    """
    fast: dict[str, Any] = {"learning_rate": 1e-3, "head_lr_factor": 5.0}
    return PhaseSettings(
        intermediate=TrainSettings(batch_size=32, max_length=128, **fast),
        target=TrainSettings(batch_size=16, steps=40, learning_rate=3e-4, head_lr_factor=20.0, max_length=128),
        target_overrides=(
            ("nli", (("steps", 60), *fast.items())),
            ("topic", (("steps", 20), ("train_examples", 64))),
        ),
        features="pair-diff",
        retrieval=RetrievalSettings(layer=2, pooling="mean-content", centering=True),
    )


def _intermediates() -> tuple[TaskCard, ...]:
    return (
        _english("restate", "pair", 50.0, "do two sentences say the same?", labels=("different", "same")),
        _english("entail", "pair", 100 / 3, "does the second sentence follow from the first?", labels=_ENTAILMENT),
        _english("follow", "choice", 50.0, "which of two sentences happens next?"),
        _english("sort", "choice", 25.0, "which of four class words names the thing?"),
        _english("find", "span", None, "who, where, when: one word of the context", metric="em_f1"),
        _english("senses", "tagging", None, "role of each word, class of the thing", labels=(*_ROLES, *_SORTS)),
        _english("marks", "tagging", 100 / 7, "tags by a hash of the word's letters", labels=_MARKS),
        _english("coin", "pair", 50.0, "labels by the toss of a coin", labels=("heads", "tails")),
    )


def _targets() -> tuple[TaskCard, ...]:
    return (
        _target("retrieval", "retrieval", 100 / 300, "find the free English translation among near-duplicates"),
        _target("nli", "pair", 100 / 3, "entailment, neutral or contradiction", labels=_ENTAILMENT),
        _target("topic", "sentence", 12.5, "class of the thing spoken of", labels=_SORTS),
        _target("qa", "span", None, "who, what, where: a span of the context", metric="em_f1"),
        _target("tag", "tagging", None, "parts of speech, by word", labels=_PARTS),
    )


def _english(name: str, kind: Kind, chance: float | None, summary: str, **fields: Any) -> TaskCard:
    return TaskCard(
        name=name,
        kind=kind,
        role="intermediate",
        folder=name,
        languages=("en",),
        chance=chance,
        trains_on=(f"lab/{name}",),
        summary=summary,
        report_split="dev",
        **_common(fields),
    )


def _target(name: str, kind: Kind, chance: float | None, summary: str, **fields: Any) -> TaskCard:
    trained = kind != "retrieval"
    return TaskCard(
        name=name,
        kind=kind,
        role="target",
        folder=name,
        languages=LAB_LANGUAGES if trained else LAB_LANGUAGES[1:],
        chance=chance,
        trains_on=(f"lab/{name}",) if trained else (),
        summary=summary,
        **_common(fields),
    )


def _text(name: str, folder: str, languages: tuple[str, ...], summary: str) -> TaskCard:
    source = Files(path=f"{folder}/{{language}}.jsonl.gz")
    return TaskCard(
        name=name,
        kind="mlm",
        role="intermediate",
        languages=languages,
        by_language=tuple((language, source) for language in languages),
        trains_on=(f"lab/{folder}",),
        licence="Apache-2.0",
        reference="generated by tasksearch.lab",
        summary=summary,
    )


def _common(fields: dict[str, Any]) -> dict[str, Any]:
    # The user chooses the lab's size, so even tiny worlds must select. With so few words short sentences repeat by chance.
    return {
        "fewest": 0,
        "keep_repeats": True,
        "parallel": True,
        "metric": "accuracy",
        "licence": "Apache-2.0",
        "reference": "generated by tasksearch.lab",
    } | fields
