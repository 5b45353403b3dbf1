"""`pretrain_model`: pretrain a small XLM-R-shaped model and its tokenizer from raw text, or go on from a checkpoint."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        start: hub id or folder of the checkpoint to go on from; empty: none. Its own size and tokenizer hold then.
        new_pieces: pieces by which the checkpoint's vocabulary is extended.
    """

    files: tuple[AlignedFile, ...]
    vocabulary: int
    settings: PretrainSettings
    save_every: float = 60.0
    save_every_steps: int | None = None
    start: str = ""
    new_pieces: int = 0

    @property
    def data(self) -> str:
        """Hash of the text's bytes and of all settings that affect the data before the first step."""
        files = [(f.source, f.language, file_fingerprint(f.path)) for f in self.files]
        begun = [_files_of(self.start), self.new_pieces] if self.start else []
        return signature_of("raw text", files, self.vocabulary, self.settings.max_length, *begun)


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
        **saving: further fields of the plan.

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
) -> dict[str, Any]:
    """Pretrain the model, or continue where an equal call was killed; `out` appears complete or not at all.

    Intermediate states are kept in `<out>.progress`, which is removed at the end.

    Returns:
        Of a plan that goes on from a checkpoint: where its MLM head is from, and how many pieces were added.

    Raises:
        BadInput: `out` is not empty and `force` is False.
        ModelUnusable: the checkpoint cannot be trained by MLM.
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
    policy = CheckpointPolicy(every_seconds=plan.save_every, every_steps=plan.save_every_steps)
    progress = PretrainProgress(store=SegmentStore(aside / "states"), policy=policy, data=plan.data)
    if plan.start:
        return _go_on(plan, out, aside, progress, on_step, force=force)
    tokenizer_folder = aside / f"tokenizer-{plan.data}"
    if not (tokenizer_folder / "tokenizer_config.json").is_file():  # written last: complete if there
        train_unigram(_lines(plan.files), plan.vocabulary, plan.settings.max_length, tokenizer_folder)
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(tokenizer_folder))
    pretrain(_corpus(plan.files), tokenizer, plan.settings, out, progress=progress, on_step=on_step)
    _write_notes(plan, out, {})
    shutil.rmtree(aside)
    return {}


def _go_on(
    plan: PretrainPlan,
    out: Path,
    aside: Path,
    progress: Any,
    on_step: Callable[[int, int, float], None] | None,
    *,
    force: bool,
) -> dict[str, Any]:
    from tasksearch.export.folder import whole_folder
    from tasksearch.phases.pretrain import train_mlm
    from tasksearch.study.continued import first_model, keep

    files = [file for file in plan.files if file.language != "en"] or plan.files
    spoken = {file.language for file in plan.files}
    first = first_model(plan.start, spoken, plan.settings.max_length, lambda: _lines(files), plan.new_pieces, aside)
    trained = train_mlm(_corpus(plan.files), first.model, first.tokenizer, plan.settings, progress=progress, on_step=on_step)
    with whole_folder(out, force=force) as place:
        keep(first, trained, place)
        _write_notes(plan, place, first.note)
    shutil.rmtree(aside, ignore_errors=True)
    return first.note


def _files_of(source: str) -> list[str]:
    """Return name and hash of the files that a checkpoint is."""
    from tasksearch.models.checkpoint_files import local_folder
    from tasksearch.models.encoder import check_source

    check_source(source)
    found = sorted(path for pattern in ("*.safetensors", "*.json") for path in local_folder(source).glob(pattern))
    return [f"{path.name} {file_fingerprint(path)}" for path in found]


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


def _write_notes(plan: PretrainPlan, out: Path, start: Mapping[str, Any]) -> None:
    """Write the recipe, and the licences of the text; `start` says how a checkpoint was gone on from."""
    from tasksearch import __version__

    used = sorted({file.source for file in plan.files})
    licences = {source: LICENCES[source].text if source in LICENCES else "unknown: the user's own text" for source in used}
    recipe: dict[str, Any] = {
        "tasksearch": __version__,
        "settings": {f.name: to_plain(getattr(plan.settings, f.name)) for f in dataclasses.fields(plan.settings)},
        "vocabulary": plan.vocabulary,
        "languages": sorted({file.language for file in plan.files}),
        "files": [f"{file.source}/{file.path.name} {file_fingerprint(file.path)}" for file in plan.files],
        "licences": licences,
    }
    if plan.start:
        earlier = json.loads(there.read_text(encoding="utf-8")) if (there := out / "recipe.json").is_file() else {}
        recipe |= {"from": Path(plan.start).name if Path(plan.start).exists() else plan.start, **start}
        recipe["files"] = [*dict.fromkeys([*earlier.get("files", []), *recipe["files"]])]
        licences = {**earlier.get("licences", {}), **licences, recipe["from"]: "the checkpoint's own licence"}
        recipe["licences"] = licences
    (out / "recipe.json").write_text(json.dumps(recipe, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    barred = [source for source in used if source in LICENCES and LICENCES[source].non_commercial]
    warning = f"\nNot for commercial use: {', '.join(barred)}.\n" if barred else ""
    lines = "\n".join(f"- {source}: {text}" for source, text in licences.items())
    if plan.start:
        head = "; its MLM head was drawn anew" if start["mlm_head"] == "drawn anew" else ""
        added = f", {start['new_pieces']} pieces added to its vocabulary" if start["new_pieces"] else ""
        (out / "README.md").write_text(
            f"# {recipe['from']}, pretrained further by tasksearch\n\nMLM and TLM in {', '.join(recipe['languages'])}"
            f"{added}{head}. Licences:\n\n{lines}\n{warning}\n`recipe.json` holds the settings and the hash of every file.\n",
            encoding="utf-8",
        )
        return
    (out / "README.md").write_text(
        f"# An XLM-R-shaped model pretrained by tasksearch\n\nIts text, and the licences it came under:\n\n{lines}\n{warning}\n"
        "`recipe.json` holds the settings and the hash of every file. Made for trying the search out on two cores: small, and\n"
        "trained on a few thousand sentences a language.\n",
        encoding="utf-8",
    )
