"""`--retrieval-layer auto`: which hidden layer of the pretrained model retrieval reads, found once before the first trial.

A language's layer is the best one over all other languages' selection examples (leave one out), so that none of its own
examples chooses for it. A language that joins later is read at the layer that is best over all of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tasksearch.core.study import ALL_LANGUAGES, AUTO_LAYER, NO_LAYERS, StudyConfig
from tasksearch.study.settings import layers_note, settings_of

if TYPE_CHECKING:
    from tasksearch.study.setup import Setup

Layers = tuple[tuple[str, int], ...]


def wants_layers(config: StudyConfig) -> bool:
    """Return whether `auto` was asked for and is not resolved yet."""
    return config.overrides.retrieval_layer == AUTO_LAYER and not config.overrides.auto_layers


def with_layers(config: StudyConfig, setup: Setup) -> tuple[StudyConfig, Setup]:
    """Return configuration and setup with the layers that the pretrained model retrieves best by.

    Where fewer than two languages have a retrieval target nothing could be left out: the study keeps the usual layer for good,
    since trials with two layers do not compare.
    """
    from tasksearch.models.encoder import shape_of

    found = chosen_layers(layer_scores(config, setup))
    config = dataclasses.replace(config, overrides=dataclasses.replace(config.overrides, auto_layers=found or NO_LAYERS))
    if not found:
        return config, setup
    settings = settings_of(setup.suite, config, shape_of(setup.model, config.encoder))
    told = "; ".join(filter(None, (setup.suite.warning, layers_note(config))))
    return config, dataclasses.replace(setup, settings=settings, suite=dataclasses.replace(setup.suite, warning=told))


def layer_scores(config: StudyConfig, setup: Setup) -> dict[str, Sequence[float]]:
    """Return language → accuracy on selection examples by layer, from the embeddings on; the mean over retrieval targets."""
    import numpy as np

    from tasksearch.evaluation.retrieval import layer_accuracies
    from tasksearch.phases.context import open_context

    context = open_context(setup.suite, setup.data, setup.model, None, skip_bad=config.skip_bad, encoder=config.encoder)
    settings, rows = setup.settings, dict[str, list[Sequence[float]]]()
    how, cap = settings.untrained, settings.evaluation_examples
    for target in config.targets:
        card = setup.suite.card(target)
        for language in config.languages if card.kind == "retrieval" else ():
            if language in card.languages:
                encoded = context.source.evaluation(card, language, how.max_length, cap, prefix=settings.retrieval.prefix)
                scored = list(zip(context.source.portions(card, language, cap), encoded, strict=True))
                model, retrieval = context.pretrained.model.to(context.device), settings.retrieval
                if of_layers := layer_accuracies(model, scored, context.specials, retrieval, how.precision):
                    rows.setdefault(language, []).append(of_layers)
    return {language: np.mean(values, axis=0).tolist() for language, values in rows.items()}


def chosen_layers(scores: Mapping[str, Sequence[float]]) -> Layers:
    """Return the best layer over all languages, and the languages for which it is another one over the others. Pure.

    Of equally good layers the deepest is taken. Empty for fewer than two languages.
    """
    if len(scores) < 2:
        return ()

    def best(languages: Sequence[str]) -> int:
        totals = [sum(values) for values in zip(*(scores[language] for language in languages), strict=True)]
        return max(range(len(totals)), key=lambda layer: (round(totals[layer], 6), layer))

    first = best(tuple(scores))
    others = {language: best([other for other in scores if other != language]) for language in scores}
    return ((ALL_LANGUAGES, first), *sorted((language, layer) for language, layer in others.items() if layer != first))
