"""Models as files: what a folder holds, in which type its weights are, and which languages a trimmed vocabulary is good for."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasksearch.core.errors import BadInput, DataMissing, ModelUnusable
from tasksearch.core.score import ENGLISH
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import Encoded
from tasksearch.tasks.source import TaskSource
from tasksearch.tasks.suite import Suite

TRIMMED = "vocabulary.json"
"""Note in a trimmed model's folder: the languages whose texts keep their pieces."""
MOST_UNKNOWN, MOST_SINGLE = 0.01, 0.5
"""Shares of unknown pieces and of single letters above which a language that a model was not trimmed for is refused.

Measured with multilingual E5's vocabulary trimmed to nine languages, on SIB-200: of those, unknown pieces are 0-0.1 % and
single letters 7-47 % (Yoruba); Russian has 1.7 and 68 %, Urdu 13 and 49 %, Tamil 29 and 29 %, Indonesian 0 and 6 %.
"""
_SAMPLE = 200
_PROBED = 16


@dataclass(frozen=True, kw_only=True)
class PieceShares:
    """How a tokenizer cuts a language's texts: shares of `<unk>` and of pieces that are a single letter, among `pieces`."""

    language: str
    unknown: float
    single: float
    pieces: int

    @property
    def bad(self) -> bool:
        """Whether the texts can hardly be read."""
        return self.unknown > MOST_UNKNOWN or self.single > MOST_SINGLE

    def __str__(self) -> str:
        return f"{self.language}: {100 * self.unknown:.1f} % unknown, {100 * self.single:.1f} % single letters"


def languages_of_model(source: str) -> tuple[str, ...]:
    """Return the languages that a trimmed model was made for; empty for a model with its whole vocabulary."""
    try:
        said = json.loads((Path(source) / TRIMMED).read_text(encoding="utf-8"))
        return tuple(str(one) for one in said["languages"])
    except OSError:
        return ()
    except (ValueError, KeyError, TypeError):
        raise ModelUnusable(f"{Path(source) / TRIMMED} cannot be read; expected the note of `tasksearch model trim`") from None


def piece_shares(source: TaskSource, cards: Collection[TaskCard], language: str, length: int = 512) -> PieceShares | None:
    """Return how the source's tokenizer cuts what is scored in a language; None where nothing is there."""
    tokenizer: Any = source.tokenizer
    ids = [items.tokens.flat for card in cards if language in card.languages and not source.missing(card, (language,))
           for items in source.evaluation(card, language, length, _SAMPLE)]  # fmt: skip
    flat = np.concatenate(ids) if ids else np.empty(0, dtype=np.int64)
    special = {*tokenizer.all_special_ids} - {tokenizer.unk_token_id}
    shown, counts = np.unique(flat, return_counts=True)
    found = {int(i): int(n) for i, n in zip(shown, counts, strict=True) if int(i) not in special}
    if not (total := sum(found.values())):
        return None
    single = sum(n for i, n in found.items() if _is_letter(tokenizer.convert_ids_to_tokens(i)))
    return PieceShares(
        language=language, unknown=found.get(tokenizer.unk_token_id, 0) / total, single=single / total, pieces=total
    )


def _is_letter(piece: str) -> bool:
    text = piece.removeprefix("##").lstrip("▁Ġ")
    return len(text) == 1 and text.isalpha()


def check_trimmed(
    model: str, encoder: str, data: Path, cards: Collection[TaskCard], languages: Iterable[str], *, allow: bool
) -> tuple[PieceShares, ...]:
    """Look how a trimmed model's tokenizer cuts the languages that it was not trimmed for; return their shares.

    Raises:
        ModelUnusable: a share is above its bound, unless `allow`.
    """
    from tasksearch.models.encoder import load_tokenizer

    kept = languages_of_model(model)
    other = [language for language in languages if language not in kept] if kept else []
    if not other:
        return ()
    source = TaskSource(data, load_tokenizer(model, encoder))
    found = tuple(shares for one in other if (shares := piece_shares(source, cards, one)) is not None)
    if not allow and (bad := [shares for shares in found if shares.bad]):
        raise ModelUnusable(
            f"model {model!r} was trimmed to {', '.join(kept)}, and cuts {'; '.join(map(str, bad))} (bounds {MOST_UNKNOWN:.0%} "
            f"and {MOST_SINGLE:.0%}): trim it for these languages too, or give --allow-trimmed"
        )
    return found


def model_info(source: str) -> dict[str, Any]:
    """Return what a model's files say: family, shape, template, weights, MLM head, exports that its family has no class for."""
    import transformers

    from tasksearch.models.checkpoint_files import described, local_folder, weight_files
    from tasksearch.models.encoder import check_source, config_of, load_tokenizer, shape_of
    from tasksearch.models.families import family_for
    from tasksearch.models.families.base import EXPORTS
    from tasksearch.models.stated_reading import stated_reading
    from tasksearch.tasks.template import template_of

    folder = local_folder(source)
    check_source(str(folder), weights=False)
    config, shape, tokenizer = (
        config_of(str(folder)),
        shape_of(str(folder), weights=False),
        load_tokenizer(str(folder), weights=False),
    )
    family, files, tensors = family_for(config.model_type), weight_files(folder), described(folder)
    template, stated = template_of(tokenizer), stated_reading(str(folder))
    name = transformers.models.auto.modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.get(config.model_type, "")
    ids = tokenizer.convert_ids_to_tokens
    return {
        "model": source,
        "type": config.model_type,
        "family": type(family).__name__,
        "layers": shape.layers,
        "width": int(config.hidden_size),
        "tokens": shape.tokens,
        "vocabulary": int(config.vocab_size),
        "pieces": len(tokenizer),
        "template": [*ids(list(template.before)), "A", *ids(list(template.between)), "B", *ids(list(template.end))],
        "token_types": template.typed and family.has_types,
        "weights": sorted({path.suffix.removeprefix(".") for path in files}),
        "bytes": sum(path.stat().st_size for path in files),
        "dtypes": sorted({kind for _, kind in tensors.values()}),
        "parameters": sum(int(np.prod(shape)) for shape, _ in tensors.values()) if tensors else None,
        "mlm_head": any(n.startswith(family.mlm_keys) for n in tensors) if family.mlm_keys and tensors else False,
        "no_export": sorted(kind for kind in EXPORTS if EXPORTS[kind] not in family.heads) if name else sorted(EXPORTS),
        "pooling": stated.pooling,
        "prefix": stated.prefix,
        "prompts": dict(stated.prompts),
        "trimmed_to": list(languages_of_model(str(folder))),
    }


def convert_model(source: str, out: Path, *, dtype: str | None = None, force: bool = False) -> dict[str, Any]:
    """Write a model's folder anew as safetensors, in another type if wanted; return sizes before and after.

    Pickled weights are read as tensors alone. The copy is loaded before it is kept.

    Raises:
        ModelUnusable: weights that cannot be read, of no known family, or incomplete.
        BadInput, DiskFull: as `export.folder.whole_folder`.
    """
    from tasksearch.export.folder import check_out, whole_folder
    from tasksearch.models.checkpoint_files import copy_beside, local_folder, read_weights, weight_files, write_weights
    from tasksearch.models.encoder import check_source, load_pretrained

    check_out(out, force=force)
    folder = local_folder(source)
    check_source(str(folder), weights=False)
    table = read_weights(folder)
    before = sum(path.stat().st_size for path in weight_files(folder))
    with whole_folder(out, force=force, room=before) as place:
        copy_beside(folder, place)
        write_weights(place, table, dtype)
        load_pretrained(str(place))
        after = (place / "model.safetensors").stat().st_size
    return {"model": source, "out": str(out), "dtype": dtype, "bytes_before": before, "bytes_after": after}


def trim_model(
    source: str,
    out: Path,
    *,
    suite: Suite,
    data: Path,
    languages: Sequence[str],
    targets: Sequence[str] = (),
    force: bool = False,
) -> dict[str, Any]:
    """Write a copy of a model with the pieces that a suite's texts need in some languages; return sizes and what was compared.

    Every training text and every scored text of these languages is cut as before, and the model gives them the same vectors:
    both are compared before the folder is kept.

    Args:
        languages: beside English, in which is trained.
        targets: of the suite, whose texts count; empty: all whose files are there.

    Raises:
        DataMissing: no texts in a language.
        BadInput: a tokenizer that cannot be trimmed, or would not cut its texts as before.
    """
    from tasksearch.export.folder import check_out, whole_folder
    from tasksearch.models.checkpoint_files import copy_beside, described, local_folder, weight_files
    from tasksearch.models.encoder import load_pretrained, quiet_transformers
    from tasksearch.models.stated_reading import FILES, stated_reading
    from tasksearch.models.vocabulary_trim import trimmed_model, trimmed_tokenizer

    check_out(out, force=force)
    folder = local_folder(source)
    one = load_pretrained(str(folder))
    length = min(512, one.family.longest(one.model.config))
    cards = [card for card in suite.cards if card.role == "intermediate" or not targets or card.name in targets]
    asked = tuple(dict.fromkeys((ENGLISH, *languages)))
    texts = _texts(TaskSource(data, one.tokenizer), cards, asked, length)
    if silent := [language for language in asked if not any(place[1] == language for place in texts)]:
        raise DataMissing(
            f"suite {suite.name} has no texts in {', '.join(silent)} under {data}; `tasksearch data check` tells why"
        )
    definition = one.tokenizer.backend_tokenizer.to_str()
    used = {*np.unique(np.concatenate([cut.flat for cut in texts.values()])).tolist()}
    used |= {*one.tokenizer.all_special_ids, one.tokenizer.pad_token_id}
    with suppress(ModelUnusable):  # of files that cannot be followed no prefix is read either
        stated = stated_reading(str(folder))
        for prompt in (stated.prefix, *stated.prompts.values()):
            used |= {*one.tokenizer(prompt, add_special_tokens=False)["input_ids"]}
    written, kept = trimmed_tokenizer(definition, used)
    before = sum(path.stat().st_size for path in weight_files(folder))
    kinds = {kind for _, kind in described(folder).values()}
    with whole_folder(out, force=force, room=before) as place, quiet_transformers():
        smaller = trimmed_model(one.model, kept)
        half = {"F16": "float16", "BF16": "bfloat16"}.get(next(iter(kinds))) if len(kinds) == 1 else None
        _save(smaller, place, one.has_mlm_head, half)
        write_tokenizer(place, folder, written)
        copy_beside(folder, place, FILES)
        note = {"languages": list(asked), "suite": suite.name, "pieces": len(kept), "of": len(one.tokenizer)}
        (place / TRIMMED).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
        again = load_pretrained(str(place))
        apart = _compared(one, again, kept, texts, _texts(TaskSource(data, again.tokenizer), cards, asked, length))
        after = sum(path.stat().st_size for path in weight_files(place))
    rows = sum(len(cut.flat) for cut in texts.values())
    return {"model": source, "out": str(out), "bytes_before": before, "bytes_after": after, "compared_pieces": rows,
            "largest_difference": apart} | note  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """Pieces of a task's texts: all of them one after the other, and the first rows padded."""

    flat: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int64]


_Cuts = dict[tuple[str, str], _Cut]
"""(task, language) → pieces."""


def _texts(source: TaskSource, cards: Iterable[TaskCard], languages: Sequence[str], length: int) -> _Cuts:
    """Return how the texts of all tasks are cut whose files are there."""
    found, pad = {}, source.tokenizer.pad_token_id  # type: ignore[union-attr]
    for card in cards:
        parts: dict[tuple[str, str], Sequence[Encoded]] = {}
        if card.train_sources and not card.needs and not source.missing(card, ()):
            parts[f"{card.name} training", ENGLISH] = (source.training(card, length),)
        for language in languages if card.role == "target" and not card.needs else ():
            if language in card.languages and not source.missing(card, (language,)):
                parts[card.name, language] = source.evaluation(card, language, length)
        for place, items in parts.items():
            flat = np.concatenate([part.tokens.flat for part in items])
            found[place] = _Cut(flat=flat, rows=items[0].tokens.padded(range(min(_PROBED, len(items[0].tokens))), pad))
    return found


def _compared(one: Any, again: Any, kept: Sequence[int], before: _Cuts, after: _Cuts) -> float:
    """Refuse texts that are cut otherwise; return the largest difference between vectors of the two models."""
    import torch

    from tasksearch.forward.batches import Specials
    from tasksearch.forward.passes import encode_batch

    old, apart = np.array(kept), 0.0
    for place, cut in before.items():
        if not np.array_equal(old[after[place].flat], cut.flat):
            raise BadInput(f"the trimmed tokenizer cuts texts of {' '.join(place)} otherwise; it is not kept, please report it")
        rows = torch.from_numpy(after[place].rows)
        with torch.inference_mode():
            theirs = encode_batch(one.model, torch.from_numpy(cut.rows), Specials.of(one.tokenizer)).last_hidden_state
            ours = encode_batch(again.model, rows, Specials.of(again.tokenizer)).last_hidden_state
        apart = max(apart, float((ours - theirs).abs().max()))
    if apart > 1e-5:
        raise BadInput(f"the trimmed model gives other vectors, by up to {apart:.2g}; it is not kept, please report it")
    return apart


def _save(model: Any, place: Path, has_mlm_head: bool, half: str | None) -> None:
    import torch

    from tasksearch.export.hf_classes import stock_encoder

    kept = stock_encoder(model, has_mlm_head=has_mlm_head)
    (kept.to(getattr(torch, half)) if half else kept).save_pretrained(place, safe_serialization=True)


def write_tokenizer(place: Path, folder: Path, written: str) -> None:
    """Write the tokenizer's file, and its settings without the old ids."""
    (place / "tokenizer.json").write_text(written, encoding="utf-8")
    settings = folder / "tokenizer_config.json"
    said = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    said.pop("added_tokens_decoder", None)
    (place / "tokenizer_config.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
