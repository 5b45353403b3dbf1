"""Cards and data sources of XTREME's nine target tasks, with the languages of XTREME's `evaluate.py`.

Where suite `lowres` reads exactly XTREME's data (`same`: XNLI in four languages, XQuAD, TyDiQA-GoldP, Tatoeba), its files are
used here too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasksearch.tasks import xtreme_counts
from tasksearch.tasks.card import Kind, TaskCard
from tasksearch.tasks.lowres import counts
from tasksearch.tasks.lowres import targets as same
from tasksearch.tasks.lowres.intermediates import TYDIQA_EN, packed_of
from tasksearch.tasks.source_spec import Files, FirstOf, Hub, Source
from tasksearch.tasks.xtreme_english import MNLI, NLI_LABELS, SQUAD_1

XTREME_HUB = "google/xtreme"
PART_OF_SPEECH = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
    "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip
ENTITY_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

_TWO_SPLITS = (("dev", "validation"),)
_AS_SQUAD = (("id", "id"), ("document", "context"))

XNLI_LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
PAWSX_LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
XQUAD_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")
MLQA_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
BUCC_LANGUAGES = ("de", "fr", "ru", "zh")
PANX_LANGUAGES = (
    "af", "ar", "bg", "bn", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "jv",
    "ka", "kk", "ko", "ml", "mr", "ms", "my", "nl", "pt", "ru", "sw", "ta", "te", "th", "tl", "tr", "ur", "vi", "yo", "zh",
)  # fmt: skip
UDPOS_NAMES = {
    "af": "Afrikans",  # the hub's own spelling
    "ar": "Arabic",
    "bg": "Bulgarian",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "kk": "Kazakh",
    "ko": "Korean",
    "mr": "Marathi",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
}
TYDIQA_NAMES = {
    "ar": "arabic",
    "bn": "bengali",
    "en": "english",
    "fi": "finnish",
    "id": "indonesian",
    "ko": "korean",
    "ru": "russian",
    "sw": "swahili",
    "te": "telugu",
}
_TYDIQA_DEV = {"ar": 921, "bn": 113, "en": 440, "fi": 782, "id": 565, "ko": 276, "ru": 812, "sw": 499, "te": 669}
TATOEBA_CODES = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est", "eu": "eus",
    "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn",
    "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar", "nl": "nld", "pt": "por", "ru": "rus",
    "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl", "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip
_TATOEBA_POOLS = tuple(pool for pool in counts.TATOEBA if pool[0] in TATOEBA_CODES)
"""Pool sizes of LASER's Tatoeba, as counted for suite `lowres`."""
_MNLI_TRAIN, _SQUAD_TRAIN = ("en", "train", 392_702), ("en", "train", 87_599)


def target_cards() -> tuple[TaskCard, ...]:
    """Return cards of XNLI, PAWS-X, UDPOS, PAN-X, XQuAD, MLQA, TyDiQA-GoldP, BUCC 2018 and Tatoeba.

    Two further cards, under names of their own, are BUCC's sample alone and a proxy for BUCC.
    """
    nine = (_xnli(), _pawsx(), _udpos(), _panx(), _xquad(), _mlqa(), _tydiqa(), _bucc(), _tatoeba())
    return (*nine, _xnli_mixed(), _bucc_sample(), _bucc_proxy())


def _xnli() -> TaskCard:
    return _target(
        "xnli",
        "pair",
        XNLI_LANGUAGES,
        "does the second sentence follow from the first?",
        source=_first(
            packed_of(same.XNLI.source),
            Files(format="nli_tsv", path="{folder}/xnli.{split}.tsv", language_column="language"),
            Hub(
                id=XTREME_HUB,
                config="XNLI",
                columns=(("a", "sentence1"), ("b", "sentence2"), ("label", "gold_label")),
                labels=(("contradictory", "contradiction"),),
                equal=(("language", "{code}"),),
                splits=_TWO_SPLITS,
            ),
        ),
        train=(MNLI,),
        labels=NLI_LABELS,
        chance=100 / 3,
        trains_on=("mnli",),
        expected=(
            _MNLI_TRAIN,
            *((code, split, n) for code in XNLI_LANGUAGES for split, n in (("dev", 2_490), ("test", 5_010))),
        ),
        licence="CC BY-NC 4.0",
        non_commercial=True,
        reference="Conneau et al. 2018",
        how_to_get="xnli/xnli.dev.tsv and xnli.test.tsv from XNLI-1.0.zip at dl.fbaipublicfiles.com/XNLI (hub: "
        "google/xtreme, XNLI); "
        "training: MNLI",
        parallel=True,
    )


def _xnli_mixed() -> TaskCard:
    return replace(
        _xnli(),
        name="xnli_mixed",
        folder="xnli",
        head="xnli_mixed",
        second_language="any",
        reference="Conneau et al. 2018; mixed as in Huang et al. 2021",
        summary="xnli with the second sentence in another language; one training serves both",
    )


def _pawsx() -> TaskCard:
    return _target(
        "pawsx",
        "pair",
        PAWSX_LANGUAGES,
        "are two sentences with the same words paraphrases?",
        source=_first(
            Files(
                format="tsv",
                path="{folder}/{code}/{split}.tsv",
                columns=(("a", "sentence1"), ("b", "sentence2"), ("id", "id")),
                splits=(("dev", "dev_2k"), ("test", "test_2k")),
            ),
            Hub(id=XTREME_HUB, config="PAWS-X.{code}", columns=(("a", "sentence1"), ("b", "sentence2")), splits=_TWO_SPLITS),
        ),
        labels=("0", "1"),
        chance=50.0,
        expected=xtreme_counts.pawsx(PAWSX_LANGUAGES),
        licence="free for any purpose, acknowledgement asked",
        reference="Yang et al. 2019",
        how_to_get="pawsx/<language>/{train,dev_2k,test_2k}.tsv from x-final.tar.gz at "
        "storage.googleapis.com/paws/pawsx (hub: "
        "google/xtreme, PAWS-X.<language>)",
    )


def _udpos() -> TaskCard:
    return _target(
        "udpos",
        "tagging",
        tuple(UDPOS_NAMES),
        "parts of speech",
        source=_first(
            Files(format="conllu", path="{folder}/ud-treebanks-v2.5/*/{code}_*-ud-{split}.conllu"),
            Hub(
                id=XTREME_HUB,
                config="udpos.{code}",
                codes=tuple(UDPOS_NAMES.items()),
                columns=(("words", "tokens"), ("tags", "pos_tags")),
                splits=_TWO_SPLITS,
            ),
        ),
        labels=PART_OF_SPEECH,
        metric="seqeval_f1",
        one_split=("kk", "th", "tl", "yo"),
        expected=xtreme_counts.UDPOS,
        licence="each treebank's own, most CC BY-SA",
        reference="Universal Dependencies 2.5 (Zeman et al. 2019)",
        note="F1 over runs of equal tags, as XTREME scores it, not token accuracy; the hub's copy may join "
        "multiword tokens otherwise "
        "than XTREME",
        how_to_get="ud-treebanks-v2.5.tgz (release 2.5) from lindat.mff.cuni.cz, unpacked to "
        "udpos/ud-treebanks-v2.5 (hub: google/xtreme, udpos.<Language>)",
    )


def _panx() -> TaskCard:
    return _target(
        "panx",
        "tagging",
        PANX_LANGUAGES,
        "names of persons, organisations and places",
        source=_first(
            Files(format="wikiann", path="{folder}/{code}-{split}"),
            Files(format="token_tag", path="{folder}/{split}-{code}.tsv"),
            Hub(
                id=XTREME_HUB,
                config="PAN-X.{code}",
                columns=(("words", "tokens"), ("tags", "ner_tags")),
                labels=tuple((str(number), tag) for number, tag in enumerate(ENTITY_TAGS)),
                splits=_TWO_SPLITS,
            ),
        ),
        labels=ENTITY_TAGS,
        metric="seqeval_f1",
        expected=xtreme_counts.panx(PANX_LANGUAGES),
        licence="not stated with the data; text from Wikipedia",
        reference="Pan et al. 2017, splits of Rahimi et al. 2019",
        how_to_get="by hand: the authors' AmazonPhotos.zip (its address in XTREME's README is closed; ask for a copy), each "
        "<language>.tar.gz unpacked to panx/<language>-train, -dev and -test; or the hub: google/xtreme, PAN-X.<language>",
    )


def _xquad() -> TaskCard:
    return _target(
        "xquad",
        "span",
        XQUAD_LANGUAGES,
        "answers are spans of a paragraph",
        source=_first(
            packed_of(same.XQUAD.source),
            Files(format="squad_json", path="{folder}/xquad.{code}.json"),
            Hub(id=XTREME_HUB, config="XQuAD.{code}", columns=_AS_SQUAD, splits=_TWO_SPLITS),
        ),
        train=(SQUAD_1,),
        metric="em_f1",
        report_split="dev",
        trains_on=("squad1",),
        expected=(_SQUAD_TRAIN, *((code, "dev", 1_190) for code in XQUAD_LANGUAGES)),
        licence="CC BY-SA 4.0",
        reference="Artetxe et al. 2020",
        note="one split, cut by article or paragraph: half selects, half reports",
        how_to_get="xquad/xquad.<language>.json from github.com/google-deepmind/xquad (hub: google/xtreme, "
        "XQuAD.<language>); training: "
        "SQuAD 1.1",
        parallel=True,
    )


def _mlqa() -> TaskCard:
    return _target(
        "mlqa",
        "span",
        MLQA_LANGUAGES,
        "answers are spans; question and context in one language",
        source=_first(
            Files(format="squad_json", path="{folder}/MLQA_V1/{split}/{split}-context-{code}-question-{code}.json"),
            Hub(id=XTREME_HUB, config="MLQA.{code}.{code}", columns=_AS_SQUAD, splits=_TWO_SPLITS),
        ),
        train=(SQUAD_1,),
        metric="mlqa_em_f1",
        trains_on=("squad1",),
        expected=(_SQUAD_TRAIN, *xtreme_counts.MLQA),
        licence="CC BY-SA 3.0",
        reference="Lewis et al. 2020",
        how_to_get="MLQA_V1.zip from dl.fbaipublicfiles.com/MLQA, unpacked to mlqa/MLQA_V1 (hub: google/xtreme, "
        "MLQA.<language>.<language>); training: SQuAD 1.1",
    )


def _tydiqa() -> TaskCard:
    codes = tuple(TYDIQA_NAMES.items())
    train = _first(
        packed_of(TYDIQA_EN),
        Files(format="squad_json", path="tydiqa/tydiqa-goldp-v1.1-train.json", codes=codes, language_column="language"),
        Hub(id=XTREME_HUB, config="tydiqa", codes=codes, columns=_AS_SQUAD, begins=(("id", "{code}-"),)),
    )
    return _target(
        "tydiqa",
        "span",
        tuple(TYDIQA_NAMES),
        "answers are spans; questions asked by speakers of each language",
        source=_first(
            packed_of(same.TYDIQA.source),
            Files(format="squad_json", path="{folder}/tydiqa-goldp-v1.1-dev/tydiqa-goldp-dev-{code}.json", codes=codes),
            Files(format="squad_json", path="{folder}/tydiqa-goldp-v1.1-dev/tydiqa.goldp.{code}.dev.json"),
            Hub(
                id=XTREME_HUB,
                config="tydiqa",
                codes=codes,
                columns=(("id", "id"), ("document", "title")),  # the context is the document of a row without a title
                begins=(("id", "{code}-"),),
                splits=_TWO_SPLITS,
            ),
        ),
        train=(train,),
        metric="em_f1",
        report_split="dev",
        expected=(("en", "train", 3_696), *((code, "dev", n) for code, n in _TYDIQA_DEV.items())),
        licence="Apache-2.0",
        reference="Clark et al. 2020",
        note="one split, cut by document: half selects, half reports; zero-shot training takes the English questions alone",
        how_to_get="tydiqa-goldp-v1.1-train.json and tydiqa-goldp-v1.1-dev.tgz from "
        "storage.googleapis.com/tydiqa/v1.1, unpacked to "
        "tydiqa (hub: google/xtreme, tydiqa)",
    )


_BUCC_PAIRS = {"de": (1_038, 9_580), "fr": (929, 9_086), "ru": (2_374, 14_435), "zh": (257, 1_899)}
"""Number of gold pairs in BUCC's sample (XTREME's dev) and training part (its test)."""


def _bucc() -> TaskCard:
    return _mining(
        "bucc2018",
        "mine translations from two comparable corpora",
        splits=("sample", "training"),
        expected=tuple((code, "sample", n) for code, (n, _) in _BUCC_PAIRS.items())
        + tuple((code, "training", n) for code, (_, n) in _BUCC_PAIRS.items()),
        note="F1 of the pairs above a cut that is chosen on the sample (XTREME's dev) and applied to the training part (its "
        "test); XTREME's own copy leaves out the gold of its test: without it see bucc2018_sample",
        how_to_get="by hand: bucc2018-<language>-en.sample-gold.tar.bz2 (XTREME's dev) and "
        "bucc2018-<language>-en.training-gold.tar.bz2 "
        "(its test) from comparable.limsi.fr/bucc2018, their files in bucc2018; the host may be down, then ask "
        "the organisers",
    )


def _bucc_sample() -> TaskCard:
    return _mining(
        "bucc2018_sample",
        "mine translations from BUCC's sample alone, where the gold of the larger part is not there",
        folder="bucc2018",
        splits=("sample", "sample"),
        expected=tuple((code, "sample", n) for code, (n, _) in _BUCC_PAIRS.items()),
        note="one split, cut by sentence pair: the cut is chosen on one half and reported on the other; XTREME's number on its "
        "dev set is tuned on the gold that it is scored on, and higher",
        how_to_get="as bucc2018, the sample alone",
    )


def _mining(name: str, summary: str, **fields: Any) -> TaskCard:
    return _target(
        name,
        "mining",
        BUCC_LANGUAGES,
        summary,
        source=FirstOf(
            sources=(
                Files(path="{folder}/{language}.{split}.jsonl.gz"),
                Files(format="bucc", path="{folder}/{code}-en.{split}.{code}"),
            )
        ),
        **{"metric": "mining_f1", "trains_on": (), "licence": "research use, see the shared task"}
        | {"reference": "Zweigenbaum et al. 2018; Artetxe and Schwenk 2019"}
        | fields,
    )


def _bucc_proxy() -> TaskCard:
    return _target(
        "bucc_pairs_proxy",
        "retrieval",
        BUCC_LANGUAGES,
        "retrieve the English side of BUCC's gold pairs: a proxy, not BUCC",
        source=_first(
            Hub(
                id=XTREME_HUB,
                config="bucc18.{code}",
                columns=(("text", "source_sentence"), ("english", "target_sentence")),
                splits=_TWO_SPLITS,
            )
        ),
        trains_on=(),
        expected=tuple(
            (code, split, n) for code, pairs in _BUCC_PAIRS.items() for split, n in zip(("dev", "test"), pairs, strict=True)
        ),
        licence="research use, see the shared task",
        reference="Hu et al. 2020 (google/xtreme on the hub)",
        note="parallel-retrieval proxy: every sentence has a translation in the pool, so scores are far higher "
        "than BUCC's F1 and never "
        "to be compared with it",
        how_to_get="hub: google/xtreme, bucc18.<language>",
    )


def _tatoeba() -> TaskCard:
    return _target(
        "tatoeba",
        "retrieval",
        tuple(TATOEBA_CODES),
        "find the English sentence's translation",
        source=_first(
            packed_of(same.TATOEBA.source),
            Files(format="laser_tatoeba", path="{folder}/tatoeba.{code}-eng.{code}", codes=tuple(TATOEBA_CODES.items())),
            Hub(
                id=XTREME_HUB,
                config="tatoeba.{code}",
                codes=tuple(TATOEBA_CODES.items()),
                columns=(("text", "source_sentence"), ("english", "target_sentence")),
                splits=(("test", "validation"),),
            ),
        ),
        select_split="test",
        trains_on=(),
        expected=_TATOEBA_POOLS,
        licence="CC BY 2.0 FR",
        reference="Artetxe and Schwenk 2019",
        note="one split, cut by query; pools differ in size between languages, so chance differs",
        how_to_get="tatoeba/tatoeba.<xxx>-eng.<xxx> and .eng from github.com/facebookresearch/LASER, "
        "data/tatoeba/v1 (hub: google/xtreme, "
        "tatoeba.<xxx>)",
    )


def _first(*copies: Source) -> FirstOf:
    return FirstOf(sources=(Files(), *copies))


def _target(name: str, kind: Kind, languages: tuple[str, ...], summary: str, **fields: Any) -> TaskCard:
    if "splits" in fields:
        fields["select_split"], fields["report_split"] = fields.pop("splits")
    return TaskCard(
        name=name, kind=kind, role="target", languages=languages, summary=summary, **{"trains_on": (f"{name} train",)} | fields
    )
