"""Whether an encoder family keeps its contract.

It is tried on a tiny random model of each type that it serves, with the lab's tokenizer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.examples import ChoiceExample, Example, SpanExample, TagExample, TextExample

_TEXTS = ("ba be bo", "bu bi", "ba bo bu bi be")
_EXAMPLES: dict[str, list[Example]] = {
    "pair": [TextExample("1", _TEXTS[0], _TEXTS[1], 0), TextExample("2", _TEXTS[1], _TEXTS[2], 1)],
    "choice": [ChoiceExample("1", _TEXTS[0], (_TEXTS[1], _TEXTS[2]), 0)],
    "tagging": [TagExample("1", tuple(_TEXTS[0].split()), (0, 1, 0)), TagExample("2", tuple(_TEXTS[1].split()), (1, 0))],
    "span": [SpanExample("1", _TEXTS[1], _TEXTS[2], ((3, "bo"),)), SpanExample("2", _TEXTS[0], _TEXTS[1], ((0, "bu"),))],
}  # fmt: skip


def encoder_checks(reference: str) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """(requirement, check) of the family behind a reference, as `contracts` tries them."""
    from tasksearch.models.families import own_family

    types = own_family(reference).model_types

    def named() -> str:
        assert types, "model_types is empty"
        return ", ".join(types)

    yield "it names the types of model that it serves", named
    with tempfile.TemporaryDirectory() as place:
        for kind in types:
            yield from _of_type(reference, kind, Path(place) / kind)


def _of_type(reference: str, kind: str, folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    import torch

    from tasksearch.forward.passes import encode_batch
    from tasksearch.models.encoder import load_pretrained, shape_of

    made: list[Any] = []

    def loads() -> None:
        _write_model(kind, folder)
        made.append(load_pretrained(str(folder), reference))
        kinds = {parameter.dtype for parameter in made[0].model.parameters()}
        assert kinds == {torch.float32}, f"weights are {kinds}; expected fp32 alone"

    yield f"it loads a {kind} model, in fp32", loads
    one = made[0]

    def states(ids: torch.Tensor) -> Any:
        with torch.inference_mode():
            return encode_batch(one.model, ids, _specials(one), hidden_states=True)

    def padded() -> None:
        ids = _batch(one, "pair").ids
        whole = states(ids).hidden_states
        assert len(whole) == one.layers + 1, f"{len(whole)} hidden states; expected {one.layers + 1}"
        for row, length in enumerate((ids != one.tokenizer.pad_token_id).sum(1).tolist()):
            for together, alone in zip(whole, states(ids[row : row + 1, :length]).hidden_states, strict=True):
                _same(together[row, :length], alone[0], "a padded row gives other vectors than alone")

    def masked() -> str | None:
        if not one.family.mlm_keys:
            return "it has none: mixes with MLM are refused"
        batch = _batch(one, "pair")
        types = _specials(one).type_ids(batch.ids) if one.family.has_types else None
        given = {} if types is None else {"token_type_ids": types}
        kept = (batch.ids != one.tokenizer.pad_token_id).long()
        with torch.inference_mode():
            logits = one.model(input_ids=batch.ids, attention_mask=kept, **given).logits
            ours = one.family.mlm_logits(one.model, states(batch.ids).last_hidden_state[0])
        _same(ours, logits[0], "mlm_logits on rows differs from the model's own logits")
        assert one.has_mlm_head, f"a checkpoint of it is taken for one without MLM head; mlm_keys is {one.family.mlm_keys!r}"
        return None

    def longest() -> str:
        length = shape_of(str(folder), reference).tokens
        states(torch.full((1, length), int(_specials(one).drawable[-1])))
        return f"{length} tokens in the model tried"

    yield f"{kind}: a padded row gives what it gives alone, in every layer", padded
    yield f"{kind}: the MLM head on chosen tokens is the model's own", masked
    yield f"{kind}: the longest sequence runs", longest

    def exported(task: str) -> Callable[[], str | None]:
        return lambda: _exports(one, task, states)

    for task in _EXAMPLES:
        yield f"{kind}: an exported {task} head computes the same in transformers alone", exported(task)


def _write_model(kind: str, folder: Path) -> None:
    """A random tiny model with the lab's tokenizer."""
    from tasksearch.lab.recipe import LabRecipe
    from tasksearch.models.encoder import quiet_transformers
    from tasksearch.phases.lab_model import ensure_lab
    from tasksearch.testing.tiny_models import write_tiny_model

    recipe = LabRecipe(
        phase1_steps=20, document_unit=100, parallel_unit=100, intermediate_train=64, intermediate_dev=10, target_train=32,
        target_dev=10, target_test=10, pool=12,
    )  # fmt: skip
    lab = Path(ensure_lab(recipe).model)
    with quiet_transformers():
        from transformers import AutoTokenizer

        pieces = AutoTokenizer.from_pretrained(lab)
    ids = {f"{role}_token_id": getattr(pieces, f"{role}_token_id") for role in ("pad", "bos", "eos")}
    write_tiny_model(kind, lab, folder, max_position_embeddings=66, **ids)


def _specials(one: Any) -> Any:
    from tasksearch.forward.batches import Specials

    return Specials.of(one.tokenizer)


def _batch(one: Any, kind: str) -> Any:
    import numpy as np

    from tasksearch.forward.batches import collate
    from tasksearch.tasks.encode import encode

    examples = _EXAMPLES[kind]
    card = TaskCard(name=kind, kind=kind, role="target", languages=("en",), labels=("no", "yes"))  # type: ignore[arg-type]
    return collate(encode(examples, card, one.tokenizer, 64), np.arange(len(examples)), _specials(one))


def _same(ours: Any, theirs: Any, said: str) -> None:
    gap = float((ours - theirs).abs().max())
    assert gap < 1e-4, f"{said}: by up to {gap:.2g}"


def _exports(one: Any, kind: str, states: Callable[[Any], Any]) -> str | None:
    import torch

    from tasksearch.export.hf_classes import stock_model
    from tasksearch.forward.passes import label_logits
    from tasksearch.models.heads import make_head

    if not one.family.export_class(one.model, kind):
        return "no class: such a target is trained and scored, and cannot be exported"
    batch, specials = _batch(one, kind), _specials(one)
    outputs = 1 if kind == "choice" else 2
    shape = one.family.head_shape(one.model.config)
    head = make_head(kind, kind, outputs, hidden_size=one.hidden_size, features="cls", dropout=0.0, seed=0, shape=shape).eval()
    stock = stock_model(kind, one.model, head, ("no", "yes") if kind in ("pair", "tagging") else ())
    given = {"input_ids": batch.ids, "attention_mask": (batch.ids != specials.pad).long()}
    if one.family.has_types and (types := specials.type_ids(batch.ids)) is not None:
        given["token_type_ids"] = types
    if kind == "choice":
        given = {name: table[None] for name, table in given.items()}
    with torch.inference_mode():
        hidden, found = states(batch.ids).last_hidden_state, stock(**given)
        if kind == "span":
            ours, theirs = head(hidden), torch.stack([found.start_logits, found.end_logits], -1)
        else:
            ours = label_logits(head, hidden, batch, specials)
            theirs = found.logits[batch.rows, batch.columns] if kind == "tagging" else found.logits
    _same(ours, theirs, f"{type(stock).__name__} computes other logits than encoder and head")
    return None
