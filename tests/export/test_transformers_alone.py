"""An exported model, read by transformers alone, answers every example as the plan's run did: one test per kind of head."""

import dataclasses
import importlib.util
import shutil

import numpy as np
import pytest
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.export.gather import facts_of
from tasksearch.export.hf_classes import check_exportable, stock_encoder, stock_model
from tasksearch.export.write import write_export
from tasksearch.metrics.outcomes import accuracy_outcomes, ratio_outcomes, token_accuracy_outcomes
from tasksearch.metrics.squad import em_f1
from tasksearch.models.stated_reading import StatedReading, stated_reading
from tasksearch.phases.context import open_context
from tasksearch.phases.run import PlanRun
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lab_suite import lab_suite

LANGUAGES = ("en", "near1", "script")
MIX = Schedule.joint(Mixture.uniform("restate", "find"), 3)
SORT = TaskCard(name="choose", kind="choice", role="target", folder="sort", languages=("en",), metric="accuracy", fewest=1)
LAB = lab_suite()
SUITE = dataclasses.replace(LAB, cards=(*LAB.cards, SORT))


@pytest.fixture(scope="module")
def context(tiny_lab, tmp_path_factory):
    """The tiny lab, with its class-word task as a target of kind choice beside its own."""
    root = tmp_path_factory.mktemp("data") / "lab"
    shutil.copytree(tiny_lab.data, root)
    shutil.copy(root / "sort" / "en.dev.jsonl.gz", root / "sort" / "en.test.jsonl.gz")
    return open_context(SUITE, str(root), str(tiny_lab.model), None)


def plan(target, max_length=128, features="cls"):
    settings = dataclasses.replace(
        SUITE.settings,
        features=features,
        intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=8, max_length=max_length),
        target=dataclasses.replace(SUITE.settings.target, batch_size=8, steps=6, max_length=max_length),
        target_overrides=(),
    )
    return Plan(suite="lab", schedule=MIX, targets=(target,), languages=LANGUAGES, settings=settings, seed=3)


def export(context, wanted, out):
    """The folder of the plan's one target, and the outcomes that its run gave."""
    run, target = PlanRun(wanted, context), wanted.targets[0]
    card = context.suite.card(target)
    done = run.trained(target)
    if card.trained:
        stock = stock_model(card.kind, done.model, done.head, card.labels)
    else:
        stock = stock_encoder(run.encoder(), has_mlm_head=context.pretrained.has_mlm_head)
    named = target if card.trained else None
    facts = facts_of(
        wanted, context.suite, named, type(stock).__name__, done.outcomes, base="lab", versions=context.facts(), command="-"
    )
    write_export(out, stock, context.pretrained.tokenizer, facts, force=False)
    return done.outcomes


def example_of(folder):
    """The exported `example.py` as a module: nothing of this package is in it."""
    text = (folder / "example.py").read_text()
    assert "import tasksearch" not in text and "from tasksearch" not in text
    spec = importlib.util.spec_from_file_location("exported_example", folder / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scored(context, card, language, half):
    """The examples of a half, in the order of their outcomes."""
    parts = [part for part in context.source.portions(card, language) if half in part.rows]
    return [part.examples[row] for part in parts for row in part.rows[half]]


def answered(card, examples, predict):
    """Outcomes of the example's predictions."""
    if card.kind in ("pair", "sentence"):
        found = predict([(e.text_a, e.text_b) for e in examples])
        return accuracy_outcomes(np.array([card.labels.index(x) for x in found]), np.array([e.label for e in examples]))
    if card.kind == "choice":
        found = predict([(e.prompt, e.choices) for e in examples])
        return accuracy_outcomes(np.array(found), np.array([e.label for e in examples]))
    if card.kind == "tagging":
        found = predict([list(e.words) for e in examples])
        return token_accuracy_outcomes([[card.labels.index(t) for t in tags] for tags in found], [e.tags for e in examples])
    found = predict([(e.question, e.context) for e in examples])
    return ratio_outcomes([em_f1(text, [gold for _, gold in e.answers]) for text, e in zip(found, examples, strict=True)])


# 20 tokens cut pairs, split tagged sentences and read contexts in windows
@pytest.mark.parametrize("max_length", [128, 20])
@pytest.mark.parametrize("target", ["nli", "topic", "choose", "tag", "qa"])
def test_a_labelled_target_answers_every_example_as_in_the_run(context, tmp_path, target, max_length):
    expected = export(context, plan(target, max_length), tmp_path / "out")
    card, module = SUITE.card(target), example_of(tmp_path / "out")
    loaded = module.load()
    assert type(loaded[0]).__module__.startswith("transformers.")
    for (_, language, half), outcomes in expected.items():
        found = answered(card, scored(context, card, language, half), lambda items: module.predict(*loaded, items))
        assert np.array_equal(found, outcomes), (language, half)
    assert np.concatenate(list(expected.values()))[:, 0].std() > 0, "outcomes that never vary would prove nothing"


@pytest.mark.parametrize(
    ("pooling", "centering", "layer", "prefix"),
    [("mean-content", True, 1, ""), ("mean", False, -1, "ba: "), ("cls", False, 2, "")],
)
def test_an_encoder_retrieves_every_translation_as_in_the_run(context, tmp_path, pooling, centering, layer, prefix):
    wanted = plan("retrieval")
    how = dataclasses.replace(wanted.settings.retrieval, pooling=pooling, centering=centering, layer=layer, prefix=prefix)
    wanted = dataclasses.replace(wanted, settings=dataclasses.replace(wanted.settings, retrieval=how))
    expected = export(context, wanted, tmp_path / "out")
    module = example_of(tmp_path / "out")
    loaded = module.load()
    assert stated_reading(str(tmp_path / "out")) == StatedReading(pooling=pooling, prefix=prefix)
    assert (f"`{prefix}` before every sentence" in (tmp_path / "out" / "README.md").read_text()) is bool(prefix)
    assert {language for _, language, _ in expected} == {"near1", "script"}
    for (_, language, half), outcomes in expected.items():
        examples = scored(context, SUITE.card("retrieval"), language, half)
        other, english = (module.embed(*loaded, [getattr(e, side) for e in examples]) for side in ("text", "english"))
        found = module.retrieve(english, other, centering=centering)
        assert np.array_equal(accuracy_outcomes(np.array(found), np.arange(len(found))), outcomes), (language, half)


def test_the_heads_features_of_the_lab_change_nothing_for_tags_and_spans(context, tmp_path):
    for target in ("tag", "qa"):
        wanted = plan(target, features="pair-diff")
        check_exportable(target, SUITE.card(target).kind, "pair-diff")
        expected = export(context, wanted, tmp_path / target)
        module = example_of(tmp_path / target)
        loaded, card = module.load(), SUITE.card(target)
        examples = scored(context, card, "near1", "report")
        found = answered(card, examples, lambda items, module=module, loaded=loaded: module.predict(*loaded, items))
        assert np.array_equal(found, expected[target, "near1", "report"])


@pytest.mark.parametrize("kind", ["pair", "sentence", "choice"])
def test_a_head_that_no_stock_class_holds_is_refused_with_what_works(kind):
    with pytest.raises(BadInput, match=r"no transformers class .* add --features cls"):
        check_exportable("nli", kind, "pair-diff")
    check_exportable("nli", kind, "cls")


def test_retrieval_is_no_head(context):
    with pytest.raises(BadInput, match="--encoder-only"):
        check_exportable("retrieval", "retrieval", "cls")


def test_encoder_weights_are_the_runs_to_the_bit_and_the_configuration_its_own(context, tmp_path):
    from transformers import AutoModelForMaskedLM, AutoModelForTokenClassification, AutoTokenizer

    wanted = plan("tag")
    run = PlanRun(wanted, context)
    done = run.trained("tag")
    export(context, wanted, tmp_path / "tag")
    loaded = AutoModelForTokenClassification.from_pretrained(tmp_path / "tag")
    for name, value in done.model.roberta.state_dict().items():
        assert torch.equal(loaded.roberta.state_dict()[name], value), name
    base = context.pretrained.model.config
    for field in ("pad_token_id", "bos_token_id", "eos_token_id", "max_position_embeddings", "vocab_size", "type_vocab_size"):
        assert getattr(loaded.config, field) == getattr(base, field), field
    assert list(loaded.config.id2label.values()) == list(SUITE.card("tag").labels)
    assert loaded.config.label2id == {label: n for n, label in enumerate(SUITE.card("tag").labels)}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tag")
    assert tokenizer.backend_tokenizer.to_str() == context.pretrained.tokenizer.backend_tokenizer.to_str()

    export(context, plan("retrieval"), tmp_path / "encoder")
    masked = AutoModelForMaskedLM.from_pretrained(tmp_path / "encoder")
    for name, value in run.encoder().state_dict().items():
        assert torch.equal(masked.state_dict()[name], value), name


def test_an_encoder_without_a_pretrained_mlm_head_is_saved_without_one(context, tmp_path):
    bare = stock_encoder(context.pretrained.model, has_mlm_head=False)
    assert type(bare).__name__ == "XLMRobertaModel"
    bare.save_pretrained(tmp_path / "bare")
    from safetensors.torch import load_file

    assert not [name for name in load_file(tmp_path / "bare" / "model.safetensors") if "lm_head" in name]
    assert context.pretrained.model.config.architectures == ["XLMRobertaForMaskedLM"]


def test_an_export_makes_no_random_number_and_leaves_the_runs_model_as_it_was(context, tmp_path):
    run = PlanRun(plan("tag"), context)
    done = run.trained("tag")
    before = [p.detach().clone() for p in done.model.parameters()]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    stock = stock_model("tagging", done.model, done.head, SUITE.card("tag").labels)
    assert torch.equal(torch.rand(3), expected)
    with torch.no_grad():
        for parameter in stock.parameters():
            parameter.zero_()
    assert all(torch.equal(a, b) for a, b in zip(before, done.model.parameters(), strict=True))
    with pytest.raises(RuntimeError, match="size mismatch"):
        stock_model("tagging", done.model, done.head, SUITE.card("tag").labels[:2])


# ---- another family: BERT's layout with WordPiece, whose template has three special pieces and two token types


@pytest.fixture(scope="module")
def bert(context, tiny_bert):
    return open_context(SUITE, str(context.source.root), str(tiny_bert), None)


@pytest.mark.parametrize(
    ("target", "name"), [("nli", "Sequence"), ("choose", "Multiple"), ("tag", "Token"), ("qa", "Question")]
)
def test_a_bert_answers_every_example_as_in_the_run(bert, tmp_path, target, name):
    expected = export(bert, plan(target, 20), tmp_path / "out")
    card, module = SUITE.card(target), example_of(tmp_path / "out")
    loaded = module.load()
    assert type(loaded[0]).__name__.startswith(f"BertFor{name}")
    for (_, language, half), outcomes in expected.items():
        found = answered(card, scored(bert, card, language, half), lambda items: module.predict(*loaded, items))
        assert np.array_equal(found, outcomes), (language, half)
    assert np.concatenate(list(expected.values()))[:, 0].std() > 0, "outcomes that never vary would prove nothing"
    said = (tmp_path / "out" / "README.md").read_text()
    assert "- bert\n" in said and f"`AutoModelFor{name}" in said


@pytest.mark.parametrize("pooling", ["mean-content", "mean"])
def test_a_berts_encoder_retrieves_every_translation_as_in_the_run(bert, tmp_path, pooling):
    wanted = plan("retrieval")
    how = dataclasses.replace(wanted.settings.retrieval, pooling=pooling, layer=1)
    wanted = dataclasses.replace(wanted, settings=dataclasses.replace(wanted.settings, retrieval=how))
    expected = export(bert, wanted, tmp_path / "out")
    module = example_of(tmp_path / "out")
    loaded = module.load()
    for (_, language, half), outcomes in expected.items():
        examples = scored(bert, SUITE.card("retrieval"), language, half)
        other, english = (module.embed(*loaded, [getattr(e, side) for e in examples]) for side in ("text", "english"))
        found = module.retrieve(english, other, centering=how.centering)
        assert np.array_equal(accuracy_outcomes(np.array(found), np.arange(len(found))), outcomes), (language, half)


@pytest.mark.parametrize(
    ("target", "metric", "key"), [("nli", "accuracy", "accuracy"), ("qa", "squad", "f1"), ("tag", "seqeval", "f1")]
)
def test_predictions_in_xtreme_s_files_score_what_the_export_does(context, tmp_path, target, metric, key):
    from tasksearch.metrics.scoring import score_files
    from tasksearch.study.prediction import predict_target

    outcomes = export(context, plan(target), tmp_path / "out")
    found = predict_target(
        tmp_path / "out", tmp_path / "p", suite="lab", data=context.source.root, languages=["near1"], labels=tmp_path / "g"
    )
    scores = score_files(metric, found.labels["near1"], found.files["near1"]).values
    examples = context.source.split(SUITE.card(target), "near1", "test")
    assert scores["num_examples"] == len(examples)
    if target != "tag":  # the lab counts tokens, the file's metric counts spans
        report = outcomes[target, "near1", "report"]
        assert len(report) == len(examples)
        told = scores[key] if target == "nli" else (scores["exact_match"] + scores["f1"]) / 2
        assert told == pytest.approx(100 * report[:, 0].sum() / report[:, 1].sum())
    assert 0 <= scores[key] <= 100
