"""Every card of every suite names a metric that scores its kind."""

import pytest

from tasksearch.metrics.registry import ANSWER_METRICS, LABEL_METRICS, TAG_METRICS
from tasksearch.metrics.xtreme import LOW_RESOURCE, XTREME_TASKS
from tasksearch.tasks.catalogue import SUITES, load_suite

EVERY_CARD = [pytest.param(card, id=f"{name}-{card.name}") for name in SUITES for card in load_suite(name).cards]
KNOWN = {
    "pair": LABEL_METRICS, "sentence": LABEL_METRICS, "choice": LABEL_METRICS, "tagging": TAG_METRICS, "span": ANSWER_METRICS,
}  # fmt: skip


@pytest.mark.parametrize("card", EVERY_CARD)
def test_a_card_s_metric_scores_its_kind(card):
    if card.kind in KNOWN:
        assert card.metric in KNOWN[card.kind]


def test_the_benchmark_s_languages_are_those_of_suite_xtreme():
    cards = {card.name: set(card.languages) for card in load_suite("xtreme").targets}
    tasks = {task.name: set(task.languages) for task in XTREME_TASKS}
    assert cards.keys() >= tasks.keys()
    for name, languages in tasks.items():
        assert cards[name] - {"en"} == languages - {"en"}, name


def test_low_resource_languages_are_those_of_the_language_table():
    groups = load_suite("lowres").language_groups
    scored = {language for task in XTREME_TASKS for language in task.languages}
    for group, languages in LOW_RESOURCE.items():
        assert set(groups[group]) & scored == set(languages)
