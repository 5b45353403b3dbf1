"""Scores of one prediction file against one label file, with the key names and to the digits of the reference scripts.

Scores are in percent. A question without a prediction scores 0, as in SQuAD's and MLQA's scripts, and is named; SQuAD 2's
script leaves it out of its means. Input that the references score silently although it must be a mistake (sentences of unequal
length, answers to unknown questions) is refused, unless `Answering` allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.text_files import shown
from tasksearch.metrics import mlqa, squad, squad_v2
from tasksearch.metrics.chunks import chunk_counts
from tasksearch.metrics.files import (
    GoldQuestion,
    has_scores,
    read_answers,
    read_candidates,
    read_gold_questions,
    read_lines,
    read_null_scores,
    read_pairs,
    read_sentences,
)
from tasksearch.metrics.mining import best_cut, mining_scores

Item = TypeVar("Item")
Scored = tuple[float, float]
"""(exact match, F1) of one question, in [0, 1]."""

_SHOWN = 3
_DUPLICATE = {"1": True, "duplicate": True, "0": False, "not_duplicate": False}


@dataclass(frozen=True, kw_only=True)
class FileScores:
    """Scores of one file.

    Attributes:
        values: the reference's key → percent; thresholds and counts as they are; and `num_examples`.
        notes: remarks on the numbers, a line each.
    """

    values: Mapping[str, float]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How questions and predicted answers are matched.

    Attributes:
        allow_extra: ignore predictions of questions that the gold file does not have, as the reference scripts do.
        missing_as_empty: score a question without a prediction as if the empty answer had been predicted.
    """

    allow_extra: bool = False
    missing_as_empty: bool = False

    @property
    def asked(self) -> str:
        """The command-line name of the first option that is on; empty where none is."""
        return "--allow-extra" if self.allow_extra else "--missing-as-empty" if self.missing_as_empty else ""


STRICT = Answering()


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which scored candidates count as mined: those that score at least a threshold.

    Attributes:
        threshold: None: the one with the highest F1 on `gold` and `predictions`.
        gold, predictions: of a development set; None: the files that are scored.
    """

    threshold: float | None = None
    gold: Path | None = None
    predictions: Path | None = None


def score_files(
    metric: str,
    gold: Path,
    predictions: Path,
    *,
    language: str | None = None,
    null_scores: Path | None = None,
    null_threshold: float | None = None,
    answering: Answering = STRICT,
    cut: Cut | None = None,
) -> FileScores:
    """Score one prediction file.

    Args:
        cut: `bucc` alone: which scored candidates count; None: all.
        null_scores: `squad_v2` alone: JSON of id → how likely the question has no answer.
        null_threshold: score a question whose null score is above it as answered with the empty text. The official script's
            default is 1.0; here there is none.

    Raises:
        UnknownName: no such metric, or `mlqa` has no normaliser for the language.
        DataMissing, BadInput: a file cannot be scored; the message names file, line or id.
    """
    if metric not in FILE_METRICS:
        raise UnknownName("metric", metric, (*FILE_METRICS, "xtreme"))
    _check_options(metric, null_scores, null_threshold, answering, cut)
    if metric == "squad":
        return _squad(gold, predictions, answering)
    if metric == "mlqa":
        return _mlqa(gold, predictions, language, answering)
    if metric == "squad_v2":
        return _squad_v2(gold, predictions, null_scores, null_threshold, answering)
    if metric == "bucc" and cut is not None:
        return _bucc_above(gold, predictions, cut)
    return FILE_METRICS[metric](gold, predictions)


def _check_options(
    metric: str, null_scores: Path | None, null_threshold: float | None, answering: Answering, cut: Cut | None
) -> None:
    if cut is not None and metric != "bucc":
        raise BadInput(f"--threshold is for bucc; {metric} has no candidates to cut")
    if answering.asked and metric not in ANSWERED:
        raise BadInput(f"{answering.asked} is for {', '.join(ANSWERED)}; {metric} matches line by line")
    if null_scores is not None and metric != "squad_v2":
        raise BadInput(f"--na-prob is for squad_v2; {metric} has no questions without an answer")
    if null_threshold is not None and null_scores is None:
        raise BadInput("--na-prob-thresh needs --na-prob, the no-answer scores that it cuts")


def _accuracy(gold: Path, predictions: Path) -> FileScores:
    labels, predicted = _equally_long(gold, predictions, read_lines(gold), read_lines(predictions), "lines")
    correct = sum(p == label for p, label in zip(predicted, labels, strict=True))
    return FileScores(values={"accuracy": correct / len(labels) * 100, "num_examples": len(labels)})


def _tatoeba(gold: Path, predictions: Path) -> FileScores:
    scores = _accuracy(gold, predictions)
    first = read_lines(predictions)[0]
    if not first.startswith("["):
        return scores
    note = f"{predictions}:1: {first!r} scores 0, as XTREME's evaluation has it; expected a bare line number: write 3, not [3]"
    return FileScores(values=scores.values, notes=(note,))


def _qqp(gold: Path, predictions: Path) -> FileScores:
    labels, predicted = _equally_long(gold, predictions, _duplicates(gold), _duplicates(predictions), "lines")
    both = sum(p and label for p, label in zip(predicted, labels, strict=True))
    accuracy = sum(p == label for p, label in zip(predicted, labels, strict=True)) / len(labels)
    shares = _precision_recall_f1(both, sum(predicted), sum(labels))
    values = {"accuracy": accuracy * 100, **shares, "acc_and_f1": (accuracy * 100 + shares["f1"]) / 2}
    return FileScores(values=values | {"num_examples": len(labels)})


def _duplicates(path: Path) -> list[bool]:
    lines = read_lines(path)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if line not in _DUPLICATE:
            raise BadInput(f"{path}:{number}: label {line!r}; expected 1 (duplicate) or 0 (not_duplicate)")
    return [_DUPLICATE[line] for line in lines]


def _seqeval(gold: Path, predictions: Path) -> FileScores:
    labels, predicted = _equally_long(gold, predictions, read_sentences(gold), read_sentences(predictions), "sentences")
    for number, (ours, theirs) in enumerate(zip(predicted, labels, strict=True), start=1):
        if len(ours) != len(theirs):
            raise BadInput(f"{predictions}: sentence {number} has {len(ours)} tags; {gold} has {len(theirs)}")
    counts = [chunk_counts(ours, theirs) for ours, theirs in zip(predicted, labels, strict=True)]
    both, ours, theirs = (sum(column) for column in zip(*counts, strict=True))
    return FileScores(values=_precision_recall_f1(both, ours, theirs) | {"num_examples": len(labels)})


def _bucc(gold: Path, predictions: Path) -> FileScores:
    pairs, mined = read_pairs(gold), set(read_candidates(predictions)) if has_scores(predictions) else read_pairs(predictions)
    if not pairs:
        raise BadInput(f"{gold}: the file has no pair")
    return FileScores(values=_precision_recall_f1(len(pairs & mined), len(mined), len(pairs)) | {"num_examples": len(pairs)})


def _bucc_above(gold: Path, predictions: Path, cut: Cut) -> FileScores:
    """Score the candidates at or above a threshold: a number, or the best F1 on other files or on these."""
    notes: tuple[str, ...] = ()
    threshold = cut.threshold
    if threshold is None:
        chosen_on = (cut.gold or gold, cut.predictions or predictions)
        threshold = best_cut(*_against(*chosen_on))
        if cut.gold is None:
            notes = (
                f"the threshold was chosen on {gold}, which it is scored on: an upper bound; --dev-gold chooses it elsewhere",
            )
    scores, right, count = _against(gold, predictions)
    values = mining_scores(scores, right, count, threshold)
    return FileScores(values=values | {"threshold": threshold, "num_examples": count}, notes=notes)


def _against(gold: Path, predictions: Path) -> tuple[Any, Any, int]:
    """Return the candidates' scores, whether each is a gold pair, and the number of gold pairs."""
    pairs, mined = read_pairs(gold), read_candidates(predictions)
    if not pairs:
        raise BadInput(f"{gold}: the file has no pair")
    if mined and not {a for a, _ in pairs} & {a for a, _ in mined}:
        raise BadInput(f"{gold} and {predictions} have no id of the first column in common; a gold of other texts?")
    scores = np.array(list(mined.values()), dtype=np.float64)
    return scores, np.array([pair in pairs for pair in mined], dtype=np.bool_), len(pairs)


def _squad(gold: Path, predictions: Path, answering: Answering = STRICT) -> FileScores:
    return _exact_and_f1(
        gold,
        predictions,
        answering,
        lambda text, golds: (squad.best_over(squad.exact_match, text, golds), squad.best_over(squad.f1, text, golds)),
    )


def _mlqa(gold: Path, predictions: Path, language: str | None = None, answering: Answering = STRICT) -> FileScores:
    if language is None:
        raise BadInput(f"mlqa needs --language: one of {', '.join(mlqa.LANGUAGES)}")
    mlqa.normalise("", language)  # an unknown language is refused before any file is read
    return _exact_and_f1(gold, predictions, answering, lambda text, golds: mlqa.em_f1_of(text, golds, language))


def _exact_and_f1(
    gold: Path, predictions: Path, answering: Answering, score: Callable[[str, Sequence[str]], Scored]
) -> FileScores:
    questions, answers, notes = _answered(gold, predictions, answering)
    for question in questions:
        if not question.answers:
            raise BadInput(f"{gold}: question {question.id!r} has no gold answer; `score squad_v2` takes such files")
    found = [score(answers[q.id], q.answers) for q in questions if q.id in answers]
    exact, f1 = (100.0 * sum(column) / len(questions) for column in zip(*found, strict=True))
    return FileScores(values={"exact_match": exact, "f1": f1, "num_examples": len(questions)}, notes=notes)


def _squad_v2(
    gold: Path,
    predictions: Path,
    null_scores: Path | None = None,
    threshold: float | None = None,
    answering: Answering = STRICT,
) -> FileScores:
    questions, answers, notes = _answered(gold, predictions, answering)
    as_given = {q.id: squad_v2.em_f1_of(answers[q.id], q.answers) for q in questions if q.id in answers}
    null = {} if null_scores is None else _null_of(questions, as_given, null_scores)
    found = as_given if threshold is None else _cut(questions, as_given, null, threshold)
    values: dict[str, float] = {}
    for prefix, chosen in (
        ("", questions),
        ("HasAns_", [q for q in questions if q.answers]),
        ("NoAns_", [q for q in questions if not q.answers]),
    ):
        if chosen:
            exact, f1 = zip(*(found.get(q.id, (0.0, 0.0)) for q in chosen), strict=True)
            name = "exact_match" if not prefix else "exact"
            values |= {f"{prefix}{name}": 100.0 * sum(exact) / len(chosen), f"{prefix}f1": 100.0 * sum(f1) / len(chosen)}
    if null_scores is not None:
        values |= _best_on_this_file(questions, as_given, null)
    return FileScores(values=values | {"num_examples": len(questions)}, notes=notes)


def _null_of(questions: Sequence[GoldQuestion], found: Mapping[str, Scored], path: Path) -> dict[str, float]:
    null = read_null_scores(path)
    lacking = [q.id for q in questions if q.id in found and q.id not in null]
    if lacking:
        raise BadInput(f"{path}: no score for {_some(lacking)}; expected one for every predicted question")
    return null


def _cut(
    questions: Sequence[GoldQuestion], found: Mapping[str, Scored], null: Mapping[str, float], threshold: float
) -> dict[str, Scored]:
    """Return the scores when every question whose null score is above the threshold gets the empty answer."""
    nothing = {q.id: float(not q.answers) for q in questions}
    return {name: (nothing[name],) * 2 if null[name] > threshold else scores for name, scores in found.items()}


def _best_on_this_file(
    questions: Sequence[GoldQuestion], found: Mapping[str, Scored], null: Mapping[str, float]
) -> dict[str, float]:
    """Return the reference's `best_exact` and `best_f1`: with thresholds tuned on the file that is scored."""
    answered = [q for q in questions if q.id in found]
    answerable = np.asarray([bool(q.answers) for q in answered], dtype=np.bool_)
    odds = np.asarray([null[q.id] for q in answered], dtype=np.float64)
    values: dict[str, float] = {}
    for name, column in (("exact", 0), ("f1", 1)):
        scores = np.asarray([found[q.id][column] for q in answered], dtype=np.float64)
        cut, total = squad_v2.best_threshold(scores, answerable, odds)
        values |= {f"best_{name}": 100.0 * total / len(questions), f"best_{name}_thresh": cut}
    return values


def _answered(
    gold: Path, predictions: Path, answering: Answering
) -> tuple[list[GoldQuestion], dict[str, str], tuple[str, ...]]:
    questions, answers = read_gold_questions(gold), read_answers(predictions)
    notes = []
    known = {question.id for question in questions}
    if strange := [name for name in answers if name not in known]:
        said = f"{predictions}: answers to {_some(strange)}, which {gold} does not have"
        if not answering.allow_extra:
            raise BadInput(f"{said}; --allow-extra ignores them, as the reference scripts do")
        notes.append(f"{said}: passed over")
    missing = [question.id for question in questions if question.id not in answers]
    if missing and answering.missing_as_empty:
        notes.append(f"{predictions}: no answer to {_some(missing)}: taken for the empty answer")
        return questions, answers | dict.fromkeys(missing, ""), tuple(notes)
    if len(missing) == len(questions):
        raise BadInput(f"{predictions}: no answer to any of the {len(questions)} questions of {gold}")
    if missing:
        notes.append(f"{predictions}: no answer to {_some(missing)}: score 0")
    return questions, answers, tuple(notes)


def _some(ids: Sequence[str]) -> str:
    """Return `2 questions ('a', 'b')`: the number and the first few."""
    first = ", ".join(shown(name) for name in ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
    return f"{len(ids)} question{'s' if len(ids) > 1 else ''} ({first})"


def _equally_long(
    gold: Path, predictions: Path, labels: list[Item], predicted: list[Item], what: str
) -> tuple[list[Item], list[Item]]:
    shorter = min(len(labels), len(predicted))
    for items in (labels, predicted):  # blank lines at the end of one file only are not labels; at the end of both they are
        while len(items) > shorter and not items[-1]:
            items.pop()
    if len(labels) != len(predicted):
        raise BadInput(f"{predictions} has {len(predicted)} {what}, {gold} has {len(labels)}; expected as many")
    return labels, predicted


def _precision_recall_f1(both: int, predicted: int, gold: int) -> dict[str, float]:
    """Compute the scores as the references do, in percent; 0 where a denominator is zero."""
    precision = both / predicted if predicted else 0.0
    recall = both / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return {"f1": f1 * 100, "precision": precision * 100, "recall": recall * 100}


ANSWERED = ("squad", "squad_v2", "mlqa")
"""Metrics whose predictions are matched by question id."""

FILE_METRICS: dict[str, Callable[[Path, Path], FileScores]] = {
    "accuracy": _accuracy,
    "qqp": _qqp,
    "seqeval": _seqeval,
    "squad": _squad,
    "squad_v2": _squad_v2,
    "mlqa": _mlqa,
    "bucc": _bucc,
    "tatoeba": _tatoeba,
}
"""(label file, prediction file) → scores, by the name given to `tasksearch score`."""
