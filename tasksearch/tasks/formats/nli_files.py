"""MNLI, SNLI and ANLI in their authors' formats, and XNLI's evaluation files.

A gold label of "-" means that the annotators did not agree: the authors of MNLI and SNLI exclude these pairs from training and
evaluation; this reader excludes and counts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasksearch.tasks.fields import named, text_of
from tasksearch.tasks.formats.contract import Ask, Format, LeftOut
from tasksearch.tasks.formats.lines import json_lines, tab_lines

UNDECIDED = "-"
ANLI_LABELS = {"c": "contradiction", "e": "entailment", "n": "neutral"}
_SYNONYMS = {"contradictory": "contradiction"}  # spelling of XNLI's machine-translated training files


def nli_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any] | LeftOut:
    """Read `gold_label sentence1 sentence2`, with `pairID` and `promptID` or `captionID` if the file has them."""
    label = text_of(record, "gold_label")
    if label == UNDECIDED:
        return LeftOut("no agreed label ('-')")
    row = {"a": text_of(record, "sentence1"), "b": text_of(record, "sentence2"), "label": _SYNONYMS.get(label, label)}
    identity = {"id": name} if (name := named(record, "pairID")) else {}
    return {**row, **identity, "document": named(record, "promptID") or named(record, "captionID") or row["a"]}


def anli_row(record: Mapping[str, Any], ask: Ask) -> dict[str, Any]:
    """Read `uid context hypothesis label`, where the label is c, e or n."""
    label = text_of(record, "label")
    context = text_of(record, "context")
    row = {"a": context, "b": text_of(record, "hypothesis"), "label": ANLI_LABELS.get(label, label)}
    return {**row, "id": record["uid"], "document": context}


NLI_JSONL = Format(records=json_lines, row=nli_row)
NLI_TSV = Format(records=tab_lines, row=nli_row)
ANLI_JSONL = Format(records=json_lines, row=anli_row)
