"""Sentences with several labels: casts, loss, predictions, scores, and an export that transformers reads."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from torch import nn

from tasksearch.core.errors import UnknownName
from tasksearch.evaluation.labelled import score_labelled
from tasksearch.forward.batches import Specials, collate
from tasksearch.forward.passes import label_logits, loss_sum
from tasksearch.metrics.outcomes import macro_f1_outcomes, value_of
from tasksearch.metrics.registry import LABEL_SET_METRICS, check_metric, label_set_metric
from tasksearch.models.encoder import load_pretrained
from tasksearch.models.heads import make_head
from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.encode import encode, select
from tasksearch.tasks.examples import LabelSetExample
from tasksearch.tasks.selection_split import portions
from tasksearch.tasks.stored import stored

LABELS = ("glad", "sad", "cross")
CARD = TaskCard(name="mood", kind="multilabel", role="target", languages=("en",), labels=LABELS, metric="micro_f1", fewest=1)
SETS = [(0, 2), (), (1,), (0, 1, 2), (2,)]
EXAMPLES = [LabelSetExample(str(n), "a b " * (n + 1), labels) for n, labels in enumerate(SETS)]
sets = st.lists(st.sets(st.sampled_from(LABELS)), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def pretrained(tiny_lab):
    return load_pretrained(str(tiny_lab.model))


@pytest.fixture(scope="module")
def head(pretrained):
    config = {"hidden_size": pretrained.hidden_size, "features": "cls", "dropout": 0.0, "seed": 1}
    return make_head("multilabel", "mood", len(LABELS), **config).eval()


def items_of(pretrained):
    return encode(EXAMPLES, CARD, pretrained.tokenizer, 32)


def test_the_loss_is_that_of_transformers_and_a_cut_batch_adds_up_to_the_whole(pretrained, head):
    model, specials = pretrained.model.eval(), Specials.of(pretrained.tokenizer)
    batch = collate(items_of(pretrained), np.arange(5), specials)
    assert batch.units == 5
    hidden = model.roberta(input_ids=batch.ids, attention_mask=(batch.ids != specials.pad).long()).last_hidden_state
    wanted = torch.tensor([[float(label in labels) for label in range(3)] for labels in SETS])
    stock = nn.BCEWithLogitsLoss()(label_logits(head, hidden, batch, specials), wanted) * 5
    whole = loss_sum(model, head, batch, specials)
    torch.testing.assert_close(whole, stock)
    parts = [batch.part(first, min(first + 2, 5)) for first in (0, 2, 4)]
    assert [part.units for part in parts] == [2, 2, 1]
    torch.testing.assert_close(sum(loss_sum(model, head, part, specials) for part in parts), whole)


def test_label_sets_survive_selection_and_the_file_of_encoded_items(pretrained, tmp_path):
    items = items_of(pretrained)
    assert [tuple(select(items, np.array([3, 1])).tags[i]) for i in range(2)] == [(0, 1, 2), ()]
    kept = stored(tmp_path / "x.arrow", "multilabel", [items, items])
    assert [tuple(kept.tags[i]) for i in range(10)] == SETS * 2


def test_scores_rest_on_labels_above_one_half(pretrained, head):
    (portion,) = portions(CARD, "en", {"dev": [], "test": EXAMPLES})
    specials = Specials.of(pretrained.tokenizer)
    found = score_labelled(pretrained.model, head, CARD, "en", [(portion, items_of(pretrained))], specials, "fp32")["report"]
    batch = collate(items_of(pretrained), np.arange(5), specials)
    with torch.inference_mode():
        hidden = pretrained.model.roberta(input_ids=batch.ids, attention_mask=(batch.ids != specials.pad).long())
        above = (label_logits(head, hidden.last_hidden_state, batch, specials).sigmoid() > 0.5).int().numpy()
    gold = np.array([[int(label in labels) for label in range(3)] for labels in SETS])
    assert value_of(found) == pytest.approx(100 * f1_score(gold, above, average="micro", zero_division=0), abs=1e-3)


@settings(deadline=None)
@given(gold=sets, data=st.data())
def test_f1_of_label_sets_is_scikit_learns(gold, data):
    predicted = data.draw(st.lists(st.sets(st.sampled_from(LABELS)), min_size=len(gold), max_size=len(gold)))
    ours, theirs = ([[int(label in row) for label in LABELS] for row in rows] for rows in (predicted, gold))
    seen = [n for n in range(3) if any(row[n] for row in (*ours, *theirs))]
    for name, average in (("micro_f1", "micro"), ("macro_f1", "macro")):
        outcomes = label_set_metric(name)([sorted(row) for row in predicted], [sorted(row) for row in gold])
        assert outcomes.shape == (len(gold), 2)
        stock = f1_score(theirs, ours, average=average, labels=seen, zero_division=0) if seen else 0.0
        assert value_of(outcomes) == pytest.approx(100 * stock, abs=1e-3)
    exact = label_set_metric("accuracy")([sorted(row) for row in predicted], [sorted(row) for row in gold])
    assert value_of(exact) == pytest.approx(100 * np.mean([a == b for a, b in zip(predicted, gold, strict=True)]), abs=1e-3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_macro_f1_of_one_label_each_is_scikit_learns(pairs):
    predicted, gold = np.array(pairs).T
    stock = f1_score(gold, predicted, average="macro", zero_division=0)
    assert value_of(macro_f1_outcomes(predicted, gold)) == pytest.approx(100 * stock, abs=1e-3)


def test_a_metric_of_another_kind_is_refused():
    assert set(LABEL_SET_METRICS) == {"micro_f1", "macro_f1", "accuracy"}
    with pytest.raises(UnknownName, match="did you mean 'micro_f1'"):
        check_metric("multilabel", "micro-f1")
    with pytest.raises(UnknownName, match="no metric of labels 'micro_f1'"):
        check_metric("sentence", "micro_f1")
