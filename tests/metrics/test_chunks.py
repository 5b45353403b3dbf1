"""Chunk F1: seqeval's rules as XTREME ran them (0.0.12), on BIO tags and on raw parts of speech."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from tasksearch.core.errors import BadInput
from tasksearch.metrics.chunks import chunk_counts, chunk_outcomes, chunks
from tasksearch.metrics.outcomes import value_of

BIO = ["O", *(f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "ORG", "LOC"))]
UDPOS = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "PRON", "PUNCT", "SCONJ", "SYM", "VERB", "X"]

bio_sentences = st.lists(st.lists(st.tuples(st.sampled_from(BIO), st.sampled_from(BIO)), min_size=1, max_size=8), min_size=1)
pos_tags = st.lists(st.sampled_from(UDPOS), min_size=1, max_size=12)


@given(st.lists(st.sampled_from(BIO), min_size=1, max_size=12))
def test_on_bio_tags_the_chunks_are_those_of_todays_seqeval(tags):
    assert chunks(tags) == set(get_entities(tags))


@given(bio_sentences)
def test_on_bio_tags_f1_is_that_of_todays_seqeval(sentences):
    predicted, gold = ([[pair[side] for pair in s] for s in sentences] for side in (0, 1))
    if any(tag != "O" for s in (*predicted, *gold) for tag in s):
        assert value_of(chunk_outcomes(predicted, gold)) == pytest.approx(100 * f1_score(gold, predicted), abs=1e-5)


@given(pos_tags)
def test_raw_tags_make_runs_of_equal_tags_and_a_tag_with_s_stands_alone(tags):
    expected, at = set(), 0
    for tag, run in itertools.groupby(tags):
        length = len(list(run))
        if tag.startswith("S"):
            expected |= {(tag, at + i, at + i) for i in range(length)}
        else:
            expected.add((tag, at, at + length - 1))
        at += length
    assert chunks(tags) == expected


@pytest.mark.parametrize(
    ("predicted", "gold", "f1"),
    [  # worked out by seqeval 0.0.12
        (["CCONJ", "NOUN"], ["SCONJ", "NOUN"], 50.0),  # seqeval 1.2.2 says 100: it cuts the first letter
        (["NOUN", "NOUN", "VERB"], ["NOUN", "VERB", "VERB"], 0.0),  # token accuracy would be 66.7
        (["SYM", "SYM"], ["SYM", "SYM"], 100.0),
        (["I-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"], 100.0),
        (["B-PER", "I-ORG"], ["B-PER", "I-PER"], 0.0),
        (["O", "O"], ["O", "O"], 0.0),
    ],
)
def test_worked_cases(predicted, gold, f1):
    assert value_of(chunk_outcomes([predicted], [gold])) == pytest.approx(f1)


@given(st.lists(st.tuples(pos_tags, st.randoms(use_true_random=False)), min_size=1, max_size=5))
def test_f1_of_many_sentences_is_micro_and_pieces_add_up(drawn):
    gold = [tags for tags, _ in drawn]
    predicted = [[random.choice(UDPOS) if random.random() < 0.3 else tag for tag in tags] for tags, random in drawn]
    counts = np.array([chunk_counts(ours, theirs) for ours, theirs in zip(predicted, gold, strict=True)]).sum(axis=0)
    precision, recall = counts[0] / counts[1], counts[0] / counts[2]
    f1 = 2 * precision * recall / (precision + recall) if counts[0] else 0.0
    assert value_of(chunk_outcomes(predicted, gold)) == pytest.approx(100 * f1, abs=1e-5)
    assert value_of(chunk_outcomes(gold, gold)) == 100.0


def test_sentences_of_unequal_length_are_refused_not_shifted():
    with pytest.raises(BadInput, match="1 predicted tags for 2 words"):
        chunk_counts(["NOUN"], ["NOUN", "VERB"])
    with pytest.raises(BadInput, match="tag 2 of a sentence is empty"):
        chunks(["NOUN", ""])
