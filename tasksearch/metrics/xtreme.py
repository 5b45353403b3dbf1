"""XTREME's benchmark score: nine tasks, 40 languages, unweighted means as in its evaluate.py (Hu et al. 2020).

Its means include English. Two further means are relevant to zero-shot transfer: without English, and over low-resource
languages only (by the size of XLM-R's pretraining text, CC-100, Table 6 of Conneau et al. 2020). A mean over a part of the
languages is not a benchmark score: where a language is missing, the task has no mean, and the missing languages are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import DataMissing
from tasksearch.metrics.scoring import ANSWERED, STRICT, Answering, score_files

ENGLISH = "en"
LOW_RESOURCE = {
    "low": ("af", "eu", "jv", "mr", "my", "sw", "te", "tl", "yo"),
    "low+": ("af", "bn", "et", "eu", "jv", "ka", "kk", "ml", "mr", "ms", "my", "sw", "te", "tl", "ur", "yo"),
}
"""XTREME's languages with under 5 GiB (`low`) and under 10 GiB (`low+`) of text in CC-100; yo has none."""


@dataclass(frozen=True, kw_only=True)
class XtremeTask:
    """One task of the benchmark: its metric and its languages."""

    name: str
    group: str
    metric: str
    languages: tuple[str, ...]

    @property
    def suffix(self) -> str:
        """`json` for question answering, else `tsv`."""
        return "json" if self.group == "qa" else "tsv"


def _task(name: str, group: str, metric: str, languages: str) -> XtremeTask:
    return XtremeTask(name=name, group=group, metric=metric, languages=tuple(languages.split()))


XTREME_TASKS = (
    _task("pawsx", "classification", "accuracy", "de en es fr ja ko zh"),
    _task("xnli", "classification", "accuracy", "ar bg de el en es fr hi ru sw th tr ur vi zh"),
    _task(
        "panx",
        "tagging",
        "seqeval",
        "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th tl tr ur vi yo "
        "zh",
    ),
    _task(
        "udpos",
        "tagging",
        "seqeval",
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh",
    ),
    _task("bucc2018", "retrieval", "bucc", "de fr ru zh"),
    _task(
        "tatoeba",
        "retrieval",
        "tatoeba",
        "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th tl tr ur vi zh",
    ),
    _task("xquad", "qa", "squad", "ar de el en es hi ru th tr vi zh"),
    _task("mlqa", "qa", "mlqa", "ar de en es hi vi zh"),
    _task("tydiqa", "qa", "squad", "ar bn en fi id ko ru sw te"),
)
GROUPS = tuple(dict.fromkeys(task.group for task in XTREME_TASKS))

Scores = Mapping[str, Mapping[str, float]]
"""Language → key → percent."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Scores of every file found.

    Attributes:
        scores: task → language → key → percent.
        missing: task → languages without a prediction or label file.
        notes: of single files, a line each.
    """

    scores: Mapping[str, Scores]
    missing: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the reference's report (`all_task`, groups, tasks with `avg_…`) and the two further means.

        A mean over incomplete scores is null.
        """
        tasks = {task.name: self._task_json(task) for task in XTREME_TASKS if task.name in self.scores}
        whole = {task.name: self._mean(task, task.languages) for task in XTREME_TASKS}
        no_english = {t.name: self._mean(t, [lang for lang in t.languages if lang != ENGLISH]) for t in XTREME_TASKS}
        return {
            "all_task": _mean_of(whole.values()),
            **{group: _mean_of(whole[t.name] for t in XTREME_TASKS if t.group == group) for group in GROUPS},
            **tasks,
            "without_english": {"all_task": _mean_of(no_english.values()), **no_english},
            "low_resource": {name: self._low(languages) for name, languages in LOW_RESOURCE.items()},
            "missing": {task: list(languages) for task, languages in self.missing.items()},
            "complete": not self.missing,
        }

    def _task_json(self, task: XtremeTask) -> dict[str, Any]:
        scores = self.scores[task.name]
        keys = [key for key in next(iter(scores.values())) if key != "num_examples"]
        table: dict[str, Any] = {
            key: {language: scores[language][key] for language in scores} for key in (*keys, "num_examples")
        }
        full = task.name not in self.missing
        averages = {f"avg_{key}": _mean_of(table[key].values()) if full else None for key in keys}
        return table | averages | {"avg_metric": self._mean(task, task.languages)}

    def _low(self, languages: Sequence[str]) -> dict[str, Any]:
        """Return the mean of every task that has such languages; `all_task` is the mean over these tasks, which are named."""
        held = {t: [lang for lang in t.languages if lang in languages] for t in XTREME_TASKS}
        means = {task.name: self._mean(task, chosen) for task, chosen in held.items() if chosen}
        return {"languages": list(languages), "all_task": _mean_of(means.values()), **means}

    def _mean(self, task: XtremeTask, languages: Sequence[str]) -> float | None:
        scores = self.scores.get(task.name, {})
        if any(language not in scores for language in languages):
            return None
        if task.group == "qa":
            parts = [_mean_of(scores[language][key] for language in languages) for key in ("exact_match", "f1")]
            return _mean_of(parts)
        key = "f1" if task.metric in ("seqeval", "bucc") else "accuracy"
        return _mean_of(scores[language][key] for language in languages)


def score_benchmark(gold: Path, predictions: Path, *, answering: Answering = STRICT) -> Benchmark:
    """Score every `<task>/test-<language>.tsv` or `.json` that is in both folders.

    Args:
        answering: options of the three question-answering tasks.

    Raises:
        DataMissing: a folder does not exist, or there is no file to score.
        BadInput: a file cannot be scored.
    """
    for folder in (gold, predictions):
        if not folder.is_dir():
            raise DataMissing(f"no folder {folder}; expected <task>/test-<language>.tsv or .json in it")
    scores: dict[str, dict[str, Mapping[str, float]]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for task in XTREME_TASKS:
        for language in task.languages:
            file = Path(task.name) / f"test-{language}.{task.suffix}"
            if not (gold / file).is_file() or not (predictions / file).is_file():
                missing[task.name] = (*missing.get(task.name, ()), language)
                continue
            matched = answering if task.metric in ANSWERED else STRICT
            found = score_files(task.metric, gold / file, predictions / file, language=language, answering=matched)
            scores.setdefault(task.name, {})[language] = found.values
            notes += found.notes
    if not scores:
        raise DataMissing(f"no XTREME file is in both {gold} and {predictions}; expected e.g. xnli/test-sw.tsv")
    return Benchmark(scores=scores, missing=missing, notes=tuple(notes))


def missing_line(benchmark: Benchmark) -> str:
    """Return what is missing in one line; empty where nothing is."""
    parts = [
        f"{task.name} (all)" if task.name not in benchmark.scores else f"{task.name} ({' '.join(benchmark.missing[task.name])})"
        for task in XTREME_TASKS
        if task.name in benchmark.missing
    ]
    return f"missing, so means that need it are not given: {', '.join(parts)}" if parts else ""


def _mean_of(values: Iterable[float | None]) -> float | None:
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known and len(known) == len(found) else None
