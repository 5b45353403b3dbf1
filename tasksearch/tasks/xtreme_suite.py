"""Suite `xtreme`: the paper's nine intermediate tasks and XTREME's nine targets in 40 languages, with jiant's settings."""

from __future__ import annotations

from tasksearch.core.plan import PhaseSettings, RetrievalSettings, TrainSettings
from tasksearch.tasks.suite import Suite
from tasksearch.tasks.xtreme_english import intermediate_cards, text_card
from tasksearch.tasks.xtreme_targets import target_cards

LOW_RESOURCE = ("af", "eu", "jv", "mr", "my", "sw", "te", "tl", "yo")
"""Languages of XTREME with less than 5 GiB of CC-100 (XLM-R paper, table 6); yo has none."""

_QA = (("batch_size", 16), ("max_length", 384), ("epochs", 2))


def xtreme_suite() -> Suite:
    """Return the suite of Phang et al. 2020, as far as it is known from jiant's code."""
    targets = target_cards()
    spoken = sorted({language for card in targets for language in card.languages})
    return Suite(
        name="xtreme",
        cards=(*intermediate_cards(), *targets),
        texts=(text_card(tuple(spoken)),),
        settings=xtreme_settings(),
        steps=(4_096, 12_288),
        first_targets=("bucc2018", "mlqa", "panx", "pawsx", "tatoeba", "tydiqa", "udpos", "xnli", "xquad"),
        low_resource=LOW_RESOURCE,
        summary="the paper's nine English tasks and XTREME's nine targets, 40 languages; data of your own or the hub's",
    )


def xtreme_settings() -> PhaseSettings:
    """Return the settings of jiant's XTREME scripts.

    Learning rate 1e-5, batch size 32 (QA: 16), 10 % warmup, linear decay, retrieval at layer 14. Maximum lengths are jiant's:
    256; 384 for QA in both phases; 512 for retrieval. Its scripts use batch size 16 for QA targets; the batch size of the
    paper's intermediate phase is unknown, so all its tasks use the same. The lengths of the intermediate phase are one and
    three passes over 131,072 examples, in steps of 32.
    """
    return PhaseSettings(
        intermediate=TrainSettings(batch_size=32, learning_rate=1e-5, max_length=256),
        intermediate_lengths=(("squad1", 384), ("squad2", 384)),
        target=TrainSettings(batch_size=32, learning_rate=1e-5, max_length=256, epochs=2),
        target_overrides=(
            ("mlqa", _QA),
            ("panx", (("epochs", 10),)),
            ("pawsx", (("epochs", 5),)),
            ("tydiqa", _QA),
            ("udpos", (("epochs", 10),)),
            ("xquad", _QA),
        ),
        retrieval=RetrievalSettings(layer=14, pooling="mean", centering=False, max_length=512),
    )
