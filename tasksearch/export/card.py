"""The model card, README.md: training data, scores per language, how the mix was chosen, and licences."""

from __future__ import annotations

import re
from typing import Any

from tasksearch.core.score import ENGLISH
from tasksearch.export.facts import FactRow, Facts, Origin, is_non_commercial
from tasksearch.results.verdict import Estimate
from tasksearch.tasks.source_spec import FirstOf, Hub, Source

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

_PIPELINES = {
    "pair": "text-classification",
    "sentence": "text-classification",
    "multilabel": "text-classification",
    "choice": "multiple-choice",
    "tagging": "token-classification",
    "span": "question-answering",
}


def model_card(facts: Facts, example: str) -> str:
    """Write README.md with the front matter that the Hugging Face hub reads.

    Args:
        example: name of the script that runs the model.
    """
    parts = [
        _front(facts),
        f"# {facts.title}",
        "\n>\n".join(f"> **{_capital(warning)}.**" for warning in facts.warnings),
        _use(facts, example),
        _scores(facts),
        _origin(facts),
        _training(facts),
        _data(facts),
        _made(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(facts: Facts) -> str:
    """Front matter, written by `huggingface_hub` itself.

    The lab's generated languages and data sets are not real and left out; other data sets are named where they are on the hub.
    The licence is `other`: the terms for the weights follow from the checkpoint's and the data's, which the card names.
    """
    from huggingface_hub import ModelCardData

    spoken = {row.language.partition("_")[0] for row in facts.scores}
    languages = sorted(code for code in spoken if re.fullmatch(r"[a-z]{2,3}", code)) if not facts.warning else []
    results = [_result(facts, row) for row in facts.scores]
    read = [source for card in facts.data for source in (card.source, *card.train)]
    data = ModelCardData(
        language=languages or None,
        license="other",
        license_name="non-commercial-data" if facts.non_commercial else "of-its-checkpoint-and-data",
        license_link="README.md",
        library_name="transformers",
        pipeline_tag=_pipeline(facts),
        base_model=facts.base if _HUB_ID.fullmatch(facts.base) else None,
        datasets=sorted({table.id for source in read for table in _tables(source)}) or None,
        tags=["tasksearch", _model_type(facts), "zero-shot cross-lingual transfer"],
        model_name=facts.title if results else None,
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---"


def _result(facts: Facts, row: FactRow) -> Any:
    """Return a score as an entry of the hub's `model-index`."""
    from huggingface_hub import EvalResult

    table = next(iter(_tables(facts.target.source)), None) if facts.target else None
    return EvalResult(
        task_type=_pipeline(facts),
        dataset_type=table.id if table else row.target,
        dataset_name=f"{row.target} ({row.language})",
        dataset_config=row.language,  # the hub treats results of one configuration as one
        dataset_split=facts.target.report_split if facts.target else "test",
        metric_type=row.metric,
        metric_name=f"{row.metric}, percent, zero-shot" if row.language != ENGLISH else f"{row.metric}, percent",
        metric_value=round(row.estimate.value, 2),
    )


def _model_type(facts: Facts) -> str:
    """`model_type` of the configuration that the exported class has."""
    import transformers

    return str(getattr(transformers, facts.architecture).config_class.model_type)


def _pipeline(facts: Facts) -> str:
    return _PIPELINES[facts.target.kind] if facts.target else "feature-extraction"


def _tables(source: Source) -> tuple[Hub, ...]:
    """Return the hub data sets that a source reads, directly or as copies."""
    if isinstance(source, FirstOf):
        return tuple(table for copy in source.sources for table in _tables(copy))
    return (source,) if isinstance(source, Hub) else ()


def _use(facts: Facts, example: str) -> str:
    ending = facts.architecture.partition("For")[2]
    loads = "`AutoModel` (vectors)" if ending in ("", "MaskedLM") else f"`AutoModelFor{ending}`"
    if ending == "MaskedLM":
        loads += " and `AutoModelForMaskedLM`"
    said = f"Loads with {loads} and `AutoTokenizer`, without remote code. `python {example}` runs it."
    if facts.target and facts.target.kind == "span":
        said += (
            " An answer lies in the context: logits at the question's and the special pieces must be closed before the best "
            f"span is taken, as `{example}` does; the stock question-answering pipeline cuts other windows and scores apart."
        )
    if facts.target and facts.target.kind == "tagging":
        said += " A word's tag is read at its first piece."
    if facts.target is None:
        how = facts.plan.settings.retrieval
        apart = "".join(f" ({language}: {layer})" for language, layer in how.layers)
        before = f"`{how.prefix}` before every sentence, " if how.prefix else ""
        said += (
            f" Scores are of hidden layer {how.layer}{apart}, pooling `{how.pooling}`, {before}"
            f"{'each side centred on its own mean' if how.centering else 'not centred'}; other settings give other numbers."
        )
    return said


def _scores(facts: Facts) -> str:
    if not facts.scores:
        return "## Scores\n\nNone: the suite has no target that an encoder alone can be scored on."
    lines = [
        "## Scores of this model",
        "",
        f"On reporting examples (test). No labelled text of a language but English was trained on. {_chance(facts)} 95 % "
        "intervals over examples alone: another seed would give other numbers.",
        "",
        "| target | language | metric | score | 95 % | n |",
        "|---|---|---|---:|---:|---:|",
    ]
    for row in facts.scores:
        own = row.estimate
        lines.append(f"| {_cells(row)} | {_number(own.value)} | {_ends(own)} | {own.examples} |")
    return "\n".join(lines)


def _chance(facts: Facts) -> str:
    known = [f"{name} {value:.1f}" for name, value in sorted(facts.chance.items()) if value is not None]
    return f"Chance: {', '.join(known)}." if known else "Chance: not known for this target."


def _origin(facts: Facts) -> str:
    origin = facts.origin
    if origin is None:
        return "## How it was chosen\n\nNot known: it was trained from a mix file alone, without `--study`."
    lines = ["## How it was chosen", "", *(f"- {sentence}" for sentence in (*origin.chosen, _same_as(origin)))]
    if origin.scores:
        lines += [
            "",
            f"The mix over {origin.seeds} fresh seeds, against no intermediate phase over {origin.baseline_seeds} seeds; "
            "95 % intervals over seeds and examples, each by itself. A gain whose interval covers zero was not seen.",
            "",
            "| target | language | metric | score | 95 % | gain | 95 % | n |",
            "|---|---|---|---:|---:|---:|---:|---:|",
        ]
        for row, gain in zip(origin.scores, origin.gains, strict=True):
            own, over = row.estimate, gain.estimate
            lines.append(
                f"| {_cells(row)} | {_number(own.value)} | {_ends(own)} | {over.value:+.1f} | {_ends(over, '+')} "
                f"| {own.examples} |"
            )
    return "\n".join(lines)


def _same_as(origin: Origin) -> str:
    if origin.trial is None:
        return f"Study `{origin.study}` did not train this very plan and seed: the scores above are this model's own."
    if not origin.differing:
        return f"This model answers every example as trial {origin.trial} ({origin.role}) of `{origin.study}` did."
    return (
        f"Trained again from the plan of trial {origin.trial} ({origin.role}) of `{origin.study}`; {origin.differing} examples "
        "came out otherwise (another device or library version): the scores above are this model's own."
    )


def _training(facts: Facts) -> str:
    settings = facts.plan.settings
    lines = ["## Training", "", f"- phase 1: `{facts.base}` (fingerprint `{facts.fingerprint}`)"]
    english = "" if any(card.trains_in for card in facts.data) else ", English"
    lines.append(f"- phase 2, intermediate{english}: {facts.plan.schedule}")
    if facts.target:
        how = facts.plan.for_target(facts.target.name)
        length = f"{how.steps} steps" if how.steps else f"{how.epochs:g} epochs" if how.epochs else "1 epoch"
        features = (
            f", features `{settings.features}`" if facts.target.kind in ("pair", "sentence", "multilabel", "choice") else ""
        )
        methods = f", with {' '.join(how.methods)}" if how.methods else ""
        lines.append(f"- phase 3, English: {facts.target.name}, {length} of {how.batch_size} examples{features}{methods}")
    lines.append(f"- seed {facts.plan.seed}, plan `{facts.plan.signature}`")
    return "\n".join(lines) + f"\n\n```toml\n{facts.mix.strip()}\n```"


def _data(facts: Facts) -> str:
    lines = ["## Data and licences", "", "| task | role | licence | reference |", "|---|---|---|---|"]
    for card in facts.data:
        licence = (_plain(card.licence) or "not stated") + (" (**non-commercial**)" if is_non_commercial(card) else "")
        lines.append(f"| {card.name} | {card.role} | {licence} | {_plain(card.reference)} |")
    lines += ["", "The licence of the pretrained checkpoint is its own authors'; this card does not know it."]
    return "\n".join(lines)


def _made(facts: Facts) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in facts.versions.items())
    return f"## Made by\n\n```\n{facts.command}\n```\n\n{versions}"


def _cells(row: FactRow) -> str:
    return f"{row.target} | {row.language} | {row.metric}"


def _number(value: float) -> str:
    return f"{value:.1f}"


def _ends(estimate: Estimate, sign: str = "") -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"[{estimate.low:{sign}.1f}, {estimate.high:{sign}.1f}]"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """Remove characters that would end a table's cell."""
    return " ".join(text.replace("|", "/").split())
