"""X-MOD: XLM-R's layout with an adapter per language in every layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import torch

from tasksearch.core.errors import BadInput
from tasksearch.models.families.roberta import RobertaLayout

ENGLISH = "en"


class Xmod(RobertaLayout):
    """It is trained through the English adapter and scored in each language through that language's.

    As in its paper (Pfeiffer et al., NAACL 2022), embeddings and adapters are not trained. A row goes through one adapter, so a
    language without one cannot be scored, nor can retrieval, whose rows are of two languages.
    """

    model_types: ClassVar[tuple[str, ...]] = ("xmod",)
    stock: ClassVar[bool] = False  # its embedding table is frozen

    def settle(self, model: Any, tokenizer: Any) -> None:
        """Sets the language to English, whatever the file's is."""
        super().settle(model, tokenizer)
        model.config.default_language = adapter(model.config, ENGLISH)

    def mend(self, model: Any) -> None:
        """Freezes embeddings and adapters, and runs the one adapter that is asked for.

        transformers collects the rows of each language in a buffer of fp32, which fails under bf16 autocast.
        """
        model.freeze_embeddings_and_language_adapters()
        for layer in model.base_model.encoder.layer:
            layer.output.__class__ = _one_adapter(type(layer.output))
            layer.output.config = model.config

    def check_scored(self, config: Any, languages: Iterable[str], kinds: Iterable[str]) -> None:
        """Raises ValueError for a language without an adapter, and for retrieval."""
        for language in (ENGLISH, *languages):
            adapter(config, language)
        if {"retrieval", "mining"} & {*kinds}:
            raise ValueError("an 'xmod' model runs a batch through one language's adapter; expected no retrieval target")

    def check_masked(self, languages: Iterable[str]) -> None:
        """Raises ValueError for a language other than English: every batch goes through the English adapter."""
        if others := sorted({*languages} - {ENGLISH}):
            raise ValueError(f"an 'xmod' model trains through its English adapter; expected MLM in English, not {others[0]!r}")

    @contextlib.contextmanager
    def speaking(self, model: Any, language: str) -> Iterator[None]:
        """Runs the language's adapter."""
        before = model.config.default_language
        try:
            model.config.default_language = adapter(model.config, language)
        except ValueError as fault:
            raise BadInput(str(fault)) from None
        try:
            yield
        finally:
            model.config.default_language = before


def adapter(config: Any, language: str) -> str:
    """The name of a language's adapter: `sw_KE` of `sw`.

    Raises:
        ValueError: there is none.
    """
    for name in config.languages:
        if language in (name, name.partition("_")[0]):
            return str(name)
    raise ValueError(f"an 'xmod' model has no adapter for {language!r}; it has {', '.join(config.languages)}")


def _one_adapter(kind: Any) -> Any:
    """`XmodOutput` whose `lang_adapter` sends all rows through the adapter of `config.default_language`."""

    class OneAdapter(kind):
        def lang_adapter(self, lang_ids: torch.Tensor, hidden_states: torch.Tensor) -> torch.Tensor:
            residual = hidden_states
            if self.adapter_layer_norm is not None:
                hidden_states = self.adapter_layer_norm(hidden_states)
            elif self.adapter_reuse_layer_norm:
                hidden_states = self.LayerNorm(hidden_states)
            if self.ln_before_adapter:
                residual = hidden_states
            found: torch.Tensor = self.dropout(self.adapter_modules[self.config.default_language](hidden_states)) + residual
            return found

    return OneAdapter
