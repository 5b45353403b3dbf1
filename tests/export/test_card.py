"""The card's front matter, read back as the hub reads it."""

import dataclasses

import pytest
import yaml
from huggingface_hub import ModelCard

from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.export.card import model_card
from tasksearch.export.facts import FactRow, Facts
from tasksearch.results.verdict import Estimate
from tasksearch.tasks.catalogue import load_suite

XTREME = load_suite("xtreme")
MIX = Schedule.joint(Mixture.uniform("mnli", "squad1"), 64)
XNLI = XTREME.card("xnli")


def row(language, value):
    estimate = Estimate(
        value=value,
        low=value - 1,
        high=value + 1,
        examples=5010,
        seeds=1,
        seed_error=0.0,
        example_error=0.5,
        df=9.0,
        noise_df=9,
    )
    return FactRow(target="xnli", language=language, metric="accuracy", estimate=estimate)


def facts(**changed):
    fields = {
        "target": XNLI,
        "architecture": "XLMRobertaForSequenceClassification",
        "plan": Plan(suite="xtreme", schedule=MIX, targets=("xnli",), languages=("en", "sw"), settings=XTREME.settings, seed=1),
        "mix": "",
        "data": (XTREME.card("mnli"), XTREME.card("squad1"), XNLI),
        "base": "FacebookAI/xlm-roberta-large",
        "fingerprint": "f",
        "warning": "",
        "same_data": (),
        "scores": (row("en", 88.0), row("sw", 71.25), row("zh_Hant", 70.0)),
        "chance": {"xnli": 33.3},
        "origin": None,
        "command": "tasksearch train",
        "versions": {},
    }
    return Facts(**fields | changed)


def read(told):
    text = model_card(told, "example.py")
    front = yaml.safe_load(text.split("---\n")[1])
    return ModelCard(text).data, front


def test_the_hub_reads_licence_checkpoint_data_sets_languages_and_results():
    data, front = read(facts())
    assert data.base_model == "FacebookAI/xlm-roberta-large"
    assert data.language == ["en", "sw", "zh"]
    assert (data.library_name, data.pipeline_tag) == ("transformers", "text-classification")
    assert data.license == "other" and front["license_name"] and front["license_link"] == "README.md"
    assert "nyu-mll/glue" in data.datasets and all("/" in name for name in data.datasets)
    assert "xlm-roberta" in data.tags
    results = {result.dataset_config: result for result in data.eval_results}
    assert (results["sw"].metric_type, results["sw"].metric_value, results["sw"].dataset_split) == ("accuracy", 71.25, "test")
    assert results["sw"].dataset_type == "google/xtreme"
    assert "zero-shot" in results["sw"].metric_name and "zero-shot" not in results["en"].metric_name
    assert front["model-index"][0]["name"] == facts().title


@pytest.mark.parametrize("base", ["lab", "small"])
def test_a_checkpoint_and_languages_that_the_hub_does_not_have_are_not_named(base):
    data, front = read(facts(base=base, warning="generated, code-mixed world"))
    assert data.base_model is None and data.language is None
    assert not {"base_model", "language"} & front.keys()


def test_a_card_without_scores_has_no_results():
    _, front = read(facts(target=None, architecture="XLMRobertaModel", scores=()))
    assert "model-index" not in front and front["pipeline_tag"] == "feature-extraction"


def test_data_that_forbids_commercial_use_is_named_in_the_licence():
    card = dataclasses.replace(XNLI, licence="CC BY-NC 4.0")
    assert read(facts(target=card, data=(card,)))[1]["license_name"] == "non-commercial-data"


@pytest.mark.parametrize("suite", ["lab", "lowres", "xtreme"])
def test_every_target_of_every_suite_has_a_pipeline_and_a_front_matter_that_is_read(suite):
    known = load_suite(suite)
    for card in known.targets:
        if card.kind in ("retrieval", "mining"):
            continue  # an encoder alone
        told = facts(target=card, data=(card,), scores=tuple(row(language, 50.0) for language in card.languages[:3]))
        data, _ = read(told)
        assert data.pipeline_tag and len(data.eval_results) == len(told.scores)
