"""Suite `lowres`: openly licensed tasks over real text in languages that XTREME hardly covers."""

from __future__ import annotations

from tasksearch.core.plan import PhaseSettings, RetrievalSettings, TrainSettings
from tasksearch.tasks.languages import language_groups
from tasksearch.tasks.lowres.intermediates import INTERMEDIATES, TEXTS
from tasksearch.tasks.lowres.targets import TARGETS
from tasksearch.tasks.suite import Suite

FIRST_LANGUAGES = (
    "af", "am", "ar", "bn", "en", "es", "et", "eu", "fi", "hi", "hr", "id", "jv", "kk", "ko", "ml", "mr", "my", "ru", "sw",
    "ta", "te", "th", "tl", "tr", "ur", "xh", "yo", "zh",
)  # fmt: skip
"""Languages scored by a run without --language: the small ones that the first targets have, and some large ones of every
script.
"""


def lowres_suite() -> Suite:
    """Return the suite: nine English intermediate tasks of five kinds, thirteen targets in 238 languages and scripts."""
    spoken = {language for card in TARGETS for language in card.languages}
    return Suite(
        name="lowres",
        cards=(*INTERMEDIATES, *TARGETS),
        texts=TEXTS,
        settings=xlmr_settings(),
        steps=(256, 512),
        first_tasks=("codah", "mnli", "mrpc", "qamr"),
        first_targets=("tatoeba", "tydiqa", "udpos", "xnli"),
        first_languages=tuple(sorted(spoken & set(FIRST_LANGUAGES))),
        groups_of_languages=tuple(language_groups(spoken).items()),
        needs_data=True,
        summary="real text in languages that XTREME barely holds; needs --data and --model",
    )


def xlmr_settings() -> PhaseSettings:
    """Return the settings of jiant's XTREME scripts.

    Learning rate 1e-5, batch size 32, for QA 16 and length 384; 10 epochs for tagging, else 2. The small training sets (sib200,
    xcopa) take 10 epochs, which is our choice.
    """
    qa = (("batch_size", 16), ("max_length", 384))
    return PhaseSettings(
        intermediate=TrainSettings(batch_size=32, learning_rate=1e-5, max_length=256),
        target=TrainSettings(batch_size=32, learning_rate=1e-5, max_length=256, epochs=2.0),
        target_overrides=(
            *((name, (("epochs", 10.0),)) for name in ("masakhaner1", "masakhaner2", "masakhapos", "sib200", "udpos", "uner")),
            ("tydiqa", qa), ("xcopa", (("epochs", 10.0),)), ("xquad", qa),
        ),
        retrieval=RetrievalSettings(layer=14, pooling="mean", centering=False),
    )  # fmt: skip
