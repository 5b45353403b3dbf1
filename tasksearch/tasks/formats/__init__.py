"""File formats by name, one module per family. To add one, write a `Format` and list it here."""

from __future__ import annotations

from tasksearch.tasks.formats.bucc_files import BUCC
from tasksearch.tasks.formats.ccgbank import CCGBANK
from tasksearch.tasks.formats.choice_files import COMMONSENSE, COSMOS, HELLASWAG
from tasksearch.tasks.formats.choices import CODAH, COPA, XCOPA
from tasksearch.tasks.formats.columns import CSV, JSONL, PACKED, TSV, TSV_QUOTED
from tasksearch.tasks.formats.conllu import CONLLU, CONLLU_WORDS
from tasksearch.tasks.formats.contract import Ask, Broken, Format, LeftOut, Record
from tasksearch.tasks.formats.copa_xml import COPA_XML
from tasksearch.tasks.formats.flat import BY_SUFFIX, FLAT
from tasksearch.tasks.formats.laser_tatoeba import LASER_TATOEBA
from tasksearch.tasks.formats.nli_files import ANLI_JSONL, NLI_JSONL, NLI_TSV
from tasksearch.tasks.formats.qamr_files import QAMR_FILES
from tasksearch.tasks.formats.spans import QAMR, SQUAD_LINES
from tasksearch.tasks.formats.squad_json import SQUAD_JSON
from tasksearch.tasks.formats.text_lines import TEXT
from tasksearch.tasks.formats.tsv_files import CONLL, IOB2, TOKEN_TAG, WIKIANN

FORMATS: dict[str, Format] = {
    "packed": PACKED,
    "jsonl": JSONL,
    "tsv": TSV,
    "tsv_quoted": TSV_QUOTED,
    "csv": CSV,
    "bucc": BUCC,
    "nli_jsonl": NLI_JSONL,
    "nli_tsv": NLI_TSV,
    "anli_jsonl": ANLI_JSONL,
    "squad_json": SQUAD_JSON,
    "hellaswag": HELLASWAG,
    "commonsense_qa": COMMONSENSE,
    "cosmos_csv": COSMOS,
    "ccgbank": CCGBANK,
    "conllu": CONLLU,
    "conllu_words": CONLLU_WORDS,
    "conll": CONLL,
    "iob2": IOB2,
    "token_tag": TOKEN_TAG,
    "wikiann": WIKIANN,
    "laser_tatoeba": LASER_TATOEBA,
    "codah": CODAH,
    "copa": COPA,
    "copa_xml": COPA_XML,
    "xcopa": XCOPA,
    "qamr": QAMR,
    "qamr_files": QAMR_FILES,
    "squad_lines": SQUAD_LINES,
    **FLAT,
    **TEXT,
}

__all__ = ["BY_SUFFIX", "FORMATS", "Ask", "Broken", "Format", "LeftOut", "Record"]
