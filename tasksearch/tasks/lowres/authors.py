"""Where suite `lowres` reads what the authors themselves publish, beside the packed copies: the places that `data get` fills.

The packed copy is read where it is there, so that a study's data stays what it was.
"""

from __future__ import annotations

from dataclasses import replace

from tasksearch.tasks.card import TaskCard
from tasksearch.tasks.lowres import counts
from tasksearch.tasks.lowres.intermediates import COPA_TRAIN, MNLI_15K, SIB200_EN, TYDIQA_EN, UDPOS_EN, UNER_EN
from tasksearch.tasks.lowres.labels import NO_DATES
from tasksearch.tasks.lowres.targets import TYDIQA, UDPOS, UNER
from tasksearch.tasks.source_spec import Files, FirstOf, Pairs, Source

_TYDIQA = Files(
    format="squad_json",
    path="tydiqa/language_data/{code}/{code}_tydiqa_{split}.json",
    codes=TYDIQA.source.codes if isinstance(TYDIQA.source, Files) else (),
)
_UNER = (
    replace(UNER.source, format="uner_iob2", path="uner/UNER_{code}/*-ud-{split}.iob2", columns=())
    if isinstance(UNER.source, Files)
    else UNER.source
)
_TREEBANKS = (
    ("af", "af_afribooms"), ("am", "am_att"), ("ar", "ar_pud"), ("bg", "bg_btb"), ("de", "de_gsd"), ("el", "el_gdt"),
    ("en", "en_ewt"), ("es", "es_gsd"), ("et", "et_edt"), ("eu", "eu_bdt"), ("fa", "fa_seraji"), ("fi", "fi_tdt"),
    ("fr", "fr_gsd"), ("he", "he_htb"), ("hi", "hi_pud"), ("hu", "hu_szeged"), ("id", "id_gsd"), ("it", "it_isdt"),
    ("ja", "ja_gsd"), ("kk", "kk_ktb"), ("ko", "ko_gsd"), ("lt", "lt_alksnis"), ("mr", "mr_ufal"), ("nl", "nl_alpino"),
    ("pl", "pl_pdb"), ("pt", "pt_gsd"), ("ro", "ro_rrt"), ("ru", "ru_gsd"), ("ta", "ta_ttb"), ("te", "te_mtg"),
    ("th", "th_pud"), ("tl", "tl_trg"), ("tr", "tr_imst"), ("uk", "uk_iu"), ("ur", "ur_udtb"), ("vi", "vi_vtb"),
    ("yo", "yo_ytb"), ("zh", "zh_gsdsimp"), ("zh_Hant", "zh_gsd"),
)  # fmt: skip
"""Language → the stem of its treebank's files."""
_UDPOS = Files(
    format="ud_words",
    path="udpos/UD_*/{code}-ud-{split}.conllu",
    codes=_TREEBANKS,
    documents=UDPOS.source.documents if isinstance(UDPOS.source, Files) else (),
)


def _african(name: str, labels: Pairs = ()) -> Files:
    return Files(format="conll", path=f"{name}/{{code}}/{{split}}.txt", codes=counts.AFRICAN_CODES, labels=labels)


_XNLI = (
    Files(format="my_xnli", path="xnli/myXNLI/{code}/{code}.genre.{split}.tsv", codes=(("en", "my"),)),
    Files(format="nli_tsv", path="xnli/KorNLI/xnli.{split}.{code}.tsv"),
    Files(
        format="csv",
        path="xnli/C-XNLI/xnli.{split}.{code}.csv",
        columns=(("a", "premise"), ("b", "hypo"), ("document", "premise")),
    ),
    Files(format="meta4_xnli", path="xnli/{code}/xnli_{split}_*.tsv", codes=(("es", "Meta4XNLI"),)),
)

TRAINING: dict[Source, Source] = {
    MNLI_15K: replace(MNLI_15K, path="mnli15k/multinli.train.en.tsv"),
    COPA_TRAIN: replace(COPA_TRAIN, format="copa_xml", path="copa/balanced-copa-dev-all.xml"),
    TYDIQA_EN: replace(_TYDIQA, path="tydiqa/language_data/english/english_tydiqa_{split}.json", codes=()),
    UDPOS_EN: Files(format="ud_words", path="udpos/UD_English-EWT/en_ewt-ud-{split}.conllu"),
    SIB200_EN: Files(
        format="tsv_quoted",
        path="sib200/eng_Latn/{split}.tsv",
        columns=(("a", "text"), ("label", "category"), ("id", "index_id")),
    ),
    UNER_EN: replace(UNER_EN, format="uner_iob2", path="uner/UNER_English-EWT/en_ewt-ud-{split}.iob2", columns=()),
}
"""Packed training file → the authors', for the sources that several cards share."""

SOURCES: dict[str, tuple[Source, ...]] = {
    "afrisenti": (
        Files(format="tsv_quoted", path="afrisenti/{code}/{split}.tsv", codes=counts.AFRICAN_CODES, columns=(("a", "tweet"),)),
    ),
    "codah": (Files(format="codah", path="codah/fold_0/{split}.tsv"),),
    "copa": (TRAINING[COPA_TRAIN],),
    "mnli": (
        Files(format="csv", path="mnli15k/dev.csv", columns=(("a", "premise"), ("b", "hypothesis"))),
    ),
    "masakhaner1": (_african("masakhaner1", labels=NO_DATES),),
    "masakhaner2": (_african("masakhaner2", labels=NO_DATES),),
    "masakhapos": (_african("masakhapos"),),
    "mrpc": (
        Files(
            format="tsv",
            path="mrpc/msr-para-{split}.tsv",
            columns=(("a", "#1 String"), ("b", "#2 String"), ("label", "Quality")),
            splits=(("dev", "val"),),
        ),
    ),
    "qamr": (Files(format="qamr_tsv", path="qamr/filtered/{split}.tsv"),),
    "sib200": (
        Files(
            format="tsv_quoted",
            path="sib200/{code}/{split}.tsv",
            codes=counts.SIB200_CODES,
            columns=(("a", "text"), ("label", "category"), ("id", "index_id"), ("document", "index_id")),
        ),
    ),
    "tatoeba": (
        Files(format="laser_tatoeba", path="tatoeba/tatoeba.{code}-eng.{code}", codes=counts.TATOEBA_CODES),
    ),
    "tydiqa": (_TYDIQA,),
    "udpos": (_UDPOS,),
    "uner": (_UNER,),
    "xcopa": (Files(format="xcopa", path="xcopa/{code}/{split}.{code}.jsonl", splits=(("dev", "val"),)),),
    "xnli": _XNLI,
    "xquad": (Files(format="squad_json", path="xquad/xquad.{code}.json"),),
}  # fmt: skip
"""Card → copies of its evaluation data as the authors publish it."""


def with_authors_files(card: TaskCard) -> TaskCard:
    """The card, reading the authors' own files where the packed copy is not there."""
    own = SOURCES.get(card.name, ())
    train = tuple(_first(source, TRAINING.get(source)) for source in card.train)
    source = FirstOf(sources=(card.source, *own)) if own else _first(card.source, TRAINING.get(card.source))
    return replace(card, source=source, train=train)


def _first(packed: Source, authors: Source | None) -> Source:
    return packed if authors is None else FirstOf(sources=(packed, authors))
