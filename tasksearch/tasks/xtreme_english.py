"""Cards and data sources of the nine English intermediate tasks of Phang et al. 2020.

Each source is the first available copy of: the packed layout, the authors' own files under the data folder, the hub.
Composition of prompts and label orders follow jiant; its order contradiction, entailment, neutral is shared by MNLI, SNLI, ANLI
and XNLI, and the first three share the head `nli`.
"""

from __future__ import annotations

from typing import Any

from tasksearch.tasks.card import Kind, TaskCard
from tasksearch.tasks.source_spec import Files, FirstOf, Hub

NLI_LABELS = ("contradiction", "entailment", "neutral")
_NLI_NUMBERS = (("0", "entailment"), ("1", "neutral"), ("2", "contradiction"))
"""Numbers of the labels of GLUE, SNLI, ANLI and XNLI on the hub."""
_NLI_COLUMNS = (("a", "premise"), ("b", "hypothesis"))
_AS_SQUAD = (("id", "id"), ("document", "title"))

_PACKED = "{language}.{split}.jsonl.gz"


def _packed(folder: str) -> Files:
    return Files(path=f"{folder}/{_PACKED}")


MNLI = FirstOf(
    sources=(
        _packed("mnli"),
        Files(format="nli_jsonl", path="mnli/multinli_1.0_{split}.jsonl", splits=(("dev", "dev_matched"),)),
        Files(format="nli_tsv", path="mnli/{split}.tsv", splits=(("dev", "dev_matched"),)),
        Hub(
            id="nyu-mll/glue",
            config="mnli",
            columns=_NLI_COLUMNS,
            labels=_NLI_NUMBERS,
            splits=(("dev", "validation_matched"),),
        ),
    )
)
MNLI_TRANSLATED = FirstOf(
    sources=(
        Files(
            format="tsv",
            path="mnli_mt/multinli.train.{language}.tsv",
            columns=(("a", "premise"), ("b", "hypo")),
            labels=(("contradictory", "contradiction"),),
        ),
        Hub(id="facebook/xnli", config="{code}", columns=_NLI_COLUMNS, labels=_NLI_NUMBERS),
    )
)
"""MNLI's training pairs in XNLI's other fourteen languages, machine-translated by its authors."""
_XNLI_OTHERS = ("ar", "bg", "de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
SNLI = FirstOf(
    sources=(
        _packed("snli"),
        Files(format="nli_jsonl", path="snli/snli_1.0_{split}.jsonl"),
        Hub(
            id="stanfordnlp/snli",
            config="plain_text",
            columns=_NLI_COLUMNS,
            labels=_NLI_NUMBERS,
            left_out=("-1",),
            splits=(("dev", "validation"),),
        ),
    )
)


def _anli(round_: int) -> FirstOf:
    return FirstOf(
        sources=(
            _packed(f"anli/R{round_}"),
            Files(format="anli_jsonl", path=f"anli/R{round_}/{{split}}.jsonl"),
            Hub(
                id="facebook/anli",
                config="plain_text",
                split=f"{{split}}_r{round_}",
                columns=(*_NLI_COLUMNS, ("id", "uid")),
                labels=_NLI_NUMBERS,
            ),
        )
    )


ANLI = tuple(_anli(round_) for round_ in (1, 2, 3))

QQP = FirstOf(
    sources=(
        _packed("qqp"),
        Files(
            format="tsv",
            path="qqp/{split}.tsv",
            columns=(("a", "question1"), ("b", "question2"), ("label", "is_duplicate"), ("id", "id")),
        ),
        Hub(
            id="nyu-mll/glue",
            config="qqp",
            columns=(("a", "question1"), ("b", "question2")),
            labels=(("0", "0"), ("1", "1"), ("not_duplicate", "0"), ("duplicate", "1")),
            splits=(("dev", "validation"),),
        ),
    )
)
SQUAD_1 = FirstOf(
    sources=(
        _packed("squad1"),
        Files(format="squad_json", path="squad1/{split}-v1.1.json"),
        Hub(id="rajpurkar/squad", config="plain_text", columns=_AS_SQUAD, splits=(("dev", "validation"),)),
    )
)
SQUAD_2 = FirstOf(
    sources=(
        _packed("squad2"),
        Files(format="squad_json", path="squad2/{split}-v2.0.json"),
        Hub(id="rajpurkar/squad_v2", config="squad_v2", columns=_AS_SQUAD, splits=(("dev", "validation"),)),
    )
)
HELLASWAG = FirstOf(
    sources=(
        _packed("hellaswag"),
        Files(format="hellaswag", path="hellaswag/hellaswag_{split}.jsonl", splits=(("dev", "val"),)),
        Hub(
            id="Rowan/hellaswag",
            columns=(("prompt", "ctx_a"), ("document", "source_id")),
            choices=("{ctx_b} {each}",),
            each="endings",
            splits=(("dev", "validation"),),
        ),
    )
)
_COSMOS_COLUMNS: dict[str, Any] = {
    "columns": (("prompt", "{context} {question}"), ("id", "id"), ("document", "context")),
    "choices": ("{answer0}", "{answer1}", "{answer2}", "{answer3}"),
    "splits": (("dev", "validation"),),
}
COSMOS_QA = FirstOf(
    sources=(
        _packed("cosmos_qa"),
        Files(format="cosmos_csv", path="cosmos_qa/{split}.csv", splits=(("dev", "valid"),)),
        Hub(id="allenai/cosmos_qa", **_COSMOS_COLUMNS),
        Hub(id="Samsoup/cosmos_qa", **_COSMOS_COLUMNS),
    )
)
COMMONSENSE_QA = FirstOf(
    sources=(
        _packed("commonsense_qa"),
        Files(format="commonsense_qa", path="commonsense_qa/{split}_rand_split.jsonl"),
        Hub(
            id="tau/commonsense_qa",
            columns=(("prompt", "question"), ("label", "answerKey"), ("id", "id")),
            choices=("{each}",),
            each="choices.text",
            label_among="choices.label",
            splits=(("dev", "validation"),),
        ),
    )
)
CCG_SECTIONS = ("0[2-9]", "1[0-9]", "2[01]")
"""Sections 02-21 of the Wall Street Journal, CCGbank's training section."""
CCG = tuple(Files(format="ccgbank", path=f"ccg/data/AUTO/{section}/wsj_*.auto") for section in CCG_SECTIONS)


def intermediate_cards() -> tuple[TaskCard, ...]:
    """Return cards of ANLI+, MNLI, QQP, SQuAD 1.1 and 2.0, HellaSwag, CCG, Cosmos QA and CommonsenseQA."""
    return (
        _card(
            "anli_plus",
            "pair",
            (MNLI, SNLI, *ANLI),
            "entailment: MNLI, SNLI and the three rounds of ANLI as one training set",
            labels=NLI_LABELS,
            head="nli",
            chance=100 / 3,
            trains_on=("mnli", "snli", "anli"),
            expected=(("en", "train", 1_104_934),),  # 392,702 + 549,367 + 162,865
            licence="ANLI CC BY-NC 4.0; SNLI CC BY-SA 4.0; MNLI OANC and others",
            non_commercial=True,
            reference="Nie et al. 2020; Bowman et al. 2015; Williams et al. 2018",
            how_to_get="snli/snli_1.0_train.jsonl from nlp.stanford.edu/projects/snli (hub: stanfordnlp/snli); "
            "anli/R1, R2 and "
            "R3/train.jsonl from anli_v1.0.zip (hub: facebook/anli); MNLI as for the task mnli",
        ),
        _card(
            "mnli",
            "pair",
            (MNLI,),
            "entailment between sentences of ten genres",
            labels=NLI_LABELS,
            head="nli",
            chance=100 / 3,
            expected=(("en", "train", 392_702),),
            by_language=tuple((language, MNLI_TRANSLATED) for language in _XNLI_OTHERS),
            licence="OANC and others, see the paper",
            reference="Williams et al. 2018",
            how_to_get="mnli/multinli_1.0_train.jsonl from cims.nyu.edu/~sbowman/multinli, or GLUE's "
            "mnli/train.tsv (hub: nyu-mll/glue, "
            "mnli); its translations: mnli_mt/multinli.train.LANGUAGE.tsv from XNLI-MT-1.0.zip at dl.fbaipublicfiles.com/XNLI "
            "(hub: facebook/xnli)",
        ),
        _card(
            "qqp",
            "pair",
            (QQP,),
            "are two questions of Quora's duplicates?",
            labels=("0", "1"),
            metric="qqp",
            chance=None,
            expected=(("en", "train", 363_846), ("en", "dev", 40_430)),
            licence="Quora's terms of service: non-commercial use",
            non_commercial=True,
            reference="Quora 2017; Wang et al. 2019 (GLUE)",
            how_to_get="GLUE's qqp/train.tsv, a few lines of which lack columns: --skip-bad (hub: nyu-mll/glue, qqp)",
        ),
        _card(
            "squad1",
            "span",
            (SQUAD_1,),
            "answers are spans of a Wikipedia paragraph",
            metric="em_f1",
            expected=(("en", "train", 87_599), ("en", "dev", 10_570)),
            licence="CC BY-SA 4.0",
            reference="Rajpurkar et al. 2016",
            how_to_get="squad1/train-v1.1.json from rajpurkar.github.io/SQuAD-explorer (hub: rajpurkar/squad, plain_text)",
        ),
        _card(
            "squad2",
            "span",
            (SQUAD_2,),
            "SQuAD with questions that have no answer",
            metric="squad_v2",
            trains_on=("squad1", "squad2"),
            expected=(("en", "train", 130_319),),
            licence="CC BY-SA 4.0",
            reference="Rajpurkar et al. 2018",
            how_to_get="squad2/train-v2.0.json from rajpurkar.github.io/SQuAD-explorer (hub: rajpurkar/squad_v2, squad_v2)",
        ),
        _card(
            "hellaswag",
            "choice",
            (HELLASWAG,),
            "which of four endings completes the scene?",
            chance=25.0,
            expected=(("en", "train", 39_905), ("en", "dev", 10_042)),
            licence="MIT",
            reference="Zellers et al. 2019",
            how_to_get="hellaswag/hellaswag_train.jsonl from github.com/rowanz/hellaswag/tree/master/data (hub: "
            "Rowan/hellaswag)",
        ),
        _card(
            "ccg",
            "tagging",
            CCG,
            "the categorial-grammar category of each word",
            labels_from="train",
            licence="LDC user agreement",
            non_commercial=True,
            reference="Hockenmaier and Steedman 2007, CCGbank (LDC2005T13)",
            how_to_get="CCGbank needs a licence of the Linguistic Data Consortium: order LDC2005T13 at "
            "catalog.ldc.upenn.edu/LDC2005T13 "
            "and put its data/AUTO folder at ccg/data/AUTO (training sections 02-21); it is on no hub",
        ),
        _card(
            "cosmos_qa",
            "choice",
            (COSMOS_QA,),
            "what a short story implies",
            chance=25.0,
            expected=(("en", "train", 25_262), ("en", "dev", 2_985)),
            licence="CC BY 4.0",
            reference="Huang et al. 2019",
            how_to_get="cosmos_qa/train.csv from github.com/wilburOne/cosmosqa/tree/master/data (hub: the parquet copy of "
            "allenai/cosmos_qa, or Samsoup/cosmos_qa)",
        ),
        _card(
            "commonsense_qa",
            "choice",
            (COMMONSENSE_QA,),
            "five-way questions about everyday things",
            chance=20.0,
            expected=(("en", "train", 9_741), ("en", "dev", 1_221)),
            licence="not stated with the data",
            reference="Talmor et al. 2019",
            how_to_get="commonsense_qa/train_rand_split.jsonl from tau-nlp.org/commonsenseqa (hub: tau/commonsense_qa)",
        ),
    )


def text_card(languages: tuple[str, ...]) -> TaskCard:
    """Return the card of MLM on Wikipedia in these languages, from files of your own or from the hub."""
    source = FirstOf(
        sources=(
            Files(format="text", path="wikipedia/{language}.txt.gz"),
            Files(format="text", path="wikipedia/{language}.txt"),
            Hub(id="wikimedia/wikipedia", config="20231101.{code}", columns=(("a", "text"), ("id", "id"))),
        )
    )
    return TaskCard(
        name="mlm",
        kind="mlm",
        role="intermediate",
        languages=languages,
        by_language=tuple((language, source) for language in languages),
        most=200_000,
        trains_on=("wikipedia",),
        licence="CC BY-SA 4.0 and GFDL",
        reference="wikimedia/wikipedia, dump of 2023-11-01",
        how_to_get="wikipedia/LANGUAGE.txt, a text per line (hub: wikimedia/wikipedia, whole languages: English is over 10 GB)",
        note="the first 200,000 passages of at most 1,000 characters of each language; the paper's own text is not known",
        summary="MLM on Wikipedia",
    )


def _card(name: str, kind: Kind, train: tuple[FirstOf | Files, ...], summary: str, **fields: Any) -> TaskCard:
    return TaskCard(
        name=name,
        kind=kind,
        role="intermediate",
        languages=("en",),
        source=train[0],
        train=train,
        summary=summary,
        report_split="dev",
        **{"chance": None, "trains_on": (name,)} | fields,
    )
