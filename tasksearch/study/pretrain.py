"""`pretrain_model`: pretrain a small XLM-R-shaped model and its tokenizer from raw text, with the code that makes the lab's."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.core.signature import signature_of, to_plain
from tasksearch.tasks.languages import canonical
from tasksearch.tasks.raw_text import LICENCES, AlignedFile, aligned_files, sources_in
from tasksearch.tasks.reading import file_fingerprint

if TYPE_CHECKING:
    from tasksearch.phases.pretrain import PretrainSettings

TOKENIZER_LINES = 20_000
"""Maximum number of lines of each file that the tokenizer is trained on."""


@dataclass(frozen=True, kw_only=True)
class PretrainPlan:
    """What to pretrain, and on which text.

    Attributes:
        files: the text.
        vocabulary: number of pieces of the tokenizer.
        settings: training settings.
        save_every: seconds between two saved states.
        save_every_steps: steps between two saved states; None: by time only.
    """

    files: tuple[AlignedFile, ...]
    vocabulary: int
    settings: PretrainSettings
    save_every: float = 60.0
    save_every_steps: int | None = None

    @property
    def data(self) -> str:
        """Hash of the text's bytes and of all settings that affect the data before the first step."""
        files = [(f.source, f.language, file_fingerprint(f.path)) for f in self.files]
        return signature_of("raw text", files, self.vocabulary, self.settings.max_length)


def plan_pretraining(
    data: Path,
    languages: Sequence[str],
    settings: PretrainSettings,
    *,
    vocabulary: int,
    sources: Sequence[str] = (),
    non_commercial: bool = False,
    **saving: Any,
) -> PretrainPlan:
    """Find the text of the languages; English is always included.

    Args:
        data: root of the data; texts are in `pretrain/SOURCE/` below it.
        languages: by any of their codes.
        settings: training settings.
        vocabulary: number of pieces of the tokenizer.
        sources: folders under `pretrain/`; empty: all whose licence permits commercial use.
        non_commercial: whether sources whose licence forbids commercial use are permitted.
        **saving: `save_every` and `save_every_steps` of the plan.

    Raises:
        DataMissing, UnknownName, BadInput: one line each.
    """
    known = sources_in(data)
    for source in sources:
        if source not in known:
            raise UnknownName(f"source of raw text under {data / 'pretrain'}", source, known)
    barred = [source for source in known if source in LICENCES and LICENCES[source].non_commercial and not non_commercial]
    if refused := [source for source in sources if source in barred]:
        raise BadInput(f"source {refused[0]!r} is {LICENCES[refused[0]].text}; --non-commercial takes it all the same")
    chosen = tuple(sources) or tuple(source for source in known if source not in barred)
    wanted = tuple(sorted({"en", *(canonical(language) for language in languages)}))
    return PretrainPlan(files=aligned_files(data, wanted, chosen), vocabulary=vocabulary, settings=settings, **saving)


def pretrain_model(
    plan: PretrainPlan, out: Path, *, force: bool = False, on_step: Callable[[int, int, float], None] | None = None
) -> None:
    """Pretrain the model, or continue where an equal call was killed; `out` appears complete or not at all.

    Intermediate states are kept in `<out>.progress`, which is removed at the end.

    Raises:
        BadInput: `out` is not empty and `force` is False.
    """
    from transformers import AutoTokenizer

    from tasksearch.models.encoder import quiet_transformers
    from tasksearch.models.unigram import train_unigram
    from tasksearch.phases.checkpoints import CheckpointPolicy
    from tasksearch.phases.pretrain import PretrainProgress, pretrain
    from tasksearch.store.segment_store import SegmentStore

    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not force):
        raise BadInput(f"{out} is not empty; choose another --out, or replace it with --force")
    aside = out.with_name(f"{out.name}.progress")
    tokenizer_folder = aside / f"tokenizer-{plan.data}"
    if not (tokenizer_folder / "tokenizer_config.json").is_file():  # written last: complete if there
        train_unigram(_lines(plan.files), plan.vocabulary, plan.settings.max_length, tokenizer_folder)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_folder))
    policy = CheckpointPolicy(every_seconds=plan.save_every, every_steps=plan.save_every_steps)
    progress = PretrainProgress(store=SegmentStore(aside / "states"), policy=policy, data=plan.data)
    pretrain(_corpus(plan.files), tokenizer, plan.settings, out, progress=progress, on_step=on_step)
    _write_notes(plan, out)
    shutil.rmtree(aside)


def _lines(files: Sequence[AlignedFile]) -> Iterator[str]:
    for file in files:
        for text in islice(file.documents(), TOKENIZER_LINES):
            yield text.text_a


def _corpus(files: Sequence[AlignedFile]) -> Any:
    from tasksearch.phases.pretrain import Corpus

    @dataclass(frozen=True)
    class Texts:
        """Texts of one language from all sources, read from disk again at every pass."""

        files: tuple[AlignedFile, ...]
        kind: str

        def __iter__(self) -> Iterator[Any]:
            for file in self.files:
                yield from file.documents() if self.kind == "documents" else file.pairs()

    languages = sorted({file.language for file in files})
    own = {language: tuple(file for file in files if file.language == language) for language in languages}
    return Corpus(
        documents={language: Texts(own[language], "documents") for language in languages},
        parallel={language: Texts(own[language], "pairs") for language in languages if language != "en"},
    )


def _write_notes(plan: PretrainPlan, out: Path) -> None:
    """Write the recipe, and the licences of the text."""
    from tasksearch import __version__

    used = sorted({file.source for file in plan.files})
    licences = {source: LICENCES[source].text if source in LICENCES else "unknown: the user's own text" for source in used}
    recipe = {
        "tasksearch": __version__,
        "settings": {f.name: to_plain(getattr(plan.settings, f.name)) for f in dataclasses.fields(plan.settings)},
        "vocabulary": plan.vocabulary,
        "languages": sorted({file.language for file in plan.files}),
        "files": [f"{file.source}/{file.path.name} {file_fingerprint(file.path)}" for file in plan.files],
        "licences": licences,
    }
    (out / "recipe.json").write_text(json.dumps(recipe, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    barred = [source for source in used if source in LICENCES and LICENCES[source].non_commercial]
    warning = f"\nNot for commercial use: {', '.join(barred)}.\n" if barred else ""
    lines = "\n".join(f"- {source}: {text}" for source, text in licences.items())
    (out / "README.md").write_text(
        f"# An XLM-R-shaped model pretrained by tasksearch\n\nIts text, and the licences it came under:\n\n{lines}\n{warning}\n"
        "`recipe.json` holds the settings and the hash of every file. Made for trying the search out on two cores: small, and\n"
        "trained on a few thousand sentences a language.\n",
        encoding="utf-8",
    )
