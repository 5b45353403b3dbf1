"""Targets of `lowres`. Each card states its limitations in `note`, which is shown beside the scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lowres import counts
from tasksearch.tasks.lowres.intermediates import COPA_TRAIN, MNLI_15K, TYDIQA_EN, UDPOS_EN, UNER_EN, packed_or
from tasksearch.tasks.lowres.labels import NER, NLI, NO_DATES, SIB_TOPICS, UPOS
from tasksearch.tasks.source_spec import Files

PUD = r"([nw]\d{5})\d{3}$"


def _languages(expected: counts.Counts, split: str = "test") -> tuple[str, ...]:
    """Return the languages for which the split's examples were counted."""
    return tuple(sorted({language for language, name, _ in expected if name == split}))


def _test_only(expected: counts.Counts) -> tuple[str, ...]:
    return tuple(sorted(set(_languages(expected)) - set(_languages(expected, "dev"))))


def _same(languages: tuple[str, ...], **splits: int) -> counts.Counts:
    return tuple((language, split, count) for language in languages for split, count in splits.items())


def _target(**fields: Any) -> TaskCard:
    return TaskCard(role="target", **fields)


_TATOEBA = Files(
    format="tsv",
    path="eval/tatoeba/tatoeba_v1.tsv.gz",
    language_column="lang",
    codes=counts.TATOEBA_CODES,
    columns=(("text", "src"), ("english", "eng"), ("id", "idx")),
)
TATOEBA = _target(
    name="tatoeba",
    kind="retrieval",
    languages=_languages(counts.TATOEBA),
    source=packed_or(
        _TATOEBA,
        Files(
            format="laser_tatoeba",
            path="tatoeba/tatoeba.{code}-eng.{code}",
            codes=counts.TATOEBA_CODES,
            columns=(("id", "idx"),),
        ),
    ),
    how_to_get="tatoeba.<xxx>-eng.<xxx> and .eng from github.com/facebookresearch/LASER (data/tatoeba/v1), to tatoeba",
    select_split="test",
    report_split="test",
    expected=counts.TATOEBA,
    licence="CC BY 2.0 FR",
    reference="facebookresearch/LASER @ 74bc6ae, data/tatoeba/v1 (Artetxe and Schwenk 2019)",
    note="pools of 104 to 1,000 candidates: a guess scores 100 / pool, so languages do not compare",
    summary="for each English sentence its translation among all of the language's, 112 languages",
)

_UDPOS = Files(
    format="jsonl",
    path="eval/udpos/{code}.{split}.jsonl.gz",
    codes=(("en", "en.ewt"), ("zh", "zh.gsdsimp"), ("zh_Hant", "zh.gsd")),
    columns=(("words", "tokens"), ("tags", "upos"), ("id", "sent_id"), ("document", "sent_id")),
    documents=(
        ("am", r"(.+)-s\d+$"),
        ("ar", PUD),
        ("bg", r"(.+)-s\d+$"),
        ("el", r"(.+)-\d+$"),
        ("en", r"(.+)-\d+$"),
        ("et", r"(.+)_\d+$"),
        ("fi", r"(.+)\.\d+$"),
        ("hi", PUD),
        ("kk", r"(.+?)\.tagged\.txt"),
        ("lt", r"(.+)-s\d+$"),
        ("nl", r"(.+?)\\"),
        ("th", PUD),
        ("yo", r"(.+)\.\d+$"),
    ),
)
UDPOS = _target(
    name="udpos",
    kind="tagging",
    languages=_languages(counts.UDPOS),
    labels=UPOS,
    metric="seqeval_f1",
    source=packed_or(
        _UDPOS,
        replace(_UDPOS, format="conllu_words", path="udpos/{code}-ud-{split}.conllu", codes=counts.UD_TREEBANKS),
        replace(
            _UDPOS, format="conllu_words", path="udpos/ud-treebanks-v2.5/{code}-ud-{split}.conllu", codes=counts.UD_TREEBANKS
        ),
    ),
    how_to_get="udpos/UD_<Treebank>/<xx_yyy>-ud-<split>.conllu from github.com/UniversalDependencies/UD_<Treebank> "
    "at the tag r2.5 (the default branch is a newer release); or ud-treebanks-v2.5.tgz from "
    "lindat.mff.cuni.cz, unpacked to udpos",
    train=(UDPOS_EN,),
    trains_on=("udpos_en",),
    one_split=_test_only(counts.UDPOS),
    expected=counts.UDPOS,
    licence="per treebank: CC BY-SA 3.0 or 4.0; bg el et eu he hu it pl ta tr ur uk CC BY-NC-SA",
    non_commercial=True,
    reference="Universal Dependencies 2.5",
    note="one treebank a language, syntactic words: not XTREME's full test",
    summary=f"parts of speech, {len(_languages(counts.UDPOS))} languages and scripts",
)

_XNLI = Files(
    format="jsonl",
    path="eval/xnli_part/{code}.{split}.jsonl.gz",
    columns=(("a", "premise"), ("b", "hypothesis"), ("document", "premise")),
)
XNLI = _target(
    name="xnli",
    parallel=True,  # but for es, whose file is in an order of its own
    kind="pair",
    languages=("en", "es", "hr", "ko", "my", "sw", "ur"),
    labels=NLI,
    source=packed_or(
        _XNLI,
        Files(
            format="tsv",
            path="xnli/myXNLI/{code}.genre.{split}.tsv",
            codes=(("en", "my/my"), ("my", "my/my"), ("sw", "sw/sw"), ("ur", "ur/ur")),
            columns=(("a", "sentence1_{language}"), ("b", "sentence2_{language}"), ("document", "sentence1_{language}")),
            languages=("en", "my", "sw", "ur"),
        ),
        Files(
            format="tsv",
            path="xnli/KorNLI/xnli.{split}.{code}.tsv",
            columns=(("a", "sentence1"), ("b", "sentence2"), ("label", "gold_label"), ("document", "sentence1")),
            languages=("ko",),
        ),
        Files(
            format="csv",
            path="xnli/C-XNLI/xnli.{split}.{code}.csv",
            columns=(("a", "premise"), ("b", "hypo"), ("document", "premise")),
            languages=("hr",),
        ),
        Files(
            format="tsv",
            path="xnli/Meta4XNLI/xnli_{split}_*.tsv",
            language_column="language",
            columns=(("a", "sentence1"), ("b", "sentence2"), ("label", "gold_label"), ("document", "sentence1")),
            languages=("es",),
        ),
    ),
    how_to_get="xnli/myXNLI/<xx>/<xx>.genre.<split>.tsv from github.com/akhtet/myXNLI (output; English stands in "
    "my's files), xnli/KorNLI from github.com/kakaobrain/KorNLUDatasets (KorNLI), xnli/C-XNLI from "
    "github.com/lobadic/C-XNLI (data), xnli/Meta4XNLI from github.com/elisanchez-beep/meta4xnli "
    "(data/meta4xnli/interpretation/source_datasets, all three parts of a split); training: mnli",
    train=(MNLI_15K,),
    trains_on=("mnli15k",),
    chance=100 / 3,
    expected=(("en", "train", 15_001), *_same(("en", "es", "hr", "ko", "my", "sw", "ur"), dev=2490, test=5010)),
    licence="CC BY-NC 4.0 (XNLI, myXNLI, C-XNLI), CC BY-SA 4.0 (ko)",
    non_commercial=True,
    reference="myXNLI @ 397fce4, KorNLU @ 0df0fe7, C-XNLI @ f16fb69, Meta4XNLI @ d83d923 (Conneau et al. 2018)",
    note="trained on 15k of MNLI's 393k pairs",
    summary="entailment, neutral or contradiction; the XNLI languages that could be had, and hr ko my",
)

_PARALLEL = ("en", "hr", "ko", "my", "sw", "ur")
"""Languages whose XNLI files have the same examples in the same order; `es` was regrouped by its authors."""
XNLI_MIXED = replace(
    XNLI,
    name="xnli_mixed",
    folder="xnli",
    head="xnli_mixed",
    languages=_PARALLEL,
    second_language="any",
    expected=tuple(one for one in XNLI.expected if one[0] in _PARALLEL),
    reference=f"{XNLI.reference}; mixed as in Huang et al. 2021",
    summary="xnli with the second sentence in another language; one training serves both",
)

_TYDIQA = Files(
    format="squad_lines",
    path="eval/tydiqa_goldp/{code}.{split}.jsonl.gz",
    codes=(
        ("ar", "arabic"),
        ("bn", "bengali"),
        ("en", "english"),
        ("fi", "finnish"),
        ("id", "indonesian"),
        ("ko", "korean"),
        ("ru", "russian"),
        ("sw", "swahili"),
        ("te", "telugu"),
    ),
)
TYDIQA = _target(
    name="tydiqa",
    kind="span",
    languages=_languages(counts.TYDIQA, "dev"),
    source=packed_or(
        _TYDIQA,
        replace(_TYDIQA, format="squad_json", path="tydiqa/language_data/{code}/{code}_tydiqa_{split}.json"),
        replace(_TYDIQA, format="squad_json", path="tydiqa/tydiqa-goldp-v1.1-dev/tydiqa-goldp-dev-{code}.json"),
    ),
    how_to_get="tydiqa-goldp-v1.1-train.json and tydiqa-goldp-v1.1-dev.tgz from storage.googleapis.com/tydiqa/v1.1, "
    "unpacked to tydiqa; or language_data from github.com/sagorbrur/tydiqa-language-specific, to "
    "tydiqa/language_data",
    train=(TYDIQA_EN,),
    trains_on=("tydiqa_en",),
    metric="em_f1",
    select_split="dev",
    report_split="dev",
    expected=counts.TYDIQA,
    licence="Apache-2.0",
    reference="sagorbrur/tydiqa-language-specific @ 55c6649 (Clark et al. 2020)",
    summary="answer spans in whole paragraphs, 9 languages; one split, cut by article",
)

_XQUAD = Files(format="squad_lines", path="eval/xquad/xquad.{code}.jsonl.gz")
XQUAD = _target(
    name="xquad",
    parallel=True,
    kind="span",
    languages=("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"),
    source=packed_or(
        _XQUAD,
        Files(format="squad_json", path="xquad/xquad.{code}.json"),
    ),
    how_to_get="xquad.<language>.json from github.com/google-deepmind/xquad, to xquad; training: tydiqa's English file",
    train=(TYDIQA_EN,),
    trains_on=("tydiqa_en",),
    metric="em_f1",
    select_split="test",
    report_split="test",
    expected=(
        ("en", "train", 3_696),
        *_same(("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"), test=1190),
    ),
    licence="CC BY-SA 4.0",
    reference="google-deepmind/xquad @ 7d30520 (Artetxe et al. 2020)",
    note="trained on TyDiQA's 3,696 English questions, since SQuAD is not there: below published scores",
    summary="answer spans in translated SQuAD paragraphs, 12 languages; one split, cut by article",
)

_SIB200 = Files(
    format="tsv",
    path="eval/sib200/sib200.{split}.tsv.gz",
    language_column="lang",
    codes=counts.SIB200_CODES,
    columns=(("a", "text"), ("label", "category"), ("id", "index_id"), ("document", "index_id")),
)
SIB200 = _target(
    name="sib200",
    parallel=True,
    kind="sentence",
    languages=tuple(language for language, _ in counts.SIB200_CODES),
    labels=SIB_TOPICS,
    source=packed_or(
        _SIB200,
        replace(_SIB200, format="tsv_quoted", path="sib200/{code}/{split}.tsv", language_column=""),
    ),
    how_to_get="<xxx_Xxxx>/{train,dev,test}.tsv from github.com/dadelani/sib-200 (data/annotated), to sib200",
    trains_on=("sib200_en",),
    chance=100 / 7,
    expected=(*_same(tuple(language for language, _ in counts.SIB200_CODES), dev=99, test=204), ("en", "train", 701)),
    licence="Apache-2.0; FLORES-200 sentences CC BY-SA 4.0",
    reference="dadelani/sib-200 @ 593cea8 (Adelani et al. 2024)",
    note="204 test sentences, the same in all languages",
    summary="topic of a sentence, 205 languages and scripts",
)

_MASAKHANER: dict[str, Any] = {
    "kind": "tagging",
    "labels": NER,
    "metric": "span_f1",
    "train": (UNER_EN,),
    "trains_on": ("uner_en",),
    "licence": "CC BY-NC 4.0",
    "non_commercial": True,
    "note": "trained on UNER's English; DATE counts as O",
}


def _masakhaner(version: str, expected: counts.Counts, reference: str) -> TaskCard:
    name, folder = f"masakhaner{version.removeprefix('v')}", "data" if version == "v1" else "MasakhaNER2.0/data"
    packed = Files(
        format="jsonl",
        path=f"eval/masakhaner/{version}.{{code}}.{{split}}.jsonl.gz",
        codes=counts.AFRICAN_CODES,
        columns=(("words", "tokens"),),
        labels=NO_DATES,
    )
    languages = _languages(expected)
    return _target(
        name=name,
        languages=languages,
        source=packed_or(packed, replace(packed, format="conll", path=f"{name}/{{code}}/{{split}}.txt")),
        how_to_get=f"<code>/{{dev,test}}.txt from github.com/masakhane-io/masakhane-ner ({folder}), to {name}; training: "
        "uner's English file",
        expected=(("en", "train", 12_543), *expected),
        reference=f"masakhane-io/masakhane-ner @ ba5843c ({reference})",
        summary=f"persons, organisations, locations in {len(languages)} African languages",
        **_MASAKHANER,
    )


MASAKHANER1 = _masakhaner("v1", counts.MASAKHANER1, "Adelani et al. 2021")
MASAKHANER2 = _masakhaner("v2", counts.MASAKHANER2, "Adelani et al. 2022")

_MASAKHAPOS = Files(
    format="jsonl",
    path="eval/masakhapos/{code}.{split}.jsonl.gz",
    codes=counts.AFRICAN_CODES,
    columns=(("words", "tokens"), ("tags", "upos")),
)
MASAKHAPOS = _target(
    name="masakhapos",
    kind="tagging",
    languages=_languages(counts.MASAKHAPOS),
    labels=UPOS,
    source=packed_or(
        _MASAKHAPOS,
        replace(
            _MASAKHAPOS, format="conll", path="masakhapos/{code}/{split}.txt", columns=(("words", "tokens"), ("tags", "tags"))
        ),
    ),
    how_to_get="<code>/{dev,test}.txt from github.com/masakhane-io/masakhane-pos (data), to masakhapos; training: "
    "udpos's English file",
    train=(UDPOS_EN,),
    trains_on=("udpos_en",),
    expected=(("en", "train", 12_543), *counts.MASAKHAPOS),
    licence="CC BY-NC 4.0",
    non_commercial=True,
    reference="masakhane-io/masakhane-pos @ a42273e (Dione et al. 2023)",
    note="trained on UD's English",
    summary="parts of speech in 20 African languages",
)

_UNER = Files(
    format="jsonl",
    path="eval/uner/{code}.{split}.jsonl.gz",
    codes=(
        ("arq_Latn", "Maghrebi_Arabic_French-Arabizi"),
        ("ceb", "Cebuano-GJA"),
        ("da", "Danish-DDT"),
        ("de", "German-PUD"),
        ("en", "English-EWT"),
        ("hr", "Croatian-SET"),
        ("pt", "Portuguese-Bosque"),
        ("ru", "Russian-PUD"),
        ("sk", "Slovak-SNK"),
        ("sr_Latn", "Serbian-SET"),
        ("sv", "Swedish-Talbanken"),
        ("tl", "Tagalog-TRG"),
        ("zh", "Chinese-GSDSIMP"),
    ),
    columns=(("words", "tokens"), ("id", "sent_id"), ("document", "sent_id")),
    documents=(("*", r"([nw]\d{5})-\d+$"), ("en", r"(.+)-\d+$"), ("sv", r"(P\d+)-\d+$")),
    labels=NO_DATES,
)
UNER = _target(
    name="uner",
    kind="tagging",
    languages=_languages(counts.UNER),
    labels=NER,
    metric="span_f1",
    source=packed_or(
        _UNER,
        replace(_UNER, format="iob2", path="uner/{code}-ud-{split}.iob2", codes=counts.UNER_TREEBANKS),
    ),
    how_to_get="uner/UNER_<Treebank>/<xx_yyy>-ud-<split>.iob2 from github.com/UniversalNER/UNER_<Treebank>",
    train=(UNER_EN,),
    trains_on=("uner_en",),
    one_split=_test_only(counts.UNER),
    expected=counts.UNER,
    licence="CC BY-SA 4.0; German and Russian (PUD) CC BY-SA 3.0",
    reference="Universal NER (Mayhew et al. 2024), one treebank a language",
    note="OTH counts as O; English train is an early release",
    summary="persons, organisations, locations in 13 languages",
)

_XCOPA = Files(format="xcopa", path="eval/xcopa/data.{split}.{code}.jsonl.gz", splits=(("dev", "val"),))
XCOPA = _target(
    name="xcopa",
    parallel=True,
    kind="choice",
    languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
    source=packed_or(
        _XCOPA,
        replace(_XCOPA, path="xcopa/{code}/{split}.{code}.jsonl"),
    ),
    how_to_get="<language>/{val,test}.<language>.jsonl from github.com/cambridgeltl/xcopa (data), to xcopa; training: copa",
    train=(COPA_TRAIN,),
    trains_on=("copa",),
    chance=50.0,
    expected=(
        ("en", "train", 800),
        *_same(("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"), dev=100, test=500),
    ),
    licence="CC BY 4.0",
    reference="cambridgeltl/xcopa @ e2e9d7f (Ponti et al. 2020)",
    note="trained on COPA's items 1-400 and their mirrors alone",
    summary="which of two sentences is the cause or the result, 11 languages",
)

_AFRISENTI = Files(
    format="jsonl",
    path="eval/afrisenti/test.jsonl.gz",
    language_column="lang",
    codes=counts.AFRICAN_CODES,
    columns=(("a", "tweet"),),
)
AFRISENTI = _target(
    name="afrisenti",
    kind="sentence",
    languages=_languages(counts.AFRISENTI),
    labels=("positive", "neutral", "negative"),
    source=packed_or(
        _AFRISENTI,
        replace(_AFRISENTI, format="tsv_quoted", path="afrisenti/{code}/{split}.tsv", language_column=""),
    ),
    how_to_get="<code>/test.tsv from github.com/afrisenti-semeval/afrisent-semeval-2023 (data), to afrisenti",
    train=(Files(format="jsonl", path="user/afrisenti.en.train.jsonl", columns=(("a", "tweet"),)),),
    trains_on=("afrisenti_en",),
    chance=100 / 3,
    select_split="test",
    report_split="test",
    expected=counts.AFRISENTI,
    needs="English training data: tweets as lines {tweet, label} in user/afrisenti.en.train.jsonl of the data folder",
    licence="CC BY 4.0",
    reference="afrisenti-semeval @ 5aec3cf (Muhammad et al. 2023)",
    summary="sentiment of tweets in 14 African languages",
)

TARGETS = (
    TATOEBA, UDPOS, XNLI, XNLI_MIXED, TYDIQA, SIB200, MASAKHANER1, MASAKHANER2, MASAKHAPOS, UNER, XCOPA, XQUAD, AFRISENTI,
)  # fmt: skip
