"""Label sets that several cards of `lowres` share."""

from __future__ import annotations

NLI = ("entailment", "neutral", "contradiction")

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip

NER = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

NO_DATES = (("B-DATE", "O"), ("I-DATE", "O"), ("B-OTH", "O"), ("I-OTH", "O"), ("B-O", "O"))
"""MasakhaNER's dates, UNER's other entities, and a stray tag of UNER's early English release, all mapped to O."""

SIB_TOPICS = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
