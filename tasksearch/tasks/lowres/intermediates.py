"""English intermediate tasks of `lowres`, and English training files that targets share with them."""

from __future__ import annotations

from typing import Any

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.languages import canonical
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
MNLI_TRANSLATED = Files(
    format="tsv", path="pretrain/mnli_mt/train.{language}.tsv.gz", columns=_MNLI_COLUMNS, labels=_CONTRADICTORY
)
_MNLI_MT = ("ar", "az", "de", "es", "et", "fi", "fr", "hu", "lt", "nl", "pl", "sw", "tr", "ur", "vi", "zh")
"""Languages of the machine translations of the first 15,001 pairs."""
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
        by_language=tuple((language, MNLI_TRANSLATED) for language in _MNLI_MT),
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

_NTREX = """
    afr amh arb aze-Latn bak bel bem ben bod bos bul cat ces ckb-Arab cym dan deu div dzo ell eng est eus ewe fao fas fij fil
    fin fra fuc gle glg guj hau heb hin hmn hrv hun hye ibo ind isl ita jpn kan kat kaz khm kin kir kmr kor lao lav lit ltz
    mal mar mey mkd mlg mlt mon mri msa mya nde nep nld nno nob nso nya orm pan pol por prs pus ron rus shi sin slk slv smo
    sna-Latn snd-Arab som spa sqi srp-Cyrl srp-Latn ssw swa swe tah tam tat tel tgk-Cyrl tha tir ton tsn tuk tur uig ukr urd
    uzb ven vie wol xho yor yue zho-CN zho-TW zul
""".split()  # noqa: SIM905
"""NTREX-128's names of its languages, one variety of each."""
_NTREX_CODES = {canonical(name): name for name in reversed(_NTREX)}


def _text(name: str, form: str, languages: tuple[str, ...], summary: str) -> TaskCard:
    source = Files(format=form, path="pretrain/ntrex/{code}.txt.gz", codes=tuple(sorted(_NTREX_CODES.items())))
    return TaskCard(
        name=name,
        kind="mlm",
        role="intermediate",
        languages=languages,
        by_language=tuple((language, source) for language in languages),
        trains_on=("ntrex",),
        licence="CC BY-SA 4.0",
        reference="MicrosoftTranslator/NTREX @ 8561f6a (Federmann et al. 2022)",
        how_to_get="NTREX-128/newstest2019-ref.LANGUAGE.txt from github.com/MicrosoftTranslator/NTREX, to "
        "pretrain/ntrex/LANGUAGE.txt.gz, and newstest2019-src.eng.txt to pretrain/ntrex/eng.txt.gz",
        note="1,997 sentences of news in every language, all of one text: enough to show the method, far too few for a model",
        summary=summary,
    )


_SPOKEN = tuple(sorted(_NTREX_CODES))
TEXTS = (
    _text("mlm", "text", _SPOKEN, "MLM on sentences of news"),
    _text("tlm", "text_pairs", tuple(code for code in _SPOKEN if code != "en"), "TLM on sentences of news and English"),
)
