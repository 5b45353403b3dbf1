"""Files drawn at random as a user would write them, and our scores on them: what `metric_parity.py` and the tests share.

A case is plain data. `metric_parity.py` scores it by the reference scripts and records a sample with their numbers; the tests
score the sample by ours, without a reference at hand.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

BIO = ["O"] * 4 + [f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "ORG", "LOC")]
UDPOS = [
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB",
    "X",
]  # fmt: skip
ODD = ["O", "B-X", "I-X", "E-X", "S-X", "I-Y", ".", "B", "I", "E", "S", "_", "B-X-Y", "IO"]
WORDS = [
    "the", "a", "an", "The", "cat", "cats", "Cat's", "cat.", "don't", "U.S.", "1,000", "2008年", "北京", "奥运会。", "der",
    "die", "das", "eine", "Hut,", "el", "los", "unas", "gato", "ال", "البيت", "بال", "كتاب", "là", "của", "những", "यह",
    "किताब।", "кот", "ไทย", "「語」", "…", "—", "«", "»", "é", "É", "İ", "ß", "²", "%", "$", "+", "=", "|", "~", "`", "^", "<",
    ">", "\xa0", "\u200b", "\u2028", "\u3000", "x-y", "😀",
]  # fmt: skip
ARTICLES = {
    "en": "a an the", "es": "un una unos unas el la los las", "vi": "của là cái chiếc những", "hi": "यह एक", "zh": "的 。 龥一",
    "de": "ein eine einen einem eines einer der die das den dem des", "ar": "ال الكتاب بالبيت",
}  # fmt: skip
MLQA = sorted(ARTICLES)
Draw = random.Random


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to be scored.

    Attributes:
        metric: as `tasksearch score` has it, or `xtreme` for a whole submission, or `mining` for a cut over scored candidates.
        files: name → text: `gold`, `pred`, for SQuAD 2.0 `null`; for a submission every path below its folder.
        language: of MLQA's files.
        numbers: of `mining`: `scores`, `right` and how many pairs there are to be found, `gold`; of `squad_v2` the no-answer
            `threshold` where one is given.
        task: XTREME's name of the task, where several share a metric.
    """

    metric: str
    files: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    task: str = ""

    def write(self, folder: Path) -> None:
        """Its files below the folder."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


# ---- recorded cases


def write_record(path: Path, rows: Sequence[tuple[str, Case, Mapping[str, float]]]) -> None:
    """(group, case, the reference's numbers), one JSON line each, packed; equal rows give equal bytes."""
    lines = [
        json.dumps({"group": group, "case": asdict(case), "theirs": dict(theirs)}, ensure_ascii=False)
        for group, case, theirs in rows
    ]
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


def read_record(path: Path) -> list[tuple[str, Case, dict[str, float]]]:
    """What `write_record` wrote."""
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().split("\n") if line]
    return [(row["group"], Case(**row["case"]), row["theirs"]) for row in rows]


# ---- our scores


def our_scores(case: Case, folder: Path) -> dict[str, float | None]:
    """Numbers by the reference's keys. The case's files must stand in the folder."""
    from tasksearch.metrics import mining, scoring, xtreme

    if case.metric == "mining":
        import numpy as np

        scores, right = (np.array(case.numbers[name], dtype=kind) for name, kind in (("scores", float), ("right", bool)))
        gold = case.numbers["gold"]
        cut = mining.best_cut(scores, right, gold)
        return dict(mining.mining_scores(scores, right, gold, cut)) | {"cut": cut}
    if case.metric == "xtreme":
        said = xtreme.score_benchmark(folder / "gold", folder / "pred").to_json()
        return _Paths(said)
    null = folder / "null" if "null" in case.files else None
    found = scoring.score_files(
        case.metric,
        folder / "gold",
        folder / "pred",
        language=case.language,
        null_scores=null,
        null_threshold=case.numbers.get("threshold"),
    )
    return dict(found.values) | card_score(case, folder)


class _Paths(dict[str, "float | None"]):
    """A report whose numbers are asked for as `task/key/language`."""

    def __missing__(self, key: str) -> float | None:
        found: Any = self
        for part in key.split("/"):
            found = dict.__getitem__(found, part)
        return None if found is None else float(found)


CARD_METRICS = {
    "accuracy": "accuracy",
    "tatoeba": "accuracy",
    "qqp": "qqp",
    "seqeval": "seqeval_f1",
    "squad": "em_f1",
    "mlqa": "mlqa_em_f1",
}
"""Metric of files → metric of a card, which scores the same predictions inside a study."""


def card_score(case: Case, folder: Path) -> dict[str, float]:
    """`card`: the same files by the outcomes that a study's verdict rests on."""
    import numpy as np

    from tasksearch.metrics import files, outcomes, registry

    if case.metric not in CARD_METRICS:
        return {}
    name, gold, pred = CARD_METRICS[case.metric], folder / "gold", folder / "pred"
    if case.metric == "seqeval":
        found = registry.tag_metric(name)(files.read_sentences(pred), files.read_sentences(gold))
    elif case.metric in ("squad", "mlqa"):
        questions, answers = files.read_gold_questions(gold), files.read_answers(pred)
        if any(question.id not in answers for question in questions):
            return {}  # a study answers every question
        texts = [answers[question.id] for question in questions]
        found = registry.answer_outcomes(name, texts, [q.answers for q in questions], case.language or "en")
    else:
        sides = [files.read_lines(pred), files.read_lines(gold)]
        number = {label: n for n, label in enumerate(sorted({*sides[0], *sides[1]} | {"0", "1"}))}
        found = registry.label_metric(name)(*(np.array([number[label] for label in side]) for side in sides))
    return {"card": outcomes.value_of(found)}


def card_of(case: Case, theirs: Mapping[str, float]) -> dict[str, float]:
    """What `card` must be by the reference's numbers: XTREME's score of the task."""
    if case.metric in ("squad", "mlqa"):
        questions = json.loads(case.files["gold"])["data"]
        asked = {qa["id"] for article in questions for paragraph in article["paragraphs"] for qa in paragraph["qas"]}
        return {"card": (theirs["exact_match"] + theirs["f1"]) / 2} if asked <= set(json.loads(case.files["pred"])) else {}
    keys = {"accuracy": "accuracy", "tatoeba": "accuracy", "qqp": "acc_and_f1", "seqeval": "f1"}
    return {"card": theirs[keys[case.metric]]} if case.metric in keys else {}


# ---- drawing


def _text(draw: Draw, rows: Sequence[str]) -> str:
    """Lines; now and then the last one without its end."""
    text = "".join(f"{row}\n" for row in rows)
    return text.removesuffix("\n") if rows and rows[-1] and draw.random() < 0.2 else text


def changed(draw: Draw, gold: Sequence[Any], among: Sequence[Any]) -> list[Any]:
    """The gold with a random share of it replaced."""
    share = draw.random()
    return [draw.choice(among) if draw.random() < share else item for item in gold]


def accuracy(draw: Draw) -> Case:
    """Labels, some with a space beside them."""
    labels = ["entailment", "neutral", "contradiction", "0", "1", "0 ", " 1"]
    gold = draw.choices(labels, k=draw.randint(1, 60))
    return Case(
        metric="accuracy", files={"gold": _text(draw, gold), "pred": _text(draw, changed(draw, gold, labels))}, task="xnli"
    )


def tatoeba(draw: Draw) -> Case:
    """Line numbers."""
    pool = [str(i) for i in range(draw.randint(1, 100))]
    gold = draw.sample(pool, len(pool))
    return Case(
        metric="tatoeba",
        files={"gold": _text(draw, gold), "pred": _text(draw, changed(draw, gold, [*pool, "[3]"]))},
        task="tatoeba",
    )


def qqp(draw: Draw) -> Case:
    """Duplicates and others."""
    gold = draw.choices("01", k=draw.randint(1, 60))
    said = changed(draw, gold, "01")
    if draw.random() < 0.1:  # none is, and none is said to be
        gold = said = ["0"] * len(gold)
    return Case(metric="qqp", files={"gold": _text(draw, gold), "pred": _text(draw, said)})


def tags(task: str, alphabet: Sequence[str]) -> Callable[[Draw], Case]:
    """Sentences of tags."""

    def one(draw: Draw) -> Case:
        gold = [draw.choices(alphabet, k=draw.randint(1, 20)) for _ in range(draw.randint(1, 15))]
        said = [changed(draw, sentence, alphabet) for sentence in gold]
        bare = [["O"] * len(sentence) for sentence in gold]  # not one chunk
        gold, said = draw.choice([*[(gold, said)] * 17, (bare, said), (gold, bare), (bare, bare)])
        sides = {"gold": gold, "pred": said}
        files = {name: _text(draw, [row for one in side for row in ("", *one)][1:]) for name, side in sides.items()}
        return Case(metric="seqeval", files=files, task=task)

    return one


def bucc(draw: Draw) -> Case:
    """Mined pairs, some twice."""
    n = draw.randint(1, 60)
    pairs = [f"de-{i:09d}\ten-{j:09d}" for i, j in zip(draw.sample(range(99), n), draw.sample(range(99), n), strict=True)]
    mined = [f"de-{draw.randrange(99):09d}\ten-{draw.randrange(99):09d}" for _ in range(draw.randint(0, 40))]
    mined += draw.choices(pairs, k=draw.randint(0, n))
    return Case(metric="bucc", files={"gold": _text(draw, pairs), "pred": _text(draw, mined)}, task="bucc2018")


def phrase(draw: Draw, least: int = 0, words: Sequence[str] = WORDS) -> str:
    """Up to six words, with one space between them, none or two."""
    return draw.choice([" ", " ", "", "  "]).join(draw.choices(words, k=draw.randint(least, 6)))


def said_of(draw: Draw, golds: Sequence[str], words: Sequence[str] = WORDS) -> str:
    """A right answer, one with changed words, or any phrase."""
    if not golds or draw.random() < 0.3:
        return phrase(draw, words=words)
    kept = draw.choice(list(golds)).split(" ")
    return " ".join(word if draw.random() < 0.7 else draw.choice(words) for word in kept)


def question_text(questions: Mapping[str, Sequence[str]]) -> str:
    """SQuAD's JSON over two paragraphs."""
    qas = [
        {"id": name, "question": "?", "answers": [{"text": t, "answer_start": 0} for t in golds]}
        for name, golds in questions.items()
    ]
    paragraphs = [[{"context": "c", "qas": qas[i::2]}] for i in (0, 1)]
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": one} for one in paragraphs]}, ensure_ascii=False)


def answers(task: str, languages: Sequence[str | None]) -> Callable[[Draw], Case]:
    """Questions with one to three answers each; now and then one is not answered."""

    def one(draw: Draw) -> Case:
        language = draw.choice(languages)
        words = [*WORDS, *ARTICLES.get(language or "", "").split() * 3]
        questions = {
            f"q{i}": [phrase(draw, words=words) for _ in range(draw.randint(1, 3))] for i in range(draw.randint(2, 12))
        }
        said = {name: said_of(draw, golds, words) for name, golds in questions.items() if draw.random() < 0.95}
        said = said or {"q0": phrase(draw)}
        files = {"gold": question_text(questions), "pred": json.dumps(said, ensure_ascii=False)}
        return Case(metric="mlqa" if language else "squad", files=files, language=language, task=task)

    return one


def squad_v2(draw: Draw) -> Case:
    """Questions with and without answers, and how likely each has none."""
    questions = {f"q{i}": [phrase(draw) for _ in range(draw.choice([0, 1, 1, 3]))] for i in range(draw.randint(2, 12))}
    said = {name: said_of(draw, golds) if draw.random() < 0.8 else "" for name, golds in questions.items()}
    tied = draw.random() < 0.1
    null = {name: draw.choice([draw.random(), 0.5 if tied else draw.random()]) for name in said}
    files = {"gold": question_text(questions), "pred": json.dumps(said, ensure_ascii=False), "null": json.dumps(null)}
    cut = {"threshold": draw.choice([draw.random(), *null.values()])} if draw.random() < 0.5 else {}
    return Case(metric="squad_v2", files=files, numbers=cut)


def mining_cut(draw: Draw) -> Case:
    """Candidates with margins that tell more or less of which are right; some pairs to be found are no candidates."""
    n, tied = draw.randint(1, 60), draw.random() < 0.1
    scores = [draw.choice([draw.random(), 0.5 if tied else draw.random()]) for _ in range(n)]
    told = draw.random()  # how far a margin tells whether a candidate is right
    right = [draw.random() < (score if told < 0.6 else 0.0 if told < 0.7 else 0.3) for score in scores]
    return Case(metric="mining", numbers={"scores": scores, "right": right, "gold": sum(right) + draw.randint(1, 9)})


def submission(draw: Draw) -> Case:
    """Every file of XTREME's nine tasks in their languages."""
    from tasksearch.metrics.xtreme import XTREME_TASKS

    files: dict[str, str] = {}
    for task in XTREME_TASKS:
        for language in task.languages:
            gold, pred = _task_texts(draw, task.name, task.metric)
            name = f"{task.name}/test-{language}.{task.suffix}"
            files |= {f"gold/{name}": gold, f"pred/{name}": pred}
    return Case(metric="xtreme", files=files)


def _task_texts(draw: Draw, task: str, metric: str) -> tuple[str, str]:
    if metric in ("squad", "mlqa"):
        questions = {f"q{i}": [phrase(draw, 1)] for i in range(3)}
        said = {name: said_of(draw, golds) for name, golds in questions.items()}
        return question_text(questions), json.dumps(said, ensure_ascii=False)
    sets = {"seqeval": UDPOS if task == "udpos" else BIO, "bucc": [f"a-{i}\tb-{i}" for i in range(9)]}
    among = sets.get(metric, ["0", "1", "2"])
    gold = draw.choices(among, k=6)
    return _text(draw, gold), _text(draw, changed(draw, gold, among))
