"""English intermediate tasks of `lowres`, and English training files that targets share with them."""

from __future__ import annotations

from typing import Any

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lowres.labels import NER, NLI, NO_DATES, SIB_TOPICS, UPOS
from tasksearch.tasks.source_spec import Files, FirstOf, Source


def packed_or(packed: Files, *authors: Files) -> FirstOf:
    """Return a source that reads the packed copy, or the authors' own files if it is missing."""
    return FirstOf(sources=(packed, *authors))


def packed_of(source: Source) -> Source:
    """Return the packed copy alone, which suite `xtreme` shares."""
    return source.sources[0] if isinstance(source, FirstOf) else source


_MNLI_COLUMNS = (("a", "premise"), ("b", "hypo"))
_CONTRADICTORY = (("contradictory", "contradiction"),)
MNLI_15K = packed_or(
    Files(format="tsv", path="intermediate/mnli15k/train.en.tsv.gz", columns=_MNLI_COLUMNS, labels=_CONTRADICTORY),
    Files(format="tsv", path="mnli15k/multinli.train.en.tsv", columns=_MNLI_COLUMNS, labels=_CONTRADICTORY),
)
UDPOS_EN = packed_or(
    Files(
        format="jsonl",
        path="eval/udpos/en.ewt.train.jsonl.gz",
        columns=(("words", "tokens"), ("tags", "upos"), ("id", "sent_id")),
    ),
    Files(format="conllu_words", path="udpos/UD_English-EWT/en_ewt-ud-train.conllu"),
)
UNER_EN = packed_or(
    Files(
        format="jsonl",
        path="eval/uner/English-EWT.train_earlier_commit.jsonl.gz",
        columns=(("words", "tokens"), ("id", "sent_id")),
        labels=NO_DATES,
    ),
    Files(
        format="iob2",
        path="uner/UNER_English-EWT/en_ewt-ud-train.iob2",
        columns=(("words", "tokens"), ("id", "sent_id")),
        labels=NO_DATES,
    ),
)
TYDIQA_EN = packed_or(
    Files(format="squad_lines", path="eval/tydiqa_goldp/english.train.jsonl.gz"),
    Files(format="squad_json", path="tydiqa/language_data/english/english_tydiqa_train.json"),
    Files(
        format="squad_json",
        path="tydiqa/tydiqa-goldp-v1.1-train.json",
        codes=(("en", "english"),),
        language_column="language",
    ),
)
_SIB_COLUMNS = (("a", "text"), ("label", "category"), ("id", "index_id"))
SIB200_EN = packed_or(
    Files(
        format="tsv",
        path="eval/sib200/sib200.train.tsv.gz",
        language_column="lang",
        codes=(("en", "eng_Latn"),),
        columns=_SIB_COLUMNS,
    ),
    Files(format="tsv_quoted", path="sib200/eng_Latn/train.tsv", columns=_SIB_COLUMNS),
)
COPA_TRAIN = packed_or(
    Files(format="copa", path="intermediate/copa_en/balanced_copa_dev.jsonl.gz"),
    Files(format="copa_xml", path="copa/balanced-copa-dev-all.xml"),
)
"""One file for both splits: the format gives items 401-500 to dev, and the others with their mirrored items to train."""


def _english(name: str, **fields: Any) -> TaskCard:
    return TaskCard(name=name, role="intermediate", languages=("en",), **({"report_split": "dev"} | fields))


def _of_a_target(name: str, data: Source, count: int, **fields: Any) -> TaskCard:
    """Return the English training set of a target as an intermediate task; marked `same data` beside that target."""
    return _english(name, source=data, expected=(("en", "train", count),), **fields)


INTERMEDIATES = (
    _english(
        "mnli",
        kind="pair",
        labels=NLI,
        head="nli",
        chance=100 / 3,
        train=(MNLI_15K,),
        source=packed_or(
            Files(format="csv", path="intermediate/mnli15k/mnli_dev.csv.gz", columns=(("a", "premise"), ("b", "hypothesis"))),
            Files(format="csv", path="mnli15k/dev.csv", columns=(("a", "premise"), ("b", "hypothesis"))),
        ),
        expected=(("en", "train", 15001), ("en", "dev", 19647)),
        trains_on=("mnli15k",),
        licence="OANC, CC BY and CC BY-SA parts; BSD-3 (xnli_extension)",
        how_to_get="multinli.train.en.tsv from github.com/salesforce/xnli_extension (data) and dev.csv from "
        "github.com/felipessalvatore/NLI_datasets (nli_datasets/mnli), both to mnli15k",
        reference="salesforce/xnli_extension @ 996bd19 (Williams et al. 2018)",
        note="the first 15k pairs of MNLI's train, tokenised text",
        summary="does the second sentence follow from the first?",
    ),
    _english(
        "qamr",
        kind="span",
        metric="em_f1",
        train_split="test",
        source=packed_or(
            Files(format="qamr", path="intermediate/qamr/{split}.jsonl.gz"),
            Files(format="qamr_files", path="qamr/filtered/{split}.tsv"),
        ),
        expected=(("en", "test", 18304), ("en", "dev", 18444)),
        trains_on=("qamr",),
        licence="MIT",
        how_to_get="filtered/{dev,test}.tsv and wiki-sentences.tsv from github.com/uwnlp/qamr (data), to qamr",
        reference="uwnlp/qamr @ 956b0eb (Michael et al. 2018)",
        note="trains on its test file: 18k questions on 480 sentences; answers of scattered tokens are left out",
        summary="questions on the words of one sentence",
    ),
    _english(
        "codah",
        kind="choice",
        chance=25.0,
        source=packed_or(
            Files(format="codah", path="intermediate/codah/fold0.{split}.tsv.gz"),
            Files(format="codah", path="codah/fold_0/{split}.tsv"),
        ),
        report_split="test",
        expected=(("en", "train", 1665), ("en", "dev", 556), ("en", "test", 555)),
        trains_on=("codah",),
        licence="ODC-By 1.0",
        how_to_get="fold_0/{train,dev,test}.tsv from github.com/Websail-NU/CODAH (data/cv_split), to codah",
        reference="Websail-NU/CODAH @ acf7ffa (Chen et al. 2019)",
        summary="which of four endings completes the sentence? HellaSwag's form, 1.7k items",
    ),
    _english(
        "mrpc",
        kind="pair",
        labels=("0", "1"),
        chance=50.0,
        source=packed_or(*(
            Files(
                format="tsv",
                path=path,
                columns=(("a", "#1 String"), ("b", "#2 String"), ("label", "Quality")),
                splits=(("dev", "val"),),
            )
            for path in ("intermediate/mrpc/{split}.tsv.gz", "mrpc/msr-para-{split}.tsv")
        )),
        report_split="test",
        expected=(("en", "train", 3576), ("en", "dev", 500), ("en", "test", 1725)),
        trains_on=("mrpc",),
        licence="Microsoft Research Shared Source licence",
        non_commercial=True,
        how_to_get="msr-para-{train,val,test}.tsv from github.com/brmson/dataset-sts (data/para/msr), to mrpc",
        reference="brmson/dataset-sts @ e1d3375 (Dolan and Brockett 2005)",
        summary="do two sentences say the same?",
    ),
    _english(
        "copa",
        kind="choice",
        chance=50.0,
        source=COPA_TRAIN,
        expected=(("en", "train", 800), ("en", "dev", 100)),
        trains_on=("copa",),
        licence="CC BY 4.0 (Balanced COPA), BSD-2-Clause (COPA)",
        how_to_get="balanced-copa-dev-all.xml from github.com/Balanced-COPA/Balanced-COPA, to copa",
        reference="Balanced-COPA @ 92c2ec6 (Kavumba et al. 2019)",
        note="items 1-400 and their mirrors; 401-500 are XCOPA's validation items and never train",
        summary="which of two sentences is the cause or the result?",
    ),
    _of_a_target(
        "udpos_en", UDPOS_EN, 12543, kind="tagging", labels=UPOS, trains_on=("udpos_en",), licence="CC BY-SA 4.0",
        how_to_get="as udpos, the English training file",
        reference="UD_English-EWT 2.5", summary="English parts of speech",
    ),
    _of_a_target(
        "uner_en", UNER_EN, 12543, kind="tagging", labels=NER, metric="span_f1", trains_on=("uner_en",), licence="CC BY-SA 4.0",
        how_to_get="as uner, the English training file",
        reference="UNER_English-EWT @ 0c7ce0d", summary="English persons, organisations, locations",
    ),
    _of_a_target(
        "tydiqa_en", TYDIQA_EN, 3696, kind="span", metric="em_f1", trains_on=("tydiqa_en",), licence="Apache-2.0",
        how_to_get="as tydiqa, the English training file",
        reference="TyDiQA-GoldP, English train", summary="English questions on whole paragraphs",
    ),
    _of_a_target(
        "sib200_en", SIB200_EN, 701, kind="sentence", labels=SIB_TOPICS, chance=100 / 7, trains_on=("sib200_en",),
        licence="Apache-2.0; CC BY-SA 4.0", how_to_get="as sib200, the English training file",
        reference="SIB-200, English train", summary="English topics of sentences",
    ),
)  # fmt: skip
