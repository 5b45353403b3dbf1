"""`predict_target`: a model's predictions of a target as XTREME's submission files, `<task>/test-<language>.tsv` or `.json`.

One label a line; one tag a line with a blank line after each sentence; JSON of question id → answer; for Tatoeba the line, from
0, of the nearest foreign sentence for each English line in the order of code points; for BUCC pairs of ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.atomic import write_atomic
from tasksearch.core.errors import BadInput, DataMissing, ModelUnusable
from tasksearch.core.folders import AnyPath
from tasksearch.core.plan import RetrievalSettings
from tasksearch.study.embedding import Embedding, fitted, load_encoder

if TYPE_CHECKING:
    from tasksearch.tasks.card import TaskCard
    from tasksearch.tasks.source import TaskSource

Lines = tuple[str, str]
"""Contents of the prediction file and of the label file."""
OnLanguage = Callable[[str, int, int], None]
"""Called with (language, how many are done, how many there are)."""


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """Prediction files that were written.

    Attributes:
        target: name of the target and of the folder.
        files: language → prediction file; `labels`: the same of label files, empty where none were asked for.
        missing: languages whose data are not there.
        settings: what the predictions depend on.
    """

    target: str
    files: dict[str, Path]
    labels: dict[str, Path]
    missing: tuple[str, ...]
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "target": self.target, "files": {name: str(path) for name, path in self.files.items()},
            "labels": {name: str(path) for name, path in self.labels.items()}, "missing": list(self.missing),
            "settings": self.settings,
        }  # fmt: skip


@named_arguments
def predict_target(
    model: AnyPath,
    out: AnyPath,
    *,
    target: str | None = None,
    suite: AnyPath | None = None,
    data: AnyPath | None = None,
    languages: Sequence[str] = (),
    split: str | None = None,
    labels: AnyPath | None = None,
    embedding: Embedding | None = None,
    on_language: OnLanguage | None = None,
) -> Predicted:
    """Predict a target's examples in every language and write XTREME's files.

    Args:
        model: folder that `tasksearch train` made; for retrieval and mining also any encoder, a hub id or a folder.
        out: folder of predictions; files of the same names are replaced.
        target: by default the one the model was trained for.
        suite: whose card and data are used; by default the one the model was trained in, else `xtreme`.
        data: folder of the suite's data.
        languages: by default all of the target whose data are there.
        split: by default the one that is reported.
        labels: folder for the label files of the same examples, in the same layout, as `score xtreme --gold` reads them.
        embedding: layer, pooling, prefix, centering and length of retrieval and mining; as the export says, else jiant's.
        on_language: told of each language when its files are written.

    Raises:
        BadInput, DataMissing, UnknownName, ModelUnusable: one line each.
    """
    from tasksearch.study.coverage import covered_languages
    from tasksearch.study.setup import data_folder
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.labels import with_labels
    from tasksearch.tasks.source import TaskSource

    notes = _notes(Path(model))
    trained = notes.get("target")
    target = target or trained
    if target is None:
        raise BadInput(f"{model} says no target; expected --target NAME, such as tatoeba")
    found = load_suite(str(suite or notes.get("plan", {}).get("suite") or "xtreme"))
    found.card(target)  # an unknown name before anything is read
    folder = data_folder(found, None if data is None else str(data)) or found.home
    if not folder:
        raise BadInput(f"suite {found.name!r} keeps its data in a cache of its own; give their folder by --data DIR")
    card = with_labels(found, Path(folder)).card(target)
    asked = covered_languages(found, [target], languages, "prediction")
    if card.role != "target" or card.kind == "multilabel" or card.metric == "squad_v2":
        raise BadInput(f"target {target!r} is scored by {card.metric} of kind {card.kind}, for which XTREME has no file")
    if card.trained and trained != target:
        raise BadInput(f"model {model} was trained for {trained or 'no target'}; expected --target {trained or 'of retrieval'}")
    predictor: _Labelled | _Pooled
    predictor = _Labelled.load(Path(model), card, notes) if card.trained else _Pooled.load(str(model), embedding, notes)
    source = TaskSource(Path(folder), predictor.tokenizer)
    parts, chosen = asked or card.languages, split or card.report_split
    suffix = "json" if card.kind == "span" else "tsv"
    files, golds, missing = dict[str, Path](), dict[str, Path](), list[str]()
    for number, language in enumerate(parts):
        try:
            predicted, gold = predictor.lines(source, card, language, chosen)
        except DataMissing:
            if asked:
                raise
            missing.append(language)
            continue
        name = Path(target) / f"test-{language}.{suffix}"
        files[language] = Path(out) / name
        write_atomic(files[language], predicted.encode())
        if labels is not None:
            golds[language] = Path(labels) / name
            write_atomic(golds[language], gold.encode())
        if on_language is not None:
            on_language(language, number + 1, len(parts))
    if not files:
        raise DataMissing(f"{folder} holds no {chosen} data of target {target!r} in any of its {len(parts)} languages")
    return Predicted(
        target=target, files=files, labels=golds, missing=tuple(missing), settings={"split": chosen} | predictor.settings
    )


def _notes(folder: Path) -> dict[str, Any]:
    """The notes of an export; empty for another folder or a hub id."""
    path = folder / "tasksearch.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ModelUnusable(f"{path} is not a JSON object; expected the notes that `tasksearch train` writes")
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Labelled:
    """A fine-tuned encoder with its head."""

    model: Any
    head: Any
    tokenizer: Any
    max_length: int
    precision: str

    @classmethod
    def load(cls, folder: Path, card: TaskCard, notes: dict[str, Any]) -> _Labelled:
        from tasksearch.export.hf_classes import target_model
        from tasksearch.forward.device import pick_device

        device = pick_device()
        model, head, tokenizer = target_model(str(folder), card.kind, str(notes.get("architecture")))
        count = int(head.get_parameter("out_proj.weight").shape[0])
        if card.labels and count != len(card.labels):
            raise BadInput(f"model {folder} has {count} labels, target {card.name!r} has {len(card.labels)}; another suite's?")
        return cls(
            model=model.to(device), head=head.to(device), tokenizer=tokenizer, max_length=int(notes["max_length"]),
            precision=str(notes["precision"]),
        )  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        return {"max_length": self.max_length, "precision": self.precision}

    def lines(self, source: TaskSource, card: TaskCard, language: str, split: str) -> Lines:
        import torch

        from tasksearch.evaluation.labelled import predicted_and_gold
        from tasksearch.evaluation.outputs import Outputs
        from tasksearch.forward.batches import Specials
        from tasksearch.tasks.encode import encode

        examples = source.split(card, language, split)
        items = encode(examples, card, self.tokenizer, self.max_length)
        specials = Specials.of(self.tokenizer)
        outputs = Outputs(model=self.model, head=self.head, specials=specials, precision=self.precision)
        with torch.inference_mode():
            predicted, gold = predicted_and_gold(outputs, card, examples, items)
        if card.kind == "span":
            answers = {e.id: text for e, text in zip(examples, predicted, strict=True)}
            return json.dumps(answers, ensure_ascii=False) + "\n", _squad(examples)
        if card.kind == "tagging":
            return _sentences(predicted), _sentences(gold)
        names = card.labels or tuple(map(str, range(1 + max([*predicted, *gold]))))
        return _column(names[i] for i in predicted), _column(names[i] for i in gold)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pooled:
    """An encoder whose sentence vectors are compared."""

    model: Any
    tokenizer: Any
    how: Embedding

    @classmethod
    def load(cls, model: str, embedding: Embedding | None, notes: dict[str, Any]) -> _Pooled:
        from tasksearch.forward.device import pick_device

        if notes.get("target"):
            raise BadInput(f"model {model} was trained for {notes['target']}; retrieval takes an encoder (--encoder-only)")
        if embedding is None:
            said = dict(notes.get("retrieval") or {})
            layers = (int(said.pop("layer")),) if "layer" in said else ()
            kept = {name: notes[name] for name in ("max_length", "precision") if name in notes}
            embedding = Embedding(model=model, layers=layers, **said, **kept)
        loaded = load_encoder(embedding)
        how = fitted(embedding, loaded)
        return cls(model=loaded.model.to(pick_device()), tokenizer=loaded.tokenizer, how=how)

    @property
    def settings(self) -> dict[str, Any]:
        how = self.how
        return {
            "layer": how.layers[0], "pooling": how.pooling, "prefix": how.prefix, "centering": how.centering,
            "max_length": how.max_length, "precision": how.precision,
        }  # fmt: skip

    def _vectors(self, examples: Sequence[Any], card: TaskCard) -> Any:
        from tasksearch.evaluation.retrieval import sentence_vectors
        from tasksearch.forward.batches import Specials
        from tasksearch.tasks.encode import encode

        how = self.how
        settings = RetrievalSettings(layer=how.layers[0], pooling=how.pooling or "mean", centering=how.centering)
        items = encode(examples, card, self.tokenizer, how.max_length, how.prefix or "")
        return sentence_vectors(self.model, items, Specials.of(self.tokenizer), settings, how.precision)

    def lines(self, source: TaskSource, card: TaskCard, language: str, split: str) -> Lines:
        from tasksearch.evaluation.neighbours import nearest, unit_vectors

        examples: Sequence[Any] = source.split(card, language, split)
        if card.kind == "mining":
            mined, gold = self._mined(source, card, language, split)
            return _pairs(mined), _pairs(gold)
        vectors = self._vectors(examples, card)
        other, english = (unit_vectors(part, centering=self.how.centering) for part in (vectors[0::2], vectors[1::2]))
        order = sorted(range(len(examples)), key=lambda row: examples[row].english)
        found = nearest(english, other)
        return _column(str(found[row]) for row in order), _column(map(str, order))

    def _mined(self, source: TaskSource, card: TaskCard, language: str, split: str) -> tuple[list[Any], list[Any]]:
        """Pairs above the cut that is best on the selection split's gold, as XTREME's test is defined; and the gold."""
        import numpy as np

        from tasksearch.metrics.mining import best_cut

        cut = 0.0
        if split != card.select_split:
            dev, gold = self._candidates(source.split(card, language, card.select_split), card)
            cut = best_cut(dev.scores, np.array([pair in gold for pair in dev.ids], dtype=np.bool_), len(gold))
        mined, gold = self._candidates(source.split(card, language, split), card)
        kept = [pair for pair, score in zip(mined.ids, mined.scores.tolist(), strict=True) if score >= cut]
        return kept, sorted(gold)

    def _candidates(self, examples: Sequence[Any], card: TaskCard) -> tuple[Any, frozenset[tuple[str, str]]]:
        from tasksearch.evaluation.mining import mine
        from tasksearch.evaluation.neighbours import unit_vectors
        from tasksearch.tasks.pools import pools_of

        pools, vectors = pools_of(examples, card.name), self._vectors(examples, card)
        sides = [unit_vectors(vectors[rows], centering=self.how.centering) for rows in (pools.foreign, pools.english)]
        return mine(pools.side(pools.foreign), pools.side(pools.english), sides[0], sides[1]), pools.gold


def _column(values: Any) -> str:
    return "".join(f"{value}\n" for value in values)


def _sentences(tags: Sequence[Sequence[str]]) -> str:
    return "\n".join(_column(sentence) for sentence in tags)


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return "".join(f"{a}\t{b}\n" for a, b in pairs)


def _squad(examples: Sequence[Any]) -> str:
    """A SQuAD file of questions and gold answers; contexts are left out, scores do not need them."""
    asked = [{"id": e.id, "question": e.question, "answers": [{"text": text} for _, text in e.answers]} for e in examples]
    return json.dumps({"data": [{"paragraphs": [{"context": "", "qas": asked}]}]}, ensure_ascii=False) + "\n"
