"""What an encoder family is: how its checkpoints are loaded, run, given an MLM head and exported.

Most of it is derived from the loaded model, so that a family states only what transformers does not say by itself.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch

from tasksearch.models.attention_mask import additive_mask
from tasksearch.models.heads import TANH, HeadShape
from tasksearch.models.tokenizers import tokenizer_as_written

EXPORTS: Mapping[str, str] = {
    "pair": "ForSequenceClassification",
    "sentence": "ForSequenceClassification",
    "multilabel": "ForSequenceClassification",
    "choice": "ForMultipleChoice",
    "tagging": "ForTokenClassification",
    "span": "ForQuestionAnswering",
}
"""Kind of target → how the name of the class of transformers ends that an export is of."""

_VOLATILE = ("_name_or_path", "architectures", "dtype", "id2label", "label2id", "torch_dtype", "transformers_version")
"""Entries of a configuration that shape no number."""


class EncoderFamily:
    """A family of encoders that transformers has as a `…ForMaskedLM`; derive and state what differs.

    Attributes:
        model_types: `model_type` of the configurations that it serves.
        mlm_keys: how the names of the MLM head's weights begin in a checkpoint; empty: the family has no MLM head.
        heads: ending of an exported class (`EXPORTS`) → where each layer of this project's head (`dense`, `norm`, `out_proj`)
            stands in it. An ending that is left out cannot be exported.
        export_config: fields of an exported configuration without which the class would compute something else.
        has_types: whether the model tells a pair's texts apart by token types.
        stock: whether the encoder is transformers' own code, of which two things are known: it reads its embedding table
            through the table's module alone, so that training may hold only the rows that it needs; and it takes no mask where
            no row is padded.
        sdpa: whether attention is torch's `scaled_dot_product_attention`; a mask of four dimensions reaches it as it is, and
            none where no row is padded.
        reference: of the user's file that the family comes from; empty for those of this package.
    """

    model_types: ClassVar[tuple[str, ...]] = ()
    mlm_keys: ClassVar[str] = "lm_head."
    heads: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    export_config: ClassVar[Mapping[str, Any]] = {}
    has_types: ClassVar[bool] = False
    stock: ClassVar[bool] = False
    sdpa: ClassVar[bool] = False
    reference: str = ""

    # ---- loading

    def load(self, source: str) -> tuple[Any, Sequence[str]]:
        """A model with fp32 weights, whatever the file's are, and the names of weights that the checkpoint lacks.

        Weights are read from safetensors alone, and no code of the checkpoint is run.
        """
        from transformers import AutoModelForMaskedLM

        how = {"use_safetensors": True, "dtype": torch.float32, "trust_remote_code": False}
        model, info = AutoModelForMaskedLM.from_pretrained(source, output_loading_info=True, **how)
        self.mend(model)
        return model, list(info["missing_keys"])

    def mend(self, model: Any) -> None:
        """Replaces parts of a new model that cannot be trained as they are; most families have none."""

    def tokenizer(self, source: str) -> Any:
        """The fast tokenizer, as its `tokenizer.json` has it."""
        return tokenizer_as_written(source, types=self.has_types)

    def fresh(self, model: Any) -> Any:
        """An untrained model of the same shape, weights drawn from torch's generator."""
        made = type(model)(copy.deepcopy(model.config))
        self.mend(made)
        return made

    def settle(self, model: Any, tokenizer: Any) -> None:
        """Makes a loaded model fit its tokenizer: padding is the tokenizer's.

        With XLM-R's tokenizer under BERT's layout (MiniLM, E5) the configuration's 0 is `<s>`, whose vector would never train.

        Raises:
            ValueError: they do not belong together; the message says why.
        """
        model.config.pad_token_id = tokenizer.pad_token_id
        model.get_input_embeddings().padding_idx = tokenizer.pad_token_id

    def identity(self, config: Any) -> str:
        """What shapes numbers beside weights and tokenizer: a part of the fingerprint."""
        plain = {key: value for key, value in config.to_dict().items() if key not in _VOLATILE}
        return json.dumps(plain, sort_keys=True, default=str)

    # ---- shape

    def longest(self, config: Any) -> int:
        """Tokens of the longest sequence."""
        return int(config.max_position_embeddings)

    def head_dropout(self, config: Any) -> float:
        """Dropout of task heads."""
        return float(config.hidden_dropout_prob)

    def head_shape(self, config: Any) -> HeadShape:
        """Layers of task heads before their last."""
        return TANH

    # ---- languages

    def check_scored(self, config: Any, languages: Iterable[str], kinds: Iterable[str]) -> None:
        """Looks whether targets of these kinds can be scored in these languages; all can, but for families with adapters.

        Raises:
            ValueError: one cannot; the message says which.
        """

    def check_masked(self, languages: Iterable[str]) -> None:
        """Looks whether MLM can be trained in these languages; it can in all, but for families with adapters.

        Raises:
            ValueError: it cannot; the message says why.
        """

    def speaking(self, model: Any, language: str) -> contextlib.AbstractContextManager[None]:
        """Context in which the model is run on a language; most families are one model for all."""
        return contextlib.nullcontext()

    # ---- running

    def encode(
        self, model: Any, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None, *, hidden_states: bool
    ) -> Any:
        """Runs the encoder alone.

        Args:
            ids, mask: (batch, tokens); no mask where no row is padded, which lets the fastest kernel run, if `stock` or `sdpa`.
            types: (batch, tokens) token types of the tokenizer's template; None where all are 0.
            hidden_states: whether `hidden_states` is asked for: the embeddings, then one per layer.

        Returns:
            An output of transformers with `last_hidden_state`, (batch, tokens, width).
        """
        given = {"token_type_ids": types} if self.has_types and types is not None else {}
        form = None if mask is None else self.mask_for(model, mask)
        return model.base_model(input_ids=ids, attention_mask=form, output_hidden_states=hidden_states, **given)

    def mask_for(self, model: Any, mask: torch.Tensor) -> Any:
        """Returns the mask of padding, (batch, tokens), in the form that the encoder takes."""
        ready = self.sdpa and getattr(model.config, "_attn_implementation", None) == "sdpa"
        return additive_mask(mask) if ready else mask

    def mlm_logits(self, model: Any, rows: torch.Tensor) -> torch.Tensor:
        """(rows, width) → (rows, vocabulary): the MLM head on selected tokens."""
        raise NotImplementedError(f"{type(self).__name__} has no MLM head")

    def vocabulary_tensors(self, model: Any) -> tuple[str, ...]:
        """Names in the model's state of the tensors that have a row for every piece: input embeddings, and the MLM head's."""
        table, inside = model.get_input_embeddings().weight, f"{model.base_model_prefix}."
        first = inside + next(name for name, parameter in model.base_model.named_parameters() if parameter is table)
        state, rows = model.state_dict(), len(table)
        outside = [n for n, tensor in state.items() if not n.startswith(inside) and tensor.ndim and len(tensor) == rows]
        return (first, *outside)

    # ---- exporting

    def export_class(self, model: Any, kind: str) -> str:
        """Name of the class of transformers that an export of this kind is of; empty where there is none."""
        ending = EXPORTS[kind]
        return type(model).__name__.removesuffix("ForMaskedLM") + ending if ending in self.heads else ""
